"""What was so at a past time, and what was believed then: rows from history, the rest from the record.

    at, known ─► rows with time ≤ at, received ≤ known ─► the fold of lanes ─► values as they were shown
              └► facts with at ≤ at, known by then     ─► the machines of alarms and commands, the plant in force

The same folds that make the live state, so that the two cannot drift apart. It runs where people ask, never in the
twin's own process: a slow question does not touch the fold.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from gemel.assets import DEVIATION, Plant, by_event_only, deviation
from gemel.condition.retrospect import retrospect
from gemel.errors import NotFoundError, RefusedError
from gemel.history import Series
from gemel.operate.chronicle import Chronicle
from gemel.operate.past_alarms import AlarmFolds
from gemel.samples import Batch, Fact, Registry
from gemel.samples.batch import F64, I32, I64
from gemel.twin.alarm_past import PastLimit, alarms_at
from gemel.twin.changes import CHANGED
from gemel.twin.commands import Gate
from gemel.twin.lanes import Lanes

APPLIED: Final = "PlantApplied"
MOST_ROWS: Final = 4_000_000  # that one question about quality reads
Tail = Callable[[Sequence[int], int, int], Awaitable[Batch]]
Told = dict[str, Any]


class Site(Protocol):
    """Whose past it is; a plant file applied anew takes the former one's place."""

    @property
    def plant(self) -> Plant:
        """The applied plant."""

    @property
    def registry(self) -> Registry:
        """What the signal numbers mean."""


@dataclass(frozen=True, slots=True)
class Stood:
    """Signals as they stood.

    Args:
        shown: one row a signal, in the order asked for: the latest usable value and its times, with the status of
            the latest reading; the time is `gemel.twin.lanes.NEVER` where there was none.
        heard: source time of the latest reading [ns], usable or not: what staleness is judged by.
    """

    shown: Batch
    heard: I64


def folded(signals: I32, rows: Batch) -> Stood:
    """Fold rows of some signals as the live state folds them."""
    order = np.argsort(signals, kind="stable")
    inside = order[np.searchsorted(signals[order], rows.signal)].astype(np.int32)
    lanes = Lanes(len(signals))
    lanes.fold(rows.with_columns(signal=inside))
    shown = lanes.shown(np.arange(len(signals), dtype=np.int32))
    return Stood(shown.with_columns(signal=signals), lanes.latest.time)


class Past:
    """Answers for a past time, of the plant or of a part of it."""

    def __init__(self, site: Site, chronicle: Chronicle, reader: Series, tail: Tail) -> None:
        self._site = site
        self.chronicle = chronicle
        self._reader = reader
        self._tail = tail
        self._alarms = AlarmFolds(chronicle, self._today)

    async def stood(self, signals: I32, at: int, known: int) -> Stood:
        """Give signals as they stood at a time, from what had been received by `known` [ns]."""
        if not len(signals):
            return folded(signals, Batch.empty())
        tail = await self._tail(signals.tolist(), 0, at + 1)
        rows = await asyncio.to_thread(self._reader.stood, signals, at, known, tail=tail)
        by_event = np.intersect1d(signals, by_event_only(self._site.plant, self._site.registry))
        if len(by_event):
            rows = Batch.concat([rows, await self._changes(by_event.astype(np.int32), at, known)])
        return folded(signals, rows)

    async def quality(self, signals: I32, start: int, end: int, known: int) -> dict[str, F64]:
        """Give how well signals came in from a time up to another [ns], as `condition.retrospect` tells it."""
        if not len(signals):
            return {}
        tail = await self._tail(signals.tolist(), start, end)
        rows = await asyncio.to_thread(
            self._reader.raw, signals, start, end, MOST_ROWS, known, tail=tail, corrected=True
        )
        if len(rows) == MOST_ROWS:
            raise RefusedError(
                f"more than {MOST_ROWS:,} readings lie in that span",
                code="too-many-readings", remedy="ask for a shorter span or for one asset",
            )  # fmt: skip
        checks = self._site.plant.checks(self._site.registry)
        beat = checks.interval[checks.at(signals)]
        return await asyncio.to_thread(retrospect, signals, rows, beat, checks.jitter_tolerance)

    async def _changes(self, signals: I32, at: int, known: int) -> Batch:
        """Give the readings of signals that are kept by event alone: what the facts of their changes say."""
        facts = await self.facts(at, known, kind=CHANGED)
        registry = self._site.registry
        numbers = {registry.paths[s]: s for s in signals.tolist()}
        found = [(numbers[f.subject], f.body) for f in facts if f.subject in numbers]
        return Batch.of(
            signal=[s for s, _ in found], time=[b["time"] for _, b in found], received=[b["received"] for _, b in found],
            value=[np.nan if b["reading"] is None else b["reading"] for _, b in found], status=[b["status"] for _, b in found],
        )  # fmt: skip

    async def facts(
        self, at: int, known: int, *, kind: str = "", under: str | None = None, after: int = 0
    ) -> list[Fact]:
        """Give the facts that had happened by `at` and were known by `known`, of kinds that begin so, under a path."""
        await self.chronicle.follow()
        subjects = None if under is None else lambda subject: within(subject, under)
        found = self.chronicle.find(
            at, known, kinds=lambda k: k.startswith(kind), subjects=subjects, after=after
        )
        return await asyncio.to_thread(self.chronicle.facts, found.tolist())

    async def alarms(self, at: int, known: int, under: str | None = None) -> list[Told]:
        """Give the alarms that were not normal, with the values of that time, those to look at first first."""
        if under is None:
            await self.chronicle.follow()
            machine = await asyncio.to_thread(self._alarms.at, at, known)
        else:
            facts = await self.facts(at, known, kind="Alarm", under=under)
            machine = await asyncio.to_thread(alarms_at, facts, self._today)
        shown = machine.view(now=at)
        numbers = self._numbers(item["signal"] for item in shown)
        stood = await self.stood(np.array(sorted(set(numbers.values())), np.int32), at, known)
        values = dict(zip(stood.shown.signal.tolist(), stood.shown.value.tolist(), strict=True))
        for item in shown:
            value = values.get(numbers.get(item["signal"], -1), item["value"])
            item["value"] = value if value is not None and np.isfinite(value) else None
        return shown

    async def commands(self, at: int, known: int, asset: str | None = None) -> list[Told]:
        """Give the commands as far as they had come, the newest first."""
        gate = Gate()
        for fact in await self.facts(at, known, kind="Command", under=asset):
            gate.apply(fact)
        return gate.views(asset)

    async def command(self, command_id: str, at: int, known: int) -> Told:
        """Give one command as far as it had come; raises NotFoundError."""
        found = next((c for c in await self.commands(at, known) if c["id"] == command_id), None)
        if found is None:
            raise NotFoundError(f"no command {command_id!r} then", remedy="see GET /api/v1/commands")
        return found

    async def applied(self, at: int, known: int) -> Told | None:
        """Tell which plant file was in force, None before the first."""
        facts = await self.facts(at, known, kind=APPLIED)
        if not facts:
            return None
        last = facts[-1]
        return {"digest": last.body["digest"], "since": last.at, "by": last.actor, "fact": last.seq}

    async def newest(
        self, limit: int, before: int, until: int, wanted: Mapping[str, str | None]
    ) -> list[Fact]:
        """Give facts backwards from a position, those that had happened by `until` [ns].

        Args:
            limit: at most so many.
            before: only earlier positions than this.
            until: plant time [ns].
            wanted: ``kind`` and ``subject``, None or empty for all.

        """
        await self.chronicle.follow()
        kind, subject = wanted.get("kind"), wanted.get("subject") or ""
        found = self.chronicle.find(
            until, kinds=None if not kind else lambda k: k == kind,
            subjects=lambda s: s.startswith(subject) if subject else True,
        )  # fmt: skip
        backwards = found[: np.searchsorted(found, before)][::-1].tolist()
        facts: list[Fact] = []
        while backwards and (
            missing := limit - len(facts)
        ):  # one that cannot be read any more is stepped over
            facts += self.chronicle.facts(backwards[:missing])
            backwards = backwards[missing:]
        return facts

    def _numbers(self, paths: Iterable[str]) -> dict[str, int]:
        """Give the number of each signal that there still is."""
        found = {}
        for path in paths:
            try:
                found[path] = self._site.registry.index(path)
            except NotFoundError:
                continue
        return found

    def _today(self, alarm: str) -> tuple[PastLimit, str] | None:
        path, _, level = alarm.rpartition("#")
        asset, _, name = path.rpartition("/")
        try:
            view = self._site.plant.asset(asset)
        except NotFoundError:
            return None
        spec = next((s.spec for s in view.signals if s.name == name), None)
        if spec is not None and level == DEVIATION:
            told = (deviation(lane.priority) for lane in spec.others if lane.modelled)
            return next(
                ((PastLimit(0, level, d.limit, d.priority, d.cause, d.consequence, d.response), spec.unit) for d in told), None
            )
        if spec is None or spec.alarm is None:
            return None
        a = spec.alarm
        return next(
            (
                (PastLimit(0, level, limit, a.priorities.get(of, 2), a.cause, a.consequence, a.response,
                           a.respond_within_s, a.delay_ns, a.deadband), spec.unit)
                for of, limit in a.limits.items() if of == level
            ),
            None,
        )  # fmt: skip


def within(subject: str, path: str) -> bool:
    """Tell whether a fact's subject is this path or lies under it.

    >>> within("a/b/pump-1/flow", "a/b/pump-1"), within("a/b/pump-10", "a/b/pump-1")
    (True, False)
    """
    return subject == path or subject.startswith(path + "/")
