"""Months in a few days: a period is solved step by step, and what it moved is carried over the periods that are like it.

    solve a period ─► what it moved, what its gauges read ─┐
    leap over M periods by the mean of both ends' moves ◄──┴─► solve the period after

A daily cycle settles in hours, wear takes years. What a run comes to from one period to the next is a map whose moves
change slowly, so it is followed as an equation of its own: projective integration (Gear & Kevrekidis, 2003, Projective
methods for stiff differential equations, SIAM J. Sci. Comput. 24), the heterogeneous multiscale method (E & Engquist, 2003,
Comm. Math. Sci. 1), for oscillations by Petzold (1981, An efficient numerical method for highly oscillatory ordinary
differential equations, SIAM J. Numer. Anal. 18). Between periods p and q of moves δ the M = q - p - 1 others move what is
slow by M (δp + δq)/2: second order, and exact where moves change evenly. The period q begins where Adams and Bashforth's
formula of second order says; after the first leap and the last it is solved again from where the leap came to. What is fast has
forgotten at a period's end where it began: it follows the line through the ends of the last two periods solved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.scenarios.counting import Outside, outside
from gemel.scenarios.draw import Drawn
from gemel.scenarios.engine import Engine, Told
from gemel.scenarios.plan import START, Gauge, Members, Plan, Raw
from gemel.scenarios.ready import Ready
from gemel.scenarios.repeats import Periods
from gemel.scenarios.scenario import Scenario

Array = npt.NDArray[np.float64]
PASSED: Final = {"first_above": "max", "first_below": "min"}
BESIDE: Final = 1e-3  # of a state's size
FORGOTTEN: Final = 0.2  # of what a state began beside, at the end of a period: less is fast


@dataclass(frozen=True, eq=False)
class Stop:
    """A period that is solved.

    Args:
        period: which.
        slow: whether each state is carried over the periods before it by its moves [states]; the others follow.
        last: whether it is the last of periods that are alike.
    """

    period: int
    slow: npt.NDArray[np.bool_]
    last: bool = False


@dataclass(frozen=True, eq=False)
class Stretch:
    """A period that was solved: where it began and ended [members, states], and what was read off it."""

    start: Array
    end: Array
    gauges: Array
    kept: npt.NDArray[np.floating]
    outside: Outside

    @property
    def moved(self) -> Array:
        """How far it went [members, states]."""
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class Way:
    """How a horizon of periods is solved and shown.

    Args:
        ready: with the plan of one period, and gauges for what is passed within a leap.
        periods: of the horizon.
        phases: instants shown of each period.
        apart: periods from one that is shown to the next; more than one only where one instant is shown of each.
        tail: what solves what is left after the last whole period.
    """

    ready: Ready
    periods: Periods
    phases: int
    apart: int
    tail: Engine | None

    @property
    def shown(self) -> list[tuple[int, int]]:
        """The instants shown but the last, as (period, phase)."""
        return [(p, j) for p in range(0, self.periods.count, self.apart) for j in range(self.phases)]

    @property
    def times(self) -> Array:
        """The instants shown, from now [s]."""
        at = [(p + j / self.phases) * self.periods.length_s for p, j in self.shown]
        return np.array([*at, self.periods.horizon_s])


def way_of(ready: Ready, periods: Periods) -> Way:
    """Plan one period of a question's horizon."""
    points, length = ready.question.points, periods.length_s
    spacing = periods.horizon_s / (points - 1)
    wanted = max(int(length / spacing), 1)
    phases = max(d for d in range(1, wanted + 1) if periods.steps % d == 0)
    apart = max(int(np.ceil(spacing / length - 1e-9)), 1)
    gauges = ready.plan.gauges
    also = tuple(Gauge(PASSED[g.reading], g.of) for g in gauges if g.reading in PASSED)  # type: ignore[arg-type]
    plan = replace(
        ready.plan, dt=periods.dt, steps=periods.steps, every=periods.steps // phases, gauges=(*gauges, *also)
    )
    referee = replace(ready.referee, horizon_s=periods.horizon_s)
    return Way(replace(ready, plan=plan, referee=referee), periods, phases, apart, None)


def with_tail(way: Way) -> Way:
    """Plan what is left after the last whole period, at the solver's step that was found."""
    left = way.periods.tail
    if not left:
        return way
    plan = replace(way.ready.plan, steps=left, every=left)
    return replace(way, tail=replace(way.ready, plan=plan).engine)


@dataclass(frozen=True, eq=False)
class _More:
    """How moves and ends of periods change from one to the next [members, states]."""

    move: Array
    end: Array


class Course:
    """One scenario's members on their way through the periods, solved or leapt over.

    Args:
        way: what solves a period.
        scenario, draws: whose.
    """

    def __init__(self, way: Way, scenario: Scenario, draws: Drawn) -> None:
        self._way, self._scenario, self._draws = way, scenario, draws
        begun = [START.get(g.reading, 0.0) for g in self._plan.gauges]
        self._gauges = np.tile(np.array(begun, np.float64)[:, None], (1, len(draws.x0)))
        none, self._kept = np.zeros_like(self._gauges), list[npt.NDArray[np.floating]]()
        self.low, self.high = self._plan.model.bounds("states")
        self.period, self.last = -1, Stretch(draws.x0, draws.x0, self._gauges, np.empty((0, 0, 0)), Outside(none, none))
        self._more: _More | None = None

    @property
    def _plan(self) -> Plan:
        return self._way.ready.plan

    def go(self, stop: Stop, told: Told) -> None:
        """Solve a period, leaping over those between; raises Cancelled."""
        if stop.period == 0:
            return self._arrive(0, self._solved(0, self._draws.x0, told), None)
        if stop.period == self.period + 1:
            return self._arrive(stop.period, self._solved(stop.period, self.last.end, told), None)
        over, here = stop.period - self.period - 1, self.last
        more = self._more or _More(np.zeros_like(here.end), here.moved)
        guess = over * here.moved + over * (over + 1) / 2 * more.move
        found = self._solved(stop.period, self._led(stop, guess, over * more.end), told)
        if self._more is None or stop.last:
            by, following = over / 2 * (here.moved + found.moved), over / (over + 1) * (found.end - here.end)
            found = self._solved(stop.period, self._led(stop, by, following), told)
        true = self._led(stop, over / 2 * (here.moved + found.moved), found.start - here.end)
        shifted = np.where(stop.slow, true - found.start, 0.0)
        self._arrive(stop.period, Stretch(true, found.end + shifted, found.gauges, self._moved(found.kept, shifted), found.outside), over)
        self._more = _More((found.moved - here.moved) / (over + 1), (found.end - here.end) / (over + 1))
        return None

    def finish(self, told: Told) -> Raw:
        """Solve what is left after the last whole period; give all of it."""
        end, shown, engine = self.last.end, self.last.kept[-1], self._way.tail
        if engine is not None:
            begun = self._way.periods.count
            raw = engine.run(self._members(begun, end), told)
            rest = self._stretch(end, raw)
            self._count(begun, rest, 0, self.last)
            end, shown = rest.end, rest.kept[-1]
        kept = np.concatenate([*self._kept, shown[None]])
        return Raw(self._gauges[: len(self._way.ready.referee.gauges)], kept, end)

    def _solved(self, period: int, start: Array, told: Told) -> Stretch:
        return self._stretch(start, self._way.ready.engine.run(self._members(period, start), told))

    def _stretch(self, start: Array, raw: Raw) -> Stretch:
        stood = outside(self._plan, self._way.ready.referee.limits, raw)
        return Stretch(start, np.asarray(raw.end, np.float64), np.asarray(raw.gauges, np.float64), raw.kept, stood)

    def _members(self, period: int, start: Array) -> Members:
        """Give what a period is begun with; its last instant is driven as the period's after it, but for that of the horizon."""
        periods, draws = self._way.periods, replace(self._draws, x0=start)
        steps = periods.steps if period < periods.count else periods.tail
        steps += self._followed(period)
        return self._way.ready.members(self._scenario, draws, period * periods.length_s, steps)

    def forgets(self, told: Told) -> npt.NDArray[np.bool_]:
        """Tell which states have forgotten after a period where they began it [states], by a run a state from a little beside."""
        model, here = self._plan.model, self.last.end[:1]
        aside = BESIDE * model.scales("states")
        aside = np.where(here[0] + aside > self.high, -aside, aside)
        every = np.zeros(len(aside) + 1, int)
        start = here[every] + np.vstack([np.zeros_like(aside), np.diag(aside)])
        draws = replace(self._draws, unit=self._draws.unit[every], x0=start, gain=self._draws.gain[every], bias=self._draws.bias[every])
        end = Course(self._way, self._scenario, draws)._solved(self.period + 1, start, told).end
        with np.errstate(invalid="ignore"):
            left = np.abs(np.diagonal(end[1:] - end[:1]) / aside)
        return np.asarray(left <= FORGOTTEN, bool)

    def _led(self, stop: Stop, by: Array, following: Array) -> Array:
        """Give where a leap leads: what is slow by its moves, what is fast as it follows."""
        found: Array = self.last.end + np.where(stop.slow, by, following)
        return np.clip(found, self.low, self.high)

    def _arrive(self, period: int, found: Stretch, over: int | None) -> None:
        before, at = self.last, self.period
        self.period, self.last = period, found
        self._count(period, found, over or 0, before)
        for p, j in self._shown(at + 1, period + 1):
            self._kept.append(self._read(before, at, p, j)[None])
        if over is None:
            self._more = None

    def _read(self, before: Stretch, at: int, p: int, j: int) -> npt.NDArray[np.floating]:
        """Give what is shown of a period's instant, since the stop before; a period's first is between the ends of others."""
        here = self.last.kept
        if at < 0 or (j and p == self.period) or self.period == at + 1:
            return np.asarray(here[j])
        if j:
            return np.asarray(before.kept[j] + (p - at) / (self.period - at) * (here[j] - before.kept[j]))
        end = self._followed(self.period)  # the horizon's last instant is driven as what was before it
        far, to = (self.period - at, here[-1]) if end else (self.period - at - 1, here[0])
        return np.asarray(before.kept[-1] + (p - at - 1) / far * (to - before.kept[-1]))

    def _followed(self, period: int) -> bool:
        """Whether something of the horizon comes after a period."""
        periods = self._way.periods
        return period + 1 < periods.count or (period < periods.count and periods.tail > 0)

    def _moved(self, kept: npt.NDArray[np.floating], by: Array) -> npt.NDArray[np.floating]:
        """Move the states among what was watched by as much as they are known better since."""
        states, found = self._plan.model.states, kept.copy()
        for i, name in enumerate(self._plan.watch):
            if name in states:
                found[:, i] += by[:, states.index(name)]
        return found

    def _shown(self, first: int, end: int) -> list[tuple[int, int]]:
        some = range(first + -first % self._way.apart, end, self._way.apart)
        return [(p, j) for p in some for j in range(self._way.phases)]

    def _count(self, period: int, found: Stretch, over: int, before: Stretch) -> None:
        """Add what gauges read in a period, and what they would have read in those leapt over before it."""
        length, read = self._way.periods.length_s, found.gauges
        usual, then = found.outside.alike(read), before.outside.alike(before.gauges)
        added = over / 2 * (then + usual) + usual if over else found.outside.after(before.outside, read)
        companions = iter(range(len(self._way.ready.referee.gauges), len(self._plan.gauges)))
        for i, gauge in enumerate(self._plan.gauges):
            total, now = self._gauges[i], read[i]
            if gauge.reading == "min":
                self._gauges[i] = np.minimum(total, now)
            elif gauge.reading == "max":
                self._gauges[i] = np.maximum(total, now)
            elif gauge.reading.startswith("first"):
                first = next(companions)
                when = period * length + now
                if over:
                    limit = self._limit(i)
                    with np.errstate(divide="ignore", invalid="ignore"):
                        part = (limit - before.gauges[first]) / (read[first] - before.gauges[first])
                    passed = (period - over + np.clip(part, 0.0, 1.0) * (over + 1)) * length
                    when = np.where(np.isfinite(now), np.minimum(passed, when), np.inf)
                self._gauges[i] = np.minimum(total, when)
            else:
                self._gauges[i] = total + added[i]

    def _limit(self, gauge: int) -> float:
        return float(self._way.ready.referee.limits[gauge])


def run(way: Way, stops: Sequence[Stop], scenario: Scenario, draws: Drawn, told: Told) -> Raw:
    """Take members of a scenario through a horizon, stop by stop; raises Cancelled."""
    course, reached = Course(way, scenario, draws), 0.0

    def rising(done: float) -> bool:
        nonlocal reached
        reached = max(reached, done)  # a stop that is solved twice begins anew
        return told(reached)

    for i, stop in enumerate(stops):
        course.go(stop, lambda done, i=i: rising((i + done) / len(stops)))  # type: ignore[misc]
    return course.finish(lambda done: rising(1.0))
