"""Whether what a fit changed is said by more than one sensor: each sensor is left out in turn.

fit ─► the same fit without one output ─► what is left of each parameter's change ─► confirmed, one sensor's word, or denied

Where nobody knows a time when all was right, a sensor that is off looks like a machine that changed. The readings of the others tell:
without the wrong one the change is gone, where the machine did change it stays (serial elimination of measurements: Ripps, D. L. (1965),
Adjustment of experimental data, Chem. Eng. Prog. Symp. Ser. 61(55)). Where a parameter cannot be told without a sensor, there is no
such evidence, and that is said. Readings of an input are taken as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gemel.dynamics import Compiled
from gemel.estimate.calibrate import NORMAL_95, Fit, box_of
from gemel.estimate.intervals import spread
from gemel.estimate.least_squares import Box, Minimum, minimise, reduced
from gemel.estimate.objective import Objective
from gemel.estimate.record import Record
from gemel.samples.batch import F64

OUT: Final = 1e150  # noise of a sensor that is left out, of its own: it weighs nothing
KEPT: Final = 0.5  # of a change, that must be left without each sensor; and no more than as much more
TRIFLE: Final = 0.02  # of a parameter's usual size: smaller changes need no second word
VAGUE: Final = 1e3  # usual sizes of a parameter, that it may be off by where nothing tells it
STEPS: Final = 30  # linearisations of one search


@dataclass(frozen=True)
class Without:
    """What is left of a parameter's change without one sensor.

    Args:
        parameter, output: which.
        kept: share of the change that the others find: 1 all of it, 0 none.
        sd: of that share; where it is large, only this sensor tells the parameter.
    """

    parameter: str
    output: str
    kept: float
    sd: float

    @property
    def told(self) -> bool:
        """Whether the others can tell this parameter at all."""
        return bool(self.sd < KEPT / NORMAL_95)

    @property
    def denied(self) -> bool:
        """Whether the others can tell it, and say otherwise."""
        return self.told and abs(self.kept - 1) > KEPT

    @property
    def off(self) -> float:
        """By how many standard deviations the others say otherwise, none of them less than a tenth of the change."""
        return abs(self.kept - 1) / max(self.sd, 0.1)


def eliminated(
    model: Compiled, found: Fit, records: Sequence[Record], before: F64, ranges: tuple[F64, F64] | None = None, *,
    on_step: Callable[[], None] | None = None,
) -> tuple[Without, ...]:  # fmt: skip
    """Leave each sensor out in turn.

    Args:
        model: compiled.
        found: a fit that ended well.
        records: that it was made on, as they were given to it.
        before: all parameters that it is held against [parameters].
        ranges: as the fit had them.
        on_step: called at each linearisation; what it raises ends the search.

    Returns:
        For each parameter that changed by more than its interval and a trifle, and each output that has readings.
    """
    free, box = tuple(found.parameters), box_of(model, tuple(found.parameters), ranges)
    old = before[[model.place("parameters", name) for name in free]]
    changed = _changed(found, old, box)
    answers: list[Without] = []
    for at, output in enumerate(model.outputs):
        if changed and any(r.usable[:, at].any() for r in records):
            left = _left_out(model, found, records, at, on_step)
            p, sd = _searched(left, found, old, box)
            for i in changed:
                change = found.parameters[free[i]].value - old[i]
                answers.append(Without(free[i], output, float((p[i] - old[i]) / change), float(sd[i] / abs(change))))
    return tuple(answers)


def _changed(found: Fit, old: F64, box: Box) -> list[int]:
    moved = [(abs(e.value - o), e.sd) for e, o in zip(found.parameters.values(), old, strict=True)]
    return [i for i, (by, sd) in enumerate(moved) if by > max(NORMAL_95 * sd, TRIFLE * min(box.p_scale[i], abs(old[i]) or np.inf))]


def _left_out(
    model: Compiled, found: Fit, records: Sequence[Record], at: int, on_step: Callable[[], None] | None
) -> Objective:
    """Give what the fit made small, without an output."""
    sigma = np.array([max(found.rms[name], 1e-12) for name in model.outputs])
    sigma[at] *= OUT
    return Objective(
        model, tuple(found.parameters), records, found.vector, sigma=sigma, substeps=found.settings.substeps, on_step=on_step
    )


def _searched(objective: Objective, found: Fit, old: F64, box: Box) -> tuple[F64, F64]:
    """Search from what was found and from what was before; give parameters and standard deviations."""
    starts = [np.array([e.value for e in found.parameters.values()]), old]
    ends = [minimise(objective, box, p, found.x0, STEPS) for p in starts]
    best: Minimum = min(ends, key=lambda m: m.cost if np.isfinite(m.cost) else np.inf)
    told = reduced(best.normal) + np.diag((VAGUE * box.p_scale) ** -2)
    wider = spread(objective, best, np.zeros(len(old), np.bool_)).inflation  # of what the others leave over alone
    return best.p, np.asarray(np.sqrt(np.diagonal(np.linalg.inv(told))) * wider, np.float64)
