"""Rolls up a unit: reads its readings, writes the files of every level, names them with the moved state at once.

Readings are read some signals at a time, and where files are many and wide, some minutes at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gemel.history import files, groups, lake, rollfile
from gemel.history.groups import Footers, Wanted
from gemel.history.levels import DAYS, HOUR, HOURS, MINUTE, MINUTES, PICK, ROLL, SECONDS, WORTH, Level
from gemel.history.manifest import Manifest
from gemel.history.order import order
from gemel.history.quantise import Grid
from gemel.history.rollfile import PICKS, ROLLS
from gemel.history.settled import Rows, latest, settled
from gemel.history.summary import LONGEST_HOLD, Mask, Span, Summary, combined, picks, summarise
from gemel.history.units import Unit
from gemel.samples import Batch
from gemel.samples.batch import I32, I64
from gemel.samples.clock import DAY

READ: Final = tuple(files.PLAIN.names)  # how uncertain values were is not rolled up
HOURLY: Final = f"{ROLL}{HOURS.name}_"
KEYS: Final = ("signal", "ms")
MOST: Final = 8_000_000  # readings held at once, about


@dataclass(frozen=True)
class Terms:
    """What roll-ups depend on beside the readings, indexed by signal; beyond the end the last entry counts.

    Args:
        hold: how long a reading holds at most [ns].
        retention: names of the retention classes.

    """

    hold: I64
    retention: npt.NDArray[Any]

    def grown(self, size: int) -> "Terms":
        """Give it with entries for so many signals."""
        more = max(size - len(self.hold), 0)
        hold, retention = self.hold[: max(size, 1)], self.retention[: max(size, 1)]
        return Terms(
            np.concatenate([hold, np.repeat(hold[-1:], more)]),
            np.concatenate([retention, np.repeat(retention[-1:], more)]),
        )


DEFAULT: Final = Terms(np.array([LONGEST_HOLD]), np.array(["default"]))


@dataclass
class Output:
    """The files of a unit while they are written: one a level, kind and retention class."""

    folder: Path
    terms: Terms
    horizon: Mapping[str, int]
    made: int
    _open: dict[tuple[str, int], files.FileWriter] = field(default_factory=dict)

    def put(self, kind: str, level: Level, table: pa.Table) -> None:
        """Append rows sorted by signal, to the files of the classes and spans of days that they belong to."""
        for name, rows in self._by_class(table):
            span = groups.column(rows, "ms") // (level.span * DAY // files.MS)
            for one in np.unique(span):
                mine = span == one
                part = rows if mine.all() else rows.filter(pa.array(mine))
                self._writer(lake.table_of(name, f"{kind}{level.name}_"), int(one), part).write(part)

    def _by_class(self, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        names, codes = self._classes
        of_row = codes[groups.column(table, "signal")]
        hour = groups.column(table, "ms") // (HOUR // files.MS)
        for code, name in enumerate(names):
            mine = (of_row == code) & (hour >= self.horizon.get(name, hour.min(initial=0)))
            yield name, table if mine.all() else table.filter(pa.array(mine))

    @cached_property
    def _classes(self) -> tuple[list[str], I64]:
        retention = self.terms.retention
        if (retention == retention[0]).all():
            return [str(retention[0])], np.zeros(len(retention), np.int64)
        names, codes = np.unique(retention, return_inverse=True)
        return [str(n) for n in names], codes

    def _writer(self, table: str, span: int, rows: pa.Table) -> files.FileWriter:
        key = (table, span)
        if key not in self._open:
            options = rollfile.options(rows.schema)
            self._open[key] = files.FileWriter(self.folder / table, rows, options, rollfile.ROW_GROUP)
        return self._open[key]

    def finish(self) -> list[files.Written]:
        return [writer.finish(table) for (table, _), writer in self._open.items()]

    def discard(self) -> None:
        for writer in self._open.values():
            writer.discard()


class Roller:
    """Makes the roll-ups of units; all it keeps is what footers say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._footers = Footers()

    def roll(self, unit: Unit, manifest: Manifest, terms: Terms) -> list[files.Written]:
        """Write the files of a unit; what is written is not named yet. On an error nothing is left behind."""
        known = (*manifest.of("raw_").stored, *manifest.of(HOURLY).stored)
        terms = terms.grown(max((f.high for f in known), default=0) + 1)
        output = Output(self._folder, terms, manifest.rolled.horizon, manifest.version)
        try:
            if unit.days:
                self._days(unit, manifest, output)
            else:
                self._hours(unit, manifest, output)
            return output.finish()
        except BaseException:
            output.discard()
            raise

    def _hours(self, unit: Unit, manifest: Manifest, output: Output) -> None:
        """Write seconds, minutes and hours, out of the readings."""
        stored = {v: self._stored(v, unit, manifest) for v in (SECONDS, MINUTES)}
        told = self._stored(HOURS, unit, manifest)
        hold = min(int(output.terms.hold.max()), LONGEST_HOLD)
        parts = self._parts(unit, manifest)
        found: list[tuple[Summary, pa.Table]] = []
        fixed = None if len(parts) == 1 else self._worth(unit, manifest, stored)
        for start, end in parts:
            wanted = Wanted(unit.low, unit.high, (start - hold) // files.MS, (end - 1) // files.MS)
            met = manifest.of("raw_").met(unit.low, unit.high, wanted.first, wanted.last)
            for tables in groups.sliced(met, wanted, READ, self._footers):
                rows = settled(tables, start - hold, end)
                if not len(rows.batch):
                    continue
                worth = fixed or {v: _worth(rows.batch.take(rows.batch.time >= start), v, stored[v]) for v in stored}
                hours = _fine(rows, start, end, worth, output)
                told = np.setdiff1d(told, _chunks(hours[0].signal, hours[0].start))
                if len(parts) == 1:
                    _put_hours(*hours, output)
                else:
                    found.append(hours)
        if found:
            _put_hours(*_joined(found, HOUR), output)
        if len(told):
            output.put(ROLL, HOURS, rollfile.of_summary(_nothing(told), Grid(*np.full((3, len(told)), np.nan)), output.terms.hold, output.made))

    def _days(self, unit: Unit, manifest: Manifest, output: Output) -> None:
        """Write days, out of hours."""
        ms = unit.first * HOUR // files.MS, (unit.end * HOUR - 1) // files.MS
        wanted = Wanted(unit.low, unit.high, *ms)
        both = [manifest.of(f"{kind}{HOURS.name}_").met(unit.low, unit.high, *ms) for kind in (ROLL, PICK)]
        for tables in groups.sliced(both[0], wanted, ROLLS.names, self._footers):
            rolls = latest(tables, wanted, HOURS)
            inside = Wanted(
                int(groups.column(rolls, "signal").min()), int(groups.column(rolls, "signal").max()), *ms
            )
            drawn = latest(list(groups.tables(both[1], inside, PICKS.names, self._footers)), inside, HOURS)
            summary, table = _joined([(rollfile.to_summary(rolls), drawn)], DAY)
            grid = Grids(groups.column(table, "signal"), table)
            hold = output.terms.hold
            output.put(ROLL, DAYS, rollfile.of_summary(summary, grid.of(summary.signal), hold, output.made))
            output.put(PICK, DAYS, rollfile.of_picks(table, groups.batch(table), output.made))

    def _parts(self, unit: Unit, manifest: Manifest) -> list[tuple[int, int]]:
        """Cut the unit's time so that what must be held at once stays bounded."""
        start, end = unit.first * HOUR, unit.end * HOUR
        met = manifest.of("raw_").met(unit.low, unit.high, start // files.MS, (end - 1) // files.MS)
        held = sum(min(f.rows, files.ROW_GROUP) for f in met)
        parts = min(max(-(-held // MOST), 1), (end - start) // MINUTE)
        edges = [start + (end - start) // MINUTE * i // parts * MINUTE for i in range(parts + 1)]
        return list(pairwise(edges))

    def _worth(
        self, unit: Unit, manifest: Manifest, stored: Mapping[Level, npt.NDArray[np.int64]]
    ) -> dict[Level, npt.NDArray[np.int64]]:
        """Give the chunks that are worth each fine level, of a unit that is read in parts: a chunk is stored whole or not."""
        wanted = Wanted(unit.low, unit.high, unit.first * HOUR // files.MS, (unit.end * HOUR - 1) // files.MS)
        met = manifest.of("raw_").met(unit.low, unit.high, wanted.first, wanted.last)
        found: dict[Level, list[npt.NDArray[np.int64]]] = {level: [] for level in stored}
        for tables in groups.sliced(met, wanted, KEYS, self._footers):
            rows = _when(tables, wanted)
            for level, chunks in found.items():
                chunks.append(_worth(rows, level, stored[level]))
        return {level: np.unique(np.concatenate(chunks)) if chunks else np.zeros(0, np.int64) for level, chunks in found.items()}

    def _stored(self, level: Level, unit: Unit, manifest: Manifest) -> npt.NDArray[np.int64]:
        """Give the chunks of the unit that a level has already: what was stored once is stored again."""
        wanted = Wanted(unit.low, unit.high, unit.first * HOUR // files.MS, (unit.end * HOUR - 1) // files.MS)
        met = manifest.of(f"{ROLL}{level.name}_").met(unit.low, unit.high, wanted.first, wanted.last)
        found = [
            _chunks(groups.column(t, "signal")[inside], ms[inside] * files.MS)
            for t in groups.tables(met, wanted, KEYS, self._footers)
            for ms in [groups.column(t, "ms")]
            for inside in [(ms >= wanted.first) & (ms <= wanted.last)]
        ]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


class Grids:
    """The grid that each signal's values lie on, as the files say."""

    def __init__(self, signal: I32, table: pa.Table) -> None:
        size = int(signal.max()) + 1 if len(signal) else 0
        self._grid = [np.full(size, np.nan) for _ in rollfile.GRID]
        if len(signal) and "factor" in table.column_names:
            given = [groups.column(table, name) for name in rollfile.GRID]
            new = np.append(True, signal[1:] != signal[:-1])  # of a grid each run of readings tells the same
            for column in given:
                new[1:] |= column[1:] != column[:-1]
            rows = np.flatnonzero(new)
            rows = rows[~np.isnan(given[0][rows])]
            for column, told in zip(self._grid, given, strict=True):
                column[signal[rows]] = told[rows]

    def of(self, signal: I32) -> Grid:
        size = int(signal.max(initial=-1)) + 1
        wide = (np.pad(c, (0, max(size - len(c), 0)), constant_values=np.nan) for c in self._grid)
        return Grid(*(column[signal] for column in wide))


def _when(tables: Sequence[pa.Table], wanted: Wanted) -> Batch:
    """Give when some signals were read, sorted, to the millisecond; there are no values."""
    signal = np.concatenate([groups.column(t, "signal") for t in tables])
    ms = np.concatenate([groups.column(t, "ms") for t in tables])
    inside = (ms >= wanted.first) & (ms <= wanted.last)
    signal, ms = signal[inside], ms[inside]
    by = np.lexsort((ms, signal))
    nothing = np.zeros(len(by))
    return Batch(signal[by], ms[by] * files.MS, nothing.astype(np.int64), nothing, nothing.astype(np.uint32))


def _fine(
    rows: Rows, start: int, end: int, worth: Mapping[Level, npt.NDArray[np.int64]], output: Output
) -> tuple[Summary, pa.Table]:
    """Write seconds and minutes of the chunks that are worth it; give hours, and the readings that draw them."""
    grid, hold = Grids(groups.column(rows.table, "signal"), rows.table), output.terms.hold
    every = rows.batch
    if len(every) and (every.time < start).any():
        rows = rows.take(np.flatnonzero(every.time >= start))
    minutes, hours, drawn = _coarse(every, rows, Span(start, end, MINUTE), worth[MINUTES], hold)
    for level, chunks in worth.items():
        if not len(chunks):
            continue
        if level is MINUTES:
            summary, chosen = minutes, drawn
        else:
            some = rows.take(np.flatnonzero(_among(rows.batch.signal, rows.batch.time, chunks)))
            span = Span(start, end, level.width)
            summary = summarise(every.take(_reaching(every, chunks)), span, hold)
            chosen = some.take(picks(some.batch, span))
        summary = summary.take(_among(summary.signal, summary.start, chunks))
        output.put(ROLL, level, rollfile.of_summary(summary, grid.of(summary.signal), hold, output.made))
        mine = _among(chosen.batch.signal, chosen.batch.time, chunks)
        output.put(
            PICK, level, (chosen if mine.all() else chosen.take(np.flatnonzero(mine))).picks(output.made)
        )
    return hours, drawn.take(picks(drawn.batch, Span(start, end, HOUR))).picks(output.made)


def _coarse(every: Batch, rows: Rows, span: Span, chunks: I64, hold: I64) -> tuple[Summary, Summary, Rows]:
    """Give minutes, hours, and readings that draw both; minutes of those signals alone that have a chunk worth them.

    Args:
        every: the readings of the span, and those before it that may still hold.
        rows: those of the span.
        span: in minutes.
        chunks: those that are worth their minutes.
        hold: by signal [ns].
    """
    dense = np.zeros(len(hold), np.bool_)
    dense[chunks >> 32] = True
    hour = replace(span, width=HOUR)
    if dense[every.signal].all():
        minutes = summarise(every, span, hold)
        return minutes, combined(minutes, hour), rows.take(picks(rows.batch, span))
    minutes = summarise(every.take(dense[every.signal]), span, hold)
    direct = summarise(every.take(~dense[every.signal]), hour, hold)
    hours = combined(Summary.concat([combined(minutes, hour), direct]), hour)
    draws = ~dense[rows.batch.signal]
    often = np.flatnonzero(~draws)
    draws[often[picks(rows.batch.take(often), span)]] = True
    return minutes, hours, rows.take(np.flatnonzero(draws))


def _put_hours(hours: Summary, drawn: pa.Table, output: Output) -> None:
    grid = Grids(groups.column(drawn, "signal"), drawn).of(hours.signal)
    output.put(ROLL, HOURS, rollfile.of_summary(hours, grid, output.terms.hold, output.made))
    output.put(PICK, HOURS, drawn)


def _joined(parts: Sequence[tuple[Summary, pa.Table]], width: int) -> tuple[Summary, pa.Table]:
    """Make wider intervals of parts: their summaries, and the readings that draw them."""
    span = Span(0, 0, width)
    table = pa.concat_tables([t for _, t in parts], promote_options="default")
    rows = groups.batch(table)
    at = order(rows)
    at = at[picks(rows.take(at), span)]
    return combined(Summary.concat([s for s, _ in parts]), span), table.take(pa.array(at))


def _worth(rows: Batch, level: Level, stored: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give the chunks in which a signal has so many readings an interval that the level is worth its place.

    And those of `stored` that are here again: what was stored once is stored again.
    """
    if not len(rows):
        return np.zeros(0, np.int64)
    chunk, interval = _chunks(rows.signal, rows.time), rows.time // level.width
    starts = np.flatnonzero(np.append(True, chunk[1:] != chunk[:-1]))
    fresh = np.append(True, (chunk[1:] != chunk[:-1]) | (interval[1:] != interval[:-1]))
    readings = np.diff(starts, append=len(rows))
    dense = readings >= WORTH * np.add.reduceat(fresh, starts, dtype=np.int64)
    found = chunk[starts]
    return found[dense | np.isin(found, stored)] if len(stored) else found[dense]


def _chunks(signal: I32, time: I64) -> npt.NDArray[np.int64]:
    """Give one number for each signal and hour."""
    return signal.astype(np.int64) << 32 | time // HOUR


def _nothing(chunks: npt.NDArray[np.int64]) -> Summary:
    """Give hours in which nothing is read or held any more: what was held into them proved to be Bad, or not the last."""
    n = len(chunks)
    nan, zero = np.full(n, np.nan), np.zeros(n, np.int64)
    return Summary(
        (chunks >> 32).astype(np.int32), (chunks & 0xFFFFFFFF) * HOUR, zero, zero, nan, nan, nan, nan,
        np.zeros(n), np.zeros(n), zero, np.zeros(n, np.uint32),
    )  # fmt: skip


def _reaching(rows: Batch, chunks: npt.NDArray[np.int64]) -> Mask:
    """Tell which rows lie in some chunks, or were the last of the hour before one, and may be held into it."""
    own = _chunks(rows.signal, rows.time)
    last = np.append(own[1:] != own[:-1], True)
    before = np.zeros(len(rows), np.bool_)
    ends = np.flatnonzero(last)
    before[ends] = _among(rows.signal[ends], rows.time[ends] + HOUR, chunks)
    return _among(rows.signal, rows.time, chunks) | before


def _among(signal: I32, time: I64, chunks: npt.NDArray[np.int64]) -> Mask:
    """Tell which rows lie in one of some chunks, sorted."""
    asked = _chunks(signal, time)
    at = np.minimum(np.searchsorted(chunks, asked), len(chunks) - 1)
    return chunks[at] == asked if len(chunks) else np.zeros(len(signal), np.bool_)
