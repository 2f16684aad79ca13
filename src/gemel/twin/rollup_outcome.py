"""What a window comes to: out of the sums of its cells, a value and a status for each asset."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.assets.rollups import RollupProgram
from gemel.samples.batch import F64, U32
from gemel.samples.clock import SECOND
from gemel.samples.expression_arrays import SUBNORMAL, folded
from gemel.samples.status import BAD, BAD_NO_DATA
from gemel.twin import kpi
from gemel.twin.derived_rows import ranged
from gemel.twin.rollup_cells import Sums

COVERED: Final = 0.99  # of a window that must be known for a Good result


def outcome(program: RollupProgram, sums: Sums, length_ns: int) -> tuple[F64, U32, npt.NDArray[np.bool_]]:
    """Give value and status of a roll-up for each asset, and whether anything was known.

    What it is made of counts alike: a window is as well known as the least known of it, and where one is not known at all
    there is no value.
    """
    counts = program.counts

    def add(column: F64, role: str) -> F64:
        return folded(np.add, column[program.cells[role]], counts, 0.0)

    roles = kpi.ELEMENTS.get(program.by, ("of",))
    by_role = np.array([add(sums.known, role) for role in roles])
    known: F64 = by_role.min(axis=0)
    heard: npt.NDArray[np.bool_] = np.any(by_role > 0, axis=0)
    with np.errstate(all="ignore"):
        value, status = _value(program, sums, add, known)
        value = value * program.scale + program.offset
        covered = known / (np.maximum(counts, 1) * (length_ns / SECOND))
    if program.by == "worst":
        return np.where(covered < COVERED, 2.0, value), np.zeros(len(value), np.uint32), heard
    doubtful = (covered < COVERED) | (np.array([add(sums.doubted, role) for role in roles]) > 0).any(axis=0)
    status = np.maximum(status, np.where(doubtful, SUBNORMAL, np.uint32(0)))
    unknown = ~np.isfinite(value) | (known == 0)
    nameless = unknown & ((status < BAD) | (known == 0))
    status = np.where(nameless, np.uint32(BAD_NO_DATA), status)
    status = ranged(np.where(unknown, np.nan, value), status, program.low, program.high)
    return np.where(unknown, np.nan, value), status, heard


def _value(program: RollupProgram, sums: Sums, add: Callable[[F64, str], F64], known: F64) -> tuple[F64, U32]:
    if program.by in kpi.ELEMENTS:
        return kpi.indicator(program, sums, add)
    return _plain(program, sums, add, known), np.zeros(len(known), np.uint32)


def _plain(program: RollupProgram, sums: Sums, add: Callable[[F64, str], F64], known: F64) -> F64:
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
    worst = folded(np.maximum, sums.worst[cells["of"]], counts, np.uint32(0))
    severity: F64 = np.minimum(worst >> np.uint32(30), 2).astype(np.float64)
    return severity
