"""A question made ready: planned, compiled, and what drives its members at any time of the horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.errors import ModelError
from gemel.scenarios.draw import Drawn
from gemel.scenarios.engine import Engine, Told, engine_for
from gemel.scenarios.foreign import check_size, is_foreign
from gemel.scenarios.jumps import applied, check, jumping, jumps
from gemel.scenarios.plan import Members, Plan
from gemel.scenarios.referee import Referee, needed
from gemel.scenarios.scenario import Change, Question, Scenario, Start

Array = npt.NDArray[np.float64]
BASELINE: Final = Scenario("baseline")
HALVINGS: Final = 6
MOST_KEPT: Final = 400_000_000  # numbers of one scenario
AGREED: Final = 2e-3  # of a quantity's magnitude, between a step and its half


@dataclass(frozen=True, eq=False)
class Ready:
    """A question made ready for one model: planned, compiled, drawn."""

    model: Compiled
    start: Start
    question: Question
    plan: Plan
    referee: Referee

    @cached_property
    def engine(self) -> Engine:
        """What runs the plan; compiled when it is first asked for."""
        return engine_for(self.plan, self.question.precision, self.question.engine)

    @property
    def wanted(self) -> tuple[Scenario, ...]:
        """The baseline and what is compared with it."""
        return (BASELINE, *self.question.scenarios)

    def members(self, scenario: Scenario, draws: Drawn, begin: float = 0.0, steps: int = 0) -> Members:
        """Give the members of a scenario over some draws, over so many steps from a time on [s]; over the plan's, if left out."""
        plan = self.plan
        t: Array = begin + np.arange(steps or plan.steps, dtype=np.float64) * plan.dt
        values = self.held(scenario, t)
        gain = draws.gain.copy()
        for j, name in enumerate(plan.held):
            if j not in plan.driven:
                gain[:, j] *= values[name][0]
        drive = np.column_stack([*(values[plan.held[j]] for j in plan.driven), self.referee.weights(t)])
        limits = np.zeros(len(plan.gauges))
        limits[: len(self.referee.limits)] = self.referee.limits
        made = self._jumps(scenario, begin, len(t), plan.dt)
        x0 = applied(made[0], draws.x0, plan.jumping, plan.model.bounds("states")) if plan.jumping else draws.x0
        return Members(x0, gain, draws.bias, drive.reshape(len(t), -1), limits, made)

    def _jumps(self, scenario: Scenario, begin: float, steps: int, dt: float) -> Array:
        names = [self.model.states[i] for i in self.plan.jumping]
        return jumps(scenario, names, round(begin / dt), steps, dt)

    def moving(self, t: Array) -> Array:
        """Give all that drives any of the futures and is not the same throughout, at some times [times, columns]."""
        found = [self.referee.weights(t)]
        for scenario in self.wanted:
            named = {c.of for c in scenario.changes if not constant(c, self.question.horizon_s)}
            some = [n for n in self.plan.held if n in named or n in self.start.profiles]
            if some:
                values = self.held(scenario, t, some)
                found.append(np.column_stack([values[n] for n in some]))
            if self.plan.jumping:
                made = self._jumps(scenario, t[0], len(t), t[1] - t[0] if len(t) > 1 else self.plan.dt)
                made[:1] = made[:1] if t[0] > 0 else [1.0, 0.0]  # where all begins is not where it moves
                found.append(made.reshape(len(t), -1))
        return np.concatenate(found, axis=1)

    def check_parameters(self, scenario: Scenario) -> None:
        """Refuse a parameter that a scenario changes to beyond its declared range; raises ModelError (`bad-scenario`)."""
        named = [n for n in self.model.parameters if n in {c.of for c in scenario.changes}]
        at = {0.0, *(t for c in scenario.changes for t in (c.start_s, *(s for s, _ in c.profile)))}
        t = np.array(sorted(t for t in at if 0 <= t <= self.question.horizon_s))
        usual, values = self.held(Scenario("as it is"), t, named), self.held(scenario, t, named)
        low, high = self.model.bounds("parameters")
        for name in named:
            i = self.model.place("parameters", name)
            off = ((values[name] < low[i]) | (values[name] > high[i])) & (values[name] != usual[name])
            if off.any():
                raise ModelError(
                    f"{name!r} would be {values[name][off][0]:g}, and its declared range is {low[i]:g} to {high[i]:g}, in the model's unit",
                    code="bad-scenario", remedy="change it within its range: beyond it the model was never said to hold",
                )  # fmt: skip

    def held(self, scenario: Scenario, t: Array, some: list[str] | None = None) -> dict[str, Array]:
        """Give what is held at some times [s], by name, before anything is drawn; all of it, or only some."""
        held = zip(self.plan.held, (*self.start.u, *self.start.p), strict=True)
        values = {n: _expected(self.start, n, v, t) for n, v in held if some is None or n in some}
        for change in scenario.changes:
            if change.of in values:
                values[change.of] = change.apply(t, values[change.of])
        return values


def prepare(model: Compiled, start: Start, question: Question) -> Ready:
    """Plan a question; raises ModelError where the model has not what it is about."""
    if is_foreign(model):
        check_size(question.members)
    referee, plan = _planned(model, question)
    for scenario in question.scenarios:
        for change in scenario.changes:
            if change.of in model.states:
                check(change, model, question.horizon_s)
            elif change.of not in plan.held:
                raise ModelError(
                    f"the model has no {change.of!r} among its inputs, parameters and states",
                    code="unknown-quantity", remedy=f"it has: {', '.join((*plan.held, *model.states))}",
                )  # fmt: skip
    ready = Ready(model, start, question, plan, referee)
    for scenario in question.scenarios:
        ready.check_parameters(scenario)
    return ready


def constant(change: Change, horizon_s: float) -> bool:
    """Whether a change is the same throughout the horizon."""
    return not change.profile and change.start_s <= 0 and change.end_s > horizon_s


def first_of(draws: Drawn, members: int) -> Drawn:
    """Give the first members drawn."""
    n = slice(members)
    return replace(draws, unit=draws.unit[n], x0=draws.x0[n], gain=draws.gain[n], bias=draws.bias[n])


def finer(ready: Ready, draws: Drawn, told: Told) -> tuple[Ready, bool]:
    """Halve the solver's step until it no longer matters for the first members of every scenario."""
    few = first_of(draws, 2)
    futures = [ready.members(s, few) for s in ready.wanted]
    going = asking(told)
    coarse = [ready.engine.run(m, going).kept for m in futures]
    for halving in range(HALVINGS):
        half = replace(ready, plan=replace(ready.plan, substeps=2 ** (halving + 1)))
        fine = [half.engine.run(m, going).kept for m in futures]
        if all(_alike(a, b) for a, b in zip(coarse, fine, strict=True)):
            return ready, True
        ready, coarse = half, fine
    return ready, False


def asking(told: Told) -> Callable[[float], bool]:
    """Give what can stop what comes before the members are run: of what was asked nothing is done yet."""
    return lambda _done: told(0.0)


def _planned(model: Compiled, q: Question) -> tuple[Referee, Plan]:
    watch = tuple(dict.fromkeys((*(q.watch or (*model.outputs, *model.states)), *needed(q.kpis))))
    steps = max(1, round(q.horizon_s / q.step_s))
    every = -(-steps // (q.points - 1))
    steps = -(-steps // every) * every
    referee = Referee(q.kpis, watch, steps * q.step_s)
    held = (*model.inputs, *model.parameters)
    moving = {c.of for s in q.scenarios for c in s.changes if not constant(c, q.horizon_s)}
    driven = tuple(j for j, n in enumerate(held) if n in model.inputs or n in moving)
    plan = Plan(model, q.step_s, steps, every, 1, watch, referee.gauges, len(referee.weighing), driven, jumping(model, q))
    for name in (*watch, *(name for k in q.kpis for one in k.leaves for name in (one.of, one.per) if name)):
        plan.pick(name, np.zeros(len(model.states)), np.zeros(len(model.outputs)), np.zeros(len(held)))
    if q.members * plan.points * len(watch) > MOST_KEPT:
        raise ModelError(
            f"{q.members} members × {plan.points} instants × {len(watch)} quantities are too many to keep",
            code="bad-scenario", remedy="watch fewer quantities, or ask for fewer instants or members",
        )  # fmt: skip
    return referee, plan


def _expected(start: Start, name: str, value: float, t: Array) -> Array:
    if name not in start.profiles:
        return np.full(t.shape, value)
    return Change(name, "set", profile=start.profiles[name]).along(t)


def _alike(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> bool:
    if not np.isfinite(b).all():
        return False
    scale = np.abs(b).max((0, 2)) + 1e-30
    return bool((np.abs(a - b).max((0, 2)) <= AGREED * scale).all())
