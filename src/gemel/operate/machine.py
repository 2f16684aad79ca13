"""A machine that can be fitted and followed: an asset's binding, with the model narrowed to what its plant measures.

plant, asset -> Binding -> lines of readings in, lines of readings out, parameters with ranges
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from gemel.assets import Plant
from gemel.assets.spec import Signal
from gemel.dynamics import Compiled, compile_model
from gemel.dynamics.dependence import moving
from gemel.dynamics.narrowed import Narrowed
from gemel.errors import ModelError
from gemel.operate.binding import Binding, Bound, modelled
from gemel.operate.joining import bind_any, members
from gemel.operate.listened import listened
from gemel.operate.models import Reference, compiled
from gemel.samples.batch import F64
from gemel.twin.releases import Releases

__all__ = ["Known", "Line", "Machine", "chosen", "machine_of", "modelled", "parameters_from", "parameters_to"]


@dataclass(frozen=True)
class Line:
    """A signal that an input or output of a model belongs to.

    Args:
        path: of the signal.
        spec: what is declared of it.
        scale, offset: SI = value * scale + offset.
    """

    path: str
    spec: Signal
    scale: float
    offset: float

    def si(self, values: F64) -> F64:
        """Convert values of the signal to SI."""
        return np.asarray(values, np.float64) * self.scale + self.offset


@dataclass(frozen=True)
class Known:
    """A parameter of a model, as the plant file has it.

    Args:
        name: in the model.
        unit: of the plant file.
        scale, offset: SI = value * scale + offset.
        calibrate: whether it may be fitted.
        source: where its value comes from: ``release``, ``plant file`` or ``model``.
    """

    name: str
    unit: str
    scale: float = 1.0
    offset: float = 0.0
    calibrate: bool = False
    source: str = "model"


@dataclass(frozen=True, eq=False)
class Machine:
    """An asset with its dynamic model.

    Args:
        asset: its path.
        reference: ``module:name`` of the model, or of what a system is made.
        model: compiled; inputs without a signal are held, outputs without one are left out.
        inputs, outputs: the signals, in the order of the model.
        parameters: in the order of the model.
        p: their values [parameters], SI.
        low, high: their ranges [parameters], SI: the narrower of the plant file's and the model's.
        held: inputs that no signal gives, with their values, SI: by the plant file, or as the model declares them.
    """

    asset: str
    reference: Reference
    model: Compiled
    inputs: tuple[Line, ...]
    outputs: tuple[Line, ...]
    parameters: tuple[Known, ...]
    p: F64
    low: F64
    high: F64
    held: Mapping[str, float] = field(default_factory=dict)

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that may be fitted."""
        return tuple(k.name for k in self.parameters if k.calibrate)


def machine_of(
    plant: Plant, asset: str, releases: Releases | None = None, at: int | None = None, *, computing: bool = True
) -> Machine:  # fmt: skip
    """Join an asset with its model, or an area with the system of its models, as `gemel.operate.joining.bind_any` does.

    Args:
        plant: as applied.
        asset: path.
        releases: versions of parameters; None: the plant file's are in force.
        at: plant time at which they are asked for [ns]; None: now.
        computing: whether the model is loaded to compute with; else only what it declares, and nothing of it is run.

    Raises NotFoundError (no asset, no model), ModelError (a wrong model or unit; nothing of it is measured: `unbound`).
    """
    bound = bind_any(plant, asset, releases, at)
    inputs, outputs = tuple(b for b in bound.inputs if _seen(b)), listened(plant, _measured(bound))
    if not outputs:
        names = [b.name for b in (*bound.outputs, *bound.states)]
        rows = [plant.assets.find(path) or 0 for path in members(plant, asset)]
        has = ", ".join(s.name for row in rows for s in plant.template(row).signals) or "none"
        raise ModelError(
            f"{asset} has no signal {names[0] if names else ''!r}: nothing of what its model gives is measured", code="unbound",
            remedy=f"declare a signal for one of {', '.join(names)}, or map it by names:; it has {has}",
        )  # fmt: skip
    held = {b.name: b.value for b in bound.inputs if not _seen(b)}
    kept = tuple(b.name for b in outputs)
    model = fitted(bound.reference, held, kept) if computing else compile_model(Narrowed(bound.model, held, kept))
    return Machine(
        asset, bound.reference, model, tuple(map(_line, inputs)), tuple(map(_line, outputs)),
        tuple(Known(b.name, b.unit, b.scale, b.offset, b.calibrate, b.source) for b in bound.parameters), bound.p,
        np.array([b.low for b in bound.parameters]), np.array([b.high for b in bound.parameters]), held,
    )  # fmt: skip


def narrowed(reference: Reference, held: Mapping[str, float], outputs: Sequence[str]) -> Compiled:
    """Give a model as a plant measures it: once a process, so that what is compiled of it is found again."""
    return _narrowed(json.dumps(reference), tuple(held.items()), tuple(outputs))


def fitted(reference: Reference, held: Mapping[str, float], outputs: Sequence[str]) -> Compiled:
    """Give a model as a plant measures it, without the states that nothing depends on of what is measured: once a process.

    What no reading can tell costs time in each step, and a search its way.
    """
    return _fitted(json.dumps(reference), tuple(held.items()), tuple(outputs))


@lru_cache(64)
def _fitted(reference: str, held: tuple[tuple[str, float], ...], outputs: tuple[str, ...]) -> Compiled:
    whole = compiled(json.loads(reference))
    if not getattr(whole.model, "traceable", True):
        return _narrowed(reference, held, outputs)
    states = moving(whole.model, outputs)
    if set(states) == set(whole.states) or not states:
        return _narrowed(reference, held, outputs)
    return compile_model(Narrowed(whole.model, dict(held), outputs, states))


@lru_cache(64)
def _narrowed(reference: str, held: tuple[tuple[str, float], ...], outputs: tuple[str, ...]) -> Compiled:
    whole = compiled(json.loads(reference))
    return whole if not held and outputs == whole.outputs else compile_model(Narrowed(whole.model, dict(held), outputs))


def _measured(bound: Binding) -> tuple[Bound, ...]:
    """Give what is measured of what the model gives, in a narrowed model's order: states that are no outputs, then outputs."""
    given = {b.name: b for b in (*bound.states, *bound.outputs)}
    return tuple(b for b in given.values() if _seen(b))


def _seen(b: Bound) -> bool:
    """Tell whether the plant says a quantity itself: what a model gives is no data to fit a model on."""
    return b.signal is not None and not b.signal.modelled


def _line(b: Bound) -> Line:
    assert b.signal is not None
    return Line(b.path, b.signal, b.scale, b.offset)


def parameters_from(machine: Machine, si: F64) -> dict[str, float]:
    """Give parameters [parameters] in the units of the plant file, by name."""
    return {k.name: (float(v) - k.offset) / k.scale for k, v in zip(machine.parameters, si, strict=True)}


def parameters_to(machine: Machine, given: dict[str, float]) -> F64:
    """Give the vector [parameters] in SI, of values in the units of the plant file; others are as in the plant file."""
    p = machine.p.copy()
    for at, k in enumerate(machine.parameters):
        if k.name in given:
            p[at] = given[k.name] * k.scale + k.offset
    return p


def chosen(machine: Machine, asked: Sequence[str]) -> tuple[str, ...]:
    """Give the parameters to fit: those asked for, else those marked `calibrate`; raises ModelError where there are none."""
    for name in asked:
        machine.model.place("parameters", name)
    free = tuple(asked) or machine.free
    if not free:
        raise ModelError(
            f"no parameter of {machine.asset} is marked for calibration", code="nothing-to-fit",
            remedy=f"mark it in the plant file, as in `{machine.parameters[0].name if machine.parameters else 'wear'}: {{unit: …, calibrate: true}}`",
        )  # fmt: skip
    return free
