"""`gemel bench judge`: does the twin follow a plant whose equations are not its own, over a month in which much goes wrong?

One seed's plant is what the twin is commissioned on. Other seeds live a month each, with other load, weather, set-points,
starting wear, and two sensors that misbehave; the twin's filters are given the readings, its bands and means are held
against the truth. Nothing is fitted to a judged seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.bench.ingest import machine
from gemel.bench.month_plant import DAY, PUMPS, Fault, Life, live, struck
from gemel.bench.month_twin import EVERY, MEASURED, SI, Twin, commissioned, middle, readings, tower_readings
from gemel.dynamics import maths

Vector = npt.NDArray[np.float64]
COMMISSIONED: Final = (100, 4.0)  # seed and days
SETTLING: Final = DAY // EVERY  # instants after the start that are not judged
SHARE: Final = 0.9
MEMORY: Final = 24  # instants: two hours
JUDGED: Final = {  # name of the twin's -> name of the rig's, scale and offset to SI, what its error is relative to
    "wear": ("wear", 1.0, 0.0),
    "flow": ("flow_m3h", *SI["flow"]),
    "head": ("head_m", 1.0, 0.0),
    "power": ("power_kw", *SI["power"]),
    "efficiency": ("efficiency", 1.0, 0.0),
    "motor_temperature": ("motor_c", *SI["motor_temperature"]),
    "drive_temperature": ("drive_c", *SI["drive_temperature"]),
    "bearing_temperature": ("bearing_c", *SI["bearing_temperature"]),
    "vibration": ("vibration_mms", *SI["vibration"]),
}
FAR: Final = {  # of a sensor that misbehaves, in the unit of the plant file
    "flow": 8.0, "discharge_pressure": 0.15, "power": 0.4, "current": 0.8, "torque": 1.5, "motor_temperature": 6.0,
    "drive_temperature": 5.0, "bearing_temperature": 5.0, "vibration": 0.5, "level": 0.6,
}  # fmt: skip
MET: Final = ("bias", "drift", "stuck", "noise")  # what the filter was tried on while it was written, on seeds below 200
UNMET: Final = ("gain", "deadband", "dropout", "intermittent", "spikes", "slow", "clipped")


def drawn(seed: int, days: float, kinds: Sequence[Sequence[str]] = (MET, UNMET)) -> tuple[Fault, ...]:
    """Draw which two sensors misbehave, how, how much, from when to when: one in a way of each of two lists."""
    rng = np.random.default_rng(seed)
    places = [(pump, name) for pump in PUMPS for name in MEASURED] + [("tank-1", "level")]
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
        seeds: of the judged lives; that of the commissioning is not among them.
        told: takes words on how far it is.
    """
    told(f"commissioning on {COMMISSIONED[1]:g} days")
    began = time.monotonic()
    twin = commissioned(live(*COMMISSIONED))
    commissioning = time.monotonic() - began
    told(f"living {len(seeds)} times {days:g} days")
    lives = [struck(live(seed, days), drawn(seed, days), seed) for seed in seeds]
    told("following")
    began = time.monotonic()
    verdicts = judged(twin, lives)
    spent = time.monotonic() - began
    rows = {name: {"error_percent": round(100 * e, 2), "band_90_holds_percent": round(100 * c, 1)} for name, (e, c) in verdicts.items()}
    held = [row["band_90_holds_percent"] for row in rows.values()]
    return {
        "bench": "judge", "days": days, "seeds": list(seeds), "commissioned_on_seed": COMMISSIONED[0], "states": rows,
        "worst_error_percent": max(row["error_percent"] for row in rows.values()),
        "bands_hold_percent": round(float(np.mean(held)), 1), "bands_hold_least_percent": min(held), "bands_hold_most_percent": max(held),
        "faults": [f"{'/'.join(f.signal)} {f.kind} {f.size:.3g}" for life in lives for f in life.faults],
        "commissioning_s": round(commissioning, 1), "following_s": round(spent, 1), **machine(),
    }  # fmt: skip


def judged(twin: Twin, lives: Sequence[Life]) -> dict[str, tuple[float, float]]:
    """Give by state its error, relative, and how often the 90 % band held the truth, over all lives and both pumps.

    The error is the root of the mean square of estimate less truth over that of the truth itself: of temperatures, of what
    they are above the air.
    """
    from gemel.estimate.quantile import normal

    wide, found = normal(0.5 + SHARE / 2), {}
    for name, (truth, base, mean, sd) in compared(twin, lives).items():
        off = (mean - truth)[:, SETTLING:]
        error = np.sqrt(np.mean(off**2) / np.mean((truth - base)[:, SETTLING:] ** 2))
        found[name] = float(error), float(np.mean(np.abs(off) <= wide * sd[:, SETTLING:]))
    return found


def compared(twin: Twin, lives: Sequence[Life]) -> dict[str, tuple[Vector, Vector, Vector, Vector]]:
    """Give by state truth, what it is relative to, mean and standard deviation [lives and pumps, readings]."""
    return {**_pumps(twin, lives), **_tower(twin, lives)}


def followed(problem: Any, u: Vector, y: Vector, p: Vector) -> Any:
    """Filter records side by side, by a filter that the running twin does not use yet: u, y [records, readings, ...]; give estimates so shaped."""
    import jax

    from gemel.estimate import Robust, Unscented, track
    from gemel.estimate.trusting import Trusting

    maths.loaded()
    method = Trusting(Unscented(Robust()), memory=MEMORY)

    def one(u: Any, y: Any) -> Any:
        found = track(problem, method, u, y, p)
        return found.mean, found.sd, found.output, found.output_sd

    return tuple(np.asarray(part) for part in jax.jit(jax.vmap(one))(u, y))


def _pumps(twin: Twin, lives: Sequence[Life]) -> dict[str, Any]:
    model, each = twin.pump.model, [(life, pump) for life in lives for pump in PUMPS]
    u = np.stack([readings(life, pump, model.inputs) for life, pump in each])
    y = np.stack([readings(life, pump, model.outputs) for life, pump in each])
    _, _, output, output_sd = followed(twin.pump, u, y, twin.p)
    air = u[..., model.place("inputs", "ambient_temperature")]
    found = {}
    for name, (rig, scale, offset) in JUDGED.items():
        truth = np.stack([middle(life.true[pump, rig]) for life, pump in each]) * scale + offset
        base = air if name.endswith("temperature") else np.zeros_like(truth)
        at = model.place("outputs", name)
        found[name] = truth, base, output[..., at], output_sd[..., at]
    return found


def _tower(twin: Twin, lives: Sequence[Life]) -> dict[str, Any]:
    u, y = (np.stack(part) for part in zip(*(tower_readings(life) for life in lives), strict=True))
    _, _, output, output_sd = followed(twin.tower, u, y, twin.tower.model.p0)
    truth: Mapping[str, Vector] = {
        "level": np.stack([middle(life.true["tank-1", "level_m"]) for life in lives]),
        "leak": np.stack([middle(life.true["tank-1", "leak_m3h"]) for life in lives]) / 3600.0,
    }
    return {name: (t, np.zeros_like(t), output[..., i], output_sd[..., i]) for i, (name, t) in enumerate(truth.items())}


