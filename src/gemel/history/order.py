"""Sorting a commit by (signal, time, received): mostly it is in time order already, so a radix pass is enough."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gemel.samples import Batch
from gemel.samples.batch import Index

RADIX: int = 1 << 16  # NumPy sorts 16-bit integers by radix, an order of magnitude quicker than wider ones


def order(batch: Batch) -> Index:
    """Give the permutation that sorts by (signal, time, received), stable; the same as `Batch.order`."""
    rows = _by_signal(batch)
    signal, time, received = batch.signal[rows], batch.time[rows], batch.received[rows]
    same = signal[1:] == signal[:-1]
    back = same & ((time[1:] < time[:-1]) | ((time[1:] == time[:-1]) & (received[1:] < received[:-1])))
    if not back.any():
        return rows
    return _mend(rows, signal, time, received, np.unique(signal[1:][back]))


def _by_signal(batch: Batch) -> Index:
    if not len(batch):
        return np.zeros(0, np.intp)
    low, high = int(batch.signal.min()), int(batch.signal.max())
    if low < 0:
        return batch.order()
    if low == high:
        return np.argsort(batch.time, kind="stable")  # a merge of runs, mostly
    rows = np.argsort((batch.signal & (RADIX - 1)).astype(np.uint16), kind="stable")
    if high >= RADIX:
        upper = (batch.signal >> 16).astype(np.uint16)
        rows = rows[np.argsort(upper[rows], kind="stable")]
    return rows


def _mend(
    rows: Index,
    signal: npt.NDArray[Any],
    time: npt.NDArray[Any],
    received: npt.NDArray[Any],
    unsorted: npt.NDArray[Any],
) -> Index:
    """Sort the runs of the signals that came out of order, in their places."""
    places = np.flatnonzero(np.isin(signal, unsorted))
    mended = rows.copy()
    mended[places] = rows[places[np.lexsort((received[places], time[places], signal[places]))]]
    return mended
