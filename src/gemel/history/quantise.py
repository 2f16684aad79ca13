"""Most plant values lie on a grid: an ADC's steps, a decimal with two places. The grid number packs far better.

A value is kept as ``base + q * factor / divisor + residual`` only where that gives back its very bits; else it is
kept as it is. Where a source rounded twice (``k / 4095 * 100``) the residual is a unit or two in the last place, of
which there are few different ones; mostly it is 0. The idea is that of A. Afroozeh, P. Boncz, "ALP: Adaptive
Lossless floating-Point Compression", 2023, extended from decimals to any grid.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F64, I32

Mask = npt.NDArray[np.bool_]
DECIMALS: Final = tuple(10.0**e for e in range(7))
ENOUGH: Final = 0.9  # a grid is worth it while it holds this share of a signal's readings
SLACK: Final = 2.0**-50  # residuals up to 8 units in the last place: roundings of the source, not noise
PATIENCE: Final = 64  # commits until a signal without a grid is looked at again


@dataclass(frozen=True)
class Quantised:
    """Columns of a commit: the grid's where `exact`, the value itself elsewhere."""

    q: I32
    grid: "Grid"
    residual: F64
    exact: Mask


@dataclass(frozen=True)
class Grid:
    """Where values may lie, one row a signal or a reading: base + any whole number * factor / divisor."""

    factor: F64
    divisor: F64
    base: F64

    def take(self, rows: npt.NDArray[np.integer] | Mask) -> "Grid":
        """Give some rows."""
        return Grid(self.factor[rows], self.divisor[rows], self.base[rows])

    def put(self, rows: npt.NDArray[np.integer], other: "Grid") -> None:
        """Replace some rows."""
        self.factor[rows], self.divisor[rows], self.base[rows] = other.factor, other.divisor, other.base

    def grown(self, size: int) -> "Grid":
        """Give it with at least `size` rows; new ones are the whole numbers."""
        more = max(size - len(self.factor), 0)
        one, nought = np.ones(more), np.zeros(more)
        return Grid(
            *(np.concatenate(c) for c in ((self.factor, one), (self.divisor, one), (self.base, nought)))
        )

    def place(self, value: F64, *, slack: bool) -> tuple[I32, F64, Mask]:
        """Give number and residual of each reading, and whether they give back its bits; with `slack` nearly so.

        What is not on the grid gets 0, 0 and False. Residuals beyond a few units in the last place are none.
        """
        with np.errstate(all="ignore"):
            q = np.rint((value - self.base) * self.divisor / self.factor)
            step = q * self.factor / self.divisor
            near = self.base + step
            residual = value - near
            most = np.abs(value) + np.abs(self.base) if slack else 0.0
            exact = (np.abs(q) < 2**31) & (np.abs(residual) <= most * SLACK)
            exact &= (near + residual == value) & ~((value == 0) & np.signbit(value))
        return np.where(exact, q, 0).astype(np.int32), np.where(exact, residual, 0.0), exact


class Grids:
    """The grid of each signal, found in its readings and remembered; forgetting it costs bytes, never values."""

    def __init__(self) -> None:
        self._grid = Grid(np.ones(0), np.ones(0), np.zeros(0))
        self._wait = np.zeros(0, np.int32)  # > 0: no grid, commits until it is looked at again

    def quantise(self, signal: I32, value: F64) -> Quantised:
        """Give the grid numbers of readings that are sorted by signal."""
        self._grow(int(signal[-1]) + 1 if len(signal) else 0)
        starts = _starts(signal)
        present = signal[starts]
        rows = np.diff(starts, append=len(signal))
        resting = self._wait[present] > 0
        self._wait[present[resting]] -= 1
        q, residual, exact = self._place(signal, value)
        poor = ~resting & (_count(exact, starts) < ENOUGH * rows)
        if poor.any():
            where = np.repeat(poor, rows)
            self._search(signal[where], value[where])
            q[where], residual[where], exact[where] = self._place(signal[where], value[where])
        exact &= np.repeat(self._wait[present] == 0, rows)
        return Quantised(q, self._grid.take(signal), residual, exact)

    def _place(self, signal: I32, value: F64) -> tuple[I32, F64, Mask]:
        return self._grid.take(signal).place(value, slack=True)

    def _grow(self, size: int) -> None:
        self._grid = self._grid.grown(size)
        more = max(size - len(self._wait), 0)
        self._wait = np.concatenate([self._wait, np.zeros(more, np.int32)])

    def _search(self, signal: I32, value: F64) -> None:
        """Try the candidates in turn, on the signals that none has fitted so far."""
        for number in range(CANDIDATES):
            if not len(signal):
                return
            starts = _starts(signal)
            rows = np.diff(starts, append=len(signal))
            grid, slack = _candidate(number, value, starts)
            _, _, exact = grid.take(np.repeat(np.arange(len(starts)), rows)).place(value, slack=slack)
            fits = _count(exact, starts) >= ENOUGH * rows
            found = signal[starts][fits]
            self._grid.put(found, grid.take(fits))
            self._wait[found] = 0
            left = np.repeat(~fits, rows)
            signal, value = signal[left], value[left]
        self._wait[signal] = PATIENCE


def _starts(signal: I32) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.diff(signal, prepend=np.int32(-1)))


def _count(mask: Mask, starts: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    return np.add.reduceat(mask, starts, dtype=np.int64) if len(starts) else np.zeros(0, np.int64)


CANDIDATES: Final = len(DECIMALS) + 3


def _candidate(number: int, value: F64, starts: npt.NDArray[np.intp]) -> tuple[Grid, bool]:
    """Decimals first; then multiples of the step seen, to the bit and with residuals; then any affine grid."""
    ones, none = np.ones(len(starts)), np.zeros(len(starts))
    if number < len(DECIMALS):
        return Grid(ones, ones * DECIMALS[number], none), False
    with np.errstate(all="ignore"):  # where a step is absurd the candidate fits nothing
        step, low, high = _steps(value, starts)
        affine = number == CANDIDATES - 1
        span = high - low if affine else np.maximum(np.abs(low), np.abs(high))
        told = span / np.maximum(
            np.rint(span / step), 1.0
        )  # the longest span tells the step to the most digits
        factor = np.where((told > 0) & np.isfinite(told), told, 1.0)
    return Grid(factor, ones, low if affine else none), number > len(DECIMALS)


def _steps(value: F64, starts: npt.NDArray[np.intp]) -> tuple[F64, F64, F64]:
    """Give, per signal, the smallest step between neighbours, the lowest and the highest value; 1 for no step."""
    finite = np.where(np.isfinite(value), value, np.nan)
    steps = np.abs(np.diff(finite, append=np.nan))
    steps[starts[1:] - 1] = np.nan
    least = np.abs(finite) * SLACK  # a step below it is a rounding
    step = np.fmin.reduceat(np.where(steps > least, steps, np.nan), starts)
    low, high = np.fmin.reduceat(finite, starts), np.fmax.reduceat(finite, starts)
    return np.where(step > 0, step, 1.0), np.nan_to_num(low), np.nan_to_num(high)
