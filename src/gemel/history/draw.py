"""One signal's history by levels: each part of a range from the coarsest roll-up that is true there, the rest from
the readings themselves, lake and tail. Reads files directly; whoever asks gives the manifest of one version.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from gemel.history import groups, ranges, rollfile
from gemel.history.files import MS, SCHEMA
from gemel.history.groups import Footers, Wanted
from gemel.history.levels import DAYS, HOUR, HOURS, LEVELS, PICK, ROLL, Level
from gemel.history.manifest import Manifest
from gemel.history.order import order
from gemel.history.ranges import Runs
from gemel.history.rollfile import PICKS, ROLLS
from gemel.history.settled import latest, settled, winners
from gemel.history.summary import LONGEST_HOLD, Span, Summary, combined, picks, summarise
from gemel.samples import Batch
from gemel.samples.batch import I64
from gemel.samples.clock import DAY

ALWAYS: Final = 2**62
FEW_FILES: Final = 4
A_BUCKET: Final = 5  # rows that draw an interval, as a rule
COARSER: Final = 1.25  # a level serves intervals that are wanted a little narrower, too


@dataclass(frozen=True)
class History:
    """One signal in one version of the lake, with the rows of it that may not be there yet."""

    signal: int
    manifest: Manifest
    footers: Footers
    tail: Batch
    hold: int | None = None  # asks for times weighted so; roll-ups made with another hold do not serve

    def decimated(self, start: int, end: int, most: int) -> Batch:
        """Give at most `most` of the readings with start <= time < end, such that a trend looks the same."""
        width = max(-(-(end - start) // max(most // A_BUCKET, 1)), 1)
        levels = [v for v in reversed(LEVELS) if v.width <= width * COARSER]
        if levels and self._cheap(start, end, 2 * most):
            levels = []
        rows = self.drawn(start, end, levels)
        if len(rows) <= most:
            return self.rows(start, end) if levels and self._few(start, end, levels, most) else rows
        unit = levels[0].width if levels else 1
        origin = 0 if levels else start
        while len(rows) > most and width < 2 * (end - start):
            width = -(-width // unit) * unit
            rows = rows.take(picks(rows, Span(start, end, width, origin)))
            width = width * 3 // 2 + 1
        return rows

    def _cheap(self, start: int, end: int, most: int) -> bool:
        """Tell whether the readings are about so few, in so few files, that there is no need of roll-ups."""
        met = self.manifest.of("raw_").met(self.signal, self.signal, start // MS, (end - 1) // MS)
        share = (min(f.last, end // MS) - max(f.first, start // MS) + 1 for f in met)
        rows = sum(
            f.rows / (f.high - f.low + 1) * s / (f.last - f.first + 1)
            for f, s in zip(met, share, strict=True)
        )
        return len(met) <= FEW_FILES and rows <= most

    def _few(self, start: int, end: int, levels: Sequence[Level], most: int) -> bool:
        return int(self.summary(Span(start, end, end - start, start), levels).readings.sum()) <= most

    def rows(self, start: int, end: int) -> Batch:
        """Give the readings with start <= time < end, sorted by time; for one time the latest received wins."""
        wanted = Wanted(self.signal, self.signal, start // MS, (end - 1) // MS)
        met = self.manifest.of("raw_").met(self.signal, self.signal, wanted.first, wanted.last)
        found = list(groups.tables(met, wanted, SCHEMA.names, self.footers))
        stored = settled(found, start, end).batch if found else Batch.empty()
        inside = self.tail.take((self.tail.time >= start) & (self.tail.time < end))
        if not len(inside):
            return stored
        both = Batch.concat([stored, inside])
        both = both.take(order(both))
        return both.take(winners(both))

    def drawn(self, start: int, end: int, levels: Sequence[Level]) -> Batch:
        """Give readings that draw the range no coarser than the coarsest level; sorted by time."""
        found: list[Batch] = []

        def level_rows(level: Level, runs: Runs) -> Runs:
            table = self._read(PICK, level, PICKS, runs)
            rows = groups.batch(table) if table is not None else Batch.empty()
            rows = rows.take(ranges.within(rows.time, runs))
            found.append(rows)
            return self._absent(level, rows.time, runs)

        for a, b in self._pieces(self._descend([(start, end)], levels, level_rows)):
            rows = self.rows(a, b)
            found.append(rows.take(picks(rows, Span(a, b, levels[0].width))) if levels else rows)
        rows = Batch.concat(found)
        return rows.take(np.argsort(rows.time, kind="stable"))

    def summary(self, span: Span, levels: Sequence[Level]) -> Summary:
        """Give what the readings of each interval come to; levels whose intervals make up those of the span."""
        found: list[Summary] = []

        def level_rows(level: Level, runs: Runs) -> Runs:
            table = self._read(ROLL, level, ROLLS, runs)
            if table is None:
                return self._absent(level, np.zeros(0, np.int64), runs)
            start = groups.column(table, "ms") * MS
            true = ranges.within(start, runs)
            other = np.zeros(0, np.int64)
            if self.hold is not None:
                held = groups.column(table, "hold").astype(np.int64) * MS == min(self.hold, LONGEST_HOLD)
                other = np.unique(start[true & ~held] // level.chunk)
                true &= held
            found.append(rollfile.to_summary(table.filter(pa.array(true))))
            return ranges.joined(
                [*self._absent(level, start[true], runs), *_both(ranges.chunks(other, level.chunk), runs)]
            )

        back = min(self.hold or 0, LONGEST_HOLD)
        hold = np.full(self.signal + 1, back)
        for a, b in self._pieces(self._descend([(span.start, span.end)], levels, level_rows)):
            part = summarise(self.rows(a - back, b), Span(a, b, span.width, span.origin), hold)
            found.append(
                replace(part, start=np.maximum(part.start, a))
            )  # or "last" would take it for the first
        return combined(Summary.concat(found), span)

    def holding(self, hold_ns: int | None, start: int, end: int) -> "History":
        """Give the same, asked for times weighted; None: as the last roll-up in the range took readings to hold."""
        if hold_ns is None:
            table = self._read(ROLL, HOURS, ROLLS, [(start, end)])
            hold_ns = (
                LONGEST_HOLD
                if table is None or not len(table)
                else int(groups.column(table, "hold")[-1]) * MS
            )
        return replace(self, hold=min(hold_ns, LONGEST_HOLD))

    def _descend(self, left: Runs, levels: Sequence[Level], serve: Callable[[Level, Runs], Runs]) -> Runs:
        """Have each level, the coarsest first, serve what it can; give what only the readings can."""
        for level in levels:
            can = ranges.minus(ranges.aligned(left, level.width, self._reach(level)), self._untrue(level))
            if can:
                left = ranges.joined([*ranges.minus(left, can), *serve(level, can)])
        return left

    def _pieces(self, runs: Runs) -> Runs:
        """Cut runs by days, so that memory stays bounded, as far as there is anything."""
        met = [
            (f.first * MS, (f.last + 1) * MS)
            for f in self.manifest.of("raw_").met(self.signal, self.signal, -ALWAYS, ALWAYS)
        ]
        there = ranges.joined(
            [
                *met,
                *(
                    (t, t + 1)
                    for t in (self.tail.time.min(initial=ALWAYS), self.tail.time.max(initial=-ALWAYS))
                ),
            ]
        )
        held = max(self.hold or 0, 0)
        lowest, highest = (there[0][0], there[-1][1] + held) if there else (0, 0)
        return [
            (max(a, day * DAY), min(b, (day + 1) * DAY))
            for start, end in runs
            for a, b in [(max(start, lowest), min(end, highest))]
            for day in range(a // DAY, -(-b // DAY))
        ]

    def _reach(self, level: Level) -> int:
        rolled = self.manifest.rolled
        if level is DAYS:
            return (rolled.days or 0) * DAY
        return (rolled.upto or 0) * HOUR

    def _untrue(self, level: Level) -> Runs:
        if level is not DAYS:
            return ranges.chunks(self._dirty_hours, HOUR)
        days = np.concatenate([self._dirty_hours // 24, self.manifest.rolled.stale_days(self.signal)])
        return ranges.chunks(np.unique(days), DAY)

    @cached_property
    def _dirty_hours(self) -> I64:
        late = np.unique(self.tail.time[self.tail.time < self._reach(HOURS)] // HOUR)
        return np.unique(np.concatenate([self.manifest.rolled.hours(self.signal), late, late + 1]))

    def _read(self, kind: str, level: Level, schema: pa.Schema, runs: Runs) -> pa.Table | None:
        """Give the true rows of a level around some runs, not what lies far between; None where there is no file."""
        stored = self.manifest.of(f"{kind}{level.name}_")
        found = []
        for start, end in ranges.hulls(runs, level.span * DAY):
            first, last = start // level.chunk * level.chunk // MS, (end - 1) // MS
            wanted = Wanted(self.signal, self.signal, first, last)
            met = stored.met(self.signal, self.signal, first, last)
            tables = [t for t in groups.tables(met, wanted, schema.names, self.footers) if len(t)]
            if tables:
                found.append(latest(tables, wanted, level))
        return pa.concat_tables(found, promote_options="default") if found else None

    def _absent(self, level: Level, times: I64, runs: Runs) -> Runs:
        """Give the chunks a fine level was not worth its place in; hours and days are always there."""
        if level.chunk == level.width:
            return []
        return ranges.minus(runs, ranges.chunks(np.unique(times // level.chunk), level.chunk))


def _both(one: Runs, other: Runs) -> Runs:
    return ranges.minus(one, ranges.minus(one, other))
