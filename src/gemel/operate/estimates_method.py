"""Which filter follows a machine, and how large and lasting the errors of its sensors and its model are: as the plant file says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from gemel.assets.spec import Estimates
from gemel.dynamics import Compiled
from gemel.estimate import Ensemble, Method, Problem, Robust, Unscented
from gemel.estimate.bands import Banded
from gemel.estimate.discrepancy import Discrepancy
from gemel.estimate.trusting import Trusting
from gemel.operate.binding import Bound
from gemel.samples import units
from gemel.samples.clock import SECOND

MEMBERS: Final = 64  # of an ensemble, or four for each number that is estimated
MEMORY_S: Final = 600.0  # over which a sensor is judged that is put aside or heard again …
SEEN_S: Final = 172_800.0  # over which it is seen how far off what it expects of its sensors is
INSTANTS: Final = 20, 3600  # … so many instants, at least and at most


def method_of(asked: Estimates, problem: Problem) -> Method:
    """Give the filter: where errors are known to last, one that stops listening to a sensor whose error leaves its size, with bands as seen."""
    if asked.filter == "ensemble":
        return Ensemble(max(MEMBERS, 4 * problem.size), robust=Robust())
    inner = Unscented(Robust())
    if not asked.drift_ns:
        return inner
    return Banded(Trusting(inner, memory=int(np.clip(MEMORY_S / problem.dt, *INSTANTS))), memory=max(int(SEEN_S / problem.dt), 1))


def errors_of(asked: Estimates, read: Sequence[Bound], problem: Problem, lasts: Mapping[str, int] | None = None) -> dict[str, Discrepancy]:
    """Give the slow error of each output that is read; none where the plant file says of none how long it lasts.

    Its size is what the sensor is accurate to (noise of the problem), and what changes from reading to reading is as said,
    or as much again. `lasts` says by output how long errors last [ns], where not all do as is asked of the whole.
    """
    found = {}
    for b in read:
        size, drift = float(problem.noise.sensor[problem.model.place("outputs", b.name)]), (lasts or {}).get(b.name, asked.drift_ns)
        if drift:
            found[b.name] = Discrepancy(size, drift / SECOND, _scatter(asked, b, problem, size))
    return found


def changes_of(asked: Estimates, model: Compiled) -> dict[str, float]:
    """Give by how much parameters are expected to change where something befalls the machine, SI."""
    declared = model.model.parameters
    return {n: float(units.quantity(v, declared[n].unit, difference=True)) for n, v in asked.changes.items() if n in declared}


def _scatter(asked: Estimates, b: Bound, problem: Problem, usual: float) -> float:
    if b.name not in asked.scatter:
        return usual
    unit = problem.model.model.outputs[b.name].unit
    return max(float(units.quantity(asked.scatter[b.name], unit, difference=True)), 1e-12)
