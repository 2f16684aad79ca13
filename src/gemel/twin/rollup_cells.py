"""What is kept of each signal within a window: how long it was known, its integral, its extremes, by how much a counter rose.

A reading holds until the next one, at most as long as its signal is not stale; while it is Bad nothing is known.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from gemel.assets.rollups import Cells, RollupProgram
from gemel.samples.batch import F64, U32, Index
from gemel.samples.clock import SECOND
from gemel.samples.expression_arrays import SUBNORMAL, folded
from gemel.samples.status import BAD_NO_DATA, is_bad, is_good
from gemel.twin.derived_rows import ranged

COVERED: Final = 0.99  # of a window that must be known for a Good result


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


def outcome(program: RollupProgram, sums: Sums, length_ns: int) -> tuple[F64, U32, npt.NDArray[np.bool_]]:
    """Give value and status of a roll-up for each asset, and whether anything was known."""
    counts, cells = program.counts, program.cells

    def add(column: F64, role: str) -> F64:
        return folded(np.add, column[cells[role]], counts, 0.0)

    role = next(r for r in ("of", "running", "produced") if r in cells)
    known = add(sums.known, role)
    with np.errstate(all="ignore"):
        value = _value(program, sums, add, known) * program.scale + program.offset
        covered = known / (np.maximum(counts, 1) * (length_ns / SECOND))
    doubtful = (covered < COVERED) | (add(sums.doubted, role) > 0)
    status = np.where(doubtful, SUBNORMAL, np.uint32(0))
    if program.by == "worst":
        return np.where(covered < COVERED, 2.0, value), np.zeros(len(value), np.uint32), known > 0
    unknown = ~np.isfinite(value) | (known == 0)
    status = ranged(value, np.where(unknown, np.uint32(BAD_NO_DATA), status), program.low, program.high)
    return np.where(unknown, np.nan, value), status, known > 0


def _value(program: RollupProgram, sums: Sums, add: Callable[[F64, str], F64], known: F64) -> F64:
    counts, cells = program.counts, program.cells
    match program.by:
        case "time_weighted":
            return add(sums.integral, "of") / known
        case "energy":
            return add(sums.integral, "of")
        case "min":
            return folded(np.minimum, sums.low[cells["of"]], counts, np.nan)
        case "max":
            return folded(np.maximum, sums.high[cells["of"]], counts, np.nan)
        case "worst":
            worst = folded(np.maximum, sums.worst[cells["of"]], counts, np.uint32(0))
            severity: F64 = np.minimum(worst >> np.uint32(30), 2).astype(np.float64)
            return severity
        case "quality":
            return add(sums.rise, "good") / add(sums.rise, "produced")
    availability: F64 = add(sums.integral, "running") / add(sums.integral, "planned")
    if program.by == "availability":
        return availability
    ideal = folded(np.add, program.cycle_s * sums.rise[cells["produced"]], counts, 0.0)
    effectiveness: F64 = ideal / add(sums.integral, "running")
    if program.by == "effectiveness":
        return effectiveness
    quality: F64 = add(sums.rise, "good") / add(sums.rise, "produced")
    return availability * effectiveness * quality


def usable(value: F64, status: U32) -> F64:
    """Give values, NaN where they are Bad."""
    return np.where(is_bad(status), np.nan, value)
