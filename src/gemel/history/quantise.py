"""Most plant values lie on a grid: an ADC's steps, a decimal with two places. The grid number packs far better.

A value is kept as ``q * factor / divisor`` only where that gives back its very bits; else it is kept as it is.
The idea is that of A. Afroozeh, P. Boncz, "ALP: Adaptive Lossless floating-Point Compression", 2023, extended
from decimals to any step.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F64, I32

Mask = npt.NDArray[np.bool_]
DECIMALS: Final = tuple(10.0**e for e in range(7))
DYADICS: Final = tuple(2.0**e for e in (4, 8, 12, 16, 20))
ENOUGH: Final = 0.9  # a grid is worth it while it holds this share of a signal's readings
PATIENCE: Final = 64  # commits until a signal without a grid is looked at again


@dataclass(frozen=True)
class Quantised:
    """Columns of a commit: `q`, `factor`, `divisor` where `exact`, the value itself elsewhere."""

    q: I32
    factor: F64
    divisor: F64
    exact: Mask


class Grids:
    """The grid of each signal, found in its readings and remembered; forgetting it costs bytes, never values."""

    def __init__(self) -> None:
        self._factor = np.ones(0)
        self._divisor = np.ones(0)
        self._wait = np.zeros(0, np.int32)  # > 0: no grid, commits until it is looked at again

    def quantise(self, signal: I32, value: F64) -> Quantised:
        """Give the grid numbers of readings that are sorted by signal."""
        self._grow(int(signal[-1]) + 1 if len(signal) else 0)
        starts = np.flatnonzero(np.diff(signal, prepend=np.int32(-1)))
        present = signal[starts]
        rows = np.diff(starts, append=len(signal))
        resting = self._wait[present] > 0
        self._wait[present[resting]] -= 1
        q, exact = _on_grid(value, self._factor[signal], self._divisor[signal])
        poor = ~resting & (_count(exact, starts) < ENOUGH * rows)
        if poor.any():
            where = np.repeat(poor, rows)
            self._search(signal[where], value[where])
            q[where], exact[where] = _on_grid(
                value[where], self._factor[signal[where]], self._divisor[signal[where]]
            )
        exact &= np.repeat(self._wait[present] == 0, rows)
        return Quantised(q, self._factor[signal], self._divisor[signal], exact)

    def _grow(self, size: int) -> None:
        more = size - len(self._factor)
        if more > 0:
            self._factor = np.concatenate([self._factor, np.ones(more)])
            self._divisor = np.concatenate([self._divisor, np.ones(more)])
            self._wait = np.concatenate([self._wait, np.zeros(more, np.int32)])

    def _search(self, signal: I32, value: F64) -> None:
        """Try the candidates in turn, on the signals that none has fitted so far."""
        for candidate in range(len(DECIMALS) + 4 + len(DYADICS)):
            if not len(signal):
                return
            starts = np.flatnonzero(np.diff(signal, prepend=np.int32(-1)))
            rows = np.diff(starts, append=len(signal))
            factor, divisor = _candidate(candidate, value, starts)
            _, exact = _on_grid(value, np.repeat(factor, rows), np.repeat(divisor, rows))
            fits = _count(exact, starts) >= ENOUGH * rows
            found = signal[starts][fits]
            self._factor[found], self._divisor[found], self._wait[found] = factor[fits], divisor[fits], 0
            left = np.repeat(~fits, rows)
            signal, value = signal[left], value[left]
        self._wait[signal] = PATIENCE


def _on_grid(value: F64, factor: F64, divisor: F64) -> tuple[I32, Mask]:
    with np.errstate(all="ignore"):
        raw = np.rint(value * divisor / factor)
        exact = (
            (np.abs(raw) < 2**31) & (raw * factor / divisor == value) & ~((value == 0) & np.signbit(value))
        )
    return np.where(exact, raw, 0).astype(np.int32), exact


def _count(mask: Mask, starts: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    return np.add.reduceat(mask, starts, dtype=np.int64) if len(starts) else np.zeros(0, np.int64)


def _candidate(number: int, value: F64, starts: npt.NDArray[np.intp]) -> tuple[F64, F64]:
    """Decimals first, then the smallest step seen (as it is, and told from the largest value), then dyadic grids."""
    ones = np.ones(len(starts))
    if number < len(DECIMALS):
        return ones, ones * DECIMALS[number]
    number -= len(DECIMALS)
    if number >= 4:
        return ones, ones * DYADICS[number - 4]
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(value), value, 0.0)
        steps = np.abs(np.diff(finite, append=0.0))
        steps[starts[1:] - 1] = np.inf
        steps[-1:] = np.inf
        step = np.minimum.reduceat(np.where(steps > 0, steps, np.inf), starts)
        step = np.where(np.isfinite(step), step, 1.0)
        if number > 0:  # a step that was rounded: the largest value tells it to more digits
            largest = np.maximum.reduceat(np.abs(finite), starts)
            told = largest / np.maximum(np.rint(largest / step), 1.0)
            step = (told, np.nextafter(told, np.inf), np.nextafter(told, 0.0))[number - 1]
    return np.where(step > 0, step, 1.0), ones
