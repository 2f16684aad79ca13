"""A what-if, from question to answer: the baseline and up to five futures over the same draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.scenarios.beyond import Beyond, beyond
from gemel.scenarios.compare import Difference, Figure, Share, bands, difference, figure, sensitivity
from gemel.scenarios.draw import Drawn, columns_of, drawn, points
from gemel.scenarios.engine import Told
from gemel.scenarios.itinerary import Leaps
from gemel.scenarios.plan import Members, Plan, Raw
from gemel.scenarios.ready import Ready, prepare
from gemel.scenarios.road import road
from gemel.scenarios.scenario import Question, Start

Array = npt.NDArray[np.float64]
UNSOLVED: Final = 1e-6  # of a loop's size


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
        beyond: ends of declared ranges that inputs and states passed: there the model was never said to hold.
    """

    name: str
    bands: Array
    figures: dict[str, Figure]
    differences: dict[str, Difference]
    sensitivity: dict[str, Share]
    failed: int
    unsolved: int = 0
    beyond: tuple[Beyond, ...] = ()


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
        leaps: how a horizon of weeks and more was solved; None where it is shorter, or none were wanted.
    """

    times: Array
    watch: tuple[str, ...]
    futures: tuple[Future, ...]
    engine: str
    step_s: float
    converged: bool
    leaps: Leaps | None = None


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
    draws = drawn(model, start, question.uncertain, unit, question.together)
    way = road(ready, draws, told)
    ready, plan = way.ready, way.ready.plan
    runs: list[_Run] = []
    for i, scenario in enumerate(ready.wanted):
        raw = way.run(scenario, draws, _part(told, i, len(ready.wanted)))
        left = _unsolved(plan, way.last(scenario, draws), raw)
        passed = beyond(ready, scenario, draws, raw, way.times)
        runs.append(_Run(scenario.name, raw.failed, ready.referee.figures(raw), _bands(raw, question), left, passed))
    futures = tuple(_future(ready, draws, run, runs[0]) for run in runs)
    step = plan.dt / plan.substeps
    return Answer(way.times, plan.watch, futures, ready.engine.name, step, way.converged, way.leaps)


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
    beyond: tuple[Beyond, ...]


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
    return Future(run.name, run.bands, figures, differences, shares, int(run.failed.sum()), run.unsolved, run.beyond)
