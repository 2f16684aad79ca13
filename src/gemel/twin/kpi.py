"""Key performance indicators of ISO 22400-2:2014, out of what the cells of a window hold.

====================  ==========================  =============================================================
availability          A = APT / PBT               actual production time, of planned busy time
effectiveness         E = PRI x PQ / APT          planned run time per item x produced quantity, of production time
quality ratio         Q = GQ / PQ                 good quantity, of produced quantity
OEE index             A x E x Q
====================  ==========================  =============================================================

Of several assets each of APT, PBT, PRI x PQ, PQ and GQ is summed before it is divided.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.assets.rollups import RollupProgram
from gemel.samples.batch import F64, U32
from gemel.samples.expression_arrays import folded
from gemel.samples.status import BAD_NOTHING_TO_DO, GOOD, UNCERTAIN_UNITS_EXCEEDED
from gemel.twin.rollup_cells import Sums

ROUNDING: Final = 1e-9  # of a ratio: what sums of times may be off by
ELEMENTS: Final = {
    "availability": ("running", "planned"), "effectiveness": ("running", "produced"), "quality": ("produced", "good"),
    "oee": ("running", "planned", "produced", "good"),
}  # fmt: skip
Add = Callable[[F64, str], F64]
Mask = npt.NDArray[np.bool_]


class Ratio(NamedTuple):
    """A ratio of each asset.

    Args:
        value: NaN where it is none.
        nothing: where it would be divided by nought.
        exceeded: where it is above 1 by more than an item of each asset that counts.
    """

    value: F64
    nothing: Mask
    exceeded: Mask


def indicator(program: RollupProgram, sums: Sums, add: Add) -> tuple[F64, U32]:
    """Give an indicator and its status: Good, above 1 (UncertainEngineeringUnitsExceeded), or none (BadNothingToDo)."""
    with np.errstate(all="ignore"):
        value, nothing, exceeded = _INDICATORS[program.by](program, sums, add)
    status = np.where(exceeded, np.uint32(UNCERTAIN_UNITS_EXCEEDED), np.uint32(GOOD))
    return value, np.where(nothing, np.uint32(BAD_NOTHING_TO_DO), status)


def _availability(_: RollupProgram, sums: Sums, add: Add) -> Ratio:
    planned = add(sums.integral, "planned")
    return _ratio(add(sums.integral, "running"), planned, np.zeros(len(planned)))


def _effectiveness(program: RollupProgram, sums: Sums, add: Add) -> Ratio:
    ideal = folded(np.add, program.cycle_s * sums.rise[program.cells["produced"]], program.counts, 0.0)
    item = folded(np.add, program.cycle_s, program.counts, 0.0)
    return _ratio(ideal, add(sums.integral, "running"), item)


def _quality(program: RollupProgram, sums: Sums, add: Add) -> Ratio:
    return _ratio(add(sums.rise, "good"), add(sums.rise, "produced"), program.counts.astype(np.float64))


def _oee(program: RollupProgram, sums: Sums, add: Add) -> Ratio:
    """The product; nought where it was planned and nothing was made: E x Q has no value then, A x E x Q = PRI x GQ / PBT has."""
    a, e, q = (part(program, sums, add) for part in (_availability, _effectiveness, _quality))
    made = sum(add(sums.rise, role) for role in ("produced", "good"))
    idle = ~a.nothing & (made == 0)
    value = np.where(idle, 0.0, a.value * e.value * q.value)
    return Ratio(value, ~idle & (a.nothing | e.nothing | q.nothing), ~idle & (e.exceeded | q.exceeded))


def _ratio(above: F64, below: F64, slack: F64) -> Ratio:
    """Divide; counts are read at other moments than times and than each other, so one item more is none too many."""
    nothing = below <= 0
    return Ratio(np.where(nothing, np.nan, above / below), nothing, above - slack > below * (1 + ROUNDING))


_INDICATORS: Final = {
    "availability": _availability,
    "effectiveness": _effectiveness,
    "quality": _quality,
    "oee": _oee,
}
