"""`gemel bench judge --attribution`: is the right one named, on the demo plant, whose equations are not the twin's?

a day in which all is right -> four hours in which one thing goes wrong -> whom does the twin name?

What asks is what runs: the demo's plant file, its parameters, the past that the running twin keeps of it (`estimate.long_past`),
and the procedure by which its watch asks (`estimate.attribution`). A reading a minute of the sensors that the plant file listens to. What
goes wrong is a sensor, the machine, a law of the machine that the model has otherwise, or nothing. Nothing is fitted to a seed.
Seeds 500 to 539 and 600 to 629 are those that the attribution was developed on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.bench.attribution_kinds import FAR, GOOD, KINDS, SEEN, WINDOW, other
from gemel.bench.ingest import machine
from gemel.bench.month_plant import DAY, PUMPS, READ_S, Fault, Life, Mishap, live, struck
from gemel.bench.month_shipped import Shipped, believed, records, shipped
from gemel.estimate.attribution import Asked, Readings, attributed, slower
from gemel.estimate.blame import SURE, Verdict
from gemel.estimate.long_past import JUDGED, LEAD, LENGTHS
from gemel.operate.estimates_kind import Kind
from gemel.operate.estimator import process_of

Vector = npt.NDArray[np.float64]
HOURS: Final = JUDGED // 60
DAYS: Final = (GOOD + WINDOW) / DAY
LAST, MOST = 30, 0.5  # of so many readings at the end the checks take more than this share away: the sensor is doubted
RESTLESS: Final = 3.0  # set-points move so many times as often as in `judge`: every hour
SENSORS: Final = ("gain", "deadband", "intermittent", "spikes", "slow", "clipped")
PROCESSES: Final = ("wear", "blockage", "air", "damage")
LAWS: Final = {"vibration": (0.3, 0.8), "bearing_c": (0.3, 0.8), "head": (0.05, 0.15)}  # shares, from and to


@dataclass(frozen=True)
class Wrong:
    """What goes wrong with a pump: the kind of the guilty (of `KINDS`), and what."""

    kind: str
    what: Fault | Mishap | None


@dataclass(frozen=True)
class Found:
    """What was found of a pump: what went wrong, whom the twin blamed, None where nobody was, and whom its checks doubt."""

    wrong: Wrong
    verdict: Verdict | None
    doubted: str = ""

    @property
    def named(self) -> str:
        """The kind that was blamed; a sensor that is not the one that misbehaves is `other sensor`."""
        if self.verdict is None and not self.doubted:
            return "none"
        kind, name = self.verdict.first if self.verdict is not None else ("sensor", self.doubted)
        guilty = self.wrong.what.signal[1] if isinstance(self.wrong.what, Fault) else name
        return kind if kind != "sensor" or name == guilty else "other sensor"

    @property
    def right(self) -> bool:
        """Whether the right one was named."""
        return self.named == self.wrong.kind


# ---- what goes wrong


def drawn(seed: int, kinds: str = "known") -> tuple[Wrong, ...]:
    """Draw what goes wrong with each of the two pumps, of some of `attribution_kinds.SETS`: the four take turns, on either pump."""
    rng = np.random.default_rng(seed)
    whose = [(KINDS[(2 * seed + i + seed // 2) % 4], pump) for i, pump in enumerate(PUMPS)]
    return tuple(_drawn(kind, pump, rng) if kinds == "known" else Wrong(kind, other(kinds, kind, pump, rng)) for kind, pump in whose)


def _drawn(kind: str, pump: str, rng: np.random.Generator) -> Wrong:
    since = GOOD + int(rng.uniform(WINDOW / 4, WINDOW / 2))
    if kind == "sensor":
        return Wrong(kind, _sensor(pump, since, rng))
    if kind == "process":
        what = str(rng.choice(PROCESSES))
        low, high = {"wear": (0.02, 0.06), "blockage": (0.3, 1.0), "air": (0.01, 0.03), "damage": (0.1, 0.4)}[what]
        return Wrong(kind, Mishap(pump, what, float(rng.uniform(low, high)), since, int(rng.uniform(5, 90))))
    if kind == "model":  # a law is another all the while that is judged: it shows where the machine is off the usual
        what = str(rng.choice(list(LAWS)))
        low, high = LAWS[what]
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


def judged(seed: int, of: Shipped | None = None, kinds: str = "known") -> list[Found]:
    """Live a seed's days and ask who is wrong with each pump."""
    wrongs, of = drawn(seed, kinds), of or shipped()
    life = live(seed, DAYS, restless=RESTLESS, mishaps=tuple(w.what for w in wrongs if isinstance(w.what, Mishap)))
    life = struck(life, tuple(w.what for w in wrongs if isinstance(w.what, Fault)), seed)
    readings = believed(of, life)
    machines = [next(kind for path, kind in of.kinds.items() if path.endswith(pump)) for pump in PUMPS]
    return [Found(wrong, asked(kind, readings), doubted(of, kind, life, readings)) for wrong, kind in zip(wrongs, machines, strict=True)]


def doubted(of: Shipped, kind: Kind, life: Life, readings: Mapping[int, Vector]) -> str:
    """Give the sensor of which the plant file's checks take most of the last readings away: nobody else is asked then, the twin said so."""
    last = slice(-LAST, None)
    numbers = dict(zip(SEEN, of.registry.numbers([f"{kind.assets[0]}/{name}" for name in SEEN], "measured"), strict=True))
    pump = kind.assets[0].rpartition("/")[2]
    share = {name: np.mean(np.isfinite(life.readings[pump, name][last]) & ~np.isfinite(readings[int(numbers[name])][last])) for name in SEEN}
    most = max(share, key=lambda name: share[name])
    return most if share[most] > MOST else ""


def asked(kind: Kind, readings: Mapping[int, Vector]) -> Verdict | None:
    """Ask who is wrong with a pump at the end of the hours judged, as the running twin does, by the past that it keeps.

    Gives None where no residual left its band and no sensor shows a symptom, or nobody is surely wrong.
    """
    u, y = (column[:, 0] for column in records(kind, readings))
    begins = GOOD - LEAD
    good, recent = (Readings(u[rows], y[rows]) for rows in (slice(begins - LENGTHS[0], begins), slice(begins, GOOD + WINDOW)))
    problem = slower(kind.problem, kind.p[0], READ_S)
    verdict = attributed(Asked(problem, kind.p[0], good, recent, process_of(kind)))
    return None if verdict is None or verdict.against < SURE else verdict


# ---- counting


def measure(cases: int, first: int, told: Callable[[str], None], kinds: str = "known") -> dict[str, Any]:
    """Ask who is wrong, so many times; give who was, and whom the twin blamed.

    Args:
        cases: two of a seed.
        first: the first seed.
        told: takes words on how far it is.
        kinds: that are drawn from, of `attribution_kinds.SETS`.
    """
    began, found, of = time.monotonic(), list[Found](), shipped()
    for seed in range(first, first + (cases + 1) // 2):
        found += judged(seed, of, kinds)
        for one in found[-2:]:
            told(f"seed {seed}: {words(one)}")
        told(f"{len(found)} cases, {sum(c.right for c in found)} right")
    return {
        "bench": "judge --attribution", "kinds": kinds, "first_seed": first, "hours": HOURS, **counted(found),
        "seconds_per_case": round((time.monotonic() - began) / len(found), 1), **machine(),
    }  # fmt: skip


def counted(found: Sequence[Found]) -> dict[str, Any]:
    """Count: rows of the confusion matrix are who was wrong, columns whom the twin blamed."""
    pairs = Counter((one.wrong.kind, one.named) for one in found)
    struck = [one for one in found if one.wrong.kind != "none"]
    noticed = [one for one in struck if one.named != "none"]
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
    said = (f"sensor {found.doubted} by the checks" if found.doubted else "nobody") if verdict is None else "{} {} {}".format(*verdict.first, verdict.how)
    sure = "" if verdict is None else f" ({verdict.suspects[0][1]:.2f})"
    return f"{found.wrong.kind}: {wrong}; blamed: {said}{sure}"
