"""How the futures of a question are run: step by step from the beginning to the end, or by leaps where what drives them repeats."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.scenarios.draw import Drawn
from gemel.scenarios.engine import Told
from gemel.scenarios.foreign import is_foreign
from gemel.scenarios.itinerary import Leaps, Trip, itinerary
from gemel.scenarios.leaping import Stop, Way, run, way_of, with_tail
from gemel.scenarios.plan import Members, Raw
from gemel.scenarios.ready import Ready, finer
from gemel.scenarios.repeats import LEAST, Periods, periods
from gemel.scenarios.scenario import DAY_S, Scenario

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Road:
    """What runs every member of every future.

    Args:
        ready: with the plan of the whole horizon, or of a period of it.
        converged: whether halving the solver's step changed nothing more.
        way, stops: of the leaps, where there are some.
        leaps: what is said of them; None where the horizon is too short to speak of any, or nobody wanted them.
    """

    ready: Ready
    converged: bool
    way: Way | None = None
    stops: tuple[Stop, ...] = ()
    leaps: Leaps | None = None

    @property
    def times(self) -> Array:
        """The instants that are shown, from now [s]."""
        if self.way is not None:
            return self.way.times
        plan = self.ready.plan
        found: Array = np.arange(plan.points, dtype=np.float64) * (plan.every * plan.dt)
        return found

    @property
    def horizon_s(self) -> float:
        """How far ahead it goes."""
        return self.ready.referee.horizon_s

    def run(self, scenario: Scenario, draws: Drawn, told: Told) -> Raw:
        """Run all members of a scenario; raises Cancelled."""
        if self.way is not None:
            return run(self.way, self.stops, scenario, draws, told)
        return self.ready.engine.run(self.ready.members(scenario, draws), told)

    def last(self, scenario: Scenario, draws: Drawn) -> Members:
        """Give what drives the members in the last period, or over all of the horizon."""
        begin = 0.0 if self.way is None else (self.way.periods.count - 1) * self.way.periods.length_s
        return self.ready.members(scenario, draws, begin)


def road(ready: Ready, draws: Drawn, told: Told) -> Road:
    """Find the solver's step that will do, and the leaps, by the first members of every scenario."""
    found = _repeated(ready)
    if not isinstance(found, Periods):
        ready, converged = finer(ready, draws, told)
        return Road(ready, converged, leaps=found)
    way = way_of(ready, found)
    one, converged = finer(way.ready, draws, told)
    way = with_tail(Way(one, way.periods, way.phases, way.apart, None))
    trip = itinerary(way, draws, told)
    if isinstance(trip, Trip):
        return Road(one, converged, way, trip.stops, trip.told)
    ready, converged = finer(ready, draws, told)
    return Road(ready, converged, leaps=trip)


def _repeated(ready: Ready) -> Periods | Leaps | None:
    """Give the periods that may be leapt over, or why there are none."""
    q, horizon = ready.question, ready.referee.horizon_s
    if q.leap == "never" or q.horizon_s < LEAST * DAY_S or is_foreign(ready.model):
        return None
    if _timed(ready.model):
        return _none(horizon, "the model depends on the time itself")
    changes = [c for s in q.scenarios for c in s.changes]
    own = {c.repeat_s for c in changes if c.repeat_s > 0.0}
    found = periods(ready.moving, q.horizon_s, q.step_s, own)
    return found or _none(horizon, "what drives it does not repeat")


def _none(horizon: float, reason: str) -> Leaps:
    return Leaps(0.0, horizon, 0.0, (), {}, {}, reason)


@lru_cache(64)
def _timed(model: Compiled) -> bool:
    """Whether a model reads the time that it is given: a period of it is then like no other."""
    from gemel.scenarios.trace import Traced

    shapes = [(), (len(model.states),), (len(model.inputs),), (len(model.parameters),)]
    for function in (model.rate, model.observe):
        jaxpr = Traced(function, shapes).jaxpr.jaxpr
        read = {v for e in jaxpr.eqns for v in e.invars if not hasattr(v, "val")} | {v for v in jaxpr.outvars if not hasattr(v, "val")}
        if jaxpr.invars[0] in read:
            return True
    return False
