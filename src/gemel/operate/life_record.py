"""What remaining life is foretold from: the load history of an asset, its condition signal, what was done to it.

    history ─► means of what drives it ─► the law ─► rate, bin by bin ┐
    history ─► indicator, bin by bin                                  ├─► spec of a job
    record  ─► maintenance done                                       ┘

A law that bends (a cube of the speed) must not be given means: the mean of cubes is not the cube of the mean. So it is
given the means of short steps (ten seconds to an hour, by how long the record is), and its rates are averaged. What is
still lost within a step is seen on the newest hour, second by second, and told as ``lost``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np

from gemel import __version__
from gemel.assets import Plant
from gemel.errors import StorageError
from gemel.operate.life_law import Law, Wearing, changed, law_of, left, renewals
from gemel.operate.life_state import Loads, StateLaw, loads_of, of_spec, state_law
from gemel.operate.models_source import named
from gemel.samples import Fact, Registry, units
from gemel.samples.batch import F64
from gemel.samples.clock import DAY, SECOND, iso
from gemel.twin.releases import RELEASED, ROLLED_BACK, Releases

LEARNER: Final = "ageing 2"  # raised when the same record would give another answer
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
BACK: Final = 1096 * DAY  # of history that is looked at
STEPS: Final = ((DAY, 10 * SECOND), (70 * DAY, MINUTE), (366 * DAY, 10 * MINUTE))  # up to which span, which step
BINS: Final = (DAY, 6 * HOUR, HOUR, 10 * MINUTE)
LEAST_BINS: Final = 40
HALF: Final = 0.5  # of a bin must be known
DONE: Final = "MaintenanceDone"
MOST_FACTS: Final = 5000
MEMBERS: Final = 2000
BY: Final = "gemel"  # who asks for prognoses as time goes on


class Aggregated(Protocol):
    """One value an interval."""

    @property
    def values(self) -> F64: ...
    @property
    def counts(self) -> Any: ...


class History(Protocol):
    """What is asked of a twin, running or not."""

    @property
    def plant(self) -> Plant: ...
    @property
    def registry(self) -> Registry: ...
    async def history_aggregated(
        self, signal: int, start: int, end: int, interval_ns: int, aggregate: str
    ) -> Aggregated: ...
    async def facts(self, after: int, limit: int, kind: str | None, subject: str | None) -> Sequence[Fact]: ...


async def spec(twin: History, one: Wearing, question: Mapping[str, Any], at: int) -> dict[str, Any]:
    """Give all that a prognosis follows from.

    Args:
        twin: whose history.
        one: what wears out.
        question: ``scenarios`` (each ``name``, ``changes``, ``maintenance``), ``horizon_s``, ``members``, ``seed``.
        at: plant time up to which the record counts [ns].

    Raises NotFoundError where a change is of nothing that drives it.
    """
    law, d = await law_in_force(twin, one, at), one.spec
    wanted = [(s, changed(one, law, {n: np.ones(1) for n in law.driven}, s.get("changes", [])), renewals(one, s.get("maintenance", [])))
              for s in question.get("scenarios", [])]  # fmt: skip
    begun = await _beginning(twin, one, law, at)
    step, width = widths(at - begun)
    end = at // step * step
    begun = end - max(end - begun, 0) // width * width
    found = await _driving(twin, law, (begun, end, step), one, width)
    upkeep = _Upkeep.of([(when, left(one, action)) for when, action in await _done_by(twin, one, at)], (begun, end, width))
    return {
        "asset": one.asset, "of": d.name, "at": iso(end), "law": d.rate or d.state, "unit": d.unit, "threshold": d.threshold, "new": d.new,
        "start": one.start, "spread": d.spread, "accuracy": one.accuracy, "description": d.description,
        "dt_s": width / SECOND, **found.baseline, "indicator": upkeep.unmixed(await _indicator(twin, one, (begun, end, width))),
        "keep": upkeep.keep,
        "futures": [{"name": s["name"], **found.under(s.get("changes", [])), "renewals": done} for s, _, done in wanted],
        "averaging": {"step_s": step / SECOND, "lost": await _lost(twin, one, law, (end, step))},
        "horizon_s": float(question.get("horizon_s") or d.horizon_ns / SECOND), "within_s": d.within_ns / SECOND,
        "members": int(question.get("members") or MEMBERS), "seed": int(question.get("seed") or 0), "question": dict(question),
        "versions": {"gemel": __version__, "plant": twin.plant.digest, "learner": LEARNER, **found.versions},
    }  # fmt: skip


async def law_in_force(twin: History, one: Wearing, at: int) -> Law | StateLaw:
    """Give the law of a degradation, with the parameters of its model that were in force at a time [ns]; raises ModelError."""
    if one.spec.rate:
        return law_of(one)
    facts: list[Fact] = []
    for kind in (RELEASED, ROLLED_BACK):
        try:
            facts += [f for f in await twin.facts(0, MOST_FACTS, kind, one.asset) if f.subject == one.asset]
        except StorageError:  # the record of facts is a running twin's
            break
    releases = Releases().take_all(sorted(facts, key=lambda f: f.seq))
    return await asyncio.to_thread(state_law, twin.plant, one, releases, at)  # a foreign model is looked at in a child


@dataclass(frozen=True, eq=False)
class _Rates:
    """What drove an expression: its rate, bin by bin."""

    one: Wearing
    law: Law
    values: Mapping[str, F64]
    many: int
    versions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def baseline(self) -> dict[str, Any]:
        return self.under([])

    def under(self, changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {"rate": _plain(binned(self.law.rate(changed(self.one, self.law, self.values, changes)), self.many))}


@dataclass(frozen=True, eq=False)
class _States:
    """What drove a model: its loads, from which whoever computes makes rates."""

    law: StateLaw
    loads: Loads
    states: Mapping[str, float]

    @property
    def versions(self) -> Mapping[str, Any]:
        return {"parameters": self.law.binding.versions[self.law.one.asset], **named(self.law.binding.reference)}

    @property
    def baseline(self) -> dict[str, Any]:
        return {"rate": None, "state": of_spec(self.law, self.loads, self.states) | self.under([])}

    def under(self, changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {"loads": self.law.loads(changed(self.law.one, self.law, self.loads.mean, changes))}


async def _driving(twin: History, law: Law | StateLaw, over: tuple[int, int, int], one: Wearing, width: int) -> _Rates | _States:
    values = {n: await _means(twin, one, n, over) for n in law.driven}
    many = width // over[2]
    if not isinstance(law, StateLaw):
        return _Rates(one, law, values, many)
    shown = {b.name: await _means(twin, one, b.signal.name, (*over[:2], width)) for b in law.measured if b.signal}
    means = {n: float(np.nanmean(v)) for n, v in shown.items() if np.isfinite(v).any()}
    return _States(law, loads_of(values, many), means)


def widths(span: int) -> tuple[int, int]:
    """Give the step that the law is evaluated at, and the width of the bins of its mean, for a record of a span [ns].

    >>> [w // SECOND for w in widths(90 * DAY)], [w // SECOND for w in widths(2 * HOUR)]
    ([600, 86400], [10, 60])
    """
    step = next((s for upto, s in STEPS if span <= upto), HOUR)
    return step, next((w for w in BINS if span >= LEAST_BINS * w), MINUTE)


def binned(values: F64, many: int) -> F64:
    """Give the mean of each so many values; NaN where less than half of them are known."""
    rows = values[: len(values) // many * many].reshape(-1, many)
    known = np.isfinite(rows)
    count = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, rows, 0.0).sum(axis=1) / count
    return np.where(count >= HALF * many, mean, np.nan)


async def _beginning(twin: History, one: Wearing, law: Law | StateLaw, at: int) -> int:
    """Give when the record begins [ns]: the first minute in which anything that drives it was measured."""
    names = law.driven or ((one.spec.indicator,) if one.spec.indicator else ())
    start = max(at - BACK, 0) // DAY * DAY
    for width in (DAY, MINUTE):
        told = [await twin.history_aggregated(_number(twin, one, n), start, at, width, "count") for n in names]
        found = [int(np.argmax(t.counts > 0)) for t in told if len(t.counts) and (t.counts > 0).any()]
        if not found:
            return at
        start, at = start + max(found) * width, min(start + (max(found) + 1) * width, at)
    return start


async def _means(twin: History, one: Wearing, name: str, over: tuple[int, int, int]) -> F64:
    start, end, step = over
    if end <= start:
        return np.empty(0)
    how = "last" if one.signal(name).kind == "state" else "time_weighted_mean"
    return np.asarray((await twin.history_aggregated(_number(twin, one, name), start, end, step, how)).values, np.float64)


async def _indicator(twin: History, one: Wearing, over: tuple[int, int, int]) -> list[float | None] | None:
    name = one.spec.indicator
    if not name:
        return None
    scale, offset = units.conversion(one.signal(name).unit, one.spec.unit)
    return _plain(await _means(twin, one, name, over) * scale + offset)


@dataclass(frozen=True, slots=True)
class _Upkeep:
    """Maintenance on the bins of a record.

    Args:
        keep: what it left at the beginning of each bin, and last of all by now [bins + 1]; None where none was done.
        mixed: bins within which it was done: what the indicator showed there on average was true at no time.
    """

    keep: list[float] | None
    mixed: frozenset[int]

    @classmethod
    def of(cls, done: Sequence[tuple[int, float]], over: tuple[int, int, int]) -> _Upkeep:
        """Put maintenance (when [ns], what it left) at the nearest edge of a bin; what is newer than the last bin, now."""
        start, end, width = over
        bins = max((end - start) // width, 0)
        keep, mixed = np.ones(bins + 1), set()
        for when, kept in done:
            if when < start or kept == 1.0:
                continue
            keep[min((when - start + width // 2) // width, bins)] *= kept
            if (when - start) % width:
                mixed.add((when - start) // width)
        return cls(keep.tolist() if (keep != 1.0).any() else None, frozenset(mixed))

    def unmixed(self, indicator: list[float | None] | None) -> list[float | None] | None:
        """Give an indicator without what was true at no time."""
        return indicator and [None if i in self.mixed else v for i, v in enumerate(indicator)]


async def _done_by(twin: History, one: Wearing, at: int) -> list[tuple[int, str]]:
    """Give when maintenance was done [ns] and which, up to a time: what is told at that very time was done before it."""
    told = [(int(f.body.get("at") or f.at), str(f.body["action"])) for f in await done(twin, one)]
    return [(when, action) for when, action in told if when <= at]


async def done(twin: History, one: Wearing) -> list[Fact]:
    """Give the maintenance recorded of a degradation, but for what was taken back; none where only history is there."""
    try:
        facts = await twin.facts(0, MOST_FACTS, DONE, one.asset)
    except StorageError:  # the record of facts is a running twin's
        return []
    return [f for f in facts if f.subject == one.asset and f.body.get("of") == one.spec.name and f.body.get("action") in one.spec.maintenance]


async def _lost(twin: History, one: Wearing, law: Law | StateLaw, over: tuple[int, int]) -> float | None:
    """Give what the law loses within a step, relative, on the newest hour: none where it cannot be seen."""
    if isinstance(law, StateLaw):
        return None  # a model is run by who computes; it is given steps as short
    end, step = over
    start = end - HOUR // step * step
    fine = {n: await _means(twin, one, n, (start, end, SECOND)) for n in law.driven}
    if not fine or not len(next(iter(fine.values()))):
        return None
    true, coarse = law.rate(fine), law.rate({n: binned(v, step // SECOND) for n, v in fine.items()})
    known = np.isfinite(coarse)
    if not known.any() or not np.isfinite(true).any() or np.nanmean(true) <= 0.0:
        return None
    return float(np.nanmean(true) / np.nanmean(coarse) - 1.0) if np.nanmean(coarse) > 0 else None


def _number(twin: History, one: Wearing, name: str) -> int:
    return twin.registry.index(f"{one.asset}/{name}", one.signal(name).lane)


def _plain(values: F64) -> list[float | None]:
    return [None if np.isnan(v) else float(f"{v:.12g}") for v in values.tolist()]
