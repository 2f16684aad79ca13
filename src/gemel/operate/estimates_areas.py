"""Areas that are followed as one system: one filter with the states of all their assets joined, and every sensor of them.

    estimates: {line-1: {}} ─► what is modelled in it ─► System, by the relations ─► Kind, as of a single machine
    types of its assets     ─► states, sensors, noises, as asset/name ─┘

What one asset's model cannot tell (a flow meter against the level of the tank that it fills, and against the meter of the
other pump) stands in the equations that the system shares. Areas alike are followed side by side, as machines of one kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np

from gemel.assets import Plant
from gemel.assets.spec import Estimates, Template
from gemel.dynamics import Compiled, compile_model
from gemel.dynamics.narrowed import Narrowed
from gemel.errors import ModelError
from gemel.estimate import Problem
from gemel.estimate.discrepancy import discrepant
from gemel.operate.binding import Binding, Bound, names_of
from gemel.operate.estimates_balances import makes_of_balances
from gemel.operate.estimates_kind import Kind, version
from gemel.operate.estimates_method import changes_of, errors_of, method_of
from gemel.operate.estimates_plan import (
    code_of,
    followed_model,
    is_told,
    makes_of,
    measured,
    problem_of,
    said_of,
    side_by_side,
)
from gemel.operate.estimates_whole import asked_as_a_whole, by_members, whole_among
from gemel.operate.estimating import Wires
from gemel.operate.fmi.coupled import as_a_whole
from gemel.operate.joining import Joint, bind_any, members, parts_of
from gemel.operate.models import compiled
from gemel.operate.under_way import UnderWay
from gemel.samples import Registry, units
from gemel.samples.batch import I32

MOST: Final = 40  # states and parameters of one system that are followed: a step's cost grows with their cube

Left = Callable[[str, Exception], None]
"""Hears the name of what is left out, and why."""
Made = dict[tuple[str, tuple[Any, ...]], Kind]
"""Kinds of a plant by their name and what they are made of."""


@dataclass(frozen=True, eq=False)
class Area:
    """An area that is followed as one system.

    Args:
        path: of the area.
        assets: paths of what is modelled in it, by the name of the component.
        templates: of its assets, by the name of the component.
        joints: of its components.
        asked: how it is followed, in names of the system.
    """

    path: str
    assets: Mapping[str, str]
    templates: Mapping[str, Template]
    joints: tuple[Joint, ...]
    asked: Estimates

    def property(self, name: str) -> tuple[Template, str]:
        """Give the template and the property that a quantity of the system means."""
        component, _, own = name.rpartition("/")
        template = self.templates[component]
        return template, names_of(template).get(own, own)

    def modelled(self, name: str) -> bool:
        """Tell whether a quantity of the system is told on the estimated lane."""
        template, meant = self.property(name)
        return any(lane.modelled for s in template.signals if s.name == meant for lane in s.lanes)


def areas_of(plant: Plant) -> list[Area]:
    """Give the areas that are followed as one system.

    Raises ModelError (an asset in two of them, one alone, ports that do not fit: `system-joint`), NotFoundError.
    """
    return _areas(plant, None)[0]


def area_of(plant: Plant, path: str) -> Area:
    """Give an area that is followed as one system; raises as `areas_of`."""
    assets = members(plant, path)
    if len(assets) < 2:
        raise ModelError(f"only {assets[0]} has a dynamic model in {path}: there is nothing to join", code="system-joint",
                         remedy="leave the area out of estimates: at the top; the asset is followed by itself")  # fmt: skip
    parts = parts_of(plant, assets)
    templates = {name: plant.template(plant.assets.find(asset) or 0) for name, asset in parts.assets.items()}
    area = Area(path, parts.assets, templates, parts.joints, _asked(plant, parts.assets, templates, plant.estimates[path]))
    return replace(area, asked=asked_as_a_whole(path, whole, area.asked, area.modelled)) if (whole := whole_among(parts.references)) else area


def _asked(plant: Plant, assets: Mapping[str, str], templates: Mapping[str, Template], said: Estimates) -> Estimates:
    """Give how a system is followed: as its types say, but for what is said of the area."""
    each = {c: t.estimates for c, t in templates.items()}
    noise, start, scatter, changes = (
        {f"{c}/{n}": v for c, e in each.items() for n, v in getattr(e, key).items()} | dict(getattr(said, key))
        for key in ("noise", "start", "scatter", "changes")
    )
    return Estimates(
        max(e.every_ns for e in each.values()), noise, said.states or _joined(plant, assets, templates, "states"),
        said.sensors or _joined(plant, assets, templates, "sensors"), filter=_filter(each),
        drift_ns=max(e.drift_ns for e in each.values()), scatter=scatter, start=start, changes=changes,
    )  # fmt: skip


def _filter(each: Mapping[str, Estimates]) -> str:
    """Give the filter that the types of a system say; raises ModelError where they say different ones (`system-joint`)."""
    named = {e.filter: c for c, e in each.items()}
    if len(named) > 1:
        said = ", ".join(f"{word} of {c}" for word, c in sorted(named.items()))
        raise ModelError(f"one system is followed by one filter, and its types name two: {said}", code="system-joint",
                         remedy="say the same `filter` under estimates: of all of its types")  # fmt: skip
    return next(iter(named))


def _joined(plant: Plant, assets: Mapping[str, str], templates: Mapping[str, Template], key: str) -> tuple[str, ...]:
    """Give what the types name of a kind; all of a type that names none; nothing where no type names any."""
    named: dict[str, tuple[str, ...]] = {c: getattr(t.estimates, key) for c, t in templates.items()}
    if not any(named.values()):
        return ()
    found = []
    for c, names in named.items():
        bound = bind_any(plant, assets[c])
        every = [b.name for b in (*bound.states, *(bound.outputs if key == "sensors" else ()))]
        found += [f"{c}/{n}" for n in names or every]
    return tuple(dict.fromkeys(found))


def followed(
    plant: Plant, registry: Registry, left: Left | None = None, made: Made | None = None, *,
    barred: Mapping[str, Exception] | None = None, under: UnderWay | None = None,
) -> list[Kind]:  # fmt: skip
    """Give all that is followed: systems of areas, assets each by itself, balances.

    Args:
        plant: as applied.
        registry: numbers its signals.
        left: told of each kind that fails, which is left out; None: the first that fails is raised, a ModelError
            or whatever a user's model raises.
        made: what was made of this plant before, which is not made again; what is made is put there.
        barred: kinds that are left out whatever they are, by name, and why.
        under: told which kind is made.
    """
    areas, together = _areas(plant, left)
    made, apart = {} if made is None else made, tuple(sorted(together))
    barred, under = barred or {}, under or UnderWay()
    makes: list[tuple[str, tuple[Any, ...], Callable[[], Kind]]] = [
        *((f"area {alike[0].path}", tuple(a.path for a in alike), partial(_kind, plant, registry, alike)) for alike in _alike(areas)),
        *((f"type {name}", (i, *apart), make) for i, (name, make) in enumerate(makes_of(plant, registry, together))),  # a type may be several kinds
        *((name, (), make) for name, make in makes_of_balances(plant, registry)),
    ]  # fmt: skip
    found = []
    for name, of, make in makes:
        try:
            _not_barred(name, barred)
            if (name, of) not in made:
                with under.of(name):
                    made[name, of] = make()
            found.append(made[name, of])
        except Exception as e:  # a user's model may raise anything
            _told_left(left, name, e)
    return found


def _areas(plant: Plant, left: Left | None) -> tuple[list[Area], set[int]]:
    """Give the areas that can be followed, and the rows of the assets of all: those of one that cannot are not followed alone instead."""
    found, taken = [], dict[str, str]()
    for path in plant.estimates:
        try:
            assets = members(plant, path)
            twice = [(a, taken[a]) for a in assets if a in taken]
            taken |= dict.fromkeys(assets, path)
            found.append(_apart(area_of(plant, path), twice))
        except Exception as e:  # a user's model may raise anything
            _told_left(left, f"area {path}", e)
    return found, {plant.assets.find(asset) or 0 for asset in taken}


def _apart(area: Area, twice: Sequence[tuple[str, str]]) -> Area:
    """Give an area none of whose assets is followed with another; `twice`: those that are, and the path of the other."""
    for asset, other in twice:
        raise ModelError(f"{asset} is followed with {other}, and with {area.path}", code="system-joint",
                         remedy="keep one of the two areas under estimates: at the top")  # fmt: skip
    return area


def _not_barred(name: str, barred: Mapping[str, Exception]) -> None:
    if name in barred:
        raise barred[name]


def _told_left(left: Left | None, name: str, failure: Exception) -> None:
    if left is None:
        raise failure
    left(name, failure)


def _alike(areas: Sequence[Area]) -> Iterator[list[Area]]:
    """Give the areas in groups that one compiled filter serves: of the same types, named, joined and followed alike."""
    groups: dict[Any, list[Area]] = {}
    for area in areas:
        asked = area.asked
        key = (*((c, id(t)) for c, t in area.templates.items()), area.joints, asked.every_ns, *sorted(asked.noise.items()), asked.states, asked.sensors,
               asked.filter, asked.drift_ns, *sorted(asked.scatter.items()), *sorted(asked.start.items()))  # fmt: skip
        groups.setdefault(key, []).append(area)
    yield from groups.values()


def _kind(plant: Plant, registry: Registry, areas: Sequence[Area]) -> Kind:
    """Give areas that are alike as machines of one kind."""
    area, asked = areas[0], areas[0].asked
    bound = [bind_any(plant, one.path) for one in areas]
    first, reference = bound[0], bound[0].reference
    whole = compiled(reference)
    states = asked.states or whole.states
    seen = {b.name: b for b in (*(b for b in first.states if b.name in states), *first.outputs)}
    listened = {n for n, b in seen.items() if measured(b) and n in (asked.sensors or seen)}
    if not listened:
        raise ModelError(f"nothing that the models in {area.path} give is measured", code="unbound",
                         remedy=f"give one of {', '.join(list(seen)[:20])} a source")  # fmt: skip
    estimated = tuple(n for n in whole.parameters if n not in seen and area.modelled(n))
    if not as_a_whole(whole.model):
        sized(area.path, states, estimated)
    kept = tuple(n for n, b in seen.items() if n in listened or is_told(b))
    read = tuple(b.name for b in first.states if b.name not in states and measured(b))
    model = _held(followed_model(reference, states, read, kept), [{b.name: b.value for b in one.inputs if not measured(b)} for one in bound])
    p = np.array([b.p for b in bound]).reshape(len(bound), -1)
    gauges = [next(b for b in (*first.states, *first.inputs) if b.name == n) for n in model.inputs]
    problem = by_members(problem_of(asked, model, estimated, p, [seen[n] for n in kept], gauges), asked, first.inputs)
    errors = errors_of(asked, [seen[n] for n in kept if n in listened], problem, {n: area.property(n)[0].estimates.drift_ns for n in listened})
    predicts, method = discrepant(problem, errors), method_of(asked, problem)
    begin = np.hstack((np.tile(predicts.model.x0, (len(areas), 1)), p[:, [model.place("parameters", n) for n in estimated]]))
    held = np.array([[one[n] for n in model.inputs] for one in ({b.name: b.value for b in (*b.states, *b.inputs)} for b in bound)])
    said = said_of(_told(reference), whole, predicts, method)
    return Kind(
        area.path, tuple(a.path for a in areas), problem, _wires(registry, areas, predicts, first, listened), p, begin,
        held.reshape(len(areas), -1), version("system", said, p),
        lambda path, releases: bind_any(plant, path, releases), said, predicts, np.zeros((len(areas), 0)),
        tuple(tuple(a.assets.values()) for a in areas), method=method, errors=errors,
        changes=changes_of(asked, whole),
    )  # fmt: skip


def _held(model: Compiled, given: Sequence[Mapping[str, float]]) -> Compiled:
    """Give a model whose inputs that nothing measures, and that are the same for all areas, are no inputs: a system has many."""
    return _constant(model, tuple((n, v) for n, v in given[0].items() if all(one[n] == v for one in given)))


@lru_cache(64)
def _constant(model: Compiled, held: tuple[tuple[str, float], ...]) -> Compiled:
    return compile_model(Narrowed(model.model, dict(held), model.outputs)) if held else model


def sized(path: str, states: Sequence[str], estimated: Sequence[str]) -> None:
    """Raise ModelError where a system has more states and followed parameters than one filter is to carry (`system-size`)."""
    if (size := len(states) + len(estimated)) > MOST:
        raise ModelError(
            f"{path} has {size} states and followed parameters: a filter follows at most {MOST}, and its cost grows with their cube",
            code="system-size", remedy=f"name those that matter under estimates: at the top, as in `states: [{states[0]}]`, or take smaller areas",
        )  # fmt: skip


def _told(reference: Any) -> str:
    """Give what a system is made of, with the code of its components."""
    return json.dumps(reference) + "".join(code_of(compiled(r)) for r in sorted(set(reference["components"].values())))


def _wires(registry: Registry, areas: Sequence[Area], problem: Problem, first: Binding, listened: set[str]) -> Wires:
    model: Compiled = problem.model
    scale, offset = np.ones(len(registry)), np.zeros(len(registry))
    bound = {b.name: b for b in (*first.inputs, *first.states, *first.outputs)}
    nothing = np.full(len(areas), -1, np.int32)

    def column(name: str, unit: tuple[float, float], lane: str) -> I32:
        component, _, _ = name.rpartition("/")
        _, meant = areas[0].property(name)
        found = np.asarray(registry.numbers([f"{a.assets[component]}/{meant}" for a in areas], lane), np.int32)
        scale[found], offset[found] = unit
        return found

    def of(b: Bound, there: bool, lane: str) -> I32:
        return column(b.name, (b.scale, b.offset), lane) if there else nothing

    def parameter(name: str) -> I32:
        template, meant = areas[0].property(name)
        unit = next(s.unit for s in template.signals if s.name == meant)
        return column(name, units.conversion(unit, model.model.parameters[name].unit), "estimated")

    inputs = [of(bound[n], measured(bound[n]), "measured") for n in model.inputs]
    outputs = [of(bound[n], n in listened, "measured") for n in model.outputs]
    told = [of(bound[n], is_told(bound[n]), "estimated") for n in model.outputs]
    every = [*(nothing for _ in model.states), *map(parameter, problem.estimated), *told]
    n = len(areas)
    return Wires(side_by_side(inputs, n), side_by_side(outputs, n), side_by_side(every, n), scale, offset)
