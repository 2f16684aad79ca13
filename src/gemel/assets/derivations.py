"""Derived signals of a whole plant: each expression compiled once a type, bound to the signals of all its assets.

plant -> per type: scope (own signals, parameters, related assets) -> Expression -> Program (columns of signal numbers)
-> levels: what others rest on comes first; a circle is refused
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gemel.assets.problem import did_you_mean
from gemel.assets.rules import EventRules
from gemel.assets.spec import Signal, Template
from gemel.errors import AssetError
from gemel.samples import units
from gemel.samples.batch import F64, I32, I64
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

Refuse = Callable[[str, Signal, AssetError], None]
NONE: Final = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One leaf of an expression, for all assets of a type.

    Args:
        over: the relation whose members it runs over; empty: one value an asset.
        signal: their numbers, one an asset or one a member; empty for a parameter.
        constant: values of a parameter, one an asset; None for a signal.
        scale, offset: into the unit of the leaf, as long as `signal`; None where nothing is converted.
    """

    over: str
    signal: I32
    constant: F64 | None = None
    scale: F64 | None = None
    offset: F64 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A derived signal of all assets of a type.

    Args:
        type, name, lane: of whose signal this is.
        expression: what gives it.
        target: number of the derived signal of each asset.
        inputs: one for each leaf of the expression.
        counts: for each relation how many members each asset has.
        low, high: what its values may be; NaN: any.
    """

    type: str
    name: str
    lane: str
    expression: Expression
    target: I32
    inputs: tuple[Input, ...]
    counts: Mapping[str, I64]
    low: float = float("nan")
    high: float = float("nan")

    def numbered(self, numbers: I32) -> "Program":
        """Give the same with the numbers of another registry."""
        inputs = tuple(replace(i, signal=numbers[i.signal]) for i in self.inputs)
        return replace(self, target=numbers[self.target], inputs=inputs)

    def edges(self) -> Iterator[tuple[I32, npt.NDArray[np.intp]]]:
        """Give what is read: signals, and the place of the asset that reads each."""
        for i in self.inputs:
            places = np.arange(len(self.target))
            yield i.signal, (np.repeat(places, self.counts[i.over]) if i.over else places[: len(i.signal)])


@dataclass(frozen=True, eq=False)
class Derivations:
    """All derived signals of a plant.

    Their instances, a derived signal of an asset each, are counted through all programs, one after another.

    Args:
        programs: one for each derived signal of each type.
        level: of each instance: 0 rests on measured signals only, 1 on those of level 0 …
        events: the rules whose conditions are among them.
    """

    programs: tuple[Program, ...] = ()
    level: I32 = field(default_factory=NONE.copy)
    events: EventRules = field(default_factory=EventRules)

    @cached_property
    def target(self) -> I32:
        """Number of the derived signal of each instance."""
        return np.concatenate([NONE, *(p.target for p in self.programs)]).astype(np.int32)

    @cached_property
    def first(self) -> I64:
        """The first instance of each program, and how many there are in all."""
        return np.cumsum([0, *(len(p.target) for p in self.programs)]).astype(np.int64)

    def edges(self) -> tuple[I32, I64]:
        """Give what is read: signals, and the instance that reads each; each pair once."""
        signals, instances = [NONE], [np.empty(0, np.int64)]
        for start, program in zip(self.first, self.programs, strict=False):
            for signal, place in program.edges():
                signals.append(signal)
                instances.append(place + start)
        pairs = np.unique(np.stack([np.concatenate(instances), np.concatenate(signals)]), axis=1)
        return pairs[1].astype(np.int32), pairs[0]

    def numbered(self, numbers: I32) -> "Derivations":
        """Give the same with the numbers of another registry."""
        return Derivations(tuple(p.numbered(numbers) for p in self.programs), self.level)


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
            template.type, signal.name, signal.lane, expression, self._signals(rows, signal.name, signal.lane), inputs,
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
            return Input(leaf.over, self._signals(rows, name))
        scale, offset = np.array(scales)[kinds].T
        return Input(
            leaf.over,
            self._signals(rows, name),
            None,
            np.ascontiguousarray(scale),
            np.ascontiguousarray(offset),
        )

    def _conversion(self, template: Template, name: str, kind: Kind) -> tuple[float, float]:
        unit = next((s.unit for s in template.signals if s.name == name and s.kind != "state"), None)
        if kind.sort != "number" or unit is None or not units.fits(unit, kind.unit):
            return 1.0, 0.0
        return units.conversion(unit, kind.unit)

    def _signals(self, rows: npt.NDArray[np.integer], name: str, lane: str = "") -> I32:
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
    programs = []
    for template, rows in _types(plant):
        for signal in (lane for s in template.signals for lane in s.lanes):
            if not signal.derived or (not len(rows) and _looks_around(signal)):
                continue
            try:
                programs.append(binder.program(template, signal, rows))
            except AssetError as e:
                if refuse is None:
                    raise
                refuse(template.type, signal, e)
    return _in_order(plant, tuple(programs), refuse)


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
    return any(len(n.path) > 1 for n in names(parse(signal.derived)))


def _in_order(plant: "Plant", programs: tuple[Program, ...], refuse: Refuse | None) -> Derivations:
    """Find levels: those of which nothing is left to wait for come next (A. B. Kahn, CACM 5(11), 1962)."""
    whole = Derivations(programs)
    n = len(whole.target)
    by_signal = np.full(len(plant.layout) + 1, -1, np.int64)
    by_signal[whole.target] = np.arange(n)
    signals, readers = whole.edges()
    needs = by_signal[signals]
    readers, needs = readers[needs >= 0], needs[needs >= 0]
    waiting = np.bincount(readers, minlength=n)
    order = np.argsort(needs, kind="stable")
    follows, start = readers[order], np.searchsorted(needs[order], np.arange(n + 1))
    level = np.full(n, -1, np.int32)
    front, at = np.flatnonzero(waiting == 0), 0
    while len(front):
        level[front] = at
        lengths = start[front + 1] - start[front]
        places = np.arange(int(lengths.sum())) + np.repeat(
            start[front] - np.cumsum(lengths) + lengths, lengths
        )
        freed = follows[places]
        np.subtract.at(waiting, freed, 1)
        front, at = np.unique(freed[waiting[freed] == 0]), at + 1
    stuck = np.flatnonzero(level < 0)
    if len(stuck):
        _refuse_circle(plant, whole, (readers, needs), stuck, refuse)
    return Derivations(programs, level)


def _refuse_circle(
    plant: "Plant",
    whole: Derivations,
    edges: tuple[I64, I64],
    stuck: npt.NDArray[np.intp],
    refuse: Refuse | None,
) -> None:
    readers, needs = edges
    inside = set(stuck.tolist())
    way = [int(stuck[0])]
    while way[-1] not in way[:-1]:
        found = needs[readers == way[-1]]
        way.append(next(int(i) for i in found if int(i) in inside))
    circle = way[way.index(way[-1]) :]
    head = plant.root + "/"
    paths = plant.layout.paths(plant.assets)
    shown = " ← ".join(paths[whole.target[i]].removeprefix(head) for i in circle)
    program = whole.programs[int(np.searchsorted(whole.first, min(circle), "right")) - 1]
    error = AssetError(
        f"derived signals rest on each other in a circle: {shown}", code="circle",
        remedy="let one of them rest on what is measured only",
    )  # fmt: skip
    if refuse is None:
        raise error
    template = next(t for t in plant.templates if t.type == program.type)
    lanes = (lane for s in template.signals for lane in s.lanes)
    refuse(program.type, next(s for s in lanes if (s.name, s.lane) == (program.name, program.lane)), error)


def _place(template: Template, name: str, lane: str) -> int:
    """Give the place of a signal among all lanes of a template; -1 where it has none."""
    laid = (s for signal in template.signals for s in signal.lanes)
    return next((i for i, s in enumerate(laid) if s.name == name and lane in {"", s.lane}), -1)
