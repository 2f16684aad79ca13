"""What of the areas that are followed as one system, and of balances, cannot be so: told by the line that names it."""

from collections.abc import Iterator

import numpy as np

from gemel.assets import Plant
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.dynamics import Quantity
from gemel.errors import GemelError
from gemel.operate.binding import Binding
from gemel.operate.estimates_areas import Area, area_of, areas_of, sized
from gemel.operate.estimates_balances import check_balances
from gemel.operate.estimates_plan import is_told, measured
from gemel.operate.fmi.coupled import as_a_whole
from gemel.operate.joining import bind_any, members
from gemel.samples.batch import I64
from gemel.samples.units import quantity

Found = tuple[tuple[str, ...], str, str]  # where under the area, words, remedy


def rows_alone(plant: Plant) -> I64:
    """Give the rows of the assets that are not followed together with others."""
    together: set[int] = set()
    for path in plant.estimates:
        try:
            together |= {plant.assets.find(asset) or 0 for asset in members(plant, path)}
        except GemelError:  # told by `check_areas`
            continue
    return np.setdiff1d(np.arange(len(plant.assets)), list(together))


def check_areas(plant: Plant, section: Node | None, problems: Problems) -> None:
    """Report what is wrong with the areas that are followed as one system."""
    whole = section or Node({}, "plant.yaml", 0)
    nodes = {f"{plant.root}/{name}": node for name, node in whole.fields.items()}
    try:
        for path in plant.estimates:
            area = area_of(plant, path)
            for keys, words, remedy in _wrong(plant, area):
                problems.error(_place(nodes[path], keys), words, remedy)
        areas_of(plant)
    except GemelError as e:
        problems.error(whole, e.message, e.remedy)


def balances_told(plant: Plant, section: Node | None, problems: Problems) -> None:
    """Report a balance that follows from the others."""
    try:
        check_balances(plant)
    except GemelError as e:
        problems.error(section or Node({}, "plant.yaml", 0), e.message, e.remedy)


def _place(node: Node, keys: tuple[str, ...]) -> Node:
    for key in keys:
        node = node.get(key) or node
    return node


def _wrong(plant: Plant, area: Area) -> Iterator[Found]:
    bound, asked = bind_any(plant, area.path), area.asked
    states, outputs, parameters = ({b.name: b.quantity for b in kind} for kind in (bound.states, bound.outputs, bound.parameters))
    for key, named, known in (("states", asked.states, states), ("sensors", asked.sensors, {**states, **outputs})):
        for name in named:
            if name not in known:
                yield (key,), f"the system of {area.path} has no {name!r} among its {key}", did_you_mean(name, known)
    walking = {n: q for n, q in parameters.items() if n not in {**states, **outputs} and area.modelled(n)}
    if as_a_whole(bound.model):  # followed by members, whose inputs are drawn; one that is joined is among the outputs
        yield from _noises(area, outputs | states | walking | {b.name: b.quantity for b in bound.inputs})
    else:
        yield from _noises(area, states | walking)
        try:
            sized(area.path, asked.states or tuple(states), tuple(walking))
        except GemelError as e:
            yield (), e.message, e.remedy
    yield from _seen(area, bound)


def _noises(area: Area, walking: dict[str, Quantity]) -> Iterator[Found]:
    for name, said in area.asked.noise.items():
        if name not in walking:
            yield ("noise", name), f"{name!r} is no state, nor a parameter that is estimated", did_you_mean(name, walking)
            continue
        try:
            quantity(said, walking[name].unit, difference=True)
        except GemelError as e:
            yield ("noise", name), f"the noise of {name!r}: {e.message}", e.remedy


def _seen(area: Area, bound: Binding) -> Iterator[Found]:
    asked = area.asked
    seen = {b.name: b for b in (*(b for b in bound.states if b.name in (asked.states or {b.name})), *bound.outputs)}
    if not any(measured(b) for n, b in seen.items() if n in (asked.sensors or seen)):
        yield (), f"nothing that the models in {area.path} give is measured", f"give one of {', '.join(list(seen)[:20])} a source"
    if not any(is_told(b) for b in seen.values()) and not any(area.modelled(b.name) for b in bound.parameters):
        yield (), f"nothing of {area.path} is estimated", "say dynamics: true of a signal, or estimated: {dynamics: true}, in a type"
