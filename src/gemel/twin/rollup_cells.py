"""What is kept of each signal within a window: how long it was known, its integral, its extremes, by how much a counter rose.

A reading holds until the next one, at most as long as its signal is not stale; while it is Bad nothing is known.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from gemel.assets.rollups import Cells
from gemel.samples.batch import F64, U32, Index
from gemel.samples.status import is_bad, is_good


@dataclass(slots=True, eq=False)
class Sums:
    """Sums of each cell over the window so far.

    Args:
        integral: of the value over time, in its unit times seconds.
        known: for how long it was known [s].
        doubted: for how long of that it was Uncertain [s].
        low, high: extremes.
        rise: by how much a counter rose; where it fell, it began anew at nought.
        worst: worst status that held.
    """

    integral: F64
    known: F64
    doubted: F64
    low: F64
    high: F64
    rise: F64
    worst: U32

    @classmethod
    def empty(cls, n: int) -> Self:
        """Make sums of nothing."""
        return cls(
            np.zeros(n),
            np.zeros(n),
            np.zeros(n),
            np.full(n, np.inf),
            np.full(n, -np.inf),
            np.zeros(n),
            np.zeros(n, np.uint32),
        )

    def put(self, cells: Index, other: "Sums") -> None:
        """Take the sums of some cells from another."""
        for name in (f.name for f in fields(self)):
            getattr(self, name)[cells] = getattr(other, name)[cells]

    def hold(self, cell: Index, value: F64, status: U32, seconds: F64) -> None:
        """Let values hold for some time."""
        n, known = len(self.known), ~np.isnan(value)
        spent = np.where(known, seconds, 0.0)
        self.integral += np.bincount(cell, np.where(known, value, 0.0) * spent, n)
        self.known += np.bincount(cell, spent, n)
        self.doubted += np.bincount(cell, np.where(is_good(status), 0.0, spent), n)
        held = seconds > 0
        seen = held & known
        np.minimum.at(self.low, cell[seen], value[seen])
        np.maximum.at(self.high, cell[seen], value[seen])
        np.maximum.at(self.worst, cell[held], status[held])


def transformed(cells: Cells, cell: Index, value: F64) -> F64:
    """Give what counts of a value: in the unit of the roll-up, or 1 where a state is one of some words."""
    result: F64 = value * cells.scale[cell] + cells.offset[cell]
    for number, wanted in enumerate(cells.sets):
        mine = cells.codes[cell] == number
        if mine.any():
            found = np.isin(value[mine], wanted).astype(np.float64)
            result[mine] = np.where(np.isnan(value[mine]), np.nan, found)
    return result


def usable(value: F64, status: U32) -> F64:
    """Give values, NaN where they are Bad."""
    return np.where(is_bad(status), np.nan, value)
