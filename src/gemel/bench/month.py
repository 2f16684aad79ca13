"""`gemel bench judge`: does the twin follow a plant whose equations are not its own, over a month in which much goes wrong?

Each seed lives a month, with other load, weather, set-points, starting wear, and two sensors that misbehave. What follows
it is what `gemel demo` runs: its plant file, and of it the running twin's machines, noises, filter and step (`month_shipped`).
Its means and bands are held against the truth. Nothing is fitted to a judged seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.bench.ingest import machine
from gemel.bench.month_plant import DAY, PUMPS, Fault, Life, live, struck
from gemel.bench.month_shipped import Shipped, believed, followed, shipped
from gemel.estimate.quantile import normal
from gemel.operate.estimates_kind import Kind

Vector = npt.NDArray[np.float64]
SETTLING: Final = DAY  # readings after the start that are not judged
SHARE: Final = 0.9
MEASURED: Final = ("flow", "discharge_pressure", "vibration", "bearing_temperature")  # the sensors that the plant file has it listen to
JUDGED: Final = {  # name of the model's -> name of the rig's, scale and offset to SI
    "worn": ("wear", 1.0, 0.0),
    "flow": ("flow_m3h", 1 / 3600.0, 0.0),
    "discharge_pressure": ("discharge_bar", 1e5, 0.0),
    "bearing_temperature": ("bearing_c", 1.0, 273.15),
    "vibration": ("vibration_mms", 1e-3, 0.0),
}
FAR: Final = {  # of a sensor that misbehaves, in the unit of the plant file
    "flow": 8.0, "discharge_pressure": 0.15, "bearing_temperature": 5.0, "vibration": 0.5,
}  # fmt: skip
MET: Final = ("bias", "drift", "stuck", "noise")  # what the filter was tried on while it was written, on seeds below 200
UNMET: Final = ("gain", "deadband", "dropout", "intermittent", "spikes", "slow", "clipped")


def drawn(seed: int, days: float, kinds: Sequence[Sequence[str]] = (MET, UNMET)) -> tuple[Fault, ...]:
    """Draw which two sensors misbehave, how, how much, from when to when: one in a way of each of two lists."""
    rng = np.random.default_rng(seed)
    places = [(pump, name) for pump in PUMPS for name in MEASURED]
    found = []
    for at, ways in zip(rng.choice(len(places), 2, replace=False).tolist(), kinds, strict=True):
        kind, far = str(rng.choice(ways)), FAR[places[at][1]]
        size = {
            "bias": far * rng.uniform(0.7, 2.0) * rng.choice([-1, 1]),
            "drift": far * rng.uniform(0.7, 2.0) * rng.choice([-1, 1]),
            "stuck": 0.0,
            "noise": far * rng.uniform(0.3, 1.0),
            "gain": rng.uniform(0.05, 0.2) * rng.choice([-1, 1]),
            "deadband": far * rng.uniform(0.3, 1.0),
            "dropout": rng.uniform(0.2, 0.9),
            "intermittent": rng.uniform(0.05, 0.3), "spikes": rng.uniform(0.05, 0.5), "slow": rng.uniform(60.0, 600.0),
            "clipped": rng.uniform(0.3, 0.9),
        }[kind]
        since = rng.uniform(0.15, 0.6) * days
        until = since + rng.uniform(0.07, 0.2) * days
        found.append(Fault(places[at], kind, float(size), round(since * DAY), round(until * DAY)))
    return tuple(found)


def measure(days: float, seeds: Sequence[int], told: Callable[[str], None]) -> dict[str, Any]:
    """Judge; give what was found, with the unit in each key.

    Args:
        days: of each life.
        seeds: of the judged lives.
        told: takes words on how far it is.
    """
    told(f"living {len(seeds)} times {days:g} days")
    lives = [struck(live(seed, days), drawn(seed, days), seed) for seed in seeds]
    told("following, by the plant file of the demo")
    began = time.monotonic()
    rows = judged(compared(shipped(), lives))
    spent = time.monotonic() - began
    held = [row["band_90_holds_percent"] for row in rows.values()]
    return {
        "bench": "judge", "days": days, "seeds": list(seeds), "states": rows,
        "worst_error_percent": max(row["error_percent"] for row in rows.values()),
        "bands_hold_percent": round(float(np.mean(held)), 1), "bands_hold_least_percent": min(held), "bands_hold_most_percent": max(held),
        "faults": [f"{'/'.join(f.signal)} {f.kind} {f.size:.3g}" for life in lives for f in life.faults],
        "following_s": round(spent, 1), **machine(),
    }  # fmt: skip


def judged(found: dict[str, tuple[Vector, Vector, Vector, Vector]], settling: int = SETTLING) -> dict[str, dict[str, float]]:
    """Give by state its error, relative, and how often the 90 % band held the truth, over all lives and both pumps, the worst of them too.

    The error is the root of the mean square of estimate less truth over that of the truth itself: of a temperature, of what
    it is above the air.
    """
    wide, rows = normal(0.5 + SHARE / 2), {}
    for name, (truth, base, mean, sd) in found.items():
        off, size = (mean - truth)[:, settling:], (truth - base)[:, settling:]
        each = np.sqrt(np.mean(off**2, 1) / np.mean(size**2, 1))
        held = np.abs(off) <= wide * sd[:, settling:]
        rows[name] = {
            "error_percent": round(100 * float(np.sqrt(np.mean(off**2) / np.mean(size**2))), 2),
            "error_of_the_worst_percent": round(100 * float(each.max()), 2),
            "band_90_holds_percent": round(100 * float(held.mean()), 1),
        }
    return rows


def compared(of: Shipped, lives: Sequence[Life]) -> dict[str, tuple[Vector, Vector, Vector, Vector]]:
    """Give by state truth, what it is relative to, mean and standard deviation [pumps and lives, readings]."""
    left = [believed(of, life) for life in lives]
    parts = [_of_kind(kind, lives, followed(kind, left)) for kind in of.kinds.values()]
    return {name: tuple(np.concatenate([part[name][i] for part in parts]) for i in range(4)) for name in parts[0]}  # type: ignore[misc]


def _of_kind(kind: Kind, lives: Sequence[Life], found: tuple[Vector, ...]) -> dict[str, tuple[Vector, ...]]:
    outputs, each = kind.predicts.model.outputs, [(life, path.rpartition("/")[2]) for life in lives for path in kind.assets]
    _, _, output, output_sd = found
    rows: dict[str, tuple[Vector, ...]] = {}
    for name, (rig, scale, offset) in JUDGED.items():
        truth = np.stack([life.true[pump, rig] for life, pump in each]) * scale + offset
        air = np.stack([life.readings[pump, "ambient_temperature"] for life, pump in each]) + 273.15
        at = outputs.index(name)
        rows[name] = truth, air if name.endswith("temperature") else np.zeros_like(truth), output[..., at], output_sd[..., at]
    return rows
