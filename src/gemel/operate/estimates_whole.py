"""Estimates of machines whose model is an FMU for co-simulation: run as a whole, followed by members that it saves and brings back.

    type, problem ─► its FMU saves its state? ─► Whole: the problem with its members' method ─► Following: the same loop, another step

What the model does not know comes in by its inputs: each member is given those measured, off by their accuracy, and by
parameters that it calls tunable and that are followed. Its states nobody moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, Final

from gemel.assets.fmus import is_fmu
from gemel.assets.spec import Estimates
from gemel.dynamics import Compiled
from gemel.dynamics.narrowed import Narrowed
from gemel.errors import ModelError
from gemel.estimate import Problem
from gemel.estimate.lag import Step
from gemel.estimate.particles import Particles, Stepper, Swarm, Whole
from gemel.estimate.stable_steps import steps_of
from gemel.operate.binding import Bound
from gemel.operate.estimating import Estimating
from gemel.operate.fmi.coupled import Coupled, as_a_whole
from gemel.operate.fmi.march import SUBSTEPS
from gemel.operate.fmi.model import FmuModel, plain
from gemel.operate.fmi.remembered import Remembered, room
from gemel.operate.fmi.remembered_system import POINTS, RememberedSystem
from gemel.operate.models import fmu_of
from gemel.samples import units
from gemel.samples.batch import F64

INPUT: Final = 0.01  # of an input's usual size: how far it is off where the plant file does not say


def whole_of(model: Compiled) -> FmuModel | None:
    """Give the FMU for co-simulation that a model is, be it narrowed; None: it is another."""
    found = plain(model.model)
    return found if isinstance(found, FmuModel) and not found.exchanged else None


def whole_among(references: Mapping[str, str]) -> dict[str, FmuModel]:
    """Give the FMUs for co-simulation among components, by the name of the component."""
    fmus = {c: fmu_of(of) for c, of in references.items() if is_fmu(of)}
    return {c: model for c, model in fmus.items() if not model.exchanged}


def asked_as_a_whole(path: str, whole: Mapping[str, FmuModel], asked: Estimates, modelled: Callable[[str], bool]) -> Estimates:
    """Give how an area with FMUs for co-simulation is followed: by members, with all states.

    Raises ModelError (`system-joint`) where one cannot save its state, or what is asked is not to be had of members.
    """
    for c, model in whole.items():
        fixed = [n for n in model.parameters if n not in model.tunable and n not in {*model.states, *model.outputs} and modelled(f"{c}/{n}")]
        if not model.saves:
            raise ModelError(f"{c} in {path} is an FMU for co-simulation that cannot save its state: nobody can go on from what it remembers",
                             code="system-joint", remedy="export it with canGetAndSetFMUState and canSerializeFMUState, or for model exchange")  # fmt: skip
        if fixed:
            raise ModelError(f"the parameter {f'{c}/{fixed[0]}'!r} is to be followed, and {model.called} calls it fixed", code="system-joint",
                             remedy="have it exported as tunable, or for model exchange")  # fmt: skip
    if asked.drift_ns or asked.filter != "unscented":
        raise ModelError(f"{next(iter(whole))} in {path} is an FMU for co-simulation: the area is followed by members, by no other filter, and errors that last are not told apart",
                         code="system-joint", remedy="leave drift and filter out of the types of the area")  # fmt: skip
    return replace(asked, states=())


def by_members(problem: Problem, asked: Estimates, inputs: Sequence[Bound]) -> Problem:
    """Give the problem as it is, or, of what is run as a whole (an FMU for co-simulation, a system with one), with the method that follows it.

    Raises ModelError (`model-foreign`) where that cannot save its state, or a parameter is followed that it calls fixed.
    """
    model = plain(problem.model.model)
    if not as_a_whole(model):
        return problem
    stepper = _stepper(problem, model)
    if fixed := [n for n in problem.estimated if n not in stepper.tunable]:
        raise ModelError(
            f"the parameter {fixed[0]!r} is to be followed, and {getattr(model, 'called', 'its FMU')} calls it fixed", code="model-foreign",
            remedy="have it exported as tunable, or for model exchange",
        )  # fmt: skip
    of = {b.name: b for b in inputs}
    spread = tuple(_spread(asked, of[n], problem.model.scales("inputs")[i]) for i, n in enumerate(problem.model.inputs))
    given = {f.name: getattr(problem, f.name) for f in fields(Problem)}
    size = stepper.begin(*(a[None] for a in (problem.model.x0, problem.model.u0, problem.model.p0)))[0].shape[1]
    members, back = room(size)
    return Whole(**given, method=Particles(stepper, spread, members), back=back)


def _stepper(problem: Problem, model: Any) -> Stepper:
    seen = (*problem.model.states, *problem.model.outputs)
    if not isinstance(model, Coupled):
        return Remembered(model, seen)
    points, inner = POINTS, model.inner
    if inner is not None:
        points = max(POINTS, -(-steps_of(inner, inner.p0, problem.dt) // SUBSTEPS))
    return RememberedSystem(model, problem.model.inputs, _held(problem.model.model), seen, points)


def _held(model: Any) -> dict[str, float]:
    """Give the inputs that whatever narrows a model holds, with their values."""
    return {**_held(model.model), **model.held} if isinstance(model, Narrowed) else {}


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
        assert isinstance(problem, Whole)
        super().__init__(problem, *of, held=held, **{"length": problem.back, **how})

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
