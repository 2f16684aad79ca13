"""Sorting readings by signal, in order of arrival within each: the shape in which they are judged."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import I32, I64, Index


def sorted_order(signal: I32) -> Index:
    """Give the stable permutation that sorts by signal.

    Signal and row number in one word sort several times faster than a stable argsort of signals that come in no
    order.
    """
    n = len(signal)
    if n < 2 or not (signal[1:] < signal[:-1]).any():
        return np.arange(n)
    key = signal.astype(np.int64)
    key <<= 32
    key |= np.arange(n)
    key.sort()
    key &= 0xFFFFFFFF
    return key


def starts(signal: npt.NDArray[np.integer]) -> Index:
    """Give the first row of each signal of a sorted column."""
    first = np.empty(len(signal), np.bool_)
    first[:1] = True
    np.not_equal(signal[1:], signal[:-1], out=first[1:])
    return np.flatnonzero(first)


def ranges(first: Index, length: Index) -> Index:
    """Give the numbers of several runs, one run after another: first, first + 1, … for each length."""
    total = int(length.sum())
    shift = first - np.cumsum(length) + length
    return np.repeat(shift, length) + np.arange(total)


def repeats(*keys: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Tell which rows equal an earlier one in all but the first key, which says what is earlier."""
    order = np.lexsort(keys)
    same = np.ones(len(order), np.bool_)
    same[:1] = False
    for key in keys[1:]:
        same[1:] &= key[order[1:]] == key[order[:-1]]
    out = np.empty_like(same)
    out[order] = same
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Arranged:
    """Readings by signal.

    Args:
        order: permutation from order of arrival to order of signals.
        signal, time: sorted columns; signals as machine words, which NumPy looks up without a copy.
        start: first row of each signal.
        signals: each signal once.

    """

    order: Index
    signal: Index
    time: I64
    start: Index
    signals: I32

    @classmethod
    def of(cls, signal: I32, time: I64) -> Self:
        """Arrange readings that stand in order of arrival."""
        order = sorted_order(signal)
        by_signal = signal[order].astype(np.intp)
        start = starts(by_signal)
        return cls(order, by_signal, time[order], start, by_signal[start].astype(np.int32))

    @property
    def end(self) -> Index:
        """Last row of each signal."""
        return np.append(self.start[1:], len(self.signal)) - 1

    @property
    def length(self) -> Index:
        """Number of rows of each signal."""
        return np.diff(self.start, append=len(self.signal))

    def distance(self, newest: I64) -> I64:
        """Give the time since the row before, or since the signal's `newest` known time [ns]."""
        distance = np.empty_like(self.time)
        np.subtract(self.time[1:], self.time[:-1], out=distance[1:])
        distance[self.start] = self.time[self.start] - newest
        return distance

    def rows_like(self, rows: Index) -> npt.NDArray[np.bool_]:
        """Tell, in order of arrival, which readings are of a signal that one of these (arranged) rows is of."""
        marked = np.zeros(len(self.start), np.bool_)
        marked[np.searchsorted(self.start, rows, "right") - 1] = True
        out = np.empty(len(self.signal), np.bool_)
        out[self.order] = np.repeat(marked, self.length)
        return out
