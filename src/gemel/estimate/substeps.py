"""How many steps of the solver one step of a record needs: so many that twice as many change nothing worth a word."""

from __future__ import annotations

from typing import Final

import numpy as np

from gemel.dynamics import Compiled
from gemel.estimate.objective import Objective
from gemel.estimate.record import Record
from gemel.samples.batch import F64

MOST: Final = 64
LOOKED_AT: Final = 200  # steps of the record
CHANGE: Final = 1e-3  # of the spread of each output's readings


def substeps_for(model: Compiled, p: F64, record: Record) -> int:
    """Give the least power of two with which a free run is finite, and one with twice as many the same; at most 64.

    Args:
        model: compiled.
        p: all its parameters [parameters].
        record: with the inputs and the step.
    """
    some = record.part(0, LOOKED_AT)
    with np.errstate(all="ignore"):
        spread = np.nanstd(np.where(record.usable, record.outputs, np.nan), axis=0)
    allowed = CHANGE * np.where(spread > 0, spread, model.scales("outputs"))
    before = _run(model, p, some, 1)
    count = 1
    while count < MOST:
        now = _run(model, p, some, 2 * count)
        if np.isfinite(before).all() and bool((np.abs(now - before) <= allowed).all()):
            return count
        before, count = now, 2 * count
    return count


def _run(model: Compiled, p: F64, record: Record, substeps: int) -> F64:
    objective = Objective(model, (), [record], p, sigma=model.scales("outputs"), substeps=substeps)
    start = np.array(model.x0, np.float64)
    for place, name in enumerate(model.states):  # what is measured begins where it was read
        if name in model.outputs:
            read = record.outputs[record.usable[:, model.outputs.index(name)], model.outputs.index(name)]
            start[place] = read[0] if len(read) else start[place]
    return np.asarray(objective.outputs(np.zeros(0), start[None])[0], np.float64)
