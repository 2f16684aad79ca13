"""What wears out of an asset, by its plant file: the law as a function of what drives it, and what a change makes of that.

asset, degradation -> Wearing -> Law: values of its signals -> rate towards the threshold, per second
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gemel.assets import Plant
from gemel.assets.degradation import compiled_rate
from gemel.assets.spec import Degradation, Parameter, Signal, Template
from gemel.errors import AssetError, ModelError, NotFoundError
from gemel.samples import units
from gemel.samples.batch import F64
from gemel.samples.expression import Column, Expression


@dataclass(frozen=True, slots=True)
class Wearing:
    """A degradation of one asset.

    Args:
        asset: its path.
        spec: what is declared.
        template: of the asset.
        known: its parameters by name, in the unit of the type; NaN where none is given.
    """

    asset: str
    spec: Degradation
    template: Template
    known: Mapping[str, float]

    def signal(self, name: str) -> Signal:
        """Give one of the asset's signals."""
        return next(s for s in self.template.signals if s.name == name)

    @property
    def start(self) -> float | None:
        """Its value when the record begins, in its unit; None: not known."""
        given, d = self.spec.start, self.spec
        if isinstance(given, str):
            declared = next(p for p in self.template.parameters if p.name == given)
            scale, offset = units.conversion(declared.unit, d.unit)
            given = self.known[given] * scale + offset
        if given is None or np.isnan(given):
            return None if d.indicator else d.new
        return float(given)

    @property
    def accuracy(self) -> float:
        """Standard uncertainty of the indicator, in the unit of the degradation."""
        if not self.spec.indicator:
            return 0.0
        shown = self.signal(self.spec.indicator)
        return (shown.accuracy or 0.0) * abs(units.conversion(shown.unit, self.spec.unit)[0])


@dataclass(frozen=True, slots=True)
class Law:
    """The rate of a degradation as a function of the signals that drive it.

    Args:
        expression: as declared.
        constants: parameters of the asset that it names.
    """

    expression: Expression
    constants: Mapping[str, float]

    @property
    def driven(self) -> tuple[str, ...]:
        """Names of the signals that drive it."""
        return tuple(sorted({leaf.path[-1] for leaf in self.expression.leaves} - self.constants.keys()))

    def rate(self, values: Mapping[str, F64]) -> F64:
        """Give the rate at each row of values, by signal; NaN where it is not known, never below zero."""
        rows = max((len(v) for v in values.values()), default=1)
        good = np.zeros(rows, np.uint32)
        columns = [
            Column(values[n] if (n := leaf.path[-1]) in values else np.full(rows, self.constants[n]), good)
            for leaf in self.expression.leaves
        ]
        return np.maximum(self.expression.evaluate(columns, rows)[0], 0.0)


class Driven(Protocol):
    """A law, by what drives it."""

    @property
    def driven(self) -> tuple[str, ...]: ...


def wearing(plant: Plant, asset: str, of: str = "", *, needed: bool = True) -> list[Wearing]:
    """Give what wears out of an asset, or what of it has a name; raises NotFoundError where there is none and one is needed."""
    row = plant.assets.row(asset)
    template = plant.template(row)
    known = {p.name: _known(plant, row, p) for p in template.parameters}
    found = [Wearing(asset, d, template, known) for d in template.degradations if of in ("", d.name)]
    if found or not needed:
        return found
    if of and template.degradations:
        names = ", ".join(d.name for d in template.degradations)
        raise NotFoundError(
            f"nothing called {of[:200]!r} wears out of {asset}", code="no-degradation", remedy=f"what does: {names}"
        )
    raise NotFoundError(
        f"nothing is said to wear out of a {template.type}", code="no-degradation",
        remedy="say degradation: {NAME: {rate: …, threshold: …}} in the type, in the plant file",
    )  # fmt: skip


def law_of(one: Wearing) -> Law:
    """Compile the law of a degradation that an expression is the rate of; one that is a state has a `StateLaw`."""
    expression = compiled_rate(one.spec, one.template.signals, one.template.parameters)
    signals = {s.name for s in one.template.signals}
    return Law(expression, {n: one.known[n] for leaf in expression.leaves if (n := leaf.path[-1]) not in signals})


def changed(one: Wearing, law: Driven, values: Mapping[str, F64], changes: Sequence[Mapping[str, Any]]) -> dict[str, F64]:
    """Give values as they would be under changes: each ``of``, ``how`` (set, scale, add), ``value`` and perhaps ``unit``.

    Raises NotFoundError where a change is of nothing that drives the law.
    """
    found = dict(values)
    for change in changes:
        name = one.spec.drives.get(str(change["of"]), str(change["of"]))
        if name not in law.driven:
            words = ", ".join([*law.driven, *(w for w, to in one.spec.drives.items() if to in law.driven)]) or "nothing"
            raise NotFoundError(
                f"{str(change['of'])[:200]!r} does not drive {one.spec.name} of {one.asset}", code="no-drive", remedy=f"what does: {words}"
            )
        found[name] = _one(found[name], one.signal(name), change)
    return found


def renewals(one: Wearing, done: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Give when maintenance is to be done [s from now] and what it leaves; raises NotFoundError for an unknown action."""
    return [[float(m.get("in_s", 0.0)), left(one, str(m["action"]))] for m in done]


def left(one: Wearing, action: str) -> float:
    """Give what an action leaves of a degradation; raises NotFoundError where it has no such action."""
    if action not in one.spec.maintenance:
        words = ", ".join(one.spec.maintenance) or "none: declare maintenance: {overhaul: 0 %}"
        raise NotFoundError(
            f"{one.spec.name} of {one.asset} has no action {action[:80]!r}", code="no-action", remedy=f"it has {words}"
        )
    return one.spec.maintenance[action]


def _one(values: F64, signal: Signal, change: Mapping[str, Any]) -> F64:
    value, how, unit = float(change.get("value", 0.0)), change["how"], change.get("unit")
    if how == "scale":
        return values * value
    if unit:
        scale, offset = units.conversion(str(unit), signal.unit)
        value = value * scale + (offset if how == "set" else 0.0)
    return values + value if how == "add" else np.where(np.isnan(values), np.nan, value)


def _known(plant: Plant, row: int, declared: Parameter) -> float:
    column = plant.assets.parameters.get(declared.name)
    value = float(column[row]) if column is not None else np.nan
    return float(declared.default) if np.isnan(value) and declared.default is not None else value


def read_maintenance(text: str) -> dict[str, Any]:
    """Read ``overhaul`` (now) or ``overhaul@30d`` (in 30 days); raises ModelError.

    >>> read_maintenance("overhaul@36h")
    {'action': 'overhaul', 'in_s': 129600.0}
    """
    action, _, when = text.partition("@")
    try:
        return {"action": action.strip(), "in_s": units.quantity(when.strip() or 0.0, "s")}
    except AssetError as e:
        raise ModelError(f"{text!r} says no time: {e.message}", code="bad-scenario", remedy="write overhaul@30d") from e


def told(one: Wearing, driven: Sequence[str]) -> dict[str, Any]:
    """Give what is declared of a degradation, and which signals drive it, as plain JSON."""
    d = one.spec
    drives = {n: one.signal(n).unit for n in driven}
    return {
        "name": d.name, "description": d.description, "unit": d.unit, "threshold": d.threshold, "new": d.new, "law": d.rate or d.state,
        "indicator": d.indicator, "drives": drives, "words": dict(d.drives), "maintenance": dict(d.maintenance),
        "horizon_s": d.horizon_ns / 1e9, "within_s": d.within_ns / 1e9, "every_s": d.every_ns / 1e9, "signals": dict(d.signals),
    }  # fmt: skip
