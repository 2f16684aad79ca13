"""The rate of a degradation that is a state of an FMU for co-simulation: what it gains once all else has settled, by runs forward.

    level × load ─► run from that level with that load held ─► gained in the last two quarters the same? ─► rate; else run longer

It tells no rates and has no equations at a point, but may be set before it begins: so it is begun at each level, run, and
run four times as long where it has not settled. What it wears meanwhile must be little beside the step between two levels.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.dynamics.solution import Profile
from gemel.errors import ModelError
from gemel.operate.estimates_whole import whole_of
from gemel.samples.batch import F64

STEP_S: Final = 10.0  # between two communication points; of longer runs a sixteenth of each quarter
QUARTERS: Final = 4
FIRST_S: Final = 160.0
LONGER: Final = 4.0
LAST_S: Final = 200_000.0  # some two days: what has not settled by then never does
ALIKE: Final = 1e-3  # of the rate, between two quarters
NOISE: Final = 1e-12  # of a level's size: what a rate of nothing may be off by rounding


def whole_tables(model: Compiled, own: int, at: F64, loads: list[F64], p: F64) -> list[F64]:
    """Give the rate of a state, SI, at each level and load [levels, loads], of each future; NaN where it does not settle.

    Args:
        model: an FMU for co-simulation.
        own: place of the state.
        at: states to begin with, one row a level [levels, states].
        loads: of each future, inputs [loads, inputs].
        p: parameters.

    Raises ModelError (`fmu`) where its process fails.
    """
    wide = float(np.abs(np.diff(at[:, own])).min(initial=np.inf))
    return [_table(model, own, (at, load, p), wide) for load in loads]


def _table(model: Compiled, own: int, of: tuple[F64, F64, F64], wide: float) -> F64:
    at, loads, p = of
    found = np.full((len(at), len(loads)), np.nan)
    left = [(i, j) for i in range(len(at)) for j in range(len(loads))]
    long = FIRST_S
    while left and long <= LAST_S:
        level = _run(model, own, [(at[i], loads[j]) for i, j in left], p, long)
        gained = np.diff(level, axis=1)  # [runs, quarters]
        rate = gained[:, -1] / (long / QUARTERS)
        even = np.abs(gained[:, -1] - gained[:, -2]) <= ALIKE * np.abs(gained[:, -1]) + NOISE * np.abs(level[:, -1])
        little = np.abs(level[:, -1] - level[:, 0]) < wide / 2
        for k in np.flatnonzero(even & little).tolist():
            found[left[k]] = rate[k]
        left = [left[k] for k in np.flatnonzero(~even & little).tolist()]
        long *= LONGER
    return found


def _run(model: Compiled, own: int, begun: list[tuple[F64, F64]], p: F64, long: float) -> npt.NDArray[np.float64]:
    """Give the level at the end of each quarter, and at the beginning [runs, quarters + 1]."""
    per = max(int(np.ceil(min(long / QUARTERS / STEP_S, 16))), 1)
    times: F64 = np.linspace(0.0, long, QUARTERS * per + 1)
    fmu = whole_of(model)
    assert fmu is not None
    solved = fmu.free_runs([(x, Profile(times[:1], u[None], "held"), p) for x, u in begun], times)
    for one in solved:
        if one.status == "child":
            raise ModelError(one.words, code="fmu", remedy="see what the model does: it is run with limits of time and memory")
    return np.array([one.states[::per, own] for one in solved])
