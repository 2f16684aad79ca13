"""Tells, when a row is stored, whether it can supersede another: whether its signal already had its time or a later one.

Almost no row is so, and a query that meets none need not look for superseded rows at all, which is most of its
cost. So each stored row carries the mark `late`; rows without it are unique in (signal, time). The memory behind it
is kept beside the lake; where it is missing or behind (a crash between commit and note) every row not newer than
the newest stored is marked: more work for queries, never a wrong answer.
"""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.samples import Batch
from gemel.samples.batch import I64

NOTE: Final = "newest.npz"
NEVER: Final = np.iinfo(np.int64).min


class Newest:
    """The newest stored time of each signal [ns], or a bound above it."""

    def __init__(self, times: I64, floor: int = NEVER) -> None:
        self._times = times
        self._floor = floor  # for signals not in the table

    def late(self, batch: Batch) -> npt.NDArray[np.bool_]:
        """Tell which rows of a batch sorted by (signal, time) are not newer than all before them."""
        late = batch.time <= self._of(int(batch.signal[-1]) + 1 if len(batch) else 0)[batch.signal]
        late[1:] |= (batch.signal[1:] == batch.signal[:-1]) & (batch.time[1:] == batch.time[:-1])
        return late

    def after(self, batch: Batch) -> "Newest":
        """Give what is known once a batch sorted by (signal, time) is stored."""
        if not len(batch):
            return self
        times = self._of(int(batch.signal[-1]) + 1).copy()
        ends = np.flatnonzero(np.append(batch.signal[1:] != batch.signal[:-1], True))
        of = batch.signal[ends]
        times[of] = np.maximum(times[of], batch.time[ends])
        return Newest(times, self._floor)

    def _of(self, size: int) -> I64:
        more = size - len(self._times)
        return np.concatenate([self._times, np.full(more, self._floor)]) if more > 0 else self._times

    def note(self, path: Path, progress: dict[int, int]) -> None:
        """Keep it beside the lake, with the progress it belongs to; a torn note is found out and not used."""
        fresh = path / f"{NOTE}.new"
        with fresh.open("wb") as file:
            np.savez(file, times=self._times, floor=self._floor, progress=_pairs(progress))
        fresh.replace(path / NOTE)

    @classmethod
    def noted(cls, path: Path, progress: dict[int, int], bound: int) -> "Newest":
        """Read the note where it belongs to this progress; else take `bound` for every signal [ns]."""
        try:
            with np.load(path / NOTE) as note:
                if np.array_equal(note["progress"], _pairs(progress)):
                    return cls(note["times"], int(note["floor"]))
        except Exception:  # noqa: S110 - whatever is wrong with a note, the bound below serves
            pass
        return cls(np.zeros(0, np.int64), bound)


def _pairs(progress: dict[int, int]) -> I64:
    return np.array(sorted(progress.items()), dtype=np.int64).reshape(-1, 2)
