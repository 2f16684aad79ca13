"""What readings come to, an interval each: the algebra of roll-ups. Pure: arrays in, arrays out.

Intervals are [origin + k width, origin + (k + 1) width). A reading is *usable* while it is not Bad and is a number.

The time-weighted mean is that of a zero-order hold: a usable reading holds until the next reading of its signal,
usable or not, and no longer than its signal's hold; where nothing holds, nothing is known and nothing is weighed.
This is OPC UA's TimeAverage with stepped, simple bounding values (Part 13, 5.4.3), with a limit to the holding.
Its two parts, `integral` and `covered`, add up, so that coarser intervals are made of finer ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.samples import Batch
from gemel.samples.batch import F64, I32, I64, U32, Index
from gemel.samples.clock import SECOND
from gemel.samples.status import BAD

Mask = npt.NDArray[np.bool_]
LONGEST_HOLD: Final = 3600 * SECOND  # a late reading changes its own hour and the next, and none beyond


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """One row a signal and interval in which something was read or held, sorted by both.

    Args:
        signal: registry number.
        start: of the interval [ns].
        readings: all of them, Bad ones too.
        count: usable ones; the columns of values are of these, NaN where there is none.
        total: their sum.
        integral: of the held value over time [unit x s].
        covered: how long a value was held [ns].
        worst: the worst status of all readings.

    """

    signal: I32
    start: I64
    readings: I64
    count: I64
    low: F64
    high: F64
    first: F64
    last: F64
    total: F64
    integral: F64
    covered: I64
    worst: U32

    def __len__(self) -> int:
        return len(self.signal)

    def take(self, rows: npt.NDArray[Any] | slice) -> Self:
        """Give some rows."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Put summaries one after another; sorted only where the parts follow each other."""
        if not parts:
            return cls(*(np.zeros(0, dtype) for dtype in _DTYPES))  # type: ignore[arg-type]
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    @property
    def mean(self) -> F64:
        """The mean of the usable readings."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.count > 0, self.total / self.count, np.nan)

    @property
    def time_weighted_mean(self) -> F64:
        """The mean of the held value over the time in which one was held."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.covered > 0, self.integral / (self.covered / SECOND), np.nan)


_DTYPES: Final = (
    np.int32, np.int64, np.int64, np.int64, np.float64, np.float64, np.float64, np.float64, np.float64, np.float64, np.int64, np.uint32,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """Intervals of `width` from `start` to `end`, counted from `origin` [ns]."""

    start: int
    end: int
    width: int
    origin: int = 0

    def number(self, time: I64) -> I64:
        """Give the number of the interval that each time lies in."""
        return (time - self.origin) // self.width


def usable(rows: Batch) -> Mask:
    """Tell which readings count: not Bad, and a number."""
    return (rows.status < BAD) & ~np.isnan(rows.value)


def summarise(rows: Batch, span: Span, hold: I64) -> Summary:
    """Summarise readings sorted by (signal, time), each (signal, time) once.

    Args:
        rows: those of the span, and before it as many as may still hold at its start; none after it.
        span: what is told of; an interval that begins before or ends after it is told of in part.
        hold: how long a reading holds at most, indexed by signal [ns].

    """
    if not len(rows):
        return Summary.concat([])
    held = _overhang(rows, hold, span)
    early = rows.time < span.start
    inside = rows.take(~early) if early.any() else rows
    if not len(inside):
        return held
    number = span.number(inside.time)
    read = _readings(inside, number, _starts(inside.signal, number), span)
    return _together(read, held, span) if len(held) else read


def _together(read: Summary, held: Summary, span: Span) -> Summary:
    """Put together what was read and what was held in the same intervals; where readings are dense, that is all of them."""
    if len(read) == len(held) and (read.signal == held.signal).all() and (read.start == held.start).all():
        return replace(read, integral=held.integral, covered=held.covered)
    return combined(Summary.concat([read, held]), span)


def combined(parts: Summary, span: Span) -> Summary:
    """Make coarser intervals of finer ones, or one of several that say a part each; any order."""
    if (order := _order(parts)) is not None:
        parts = parts.take(order)
    number = span.number(parts.start)
    starts = _starts(parts.signal, number)
    if not len(starts):
        return parts
    some = np.flatnonzero(parts.count > 0)
    group = np.cumsum(_marks(len(parts), starts))[some] - 1
    first, last = np.full(len(starts), np.nan), np.full(len(starts), np.nan)
    first[group[::-1]] = parts.first[some][::-1]
    last[group] = parts.last[some]
    return Summary(
        parts.signal[starts], span.origin + number[starts] * span.width, np.add.reduceat(parts.readings, starts),
        np.add.reduceat(parts.count, starts), np.fmin.reduceat(parts.low, starts), np.fmax.reduceat(parts.high, starts), first, last,
        np.add.reduceat(parts.total, starts), np.add.reduceat(parts.integral, starts), np.add.reduceat(parts.covered, starts),
        np.maximum.reduceat(parts.worst, starts),
    )  # fmt: skip


def _order(parts: Summary) -> Index | None:
    """Give the permutation that sorts by (signal, start), stable; None where they are sorted."""
    signal, start = parts.signal, parts.start
    rising = (signal[1:] > signal[:-1]) | ((signal[1:] == signal[:-1]) & (start[1:] >= start[:-1]))
    if rising.all():
        return None
    first, width = int(start.min()), int(np.gcd.reduce(start - start[0])) or 1
    steps = (int(start.max()) - first) // width + 1
    if steps * (int(signal.max()) + 1) >= 2**63:
        return np.lexsort((start, signal))
    key = signal.astype(np.int64) * steps + (start - first) // width
    return np.argsort(key, kind="stable")  # parts that are sorted in themselves are only merged


def picks(rows: Batch, span: Span) -> Index:
    """Tell which readings draw the same picture: per interval the first, last, lowest, highest, the first of the worst
    status, and the extremes among Bad ones; of equal ones the first. Rows as for `summarise`.

    After U. Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", 2014. What is picked of the
    picks of finer intervals is what is picked of all readings.
    """
    if not len(rows):
        return np.zeros(0, np.intp)
    starts = _starts(rows.signal, span.number(rows.time))
    good, bad = usable(rows), (rows.status >= BAD) & ~np.isnan(rows.value)
    chosen = np.zeros(len(rows), np.bool_)
    chosen[starts] = True
    chosen[np.append(starts[1:], len(rows)) - 1] = True
    extremes = [_extremes(rows.value, good, starts)]
    if bad.any():
        extremes.append(_extremes(rows.value, bad, starts))
    for low, high in extremes:
        chosen[low] = chosen[high] = True
    chosen[_first_of(rows.status, (rows.status > 0), np.maximum.reduceat(rows.status, starts), starts)] = True
    return np.flatnonzero(chosen)


def _readings(rows: Batch, number: I64, starts: Index, span: Span) -> Summary:
    good = usable(rows)
    count = np.add.reduceat(good, starts, dtype=np.int64)
    none = count == 0
    low = np.minimum.reduceat(np.where(good, rows.value, np.inf), starts)
    high = np.maximum.reduceat(np.where(good, rows.value, -np.inf), starts)
    low[none], high[none] = np.nan, np.nan
    some = np.flatnonzero(good)
    ends = np.cumsum(count)
    first, last = np.full(len(starts), np.nan), np.full(len(starts), np.nan)
    first[~none] = rows.value[some[(ends - count)[~none]]]
    last[~none] = rows.value[some[ends[~none] - 1]]
    zeroed = np.where(good, rows.value, 0.0)
    return Summary(
        rows.signal[starts], span.origin + number[starts] * span.width, np.diff(starts, append=len(rows)), count, low, high, first, last,
        np.add.reduceat(zeroed, starts), *_nothing(len(starts)), np.maximum.reduceat(rows.status, starts),
    )  # fmt: skip


def _nothing(n: int) -> tuple[F64, I64]:
    return np.zeros(n), np.zeros(n, np.int64)


def _overhang(rows: Batch, hold: I64, span: Span) -> Summary:
    """Give what each held value adds to each interval it reaches into, as rows without readings."""
    same = rows.signal[1:] == rows.signal[:-1]
    until = rows.time + np.minimum(hold[rows.signal], LONGEST_HOLD)
    until[:-1] = np.where(same, np.minimum(until[:-1], rows.time[1:]), until[:-1])
    until = np.minimum(until, span.end)
    held = np.flatnonzero(usable(rows) & (until > np.maximum(rows.time, span.start)))
    begin, until = np.maximum(rows.time[held], span.start), until[held]
    signal, value, at = rows.signal[held], rows.value[held], span.number(begin)
    into = span.number(until - 1) - at + 1  # how many intervals each reaches into: one, where they are dense
    if (into > 1).any():
        nth = np.arange(into.sum()) - np.repeat(np.cumsum(into) - into, into)
        signal, value, at = np.repeat(signal, into), np.repeat(value, into), np.repeat(at, into) + nth
        begin = np.maximum(np.repeat(begin, into), span.origin + at * span.width)
        until = np.minimum(np.repeat(until, into), span.origin + (at + 1) * span.width)
    starts = _starts(signal, at)
    covered = until - begin
    n = len(starts)
    if not n:
        return Summary.concat([])
    nan, zero = np.full(n, np.nan), np.zeros(n, np.int64)
    return Summary(
        signal[starts], span.origin + at[starts] * span.width, zero, zero, nan, nan, nan, nan, np.zeros(n),
        np.add.reduceat(value * (covered / SECOND), starts), np.add.reduceat(covered, starts), np.zeros(n, np.uint32),
    )  # fmt: skip


def _extremes(value: F64, among: Mask, starts: Index) -> tuple[Index, Index]:
    low = np.minimum.reduceat(np.where(among, value, np.inf), starts)
    high = np.maximum.reduceat(np.where(among, value, -np.inf), starts)
    return _first_of(value, among, low, starts), _first_of(value, among, high, starts)


def _first_of(column: npt.NDArray[Any], among: Mask, wanted: npt.NDArray[Any], starts: Index) -> Index:
    """Give, per group, the first row among some that has the wanted value; groups without one are left out."""
    lengths = np.diff(starts, append=len(column))
    hits = np.flatnonzero(among & (column == np.repeat(wanted, lengths)))
    group = np.searchsorted(starts, hits, side="right")
    return hits[np.diff(group, prepend=-1) > 0]


def _starts(signal: I32, number: I64) -> Index:
    if not len(signal):
        return np.zeros(0, np.intp)
    return np.flatnonzero(np.concatenate([[True], (signal[1:] != signal[:-1]) | (number[1:] != number[:-1])]))


def _marks(n: int, starts: Index) -> npt.NDArray[np.int8]:
    marks = np.zeros(n, np.int8)
    marks[starts] = 1
    return marks
