"""Remaining life as a job: from its spec, which holds the record, to what will come of it. Pure; the same spec, the same answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from gemel.estimate.ageing import Exposure, Prior, follow
from gemel.estimate.life import LEVELS
from gemel.estimate.prognosis import Course, Difference, Outlook, Size, compare, foretell
from gemel.operate.life_duty import Bend, ruled
from gemel.operate.models_source import same
from gemel.samples.batch import F64
from gemel.samples.clock import DAY, SECOND

MOST_STEPS: Final = 750  # of the future
DAYS: Final = 3  # of record, from which on the future is drawn day by day
RECENT: Final = 60  # days that may come again
SHOWN: Final = 200  # points of the past
TIMES_D: Final = (7.0, 30.0, 90.0, 365.0)  # within which the risk is told


def run(spec: Mapping[str, Any], told: Callable[[float], bool]) -> dict[str, Any]:
    """Foretell a degradation as it is, and under each change.

    Returns what it is about (``asset``, ``of``, ``unit``, ``threshold`` …), ``level`` now, the ``past`` of the indicator,
    ``futures`` (the first is the baseline; times in seconds from now, None beyond the horizon) and
    ``differences``, none where there is no estimate.
    """
    dt, law = float(spec["dt_s"]), ruled(spec)
    same(spec["versions"].get("models", {}))
    rate, way = law.rates[0], _Way(spec["new"], spec["threshold"], law.bend)
    indicator, keep = (None if spec[k] is None else _array(spec[k]) for k in ("indicator", "keep"))
    start = None if spec["start"] is None else float(way.straight(_array(spec["start"])))
    prior = Prior(spec["new"], spec["threshold"], start, spec["spread"], spec["accuracy"])
    shown = None if indicator is None else way.straight(indicator)
    aged = follow(Exposure(dt, rate, shown, None if keep is None else law.bend.straight(keep)), prior)
    told(0.5)
    futures = [{"name": "baseline", "renewals": []}, *spec["futures"]]
    size = Size(float(spec["horizon_s"]), int(spec["members"]), int(spec["seed"]))
    blocks = [_outlook(r, dt, size.horizon, _left(f["renewals"], law.bend)) for f, r in zip(futures, law.rates, strict=True)]
    courses = [replace(c, fan=way.back(c.fan)) for c in foretell(aged, blocks, size)]
    told(1.0)
    level, sd = way.level(*aged.level())
    known = not courses[0].thin  # without an estimate there is nothing to compare
    kept = ("asset", "of", "at", "law", "unit", "threshold", "new", "description", "averaging", "horizon_s", "within_s", "members", "seed", "versions")
    return {
        **{k: spec[k] for k in kept}, **({"state": law.told} if law.told else {}), "level": {"value": level, "sd": sd}, "readings": aged.readings, "known": aged.known,
        "span_s": dt * len(rate), "bin_s": dt, "quantiles": list(LEVELS), "past": _past(indicator, dt),
        "futures": [_future(f, c, spec) for f, c in zip(futures, courses, strict=True)],
        "differences": [{"name": f["name"], **_difference(compare(courses[0], c))} for f, c in zip(futures[1:], courses[1:], strict=True) if known],
    }  # fmt: skip


def rows(result: Mapping[str, Any]) -> dict[str, float]:
    """Give what is kept of a prognosis, by role: value, life, low and high [d], risk [%]; without an estimate no life."""
    base = result["futures"][0]
    found = {"value": result["level"]["value"]}
    if base["reason"] and not base["event"]:
        return found
    found["risk"] = 100.0 * base["risk"]["within"]
    for role, q in (("low", "q05"), ("life", "q50"), ("high", "q95")):
        if base["event"].get(q) is not None and (role == "low" or not base["reason"]):
            found[role] = base["event"][q] * SECOND / DAY
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """From new to failed, as it is and as straight as its law is followed."""

    new: float
    threshold: float
    bend: Bend

    def straight(self, value: F64) -> F64:
        way = self.threshold - self.new
        return value if len(self.bend.slowness) == 1 else self.new + way * self.bend.straight((value - self.new) / way)

    def back(self, value: F64) -> F64:
        way = self.threshold - self.new
        return value if len(self.bend.slowness) == 1 else self.new + way * self.bend.back((value - self.new) / way)

    def level(self, value: float, sd: float) -> tuple[float, float]:
        low, middle, high = (float(v) for v in self.back(_array([value - sd, value, value + sd])))
        return middle, 0.5 * abs(high - low)


def _left(renewals: list[list[float]], bend: Bend) -> list[list[float]]:
    """Give what maintenance leaves, straightened: exact where it leaves nothing, else as of a thing that has failed."""
    return [[at, float(bend.straight(keep))] for at, keep in renewals]


def _outlook(rate: F64, dt: float, horizon: float, renewals: list[list[float]]) -> Outlook:
    """Give the days that may come again; a record of less than some days has one block, its mean."""
    filled = np.where(np.isfinite(rate), rate, np.nanmean(rate)) if np.isfinite(rate).any() else np.zeros(1)
    day = round(DAY / SECOND)
    done = tuple((float(at), float(keep)) for at, keep in renewals)
    bins = max(round(day / dt), 1)
    whole = len(filled) // bins
    if whole < DAYS:
        return Outlook(max(horizon / MOST_STEPS, dt), filled[None, :], done)
    together = int(np.ceil(horizon / day / MOST_STEPS))  # days to a block, where the horizon is long
    recent = filled[len(filled) - whole * bins :].reshape(whole, bins)[-RECENT:]
    return Outlook(float(day * together), recent, done)


def _future(future: Mapping[str, Any], course: Course, spec: Mapping[str, Any]) -> dict[str, Any]:
    thin = course.thin
    times = [t for t in TIMES_D if t * DAY / SECOND <= course.horizon]
    return {
        "name": future["name"], "reason": course.reason,
        "event": {} if thin else {f"q{round(100 * q):02d}": _finite(course.quantile(q)) for q in LEVELS},
        "risk": {} if thin else {"within": course.within(spec["within_s"]), **{f"{d:g}d": course.within(d * DAY / SECOND) for d in times}},
        "times_s": course.time.tolist(), "fan": np.round(course.fan, 9).tolist(),
        "survival": [] if thin else course.survival().tolist(),
    }  # fmt: skip


def _difference(d: Difference) -> dict[str, Any]:
    return {
        "median_s": _finite(d.median), "low_s": _finite(d.low), "high_s": _finite(d.high), "ratio": _finite(d.ratio),
        "earlier": d.earlier, "clear": d.clear,
    }  # fmt: skip


def _past(indicator: F64 | None, dt: float) -> dict[str, list[float]]:
    if indicator is None:
        return {"times_s": [], "value": []}
    there = np.flatnonzero(np.isfinite(indicator))
    chosen = there[np.unique(np.linspace(0, max(len(there) - 1, 0), SHOWN).astype(int))] if len(there) else there
    return {"times_s": ((chosen + 0.5 - len(indicator)) * dt).tolist(), "value": indicator[chosen].tolist()}


def _array(values: Any) -> F64:
    return np.array(values, np.float64)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
