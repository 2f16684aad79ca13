"""A machine of the plant file and its dynamic model: which signal is which input or output, which parameter which.

plant, asset -> type's `dynamics` -> model; names that agree belong together; units of the plant file <-> SI
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gemel.assets import Plant
from gemel.assets.spec import Parameter, Signal, Template
from gemel.assets.views import asset_view
from gemel.dynamics import Compiled, compile_model, find_model
from gemel.errors import ModelError
from gemel.samples import units
from gemel.samples.batch import F64


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
        name: in both.
        unit: of the plant file.
        scale, offset: SI = value * scale + offset.
        calibrate: whether it may be fitted.
    """

    name: str
    unit: str
    scale: float = 1.0
    offset: float = 0.0
    calibrate: bool = False


@dataclass(frozen=True, eq=False)
class Machine:
    """An asset with its dynamic model.

    Args:
        asset: its path.
        reference: ``module:name`` of the model.
        model: compiled.
        inputs, outputs: the signals, in the order of the model.
        parameters: in the order of the model.
        p: their values [parameters], SI.
        low, high: their ranges [parameters], SI: the narrower of the plant file's and the model's.
    """

    asset: str
    reference: str
    model: Compiled
    inputs: tuple[Line, ...]
    outputs: tuple[Line, ...]
    parameters: tuple[Known, ...]
    p: F64
    low: F64
    high: F64

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that may be fitted."""
        return tuple(k.name for k in self.parameters if k.calibrate)


def modelled(plant: Plant) -> list[str]:
    """Give the paths of the assets that have a dynamic model."""
    fleet = plant.assets
    rows = [row for row in range(len(fleet)) if plant.template(row).dynamics]
    return [fleet.paths[row] for row in rows]


def machine_of(plant: Plant, asset: str) -> Machine:
    """Join an asset with its model; raises ModelError where a signal or unit is missing, NotFoundError for no asset."""
    seen = asset_view(plant, asset)
    template = plant.template(plant.assets.find(asset) or 0)
    if not template.dynamics:
        raise ModelError(
            f"{seen.path} has no dynamic model",
            code="no-model",
            remedy=f"give the type {seen.type} a key `dynamics: module:name`",
        )
    model = compile_model(find_model(template.dynamics))
    specs = {s.name: (s.path, s.spec) for s in seen.signals}
    values = {name: told["value"] for name, told in seen.parameters.items()}
    known, p, low, high = _parameters(model, template, values)
    return Machine(
        seen.path, template.dynamics, model, _lines(model, "inputs", specs, seen.path), _lines(model, "outputs", specs, seen.path),
        known, p, low, high,
    )  # fmt: skip


def _lines(model: Compiled, kind: str, specs: dict[str, tuple[str, Signal]], asset: str) -> tuple[Line, ...]:
    declared = getattr(model.model, kind)
    missing = [name for name in declared if name not in specs]
    if missing:
        raise ModelError(
            f"{asset} has no signal {missing[0]!r}, which its model has among its {kind}", code="unbound",
            remedy=f"declare signals named {', '.join(declared)}; it has {', '.join(specs)}",
        )  # fmt: skip
    return tuple(
        Line(*specs[name], *units.conversion(specs[name][1].unit, declared[name].unit)) for name in declared
    )


def _parameters(
    model: Compiled, template: Template, values: dict[str, float | None]
) -> tuple[tuple[Known, ...], F64, F64, F64]:
    given = {p.name: p for p in template.parameters}
    low, high = model.bounds("parameters")
    p, known = model.p0.copy(), []
    for at, (name, quantity) in enumerate(model.model.parameters.items()):
        said = given.get(name)
        if said is None:
            known.append(Known(name, quantity.unit))
            continue
        scale, offset = units.conversion(said.unit, quantity.unit)
        known.append(Known(name, said.unit, scale, offset, said.calibrate))
        value = values.get(name) if values.get(name) is not None else said.default
        p[at] = p[at] if value is None else value * scale + offset
        low[at], high[at] = _narrower(said, scale, offset, (low[at], high[at]))
    return tuple(known), np.clip(p, low, high), low, high


def _narrower(
    said: Parameter, scale: float, offset: float, model: tuple[float, float]
) -> tuple[float, float]:
    low = model[0] if said.low is None else max(model[0], said.low * scale + offset)
    high = model[1] if said.high is None else min(model[1], said.high * scale + offset)
    return (low, high) if low <= high else model


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
