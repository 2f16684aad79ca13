"""What is read ahead of the question: rows of files that meet some signals and times, found in a thread of their own.

Files never change under their name, so what was found in one is true for as long as it is there; files that came since
are read when the question is asked. So the answer is the same with what was read ahead and without; it only comes sooner.
"""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.samples import Batch
from gemel.samples.batch import I64

KEPT: Final = 4  # questions


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What some files have of some signals and times."""

    keys: I64  # that were sought
    files: frozenset[Path]  # that were looked at
    rows: Mapping[Path, Batch]  # of those that have any


class Ahead:
    """Keeps what was found for the last questions. Safe to use from any thread."""

    def __init__(self) -> None:
        self._found: deque[Found] = deque(maxlen=KEPT)
        self._turn = threading.Lock()

    def keep(self, keys: I64, files: Iterable[Path], rows: Mapping[Path, Batch]) -> None:
        """Keep what was found."""
        with self._turn:
            self._found.append(Found(keys, frozenset(files), rows))

    def known(self, keys: I64) -> "Known":
        """Give what is known of these."""
        with self._turn:
            found = list(self._found)
        of = np.full(len(keys), -1)
        for number, one in enumerate(found):
            of[np.isin(keys, one.keys) & (keys >= 0)] = number
        return Known(found, of)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was found for each of some rows that are asked about; -1: nothing was sought."""

    found: list[Found]
    of: npt.NDArray[np.intp]

    def of_file(self, path: Path, inside: npt.NDArray[np.bool_]) -> tuple[list[Batch], npt.NDArray[np.bool_]]:
        """Give what a file is known to have of the rows that are asked about `inside`, and of which it must be read."""
        rows: list[Batch] = []
        if not self.found:
            return rows, inside
        left = inside.copy()
        for number in np.unique(self.of[inside]).tolist():
            if number < 0 or path not in self.found[number].files:
                continue
            left &= self.of != number
            if path in self.found[number].rows:
                rows.append(self.found[number].rows[path])
        return rows, left


NOTHING: Final = Known([], np.zeros(0, np.intp))
