"""The hot tail: what is folded but not yet in the lake. A query reads lake ∪ tail, so data are fresh at once."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import I32, Batch


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    sequence: int  # the rows are complete up to this position of the log
    rows: Batch
    first: int  # least and greatest time of its rows [ns]: most pieces are left out by them
    last: int

    def within(self, first: int, last: int) -> npt.NDArray[np.bool_] | None:
        """Tell which rows have a time in a range, both ends in; None: none has."""
        if self.last < first or self.first > last:
            return None
        if first <= self.first and self.last <= last:
            return np.ones(len(self.rows), np.bool_)
        mask: npt.NDArray[np.bool_] = (self.rows.time >= first) & (self.rows.time <= last)
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows for one transaction: nothing changes them, so another thread may put them together."""

    sequence: int
    pieces: list[Batch]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(map(len, self.pieces))


class Tail:
    """Rows of the log since the last commit, in pieces that end at a position."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self.rows = 0

    def add(self, sequence: int, rows: Batch) -> None:
        """Append what the log up to `sequence` gave."""
        if len(rows):
            self._pieces.append(_Piece(sequence, rows, int(rows.time.min()), int(rows.time.max())))
            self.rows += len(rows)

    def upto(self, sequence: int) -> Batch:
        """Give all rows up to a position."""
        return Batch.concat(p.rows for p in self._pieces if p.sequence <= sequence)

    def parts(self, sequence: int, most: int) -> list[Part]:
        """Cut the rows up to a position into parts of about `most` rows that end at positions, the last at `sequence`."""
        pieces = [p for p in self._pieces if p.sequence <= sequence]
        rows = np.cumsum([len(p.rows) for p in pieces])
        number = (rows - 1) * max(round(rows[-1] / most), 1) // rows[-1] if len(rows) else rows  # even: a rest were a small file
        cuts = [i + 1 for i in np.flatnonzero(np.diff(number)).tolist() if pieces[i].sequence < pieces[i + 1].sequence]
        edges: list[tuple[int, int]] = list(pairwise([0, *cuts, len(pieces)]))
        return [
            Part(pieces[end - 1].sequence if end < len(pieces) else sequence, [p.rows for p in pieces[first:end]])
            for first, end in edges
        ]

    def around(self, asked: Batch) -> Batch:
        """Give the rows that may be of a signal and time that is asked about: within their bounds, no more is looked at."""
        if not len(asked):
            return Batch.empty()
        first, last, low, high = asked.time.min(), asked.time.max(), asked.signal.min(), asked.signal.max()
        found = []
        for piece in self._pieces:
            if (mask := piece.within(first, last)) is None:
                continue
            mask &= (piece.rows.signal >= low) & (piece.rows.signal <= high)
            if mask.any():
                found.append(piece.rows.take(mask))
        return Batch.concat(found)

    def drop(self, sequence: int) -> None:
        """Forget what is in the lake now."""
        self._pieces = [p for p in self._pieces if p.sequence > sequence]
        self.rows = sum(len(p.rows) for p in self._pieces)

    def find(self, signals: I32, start: int, end: int) -> Batch:
        """Give the rows of some signals with start ≤ time < end."""
        found = []
        for piece in self._pieces:
            if (mask := piece.within(start, end - 1)) is None:
                continue
            rows = piece.rows
            mask &= rows.signal == signals[0] if len(signals) == 1 else np.isin(rows.signal, signals)
            if mask.any():
                found.append(rows.take(mask))
        return Batch.concat(found)
