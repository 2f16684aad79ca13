"""Derived signals: evaluated for all assets of a type at once, at each tick, at the source times of what they read.

rows since the last tick ─► which instances read them, at which times ─► level by level: as-of values ─► expression ─► rows

The value at a time is the expression of what its inputs said last, at or before that time. It has a row at each
source time of an input, received at the tick that gave it. A reading that comes late, or is judged again, gives the
rows that rest on it anew: from memory where they are younger than the horizon (plant time less lateness), else from what
is stored, as long as the reading may have held (`stale_after`).
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import Derivations
from gemel.samples.batch import I32, I64, Batch, Index
from gemel.samples.clock import DAY, SECOND
from gemel.samples.expression import Column
from gemel.samples.status import (
    BAD_INVALID_TIMESTAMP,
    BAD_NO_DATA,
    BAD_WAITING_FOR_INITIAL_DATA,
    UNCERTAIN_LAST_USABLE,
    is_bad,
)  # fmt: skip
from gemel.twin.derived_rows import Recent, Rows, Stored, ranged, restored, stored
from gemel.twin.lanes import NEVER, Lanes, bits

MOST_PENDING: Final = 1 << 20  # rows between two ticks; at exactly so many a step is taken without one
HOUR: Final = 3600 * SECOND
LAST: Final = np.iinfo(np.int64).max
Pairs = tuple[I64, I64]  # instances, and times [ns]


class Derived:
    """All derived signals of one partition.

    Args:
        plan: what they are made of.
        stale_after: of each signal of the registry [ns].
    """

    def __init__(self, plan: Derivations, stale_after: I64) -> None:
        self.plan = plan
        self._number(plan, len(stale_after))
        self._stale_after = stale_after[self.signals]
        self._recent = Recent(len(self.signals))
        self._newest = np.full(len(plan.target), NEVER)  # of what each instance reads
        self._pending: list[Batch] = []
        self._waiting = 0
        self._stamp = 0
        self._heard = NEVER  # greatest time of receipt of what came
        self._ask: Stored | None = None
        self.missed = 0  # instances that a reading came too late for

    def _number(self, plan: Derivations, n: int) -> None:
        read, instance = plan.edges()
        self.signals: I32 = np.union1d(read, plan.target).astype(np.int32)  # by slot
        self._slot = np.full(n, -1, np.int32)
        self._slot[self.signals] = np.arange(len(self.signals), dtype=np.int32)
        self._target = self._slot[plan.target]
        self._is_target = np.zeros(len(self.signals), np.bool_)
        self._is_target[self._target] = True
        slot = self._slot[read]
        self._inputs, self._inputs_start = slot, np.searchsorted(instance, np.arange(len(plan.target) + 1))
        order = np.argsort(slot, kind="stable")
        self._readers = instance[order]
        self._readers_start = np.searchsorted(slot[order], np.arange(len(self.signals) + 1))

    def __bool__(self) -> bool:
        return bool(self.plan.programs)

    # ---- events

    def on_rows(self, rows: Batch) -> Batch:
        """Take conditioned rows in; gives derived rows only where very many came without a tick."""
        if not self or not len(rows):
            return Batch.empty()
        slot = self._slot[rows.signal]
        kept = (slot >= 0) & ((rows.status & np.uint32(0xFFFF0000)) != np.uint32(BAD_INVALID_TIMESTAMP))
        mine = rows.take(kept).with_columns(signal=slot[kept])
        given: list[Batch] = []
        while self._waiting + len(mine) >= MOST_PENDING:
            cut = MOST_PENDING - self._waiting
            self._wait(mine[:cut])
            given.append(self._step())
            mine = mine[cut:]
        self._wait(mine)
        return Batch.concat(given)

    def on_tick(self, now: int, watermark: int, ask: Stored | None = None) -> Batch:
        """Evaluate what came since the last tick; give derived rows, sorted by signal and time.

        Args:
            now: plant time [ns].
            watermark: up to when late readings are no longer waited for [ns].
            ask: gives what is stored, for readings that come later still; without it those change nothing.
        """
        if not self:
            return Batch.empty()
        self._ask = ask
        self._stamp = max(
            self._stamp, now - 1
        )  # two ticks may tell one time; later words must be received later
        given = self._step()
        self._recent.close(watermark, now - SECOND)
        return given

    def _wait(self, rows: Batch) -> None:
        if len(rows):
            self._pending.append(rows)
            self._waiting += len(rows)
            self._heard = max(self._heard, int(rows.received.max()))

    def _step(self) -> Batch:
        if not self._waiting:
            return Batch.empty()
        fresh, self._pending, self._waiting = Rows.of(Batch.concat(self._pending)), [], 0
        self._stamp += 1
        touched = self._reading(fresh.slot, fresh.time)
        given: list[Batch] = []
        for level in range(int(self.plan.level.max()) + 1):
            mine = self.plan.level[touched[0]] == level
            if not mine.any():
                continue
            rows = self._evaluated((touched[0][mine], touched[1][mine]), [fresh.batch(), *given])
            given.append(rows)
            more = self._reading(rows.signal, rows.time)
            touched = np.concatenate([touched[0], more[0]]), np.concatenate([touched[1], more[1]])
        self._recent.add(Rows.of(Batch.concat([fresh.batch(), *given])))
        np.maximum.at(self._newest, touched[0], touched[1])
        rows = Batch.concat(given)
        rows = rows.with_columns(signal=self.signals[rows.signal])
        return rows.take(np.lexsort((rows.time, rows.signal)))

    def _reading(self, slot: I32, time: I64) -> Pairs:
        """Give the instances that read some slots, each with the time of the row."""
        start, length = self._readers_start[slot], self._readers_start[slot + 1] - self._readers_start[slot]
        return self._readers[_runs(start, length)], np.repeat(time, length)

    # ---- evaluation

    def _evaluated(self, touched: Pairs, fresh: list[Batch]) -> Batch:
        """Give the rows of one level: new ones, and those that are other now."""
        instances, times = touched
        mine, place = np.unique(instances, return_inverse=True)
        earliest = np.full(len(mine), LAST)
        np.minimum.at(earliest, place, times)
        behind = earliest <= self._newest[mine]  # something that was evaluated before rests on what came now
        view = self._view(mine, behind, int(earliest[behind].min(initial=LAST)), fresh)
        events = _distinct(instances, times)
        if behind.any():
            events = self._with_former(events, mine[behind], earliest[behind], view)
        rows = self._rows(events, view)
        rows = rows.take(self._news(rows, view) if behind.any() else ~_waits(rows))
        old = behind & (earliest <= self._recent.horizon)
        return (
            Batch.concat([rows, *self._anew(mine[old], earliest[old], touched, fresh)]) if old.any() else rows
        )

    def _view(self, mine: I64, behind: npt.NDArray[np.bool_], since: int, fresh: list[Batch]) -> Rows:
        """Give all rows that count: of what is behind since the horizon, else the last; and what is fresh."""
        even = np.unique(self._inputs_of(mine[~behind]))
        odd = np.union1d(self._inputs_of(mine[behind]), self._target[mine[behind]]).astype(np.int32)
        even = np.setdiff1d(even, odd, assume_unique=True)
        wanted = np.zeros(len(self.signals), np.bool_)
        wanted[even] = wanted[odd] = True
        recent = [self._recent.last.rows(even)] + ([self._recent.rows(odd, since)] if len(odd) else [])
        return Rows.of(Batch.concat([*recent, *(b.take(wanted[b.signal]) for b in fresh)]))

    def _inputs_of(self, instances: I64) -> I32:
        start = self._inputs_start[instances]
        return self._inputs[_runs(start, self._inputs_start[instances + 1] - start)]

    def _with_former(self, events: Pairs, behind: I64, earliest: I64, view: Rows) -> Pairs:
        """Add the times at which instances that are behind were evaluated before, from the first that changed on."""
        since = np.full(len(self._newest), LAST)
        since[behind] = np.maximum(earliest, self._recent.horizon + 1)
        instance, time = self._reading(view.slot, view.time)
        again = time >= since[instance]
        lost = np.zeros(len(self._newest), np.bool_)
        lost[behind] = True
        settled = lost[events[0]] & (events[1] <= self._recent.horizon)
        return _distinct(
            np.concatenate([events[0][~settled], instance[again]]),
            np.concatenate([events[1][~settled], time[again]]),
        )

    def _anew(self, mine: I64, earliest: I64, touched: Pairs, fresh: list[Batch]) -> list[Batch]:
        """Evaluate instances anew at times up to the horizon, from what is stored: as long as the late readings held."""
        if self._ask is None:
            self.missed += len(mine)
            return []
        since, until = np.full(len(self._newest), LAST), np.full(len(self._newest), NEVER)
        settled = touched[1] <= self._recent.horizon
        np.maximum.at(until, touched[0][settled], touched[1][settled])
        since[mine] = earliest
        until[mine] = np.minimum(until[mine] + self._reach(mine), self._recent.horizon)
        given = []
        for hour in np.unique(earliest // HOUR).tolist():
            some = mine[earliest // HOUR == hour]
            slots = np.union1d(self._inputs_of(some), self._target[some]).astype(np.int32)
            start, end = int(since[some].min()), int(until[some].max()) + 1
            found = self._ask(self.signals[slots], start, end, self._heard, DAY)
            wanted = np.zeros(len(self.signals), np.bool_)
            wanted[slots] = True
            more = (b.take(wanted[b.signal]) for b in fresh)
            view = Rows.of(Batch.concat([found.with_columns(signal=self._slot[found.signal]), *more]))
            instance, time = self._reading(view.slot, view.time)
            mask = np.zeros(len(self._newest), np.bool_)
            mask[some] = True
            mask = mask[instance] & (time >= since[instance]) & (time <= until[instance])
            rows = self._rows(_distinct(instance[mask], time[mask]), view)
            given.append(rows.take(self._news(rows, view)))
        return given

    def _reach(self, instances: I64) -> I64:
        """Give how long a reading of what each instance reads may hold."""
        start = self._inputs_start[instances]
        length = self._inputs_start[instances + 1] - start
        stale = self._stale_after[self._inputs[_runs(start, length)]]
        return np.maximum.reduceat(stale, np.cumsum(length) - length) if len(instances) else stale

    def _rows(self, events: Pairs, view: Rows) -> Batch:
        """Evaluate."""
        instance, time = events
        value, status = np.empty(len(instance)), np.empty(len(instance), np.uint32)
        cuts = np.searchsorted(instance, self.plan.first)
        for number, program in enumerate(self.plan.programs):
            run = slice(cuts[number], cuts[number + 1])
            if run.start == run.stop:
                continue
            place, at = instance[run] - self.plan.first[number], time[run]
            counts = {over: found[place] for over, found in program.counts.items()}
            columns = [self._column(number, i, place, at, view) for i in range(len(program.inputs))]
            result, quality = program.expression.evaluate(columns, len(place), counts)
            value[run], status[run] = result, ranged(result, quality, program.low, program.high)
        return Batch(self._target[instance], time, np.full(len(time), self._stamp), value, status)

    def _column(self, number: int, index: int, place: I64, time: I64, view: Rows) -> Column:
        program = self.plan.programs[number]
        given = program.inputs[index]
        if given.constant is not None:
            value = given.constant[place]
            return Column(value, np.where(np.isnan(value), np.uint32(BAD_NO_DATA), np.uint32(0)))
        rows: Index = place
        if given.over:
            counts = program.counts[given.over]
            start, length = (np.cumsum(counts) - counts)[place], counts[place]
            rows, time = _runs(start, length), np.repeat(time, length)
        column = self._asof(self._slot[given.signal[rows]], time, view)
        if given.scale is None or given.offset is None:
            return column
        return Column(column.value * given.scale[rows] + given.offset[rows], column.status)

    def _asof(self, slot: I32, time: I64, view: Rows) -> Column:
        found = view.asof(slot, time)
        never = found < 0
        age = time - view.time[found]
        status = view.status[found]
        old = (age > self._stale_after[slot]) & ~is_bad(status)
        status = np.where(old, np.maximum(status, np.uint32(UNCERTAIN_LAST_USABLE)), status)
        if not never.any():
            return Column(view.value[found], status)
        waiting = np.uint32(BAD_WAITING_FOR_INITIAL_DATA)
        return Column(np.where(never, np.nan, view.value[found]), np.where(never, waiting, status))

    def _news(self, rows: Batch, view: Rows) -> npt.NDArray[np.bool_]:
        """Tell which rows say something else than what was said for their time before.

        An instance that still waits for an input says nothing, unless it takes back what it said.
        """
        found = view.asof(rows.signal, rows.time)
        there = (found >= 0) & (view.time[found] == rows.time) if len(view) else np.zeros(len(rows), np.bool_)
        same = (bits(view.value[found]) == bits(rows.value)) & (view.status[found] == rows.status)
        other: npt.NDArray[np.bool_] = ~(there & same) & (there | ~_waits(rows))
        return other

    # ---- snapshot

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name, signals by their registry numbers."""
        if not self:
            return {}
        rows, base = self._recent.far.held()
        parts = {
            "recent": rows, "base": base.rows(np.arange(len(self.signals), dtype=np.int32)), "pending": Batch.concat(self._pending),
        }  # fmt: skip
        arrays = {f"{part}.{k}": v for part, b in parts.items() for k, v in stored(b, self.signals).items()}
        return {
            **arrays,
            "times": np.array([self._stamp, self._recent.horizon, self._heard]),
            "known": self.signals.copy(),
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], lanes: Lanes) -> None:
        """Take what was remembered; of signals that were not read before, what their lane says."""
        self._recent = Recent(len(self.signals))
        part = {
            name: restored({k.removeprefix(f"{name}."): v for k, v in arrays.items() if k.startswith(f"{name}.")}, self._slot)
            for name in ("base", "recent", "pending") if arrays
        }  # fmt: skip
        fresh = np.setdiff1d(self.signals, arrays["known"]) if arrays else self.signals
        seen = fresh[lanes.latest.time[fresh] != NEVER]
        latest = Batch(
            self._slot[seen],
            *(getattr(lanes.latest, n)[seen] for n in ("time", "received", "value", "status")),
        )
        base = Rows.of(Batch.concat([part["base"], latest] if part else [latest]))
        self._recent.begin(base, int(arrays["times"][1]) if part else NEVER)
        if part:
            self._stamp, self._heard = int(arrays["times"][0]), int(arrays["times"][-1])
            self._recent.add(Rows.of(part["recent"]))
            self._pending = [part["pending"]] if len(part["pending"]) else []
            self._waiting = len(part["pending"])
        instances = np.repeat(np.arange(len(self._newest)), np.diff(self._inputs_start))
        self._newest[:] = NEVER
        np.maximum.at(self._newest, instances, self._recent.last.time[self._inputs])


def _runs(start: npt.NDArray[np.integer], length: npt.NDArray[np.integer]) -> Index:
    """Give start, start + 1 … of each run, one run after another."""
    ends = np.cumsum(length)
    places: Index = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(start - ends + length, length)
    return places


def _waits(rows: Batch) -> npt.NDArray[np.bool_]:
    waiting: npt.NDArray[np.bool_] = rows.status == np.uint32(BAD_WAITING_FOR_INITIAL_DATA)
    return waiting


def _distinct(instances: I64, times: I64) -> Pairs:
    """Give each pair once, sorted."""
    order = np.lexsort((times, instances))
    instances, times = instances[order], times[order]
    first = np.append(True, (instances[1:] != instances[:-1]) | (times[1:] != times[:-1]))
    return instances[first[: len(instances)]], times[first[: len(times)]]
