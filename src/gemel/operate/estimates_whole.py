"""Estimates of machines whose model is an FMU for co-simulation: run as a whole, followed by members that it saves and brings back.

    type, problem ─► its FMU saves its state? ─► Whole: the problem with its members' method ─► Following: the same loop, another step

What the model does not know comes in by its inputs: each member is given those measured, off by their accuracy, and by
parameters that it calls tunable and that are followed. Its states nobody moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from typing import Any, Final

from gemel.assets.spec import Estimates
from gemel.dynamics import Compiled
from gemel.errors import ModelError
from gemel.estimate import Problem
from gemel.estimate.lag import Step
from gemel.estimate.particles import Particles, Swarm, Whole
from gemel.operate.binding import Bound
from gemel.operate.estimating import Estimating
from gemel.operate.fmi.model import FmuModel, plain
from gemel.operate.fmi.remembered import Remembered
from gemel.samples import units
from gemel.samples.batch import F64

INPUT: Final = 0.01  # of an input's usual size: how far it is off where the plant file does not say
LENGTH: Final = 10  # instants that can be gone back: what all members remember is kept of each


def whole_of(model: Compiled) -> FmuModel | None:
    """Give the FMU for co-simulation that a model is, be it narrowed; None: it is another."""
    found = plain(model.model)
    return found if isinstance(found, FmuModel) and not found.exchanged else None


def by_members(problem: Problem, asked: Estimates, inputs: Sequence[Bound]) -> Problem:
    """Give the problem as it is, or, of an FMU for co-simulation, with the method that follows it.

    Raises ModelError (`model-foreign`) where that cannot save its state, or a parameter is followed that it calls fixed.
    """
    model = whole_of(problem.model)
    if model is None:
        return problem
    stepper = Remembered(model, (*problem.model.states, *problem.model.outputs))
    if fixed := [n for n in problem.estimated if n not in stepper.tunable]:
        raise ModelError(
            f"the parameter {fixed[0]!r} is to be followed, and {model.called} calls it fixed", code="model-foreign",
            remedy="have it exported as tunable, or for model exchange",
        )  # fmt: skip
    of = {b.name: b for b in inputs}
    spread = tuple(_spread(asked, of[n], problem.model.scales("inputs")[i]) for i, n in enumerate(problem.model.inputs))
    given = {f.name: getattr(problem, f.name) for f in fields(Problem)}
    return Whole(**given, method=Particles(stepper, spread))


def _spread(asked: Estimates, b: Bound, size: float) -> float:
    """Give how far an input may be off what is taken for it, SI."""
    if b.name in asked.noise:
        return float(units.quantity(asked.noise[b.name], b.quantity.unit, difference=True))
    if b.signal is None or b.signal.source is None:
        return 0.0
    return INPUT * size if b.signal.accuracy is None else abs(b.signal.accuracy * b.scale)


class Following(Estimating):
    """The members of machines of one kind, all moved by one request a step."""

    def __init__(self, problem: Problem, *of: Any, held: F64, **how: Any) -> None:
        self._first, self._given = held, of[-1]
        super().__init__(problem, *of, held=held, **{"length": LENGTH, **how})

    def adopt(self, problem: Problem, p: F64, begin: F64) -> None:
        """Take other parameters, as `Estimating.adopt`."""
        self._given = p
        super().adopt(problem, p, begin)

    def _started(self, means: F64) -> Swarm:
        return _method(self._problem).begin(self._problem, means, self._first, self._given)

    def _step(self) -> Step:
        return partial(_method(self._problem).step, self._problem)


def _method(problem: Problem) -> Particles:
    assert isinstance(problem, Whole)
    assert problem.method is not None
    return problem.method
