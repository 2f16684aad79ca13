"""An asset bound to its dynamic model: the one place that says what of the plant file is what of the model.

    plant file ─► type's `dynamics`, names, units ─┐
    releases   ─► parameters in force              ├─► Binding: each quantity of the model, where it comes from, in SI
    model      ─► what it declares                 ─┘

What is named alike belongs together; where names differ, the type's `names` says so. A parameter is the version released
in force, else the asset's value, else the type's default, else what the model declares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

import numpy as np

from gemel.assets import Plant
from gemel.assets.spec import Parameter, Signal, Template
from gemel.dynamics import DynamicModel, Quantity
from gemel.errors import ModelError, NotFoundError
from gemel.operate.models import Reference, declared
from gemel.samples.batch import F64
from gemel.samples.units import conversion, fits
from gemel.twin.releases import Release, Releases

KINDS: Final = ("inputs", "states", "parameters", "outputs")
Kind = Literal["inputs", "states", "parameters", "outputs"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A quantity of a model, and what of the plant it is.

    Args:
        name: in the model.
        quantity: as the model declares it, SI.
        path: of the property that it means; empty where the plant has none.
        unit: of that property; the model's own where the plant has none.
        scale, offset: SI = value * scale + offset.
        value: SI; of a measured one, what it is while nothing is measured.
        source: where it comes from: ``signal``, ``release`` (a released version), ``plant file`` or ``model``.
        signal: what is declared of the signal, where it is one.
        low, high: its range, SI: the narrower of the plant file's and the model's.
        calibrate: whether it may be fitted.
        accuracy: standard uncertainty [SI] that the plant file declares of the value; NaN where it declares none, or the
            value is not the plant file's.
    """

    name: str
    quantity: Quantity
    path: str
    unit: str
    scale: float
    offset: float
    value: float
    source: str
    signal: Signal | None = None
    low: float = -math.inf
    high: float = math.inf
    calibrate: bool = False
    accuracy: float = math.nan

    def si(self, value: float) -> float:
        """Convert a value of the property to SI."""
        return value * self.scale + self.offset

    def plain(self, si: float) -> float:
        """Convert an SI value to the unit of the property."""
        return (si - self.offset) / self.scale


@dataclass(frozen=True, eq=False)
class Binding:
    """An asset, or several, bound to a dynamic model.

    Args:
        asset: path.
        reference: how the model is found: ``module:name``, or of what a system is made.
        model: at least its declaration.
        inputs, states, parameters, outputs: in the order of the model.
        versions: of the parameters in force, by the path of the asset; 0: what the plant file says.
    """

    asset: str
    reference: Reference
    model: DynamicModel
    inputs: tuple[Bound, ...]
    states: tuple[Bound, ...]
    parameters: tuple[Bound, ...]
    outputs: tuple[Bound, ...]
    versions: Mapping[str, int]

    def of(self, kind: Kind) -> tuple[Bound, ...]:
        """Give the quantities of a kind."""
        return {"inputs": self.inputs, "states": self.states, "parameters": self.parameters, "outputs": self.outputs}[kind]

    def __iter__(self) -> Iterator[Bound]:
        for kind in KINDS:
            yield from self.of(kind)

    @property
    def p(self) -> F64:
        """The parameters [parameters], SI, in their ranges."""
        return np.array([min(max(b.value, b.low), b.high) for b in self.parameters], np.float64)


def modelled(plant: Plant) -> list[str]:
    """Give the paths of the assets that have a dynamic model."""
    fleet = plant.assets
    rows = [row for row in range(len(fleet)) if plant.template(row).dynamics]
    return [fleet.paths[row] for row in rows]


def names_of(template: Template) -> dict[str, str]:
    """Give the properties that names of the model mean, where the two differ."""
    return dict(template.names)


def bind(
    plant: Plant, asset: str, releases: Releases | None = None, at: int | None = None, *, model: DynamicModel | None = None
) -> Binding:  # fmt: skip
    """Bind an asset to the model of its type.

    Args:
        plant: as applied.
        asset: path.
        releases: versions of parameters; None: the plant file's are in force.
        at: plant time at which they are asked for [ns]; None: now.
        model: the model itself, or its declaration; looked up by the type's reference where left out.

    Raises:
        NotFoundError: no such asset (`not-found`), or its type has no dynamic model (`no-dynamics`).
        ModelError: the model cannot be used, or a unit measures something else than the model's (`model-unit`).
    """
    row = plant.assets.row(asset)
    template = plant.template(row)
    if not template.dynamics:
        raise NotFoundError(
            f"{asset} has no dynamic model: its type {template.type} names none", code="no-dynamics",
            remedy="say dynamics: package.module:Class in the type, in the plant file",
        )  # fmt: skip
    known = model if model is not None else cast(DynamicModel, declared(template.dynamics))
    release = None if releases is None else releases.in_force(asset, at)
    found = _Asset(asset, template, _values(plant, row, template), release)
    kinds = {kind: tuple(found.bound(kind, name, q) for name, q in getattr(known, kind).items()) for kind in KINDS}
    return Binding(asset, template.dynamics, known, **kinds, versions={asset: release.version if release else 0})


def _values(plant: Plant, row: int, template: Template) -> dict[str, float]:
    """Give what the plant file says of an asset's parameters, by name."""
    found = {}
    for p in template.parameters:
        column = plant.assets.parameters.get(p.name)
        value = math.nan if column is None else float(column[row])
        value = p.default if math.isnan(value) and p.default is not None else value
        if not math.isnan(value):
            found[p.name] = value
    return found


class _Asset:
    """What the plant says of one asset."""

    def __init__(self, path: str, template: Template, values: Mapping[str, float], release: Release | None) -> None:
        self._path, self._values = path, values
        self._names = names_of(template)
        self._signals = {s.name: s for s in template.signals if not s.states}
        self._parameters = {p.name: p for p in template.parameters}
        self._released: Mapping[str, float] = {} if release is None else release.values

    def bound(self, kind: str, name: str, q: Quantity) -> Bound:
        meant = self._names.get(name, name)
        signal, parameter = self._signals.get(meant), self._parameters.get(meant)
        if kind == "parameters" and parameter is not None:
            signal = None
        said = signal or parameter
        if said is None:
            bare = Bound(name, q, "", q.unit, 1.0, 0.0, q.start, "model", low=q.low, high=q.high)
            released = self._released.get(name) if kind == "parameters" else None
            return bare if released is None else replace(bare, value=released, source="release")
        path = f"{self._path}/{meant}"
        if not fits(said.unit, q.unit):
            raise ModelError(
                f"{path} is in {said.unit or '1'}, {name!r} of its model in {q.unit}", code="model-unit",
                remedy="give it a unit that measures the same, or map the name by names: under dynamics:",
            )  # fmt: skip
        scale, offset = conversion(said.unit, q.unit)
        bare = Bound(name, q, path, said.unit, scale, offset, q.start, "model", signal, q.low, q.high)
        return replace(bare, source="signal") if signal is not None else self._fixed(bare, parameter, meant)

    def _fixed(self, bare: Bound, parameter: Parameter | None, meant: str) -> Bound:
        """Give a quantity that a parameter of the plant file stands for."""
        assert parameter is not None
        value, source = self._values.get(meant), "plant file"
        for name in (bare.name, meant):
            if name in self._released:
                value, source = self._released[name], "release"
                break
        low, high = _narrower(parameter, bare)
        si, source = (bare.value, "model") if value is None else (bare.si(value), source)
        declared = parameter.accuracy if source == "plant file" else None
        accuracy = math.nan if declared is None else declared * abs(bare.scale)
        return replace(bare, value=si, source=source, low=low, high=high, calibrate=parameter.calibrate, accuracy=accuracy)


def _narrower(said: Parameter, bare: Bound) -> tuple[float, float]:
    low = bare.low if said.low is None else max(bare.low, bare.si(said.low))
    high = bare.high if said.high is None else min(bare.high, bare.si(said.high))
    return (low, high) if low <= high else (bare.low, bare.high)
