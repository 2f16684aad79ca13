"""Roll-ups of one kind of window: readings that are settled are summed up, and a window that is over gives its rows.

rows ─► waiting ─► settled (older than the horizon) ─► sums of the window ─► its end: a row for each asset
└► late: the window is summed up anew from what is stored
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets.rollups import RollupPlan, RollupProgram
from gemel.samples.batch import I32, I64, Batch, Index
from gemel.samples.clock import SECOND
from gemel.samples.status import BAD_INVALID_TIMESTAMP
from gemel.twin.derived_rows import Last, Rows, Stored, restored, stored
from gemel.twin.lanes import NEVER
from gemel.twin.rollup_cells import Sums, transformed, usable
from gemel.twin.rollup_outcome import outcome

MOST_WINDOWS: Final = 1000  # that one late reading makes anew


class Track:
    """All roll-ups of one kind of window.

    Args:
        plan: what is summed up.
        stale_after: of each signal of the registry [ns].
    """

    def __init__(self, plan: RollupPlan, stale_after: I64) -> None:
        self.plan = plan
        self._registry = stale_after
        self.signals: I32 = np.unique(plan.cells.signal)
        self._slot = np.full(len(stale_after), -1, np.int32)
        self._slot[self.signals] = np.arange(len(self.signals), dtype=np.int32)
        self._stale_after = stale_after[self.signals]
        slot = self._slot[plan.cells.signal]
        self._cells: Index = np.argsort(slot, kind="stable")
        self._first = np.searchsorted(slot[self._cells], np.arange(len(self.signals) + 1))
        self._begin()

    def _begin(self) -> None:
        self.last = Last(len(self.signals))
        self._counted = np.full(len(self.signals), np.nan)  # a counter's last usable value within the window
        self.sums = Sums.empty(len(self.plan.cells.signal))
        self._waiting: list[Batch] = []
        self.start = self.end = NEVER  # of the window that is open; none is where nothing is known
        self._closed = NEVER  # up to here windows are over: what comes for them is late
        self.heard = NEVER  # greatest time of receipt of what came
        self.missed = 0  # late readings for which nothing was stored to sum up from

    def take(self, rows: Batch) -> None:
        """Take rows in; they wait until they are settled."""
        slot = self._slot[rows.signal]
        kept = (slot >= 0) & ((rows.status & np.uint32(0xFFFF0000)) != np.uint32(BAD_INVALID_TIMESTAMP))
        if kept.any():
            mine = rows.take(kept).with_columns(signal=slot[kept])
            self._waiting.append(mine)
            self.heard = max(self.heard, int(mine.received.max()))

    def settle(self, horizon: int, ask: Stored | None) -> Batch:
        """Sum up what is settled; give the rows of windows that are over, and of those that came out otherwise."""
        ready = self._ready(horizon)
        late = (ready.time <= self.last.time[ready.slot]) | (ready.time < self._closed)
        again = Rows.of(ready.batch().take(late))
        rows = ready.batch().take(~late)
        given = self._advance(rows, horizon)
        if len(again):
            given += self._again(again, horizon, ask)
        return Batch.concat(given)

    def _ready(self, horizon: int) -> Rows:
        waiting = Rows.of(Batch.concat(self._waiting)) if self._waiting else Rows.of(Batch.empty())
        settled = waiting.time <= horizon
        self._waiting = [] if settled.all() else [waiting.batch().take(~settled)]
        return waiting if settled.all() else Rows.of(waiting.batch().take(settled))

    def _advance(self, rows: Batch, horizon: int) -> list[Batch]:
        given: list[Batch] = []
        while True:
            if self.start == NEVER:
                if not len(rows):
                    return given
                self.open(int(rows.time.min()))
            inside = rows.time < self.end
            self.add(Rows.of(rows.take(inside)))
            rows = rows.take(~inside)
            if horizon < self.end:
                return given
            given.append(self.close())
            self._closed = self.end
            self._next()

    def open(self, time: int) -> None:
        """Begin the window that a time lies in."""
        self.start, self.end = self.plan.windows.around(time)
        self._closed = max(self._closed, self.start)
        self.sums = Sums.empty(len(self.plan.cells.signal))
        self._count_from_here()

    def _count_from_here(self) -> None:
        """Let counters rise from the reading that holds where the window begins; from their first one where none does."""
        holds = (self.last.time != NEVER) & (self.last.time + self._stale_after > self.start)
        self._counted = np.where(holds, usable(self.last.value, self.last.status), np.nan)

    def _next(self) -> None:
        """Begin the window after; none where no reading holds into it."""
        holds = (self.last.time != NEVER) & (self.last.time + self._stale_after > self.end)
        if holds.any():
            self.open(self.end)
        else:
            self.start = self.end = NEVER

    def add(self, rows: Rows) -> None:
        """Sum up readings of the open window, each newer than its signal's last."""
        if not len(rows):
            return
        before = self.last.rows(np.unique(rows.slot))
        points = Rows.of(Batch.concat([before, rows.batch()]))
        pairs = np.flatnonzero(points.slot[1:] == points.slot[:-1])
        self._hold(points, pairs, points.time[pairs + 1])
        self._rise(rows)
        self.last.take(rows)

    def _hold(self, points: Rows, at: Index, until: I64) -> None:
        slot = points.slot[at]
        ends = np.minimum(until, points.time[at] + self._stale_after[slot])
        seconds = np.maximum(ends - np.maximum(points.time[at], self.start), 0) / SECOND
        value = usable(points.value[at], points.status[at])
        cell, row = self._of(slot)
        status = points.status[at][row] & np.uint32(0xFFFF0000)
        self.sums.hold(cell, transformed(self.plan.cells, cell, value[row]), status, seconds[row])

    def _rise(self, rows: Rows) -> None:
        value = usable(rows.value, rows.status)
        known = np.flatnonzero(~np.isnan(value))
        slot, value = rows.slot[known], value[known]
        if not len(slot):
            return
        first = np.append(True, slot[1:] != slot[:-1])
        before = np.append(np.nan, value[:-1])
        before[first] = self._counted[slot[first]]
        rise = np.where(np.isnan(before), 0.0, np.where(value >= before, value - before, value))
        last = np.append(first[1:], True)
        self._counted[slot[last]] = value[last]
        cell, row = self._of(slot)
        self.sums.rise += np.bincount(cell, rise[row] * self.plan.cells.scale[cell], len(self.sums.rise))

    def _of(self, slot: I32) -> tuple[Index, Index]:
        """Give the cells of some slots, and for each the place of its slot."""
        length = self._first[slot + 1] - self._first[slot]
        ends = np.cumsum(length)
        row = np.repeat(np.arange(len(slot)), length)
        places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(
            self._first[slot] - ends + length, length
        )
        return self._cells[places], row

    def close(self, *, silent: bool = True) -> Batch:
        """Let the last readings hold to the end of the window; give its rows (received is for the caller to say).

        Where nothing is known there is no row; unless not `silent`: then a Bad one takes back what may have been said.
        """
        seen = Rows.of(self.last.rows(np.arange(len(self.signals), dtype=np.int32)))
        self._hold(seen, np.arange(len(seen)), np.full(len(seen), self.end))
        return Batch.concat(self._result(p, silent=silent) for p in self.plan.programs)

    def _result(self, program: RollupProgram, *, silent: bool) -> Batch:
        value, status, known = outcome(program, self.sums, self.end - self.start)
        n = len(program.target)
        rows = Batch(program.target, np.full(n, self.end), np.zeros(n, np.int64), value, status)
        return rows.take(known) if silent else rows

    # ---- late readings

    def _again(self, late: Rows, horizon: int, ask: Stored | None) -> list[Batch]:
        """Sum up anew each window that late readings fall into or hold into."""
        newer = late.time > self.last.time[late.slot]
        self.last.take(Rows.of(late.batch().take(newer)))
        if ask is None:
            self.missed += len(late)
            return []
        slots: dict[int, set[int]] = {}
        for slot, time in zip(late.slot.tolist(), late.time.tolist(), strict=True):
            until, at = min(time + int(self._stale_after[slot]), horizon), time
            for _ in range(MOST_WINDOWS):
                start, end = self.plan.windows.around(at)
                slots.setdefault(start, set()).add(slot)
                if end > until:
                    break
                at = end
        return [
            self._anew(start, np.array(sorted(found), np.int32), late, horizon, ask)
            for start, found in sorted(slots.items())
        ]

    def _anew(self, start: int, slots: I32, late: Rows, horizon: int, ask: Stored) -> Batch:
        touched = [self._touched(p, slots) for p in self.plan.programs]
        wanted = self._slots_of(touched, slots)
        fresh = Track(self.plan, self._registry)
        fresh.start, fresh.end = self.plan.windows.around(start)
        back = int(self._stale_after[wanted].max(initial=0))
        found = ask(self.signals[wanted], fresh.start, min(fresh.end, horizon + 1), self.heard, back)
        mine = np.isin(late.slot, wanted) & (late.time < fresh.end)
        rows = Rows.of(
            Batch.concat([found.with_columns(signal=self._slot[found.signal]), late.batch().take(mine)])
        )
        before = rows.batch().take(rows.time < fresh.start)
        fresh.last.take(Rows.of(before))
        fresh._count_from_here()
        fresh.add(Rows.of(rows.batch().take(rows.time >= fresh.start)))
        if fresh.end > horizon:
            if self.start == NEVER:
                self.open(fresh.start)
            self._replace(wanted, fresh)
            return Batch.empty()
        given = fresh.close(silent=False)
        targets = np.concatenate([p.target[t] for p, t in zip(self.plan.programs, touched, strict=True)])
        return given.take(np.isin(given.signal, targets))

    def _touched(self, program: RollupProgram, slots: I32) -> npt.NDArray[np.bool_]:
        """Tell which assets' roll-ups rest on some slots."""
        found = np.zeros(len(program.target), np.bool_)
        owner = np.repeat(np.arange(len(program.target)), program.counts)
        for cells in program.cells.values():
            found[owner[np.isin(self._slot[self.plan.cells.signal[cells]], slots)]] = True
        return found

    def _slots_of(self, touched: list[npt.NDArray[np.bool_]], slots: I32) -> I32:
        found = [slots]
        for program, mine in zip(self.plan.programs, touched, strict=True):
            members = np.repeat(mine, program.counts)
            found += [self._slot[self.plan.cells.signal[cells[members]]] for cells in program.cells.values()]
        return np.unique(np.concatenate(found)).astype(np.int32)

    def _replace(self, slots: I32, fresh: "Track") -> None:
        cells, _ = self._of(slots)
        self.sums.put(cells, fresh.sums)
        self._counted[slots] = fresh._counted[slots]
        self.last.put(slots, fresh.last)

    # ---- snapshot

    def _keys(self) -> list[tuple[int, int, float, float]]:
        """Give what each cell is, whatever its place in the plan."""
        cells = self.plan.cells
        sets = [int(sum(1 << int(c) for c in s)) for s in cells.sets]
        codes = [-1 if c < 0 else sets[c] for c in cells.codes.tolist()]
        return list(
            zip(cells.signal.tolist(), codes, cells.scale.tolist(), cells.offset.tolist(), strict=True)
        )

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered."""
        keys = list(zip(*self._keys(), strict=True))
        waiting = Rows.of(Batch.concat(self._waiting)).batch()
        slots = np.arange(len(self.signals), dtype=np.int32)
        last = self.last.rows(slots)
        sums = {
            f"cell.{n}": getattr(self.sums, n).copy()
            for n in ("integral", "known", "doubted", "low", "high", "rise", "worst")
        }
        return {
            **{f"waiting.{k}": v for k, v in stored(waiting, self.signals).items()}, **{f"last.{k}": v for k, v in stored(last, self.signals).items()},
            "counted": self._counted[last.signal], "times": np.array([self.start, self.end, self._closed, self.heard]),
            "cell.signal": np.array(keys[0], np.int32), "cell.codes": np.array(keys[1], np.int64), "cell.scale": np.array(keys[2]),
            "cell.offset": np.array(keys[3]), **sums,
        }  # fmt: skip

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what was remembered, of the cells that there still are."""
        if not arrays:
            return

        def part(head: str) -> Batch:
            return restored(
                {k.removeprefix(head): v for k, v in arrays.items() if k.startswith(head)}, self._slot
            )

        self.last.take(Rows.of(part("last.")))
        waiting = part("waiting.")
        self._waiting = [waiting] if len(waiting) else []
        self.start, self.end, self._closed, self.heard = (int(t) for t in arrays["times"])
        signal = arrays["last.signal"]
        known = signal < len(self._slot)
        known[known] = self._slot[signal[known]] >= 0
        self._counted[self._slot[signal[known]]] = arrays["counted"][known]
        places = {
            key: at
            for at, key in enumerate(
                zip(
                    *(arrays[f"cell.{n}"].tolist() for n in ("signal", "codes", "scale", "offset")),
                    strict=True,
                )
            )
        }
        pairs = [(at, places[key]) for at, key in enumerate(self._keys()) if key in places]
        here, there = (
            np.array(column, np.intp) for column in (zip(*pairs, strict=True) if pairs else ((), ()))
        )
        for name in ("integral", "known", "doubted", "low", "high", "rise", "worst"):
            getattr(self.sums, name)[here] = arrays[f"cell.{name}"][there]
