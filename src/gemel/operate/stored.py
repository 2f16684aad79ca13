"""What is stored of some signals, for the twin's own sums: lake and tail together, as it was known at a time."""

from collections.abc import Callable

import numpy as np

from gemel.history import Reader, Series
from gemel.operate.tail import Tail
from gemel.samples import Batch
from gemel.samples.batch import I32, I64


class StoredRows:
    """Answers roll-ups about windows that a late reading falls into.

    Args:
        reader: of the lake.
        stale_after: gives how long readings of each signal hold [ns]; what is older than that holds no more.
        tail: rows that may not be in the lake yet; None: they are all there.
    """

    def __init__(self, reader: Reader | Series, stale_after: Callable[[], I64], tail: Tail | None = None) -> None:
        self._reader = reader
        self._stale_after = stale_after
        self._tail = tail

    def __call__(self, signals: I32, start: int, end: int, known: int) -> Batch:
        """Give rows with start <= time < end, and of each signal the last one before that still held, received by `known`."""
        back = int(self._stale_after()[signals].max(initial=0))
        parts = self._reader.numbers(signals) if isinstance(self._reader, Series) else signals
        tail = None if self._tail is None else self._tail.find(parts, start - back, end)
        before = self._reader.at(signals, start - 1, known, tail=tail, back_ns=back)
        rows = self._reader.raw(signals, start, end, known=known, tail=tail)
        held = before.time + self._stale_after()[before.signal] > start
        return Batch.concat([before.take(np.asarray(held)), rows])
