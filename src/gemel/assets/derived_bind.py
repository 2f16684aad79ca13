"""Derived signals of a whole plant: each expression compiled once a type, bound to the signals of all its assets.

plant -> per type: scope (own signals, parameters, related assets) -> Expression -> Program (columns of signal numbers)
-> levels: what others rest on comes first; a circle is refused
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gemel.assets.derivations import NONE, Derivations, Input, Program
from gemel.assets.derived_order import Refuse, in_order
from gemel.assets.problem import did_you_mean
from gemel.assets.rollups import Gatherer
from gemel.assets.spec import Signal, Template
from gemel.errors import AssetError
from gemel.samples import units
from gemel.samples.batch import I32, I64
from gemel.samples.expression import (
    Expression,
    Kind,
    Leaf,
    Path,
    compile_expression,
    names,
    number,
    parse,
    state,
)

if TYPE_CHECKING:
    from gemel.assets.plant import Plant


class _TypeScope:
    """What a name means in an expression of a type."""

    def __init__(self, plant: "Plant", template: Template, rows: npt.NDArray[np.intp]) -> None:
        self._plant = plant
        self._template = template
        self._rows = rows

    def find(self, path: Path) -> Leaf | None:
        name = path[-1]
        if len(path) > 1:
            return self._related(path)
        for signal in self._template.signals:
            if signal.name == name:
                return Leaf(path, kind_of(signal))
        for parameter in self._template.parameters:
            if parameter.name == name:
                return Leaf(path, number(parameter.unit))
        return None

    def known(self) -> list[str]:
        return [*(s.name for s in self._template.signals), *(p.name for p in self._template.parameters)]

    def _related(self, path: Path) -> Leaf:
        way, name = path[:-1], path[-1]
        self._plant.ways.check(way, name)
        _, members = self._plant.ways.follow(self._rows, way)
        templates = [self._plant.templates[t] for t in np.unique(self._plant.assets.template[members])]
        if not len(members):  # nothing is related yet: what the name means elsewhere is what it will mean
            templates = list(self._plant.templates)
        found = [s for t in templates for s in t.signals if s.name == name]
        shown = ".".join(way)
        if not found:
            known = {s.name for t in templates for s in t.signals}
            raise AssetError(
                f"no asset that is {shown} of a {self._template.type} has a signal {name!r}",
                remedy=did_you_mean(name, known),
            )
        kinds = {kind_of(s) for s in found}
        first = kind_of(found[0])
        if first.sort == "number":
            strange = next(
                (k for k in kinds if k.sort != "number" or not units.fits(k.unit, first.unit)), None
            )
        else:
            strange = next((k for k in kinds if k != first), None)
        if strange is not None:
            raise AssetError(
                f"{'.'.join(path)} is {first.words} of some, and {strange.words} of others",
                remedy="give them names of their own",
            )
        return Leaf(path, first, shown)


def kind_of(signal: Signal) -> Kind:
    """Give what an expression takes a signal for."""
    return state(signal.states) if signal.kind == "state" else number(signal.unit)


class _Binder:
    """Binds expressions to the signals of assets, numbered by their place in the plant's layout."""

    def __init__(self, plant: "Plant") -> None:
        self._plant = plant
        self._first = np.searchsorted(plant.layout.asset, np.arange(len(plant.assets)))

    def program(self, template: Template, signal: Signal, rows: npt.NDArray[np.intp]) -> Program:
        scope = _TypeScope(self._plant, template, rows)
        expression = compile_expression(signal.derived, scope, kind_of(signal))
        members = {
            over: self._members(expression, over, rows)
            for over in {leaf.over for leaf in expression.leaves} - {""}
        }
        inputs = tuple(
            self._input(leaf, template, members[leaf.over][1] if leaf.over else rows)
            for leaf in expression.leaves
        )
        low, high = (float("nan") if limit is None else limit for limit in (signal.low, signal.high))
        return Program(
            template.type, signal.name, signal.lane, expression, self.signals(rows, signal.name, signal.lane), inputs,
            {over: counts for over, (counts, _) in members.items()}, low, high,
        )  # fmt: skip

    def _members(self, expression: Expression, over: str, rows: npt.NDArray[np.intp]) -> tuple[I64, I32]:
        """Give the related assets that have all that the expression names over this relation."""
        counts, found = self._plant.ways.follow(rows, tuple(over.split(".")))
        wanted = {leaf.path[-1] for leaf in expression.leaves if leaf.over == over}
        has = np.array([wanted <= {s.name for s in t.signals} for t in self._plant.templates], np.bool_)
        keep = has[self._plant.assets.template[found]]
        owner = np.repeat(np.arange(len(rows)), counts)[keep]
        return np.bincount(owner, minlength=len(rows)).astype(np.int64), found[keep]

    def _input(self, leaf: Leaf, template: Template, rows: npt.NDArray[np.integer]) -> Input:
        name = leaf.path[-1]
        if not leaf.over and not any(s.name == name for s in template.signals):
            known = self._plant.assets.parameters.get(name)
            return Input("", NONE, np.full(len(rows), np.nan) if known is None else known[rows])
        kinds = self._plant.assets.template[rows]
        scales = [self._conversion(t, name, leaf.kind) for t in self._plant.templates]
        if all(scales[k] == (1.0, 0.0) for k in np.unique(kinds).tolist()):
            return Input(leaf.over, self.signals(rows, name))
        scale, offset = np.array(scales)[kinds].T
        return Input(
            leaf.over,
            self.signals(rows, name),
            None,
            np.ascontiguousarray(scale),
            np.ascontiguousarray(offset),
        )

    def _conversion(self, template: Template, name: str, kind: Kind) -> tuple[float, float]:
        unit = next((s.unit for s in template.signals if s.name == name and s.kind != "state"), None)
        if kind.sort != "number" or unit is None or not units.fits(unit, kind.unit):
            return 1.0, 0.0
        return units.conversion(unit, kind.unit)

    def signals(self, rows: npt.NDArray[np.integer], name: str, lane: str = "") -> I32:
        """Give the numbers of a property of some assets: of a lane, or of its first."""
        place = np.array([_place(t, name, lane) for t in self._plant.templates], np.int64)
        found: I32 = (self._first[rows] + place[self._plant.assets.template[rows]]).astype(np.int32)
        return found


def derivations_of(plant: "Plant", refuse: Refuse | None = None) -> Derivations:
    """Compile and bind all derived signals, numbered by their place in the layout.

    Args:
        plant: as it was read.
        refuse: told of what is wrong (type, signal, why); without it AssetError is raised.
    """
    binder = _Binder(plant)
    gatherer = Gatherer(plant, binder.signals)
    programs = []
    for template, rows in _types(plant):
        for signal in (lane for s in template.signals for lane in s.lanes):
            if not signal.computed or (not len(rows) and _looks_around(signal)):
                continue
            try:
                if signal.rollup is not None:
                    gatherer.add(template, signal, rows)
                else:
                    programs.append(binder.program(template, signal, rows))
            except AssetError as e:
                if refuse is None:
                    raise
                refuse(template.type, signal, e)
    return in_order(plant, Derivations(tuple(programs), rollups=gatherer.plans()), refuse)


def _types(plant: "Plant") -> Iterator[tuple[Template, npt.NDArray[np.intp]]]:
    first: dict[str, Template] = {}
    for template in plant.templates:
        first.setdefault(template.type, template)
    for name, template in first.items():
        mine = np.array([t.type == name for t in plant.templates], np.bool_)
        yield (
            template,
            np.flatnonzero(mine[plant.assets.template]) if len(plant.assets) else np.empty(0, np.intp),
        )


def _looks_around(signal: Signal) -> bool:
    return signal.rollup is not None or any(len(n.path) > 1 for n in names(parse(signal.derived)))


def _place(template: Template, name: str, lane: str) -> int:
    """Give the place of a signal among all lanes of a template; -1 where it has none."""
    laid = (s for signal in template.signals for s in signal.lanes)
    return next((i for i, s in enumerate(laid) if s.name == name and lane in {"", s.lane}), -1)
