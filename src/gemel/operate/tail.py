"""The hot tail: what is folded but not yet in the lake. A query reads lake ∪ tail, so data are fresh at once."""

from dataclasses import dataclass

import numpy as np

from gemel.samples.batch import I32, Batch


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    sequence: int  # the rows are complete up to this position of the log
    rows: Batch


class Tail:
    """Rows of the log since the last commit, in pieces that end at a position."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self.rows = 0

    def add(self, sequence: int, rows: Batch) -> None:
        """Append what the log up to `sequence` gave."""
        if len(rows):
            self._pieces.append(_Piece(sequence, rows))
            self.rows += len(rows)

    def upto(self, sequence: int) -> Batch:
        """Give all rows up to a position."""
        return Batch.concat(p.rows for p in self._pieces if p.sequence <= sequence)

    def around(self, asked: Batch) -> Batch:
        """Give the rows that may be of a signal and time that is asked about: within their bounds, no more is looked at."""
        if not len(asked):
            return Batch.empty()
        first, last, low, high = asked.time.min(), asked.time.max(), asked.signal.min(), asked.signal.max()
        found = []
        for rows in (p.rows for p in self._pieces):
            mask = (rows.time >= first) & (rows.time <= last) & (rows.signal >= low) & (rows.signal <= high)
            if mask.any():
                found.append(rows.take(mask))
        return Batch.concat(found)

    def drop(self, sequence: int) -> None:
        """Forget what is in the lake now."""
        self._pieces = [p for p in self._pieces if p.sequence > sequence]
        self.rows = sum(len(p.rows) for p in self._pieces)

    def find(self, signals: I32, start: int, end: int) -> Batch:
        """Give the rows of some signals with start ≤ time < end."""
        found = []
        for piece in self._pieces:
            rows = piece.rows
            mask = rows.signal == signals[0] if len(signals) == 1 else np.isin(rows.signal, signals)
            mask &= (rows.time >= start) & (rows.time < end)
            if mask.any():
                found.append(rows.take(mask))
        return Batch.concat(found)
