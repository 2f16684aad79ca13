"""`gemel bench judge --attribution`: is the right one named, on the demo plant, whose equations are not the twin's?

a day in which all is right -> the pump set is fitted to it -> four hours in which one thing goes wrong -> who is wrong?

A reading a minute, seven sensors of one pump set. What goes wrong is a sensor, the machine, a law of the machine that the
model has otherwise, or nothing. Nothing is fitted to the judged hours; seeds 500 to 539 are those that the attribution was developed on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.bench.ingest import machine
from gemel.bench.month_plant import DAY, PUMPS, READ_S, Fault, Life, Mishap, live, struck
from gemel.bench.month_twin import FITTED, MEASURED, PLANT_FILE, ROUGH, SI, WEAR, Watched, fit, readings
from gemel.dynamics import Compiled, compile_model
from gemel.estimate import Noise, Problem
from gemel.estimate.bank import Excerpt
from gemel.estimate.blame import SURE, Case, Verdict, blame
from gemel.estimate.residuals import Band, band, fitted, raised, residuals
from gemel.estimate.suspects import Usual
from gemel.estimate.symptoms import noticed

Vector = npt.NDArray[np.float64]
SEEN: Final = (
    "flow", "discharge_pressure", "power", "current", "motor_temperature", "bearing_temperature", "vibration",
)  # fmt: skip
GOOD: Final = 5 * DAY // 4  # readings in which all is right
HOURS: Final = 4
WINDOW: Final = HOURS * 60  # readings that are judged
DAYS: Final = (GOOD + WINDOW) / DAY
RESTLESS: Final = 3.0  # set-points move so many times as often as in `judge`: every hour
PROCESS: Final = {"wear": 0.03, "riser_loss": 2000.0, "best_efficiency": 0.05, "bearing_damage": 0.2}  # changes to be expected
ROUGHNESS: Final = 5.0  # of a bearing by its damage
KINDS: Final = ("sensor", "process", "model", "none")
SENSORS: Final = ("gain", "deadband", "intermittent", "spikes", "slow", "clipped")
PROCESSES: Final = ("wear", "blockage", "air", "damage")
LAWS: Final = ("power", "vibration", "motor_c")
FAR: Final = {  # what a sensor that misbehaves is off by, in the unit of the plant file
    "flow": 8.0, "discharge_pressure": 0.15, "power": 0.4, "current": 0.8, "motor_temperature": 6.0,
    "bearing_temperature": 5.0, "vibration": 0.5,
}  # fmt: skip


@dataclass(frozen=True)
class Wrong:
    """What goes wrong with a pump: the kind of the guilty (of `KINDS`), and what."""

    kind: str
    what: Fault | Mishap | None


@dataclass(frozen=True)
class Found:
    """What was found of a pump: what went wrong, and whom the twin blamed; None where nobody was."""

    wrong: Wrong
    verdict: Verdict | None

    @property
    def named(self) -> str:
        """The kind that was blamed; a sensor that is not the one that misbehaves is `other sensor`."""
        if self.verdict is None:
            return "none"
        kind, name = self.verdict.first
        guilty = self.wrong.what.signal[1] if isinstance(self.wrong.what, Fault) else name
        return kind if kind != "sensor" or name == guilty else "other sensor"

    @property
    def right(self) -> bool:
        """Whether the right one was named."""
        return self.named == self.wrong.kind


class Known(NamedTuple):
    """What a good day leaves: the case without a record, its band."""

    case: Case
    band: Band


# ---- what goes wrong


def drawn(seed: int) -> tuple[Wrong, ...]:
    """Draw what goes wrong with each of the two pumps: the four kinds take turns, on either pump."""
    rng = np.random.default_rng(seed)
    return tuple(_drawn(KINDS[(2 * seed + i + seed // 2) % 4], pump, rng) for i, pump in enumerate(PUMPS))


def _drawn(kind: str, pump: str, rng: np.random.Generator) -> Wrong:
    since = GOOD + int(rng.uniform(WINDOW / 4, WINDOW / 2))
    if kind == "sensor":
        return Wrong(kind, _sensor(pump, since, rng))
    if kind == "process":
        what = str(rng.choice(PROCESSES))
        low, high = {"wear": (0.02, 0.06), "blockage": (0.3, 1.0), "air": (0.01, 0.03), "damage": (0.1, 0.4)}[what]
        return Wrong(kind, Mishap(pump, what, float(rng.uniform(low, high)), since, int(rng.uniform(5, 90))))
    if kind == "model":  # a law is another all the while that is judged: it shows where the machine is off the usual
        what = str(rng.choice(LAWS))
        low, high = {"power": (0.15, 0.4), "vibration": (0.3, 0.8), "motor_c": (0.3, 0.8)}[what]
        return Wrong(kind, Mishap(pump, what, float(rng.uniform(low, high) * rng.choice([-1, 1])), GOOD))
    return Wrong(kind, None)


def _sensor(pump: str, since: int, rng: np.random.Generator) -> Fault:
    name, kind = str(rng.choice(SEEN)), str(rng.choice(SENSORS))
    size = {
        "gain": rng.uniform(0.1, 0.25) * rng.choice([-1, 1]), "deadband": FAR[name] * rng.uniform(0.5, 1.5),
        "intermittent": rng.uniform(0.05, 0.8), "spikes": rng.uniform(0.05, 0.8), "slow": rng.uniform(30.0, 240.0),
        "clipped": rng.uniform(0.5, 0.9),
    }[kind]  # fmt: skip
    return Fault((pump, name), kind, float(size), since, GOOD + WINDOW)


# ---- the twin's side


def judged(seed: int) -> list[Found]:
    """Live a seed's days and ask who is wrong with each pump."""
    wrongs = drawn(seed)
    life = live(seed, DAYS, restless=RESTLESS, mishaps=tuple(w.what for w in wrongs if isinstance(w.what, Mishap)))
    life = struck(life, tuple(w.what for w in wrongs if isinstance(w.what, Fault)), seed)
    return [Found(wrong, asked(life, pump)) for wrong, pump in zip(wrongs, PUMPS, strict=True)]


def asked(life: Life, pump: str) -> Verdict | None:
    """Fit the model to the good day of a pump and ask who is wrong in the hours after it; None: nothing was noticed, or nobody is surely wrong."""
    p = commissioned(life, pump)
    u, y = (minutes(life, pump, names) for names in (_seeing(SEEN).inputs, SEEN))
    known, mean = _known(p, u[:GOOD], y[:GOOD])
    record = Excerpt(u[GOOD:], y[GOOD:], p, mean)
    found = noticed(record.y, known.case.good.y, raised(residuals(known.case.problem, record).off[0], known.band))
    verdict = None if found.at < 0 else blame(known.case, record, found)
    return None if verdict is None or verdict.against < SURE else verdict


def commissioned(life: Life, pump: str) -> Vector:
    """Fit the parameters of a pump set to its good day, as `judge` does."""
    model = _seeing(MEASURED)
    p = model.with_parameters({**PLANT_FILE, "wear": WEAR, "bearing_roughness": ROUGHNESS})
    places = [model.place("parameters", n) for n in FITTED if n != "wear_rate"]
    many = GOOD // 5
    fit(model, p, places, readings(life, pump, model.inputs)[:many], readings(life, pump, MEASURED)[:many])
    return p


def minutes(life: Life, asset: str, names: Sequence[str]) -> Vector:
    """Give what is read each minute, in SI [readings, names]."""
    return np.stack([life.readings[asset, name] * SI[name][0] + SI[name][1] for name in names], 1)


def _known(p: Vector, u: Vector, y: Vector) -> tuple[Known, Vector]:
    """Learn noises, band and the usual from a good day; give them, and what is believed at its end."""
    model = _seeing(SEEN)
    scale, sensor = model.scales("states"), ROUGH[[MEASURED.index(n) for n in SEEN]] / 3.0
    noise = Noise(2e-4 * np.ones(len(scale)), np.zeros(0), sensor, np.full(len(scale), 5.0), np.zeros(0))
    start = Problem(model, (), noise, READ_S).start[0]
    problem = fitted(Problem(model, (), noise, READ_S), Excerpt(u, y, p, start))
    found = residuals(problem, Excerpt(u, y, p, start))
    x, last = found.mean[0], len(u) - WINDOW
    usual = Usual(u.mean(0), u.std(0), x[30:].mean(0), x[30:].std(0))
    good = Excerpt(u[last:], y[last:], p, x[last - 1])
    return Known(Case(problem, usual, np.abs(y).mean(0), good, PROCESS, Excerpt(u, y, p, start)), band(found.off[0])), x[-1]


@lru_cache(2)
def _seeing(outputs: tuple[str, ...]) -> Compiled:
    return compile_model(Watched(outputs))


# ---- counting


def measure(cases: int, first: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Ask who is wrong, so many times; give who was, and whom the twin blamed.

    Args:
        cases: two of a seed.
        first: the first seed.
        told: takes words on how far it is.
    """
    began, found = time.monotonic(), list[Found]()
    for seed in range(first, first + (cases + 1) // 2):
        found += judged(seed)
        for one in found[-2:]:
            told(f"seed {seed}: {words(one)}")
        told(f"{len(found)} cases, {sum(c.right for c in found)} right")
    return {
        "bench": "judge --attribution", "first_seed": first, "hours": HOURS, **counted(found),
        "seconds_per_case": round((time.monotonic() - began) / len(found), 1), **machine(),
    }  # fmt: skip


def counted(found: Sequence[Found]) -> dict[str, Any]:
    """Count: rows of the confusion matrix are who was wrong, columns whom the twin blamed."""
    pairs = Counter((one.wrong.kind, one.named) for one in found)
    struck = [one for one in found if one.wrong.kind != "none"]
    noticed = [one for one in struck if one.verdict is not None]
    return {
        "cases": len(found),
        "right": sum(one.right for one in found),
        "right_percent": _percent(found),
        "right_of_noticed_percent": _percent(noticed),
        "not_noticed": len(struck) - len(noticed),
        "confusion": {kind: {said: pairs[kind, said] for said in (*KINDS, "other sensor")} for kind in KINDS},
        "right_percent_by_kind": {kind: _percent([one for one in found if one.wrong.kind == kind]) for kind in KINDS},
        "right_by_what": _by_what(found),
        "not_right": [words(one) for one in found if not one.right],
    }


def _by_what(found: Sequence[Found]) -> dict[str, str]:
    of: dict[str, list[bool]] = {}
    for one in found:
        name = "nothing" if one.wrong.what is None else f"{one.wrong.kind} {one.wrong.what.kind}"
        of.setdefault(name, []).append(one.right)
    return {name: f"{sum(flags)} of {len(flags)}" for name, flags in sorted(of.items())}


def _percent(found: Sequence[Found]) -> float | None:
    return round(100 * sum(one.right for one in found) / len(found), 1) if found else None


def words(found: Found) -> str:
    """Say what went wrong and whom the twin blamed."""
    what, verdict = found.wrong.what, found.verdict
    where = "" if what is None else "/".join(what.signal) if isinstance(what, Fault) else what.pump
    wrong = "nothing" if what is None else f"{where} {what.kind} {what.size:.3g}"
    said = "nobody" if verdict is None else "{} {} {}".format(*verdict.first, verdict.how)
    sure = "" if verdict is None else f" ({verdict.suspects[0][1]:.2f})"
    return f"{found.wrong.kind}: {wrong}; blamed: {said}{sure}"
