"""What is stored of some signals, for the twin's own sums: lake and tail together, as it was known at a time."""

from gemel.history import Reader, Series
from gemel.operate.tail import Tail
from gemel.samples import Batch
from gemel.samples.batch import I32


class StoredRows:
    """Answers derived signals and roll-ups about a past that a late reading falls into.

    Args:
        reader: of the lake.
        tail: rows that may not be in the lake yet; None: they are all there.
    """

    def __init__(self, reader: Reader | Series, tail: Tail | None = None) -> None:
        self._reader = reader
        self._tail = tail

    def __call__(self, signals: I32, start: int, end: int, known: int, back: int) -> Batch:
        """Give rows with start <= time < end received by `known`, and of each signal the last one before, at most `back` [ns]."""
        parts = self._reader.numbers(signals) if isinstance(self._reader, Series) else signals
        tail = None if self._tail is None else self._tail.find(parts, start - back, end)
        before = self._reader.at(signals, start - 1, known, tail=tail, back_ns=back)
        rows = self._reader.raw(signals, start, end, known=known, tail=tail)
        return Batch.concat([before, rows])
