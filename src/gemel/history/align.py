"""Signals brought to common times, so that they stand in one row: as-of, linear, or the mean of each interval. Pure.

A reading is taken to hold for the signal's tolerance and no longer: nothing is carried or drawn across a gap. Bad
readings are not used; where some lie in between, the value is told as UncertainDataSubNormal, as OPC UA Part 13, 5.4.3.5
(Interpolative) does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from gemel.errors import AssetError
from gemel.samples import Batch
from gemel.samples.batch import F64, I32, I64, U32, Index
from gemel.samples.status import BAD_NO_DATA, UNCERTAIN_DATA_SUB_NORMAL, is_bad

How = Literal["last", "linear", "mean"]
HOW: Final[tuple[How, ...]] = get_args(How)
Mask = npt.NDArray[np.bool_]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One signal at common times: its values (NaN: nothing usable) and their statuses (OPC UA)."""

    value: F64
    status: U32


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Readings of one signal, sorted by time, each time once."""

    time: I64
    value: F64
    status: U32

    @property
    def usable(self) -> Mask:
        """Which may be used: not Bad, and a number."""
        return ~is_bad(self.status) & ~np.isnan(self.value)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Common times, sorted, and for means how long the last interval is [ns]."""

    times: I64
    every: int = 0


def align(rows: Rows, grid: Grid, how: How, tolerance: int) -> Column:
    """Give one signal at the times of a grid.

    Args:
        rows: readings, from `tolerance` before the grid's first time to `tolerance` behind its last.
        grid: the times; for ``mean`` each stands for the interval up to the next.
        how: ``last`` (the newest usable reading not after the time: an as-of join), ``linear`` (between the usable
            readings on both sides), ``mean`` (arithmetic, of the usable readings in the interval).
        tolerance: how long a reading holds [ns]: the greatest age of ``last``, the greatest distance that ``linear``
            draws across.

    >>> r = Rows(np.array([0, 10]), np.array([1.0, 2.0]), np.zeros(2, np.uint32))
    >>> align(r, Grid(np.array([5, 10, 25])), "linear", 10).value.tolist()
    [1.5, 2.0, nan]
    """
    if how not in HOW:
        raise AssetError(f"no alignment {how!r}", code="alignment", remedy=f"one of {', '.join(HOW)}")
    return _WAYS[how](rows, grid, tolerance)


def _last(rows: Rows, grid: Grid, tolerance: int) -> Column:
    usable = np.flatnonzero(rows.usable)
    at = np.searchsorted(rows.time[usable], grid.times, side="right") - 1
    newest = np.searchsorted(rows.time, grid.times, side="right") - 1
    source = _take(usable, at, -1)
    holds = (at >= 0) & (grid.times - _take(rows.time, source, 0) <= tolerance)
    return _column(rows, holds, source, _take(rows.value, source, np.nan), _take(rows.status, source, 0), newest > source,
                   _refused(rows, grid, newest, tolerance))  # fmt: skip


def _linear(rows: Rows, grid: Grid, tolerance: int) -> Column:
    usable = np.flatnonzero(rows.usable)
    time = rows.time[usable]
    before = np.searchsorted(time, grid.times, side="right") - 1
    after = np.searchsorted(time, grid.times, side="left")
    left, right = _take(usable, before, -1), _take(usable, np.where(after < len(usable), after, -1), -1)
    t0, t1 = _take(rows.time, left, 0), _take(rows.time, right, 0)
    v0, v1 = _take(rows.value, left, np.nan), _take(rows.value, right, np.nan)
    between = (left >= 0) & (right >= 0)
    holds = between & (t1 - t0 <= tolerance)
    span = np.where(between & (t1 > t0), t1 - t0, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        value = np.where(t1 > t0, v0 + (v1 - v0) * ((grid.times - t0) / span), v0)
    status = np.maximum(_take(rows.status, left, 0), _take(rows.status, right, 0))
    newest = np.searchsorted(rows.time, grid.times, side="right") - 1
    skipped = right - left > 1  # rows between two usable neighbours are none
    return _column(rows, holds, left, value, status, skipped, _refused(rows, grid, newest, tolerance))


def _mean(rows: Rows, grid: Grid, tolerance: int) -> Column:
    ends = np.append(grid.times[1:], grid.times[-1:] + grid.every)
    good = rows.usable
    first, last = np.searchsorted(rows.time, grid.times), np.searchsorted(rows.time, ends)
    counted = np.append(0, np.cumsum(good))
    n = counted[last] - counted[first]
    total = _reduced(np.add, np.where(good, rows.value, 0.0), first, last)
    worst = _reduced(np.maximum, rows.status, first, last)
    used = _reduced(np.maximum, np.where(good, rows.status, np.uint32(0)), first, last)
    value = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    return Column(value, _of_mean(n > 0, used, worst))


def of_means(value: F64, count: I64, worst: U32) -> Column:
    """Give the column of means that a store has made: their values, how many usable readings, the worst status of all."""
    return Column(np.where(count > 0, value, np.nan), _of_mean(count > 0, worst, worst))


def _of_mean(some: Mask, used: U32, worst: U32) -> U32:
    status = np.where(is_bad(worst), np.uint32(UNCERTAIN_DATA_SUB_NORMAL), used)
    unused = np.where(is_bad(worst), worst, np.uint32(BAD_NO_DATA))
    return np.where(some, status, unused).astype(np.uint32)


_WAYS: Final[dict[How, Callable[[Rows, Grid, int], Column]]] = {
    "last": _last,
    "linear": _linear,
    "mean": _mean,
}


def _column(
    rows: Rows, holds: Mask, source: Index, value: F64, status: U32, skipped: Mask, refused: U32
) -> Column:
    told = np.where(skipped, np.uint32(UNCERTAIN_DATA_SUB_NORMAL), status)
    return Column(np.where(holds, value, np.nan), np.where(holds, told, refused).astype(np.uint32))


def _refused(rows: Rows, grid: Grid, newest: Index, tolerance: int) -> U32:
    """Give the status where there is no value: that of a Bad reading that still holds, else BadNoData."""
    status = _take(rows.status, newest, 0)
    holds = (newest >= 0) & (grid.times - _take(rows.time, newest, 0) <= tolerance) & is_bad(status)
    return np.where(holds, status, np.uint32(BAD_NO_DATA)).astype(np.uint32)


def _take(column: npt.NDArray[T], at: Index, missing: float) -> npt.NDArray[T]:
    """Give elements, and `missing` where the position is -1."""
    if not len(column):
        return np.full(len(at), missing, column.dtype)
    return np.where(at >= 0, column[at], np.asarray(missing, column.dtype)).astype(column.dtype, copy=False)


def _reduced(ufunc: np.ufunc, column: npt.NDArray[T], first: Index, last: Index) -> npt.NDArray[T]:
    """Reduce each run column[first:last]; 0 where it is empty."""
    if not len(first):
        return np.zeros(0, column.dtype)
    padded = np.append(column, np.zeros(1, column.dtype))
    edges = np.stack([first, last], axis=1).ravel()
    runs = ufunc.reduceat(padded, edges)[::2]
    return np.where(last > first, runs, np.zeros(1, column.dtype)).astype(column.dtype, copy=False)


def split(batch: Batch, signals: I32) -> list[Rows]:
    """Give the rows of each signal of a batch sorted by (signal, time)."""
    first, last = (
        np.searchsorted(batch.signal, signals, side="left"),
        np.searchsorted(batch.signal, signals, side="right"),
    )
    return [
        Rows(batch.time[a:b], batch.value[a:b], batch.status[a:b])
        for a, b in zip(first.tolist(), last.tolist(), strict=True)
    ]
