"""A what-if, from question to answer: the baseline and up to five futures over the same draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.errors import ModelError
from gemel.scenarios.compare import Difference, Figure, Share, bands, difference, figure, sensitivity, sobol
from gemel.scenarios.draw import Drawn, columns_of, drawn, points
from gemel.scenarios.engine import Engine, Told, engine_for
from gemel.scenarios.foreign import check_size, is_foreign
from gemel.scenarios.plan import Members, Plan, Raw
from gemel.scenarios.referee import Referee, needed
from gemel.scenarios.scenario import Change, Question, Scenario, Start

Array = npt.NDArray[np.float64]
BASELINE: Final = Scenario("baseline")
HALVINGS: Final = 6
MOST_KEPT: Final = 400_000_000  # numbers of one scenario
UNSOLVED: Final = 1e-6  # of a loop's size
AGREED: Final = 2e-3  # of a quantity's magnitude, between a step and its half


@dataclass(frozen=True, eq=False)
class Future:
    """What one scenario came to.

    Args:
        name: of the scenario.
        bands: [quantiles, instants, watched]; of the members that stayed finite.
        figures: by the name of the KPI.
        differences: to the baseline, by the name of the KPI; none for the baseline itself.
        sensitivity: by the name of the KPI.
        failed: members that did not stay finite; they are in no figure.
        unsolved: members at whose end the algebraic loops of a system are not solved: do not trust them.
    """

    name: str
    bands: Array
    figures: dict[str, Figure]
    differences: dict[str, Difference]
    sensitivity: dict[str, Share]
    failed: int
    unsolved: int = 0


@dataclass(frozen=True, eq=False)
class Answer:
    """What a what-if found.

    Args:
        times: of the bands, from now [s].
        watch: what the bands are of, in the order of their last axis.
        futures: the baseline first.
        engine: what computed it.
        step_s: of the solver in the end.
        converged: whether halving the step changed nothing more.
    """

    times: Array
    watch: tuple[str, ...]
    futures: tuple[Future, ...]
    engine: str
    step_s: float
    converged: bool


@dataclass(frozen=True, eq=False)
class Ready:
    """A question made ready for one model: planned, compiled, drawn."""

    model: Compiled
    start: Start
    question: Question
    plan: Plan
    referee: Referee
    engine: Engine

    def members(self, scenario: Scenario, draws: Drawn) -> Members:
        """Give the members of a scenario over some draws."""
        plan = self.plan
        t: Array = np.arange(plan.steps, dtype=np.float64) * plan.dt
        values = {
            n: _expected(self.start, n, v, t)
            for n, v in zip(plan.held, (*self.start.u, *self.start.p), strict=True)
        }
        for change in scenario.changes:
            values[change.of] = change.apply(t, values[change.of])
        gain = draws.gain.copy()
        for j, name in enumerate(plan.held):
            if j not in plan.driven:
                gain[:, j] *= values[name][0]
        drive = np.column_stack([*(values[plan.held[j]] for j in plan.driven), self.referee.weights(t)])
        return Members(draws.x0, gain, draws.bias, drive.reshape(len(t), -1), self.referee.limits)


def prepare(model: Compiled, start: Start, question: Question) -> Ready:
    """Plan a question and compile it; nothing is run but the check of the step."""
    if is_foreign(model):
        check_size(question.members)
    referee, plan = _planned(model, question)
    for scenario in question.scenarios:
        for change in scenario.changes:
            if change.of not in plan.held:
                model.place("inputs" if not model.parameters else "parameters", change.of)
    return Ready(model, start, question, plan, referee, engine_for(plan, question.precision))


def ask(model: Compiled, start: Start, question: Question, told: Told = lambda done: True) -> Answer:
    """Answer a question; pure: the same model, start and question give the same answer.

    Args:
        model: compiled.
        start: where the fork begins.
        question: what is asked.
        told: takes how much is done, gives whether to go on; Cancelled is raised where it says no.
    """
    ready = prepare(model, start, question)
    names = columns_of(model, start, question.uncertain)
    unit = points(question.members, len(names), question.seed)
    draws = drawn(model, start, question.uncertain, unit)
    ready, converged = _finer(ready, draws, told)
    wanted = (BASELINE, *question.scenarios)
    runs: list[_Run] = []
    for i, scenario in enumerate(wanted):
        members = ready.members(scenario, draws)
        raw = ready.engine.run(members, _part(told, i, len(wanted)))
        left = _unsolved(ready.plan, members, raw)
        runs.append(_Run(scenario.name, raw.failed, ready.referee.figures(raw), _bands(raw, question), left))
    futures = tuple(_future(ready, draws, run, runs[0]) for run in runs)
    plan = ready.plan
    times: Array = np.arange(plan.points, dtype=np.float64) * (plan.every * plan.dt)
    return Answer(times, plan.watch, futures, ready.engine.name, plan.dt / plan.substeps, converged)


def indices(
    model: Compiled, start: Start, question: Question, scenario: str, told: Told = lambda done: True
) -> dict[str, dict[str, tuple[float, float]]]:
    """Give Sobol indices of every KPI of a scenario: by KPI and by what is uncertain, (first order, total).

    Takes `members`·(uncertain + 2) runs.
    """
    ready = prepare(model, start, question)
    names = columns_of(model, start, question.uncertain)
    chosen = next(s for s in (BASELINE, *question.scenarios) if s.name == scenario)
    both = points(question.members, 2 * len(names), question.seed)
    a, b = both[:, : len(names)], both[:, len(names) :]
    mixed = [np.where(np.arange(len(names)) == j, b, a) for j in range(len(names))]
    draws = drawn(model, start, question.uncertain, np.vstack([a, b, *mixed]))
    ready, _ = _finer(ready, draws, told)
    figures = ready.referee.figures(ready.engine.run(ready.members(chosen, draws), told))
    found = {}
    for kpi, row in zip(question.kpis, figures, strict=True):
        parts = row.reshape(len(names) + 2, -1)
        first, total = sobol(parts[0], parts[1], parts[2:])
        found[kpi.name] = {n: (float(f), float(t)) for n, f, t in zip(names, first, total, strict=True)}
    return found


def _planned(model: Compiled, q: Question) -> tuple[Referee, Plan]:
    watch = tuple(dict.fromkeys((*(q.watch or (*model.outputs, *model.states)), *needed(q.kpis))))
    steps = max(1, round(q.horizon_s / q.step_s))
    every = -(-steps // (q.points - 1))
    steps = -(-steps // every) * every
    referee = Referee(q.kpis, watch, steps * q.step_s)
    held = (*model.inputs, *model.parameters)
    moving = {c.of for s in q.scenarios for c in s.changes if not _constant(c, q.horizon_s)}
    driven = tuple(j for j, n in enumerate(held) if n in model.inputs or n in moving)
    weights = sum(1 for k in q.kpis if k.price)
    plan = Plan(model, q.step_s, steps, every, 1, watch, referee.gauges, weights, driven)
    for name in (*watch, *(k.of for k in q.kpis)):
        plan.pick(name, np.zeros(len(model.states)), np.zeros(len(model.outputs)), np.zeros(len(held)))
    if q.members * plan.points * len(watch) > MOST_KEPT:
        raise ModelError(
            f"{q.members} members × {plan.points} instants × {len(watch)} quantities are too many to keep",
            code="bad-scenario", remedy="watch fewer quantities, or ask for fewer instants or members",
        )  # fmt: skip
    return referee, plan


def _constant(change: Change, horizon_s: float) -> bool:
    return not change.profile and change.start_s <= 0 and change.end_s > horizon_s


def _expected(start: Start, name: str, value: float, t: Array) -> Array:
    if name not in start.profiles:
        return np.full(t.shape, value)
    return Change(name, "set", profile=start.profiles[name]).along(t)


def _finer(ready: Ready, draws: Drawn, told: Told) -> tuple[Ready, bool]:
    """Halve the solver's step until it no longer matters for the first members of every scenario."""
    few = replace(draws, unit=draws.unit[:2], x0=draws.x0[:2], gain=draws.gain[:2], bias=draws.bias[:2])
    futures = [ready.members(s, few) for s in (BASELINE, *ready.question.scenarios)]

    def going(_done: float) -> bool:
        return told(0.0)  # of what was asked nothing is done yet, but it can be stopped

    coarse = [ready.engine.run(m, going).kept for m in futures]
    for halving in range(HALVINGS):
        plan = replace(ready.plan, substeps=2 ** (halving + 1))
        engine = engine_for(plan, ready.question.precision)
        fine = [engine.run(m, going).kept for m in futures]
        if all(_alike(a, b) for a, b in zip(coarse, fine, strict=True)):
            return ready, True
        ready, coarse = replace(ready, plan=plan, engine=engine), fine
    return ready, False


def _alike(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> bool:
    if not np.isfinite(b).all():
        return False
    scale = np.abs(b).max((0, 2)) + 1e-30
    return bool((np.abs(a - b).max((0, 2)) <= AGREED * scale).all())


def _part(told: Told, i: int, of: int) -> Callable[[float], bool]:
    return lambda done: told((i + done) / of)


@dataclass(frozen=True, eq=False)
class _Run:
    """What is kept of a scenario's run: its members' readings over time are bands already."""

    name: str
    failed: npt.NDArray[np.bool_]
    figures: Array
    bands: Array
    unsolved: int


def _unsolved(plan: Plan, members: Members, raw: Raw) -> int:
    """Count the members at whose end the loops of a system are not solved, in float64."""
    system: Any = plan.model.model
    if not hasattr(system, "imbalance") or not system.order.blocks:
        return 0
    import jax

    drive = np.ones(len(plan.held))
    drive[list(plan.driven)] = members.drive[-1, : len(plan.driven)]
    held, n, good = drive * members.gain + members.bias, len(plan.model.inputs), ~raw.failed
    t = plan.steps * plan.dt
    left = jax.jit(jax.vmap(lambda x, u, p: system.imbalance(t, *plan.model.named(x, u, p))))
    found = np.asarray(left(np.asarray(raw.end, np.float64), held[:, :n], held[:, n:]))
    return int((~(found <= UNSOLVED) & good).sum())


def _bands(raw: Raw, q: Question) -> Array:
    """Give [quantiles, instants, watched] of the members that stayed finite; one quantity at a time, for the memory."""
    good = slice(None) if not raw.failed.any() else ~raw.failed
    if raw.failed.all():
        return np.full((len(q.quantiles), *raw.kept.shape[:2]), np.nan)
    return np.stack([bands(raw.kept[:, i][:, good], q.quantiles) for i in range(raw.kept.shape[1])], axis=-1)


def _future(ready: Ready, draws: Drawn, run: _Run, baseline: _Run) -> Future:
    q, good, both = ready.question, ~run.failed, ~(run.failed | baseline.failed)
    figures: dict[str, Figure] = {}
    differences: dict[str, Difference] = {}
    shares: dict[str, Share] = {}
    for j, kpi in enumerate(q.kpis if good.any() else ()):
        figures[kpi.name] = figure(run.figures[j][good], q.quantiles)
        shares[kpi.name] = sensitivity(draws.names, draws.unit[good], run.figures[j][good])
        if run is not baseline and both.any():
            differences[kpi.name] = difference(run.figures[j][both], baseline.figures[j][both], q.quantiles)
    return Future(run.name, run.bands, figures, differences, shares, int(run.failed.sum()), run.unsolved)
