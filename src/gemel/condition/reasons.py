"""Why readings are counted: one number a signal and reason."""

from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import I32, Index

REASONS: Final = (
    "received",  # came in, whatever became of it
    "stored",  # received, less the duplicates
    "duplicate",  # the same value and source status for the same time again; not stored
    "correction",  # another value or status for the same time; both stored
    "late",  # older than the signal's newest
    "gap",  # came after more than five intervals of silence
    "jitter",  # came beside the signal's beat, or after others were left out, but not after a gap
    "out_of_range",
    "rate",  # further from the last believed reading than the quantity can move
    "stuck",  # the same bits for too long
    "future",  # a time that cannot be: ahead of the plant's clock, or outside 1970 … 2100
    "not_a_number",  # NaN or infinite
    "source_bad",  # the source itself said Bad
    "source_uncertain",  # the source itself said Uncertain
    "rejudged",  # stored again with another status, because a late reading changed what was known
)
INDEX: Final = {name: i for i, name in enumerate(REASONS)}
RECEIVED, STORED, DUPLICATE, CORRECTION, LATE, GAP, JITTER = range(7)
OUT_OF_RANGE, RATE, STUCK, FUTURE, NOT_A_NUMBER, SOURCE_BAD, SOURCE_UNCERTAIN, REJUDGED = range(7, 15)
DOUBTS: Final = ("out_of_range", "rate", "stuck", "future", "not_a_number", "source_bad", "source_uncertain")
PREFIX: Final = "count."


class Counts:
    """Counters of every signal, one row a reason; pages of reasons that never occur are never touched."""

    def __init__(self, n: int) -> None:
        self._table = np.zeros((len(REASONS), n), np.uint64)

    @property
    def table(self) -> npt.NDArray[np.uint64]:
        """Give the counters, shape [reasons, signals], in the order of `REASONS`."""
        np.subtract(self._table[RECEIVED], self._table[DUPLICATE], out=self._table[STORED])
        return self._table

    def add(self, reason: int, signals: I32 | Index) -> None:
        """Count one for each of these signals; a signal may stand there many times."""
        if len(signals):
            np.add.at(self._table[reason], signals, np.uint64(1))

    def add_many(self, reason: int, signals: I32, numbers: npt.NDArray[Any]) -> None:
        """Count so many for each of these signals; each signal at most once."""
        self._table[reason][signals] += numbers.astype(np.uint64)

    def state(self, copied: bool = True) -> dict[str, npt.NDArray[Any]]:
        """Give the counters that are not all zero, by name."""
        rows = {PREFIX + name: row for name, row in zip(REASONS, self.table, strict=True) if row.any()}
        return {name: row.copy() for name, row in rows.items()} if copied else rows

    @classmethod
    def restore(cls, n: int, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take counters by name; signals added since start at zero."""
        counts = cls(n)
        for name, i in INDEX.items():
            old = arrays.get(PREFIX + name)
            if old is not None:
                counts._table[i, : len(old)] = old
        return counts
