"""What the joints of a system say: each input that is joined, and each condition that has to hold. Without JAX.

Two names joined are either two ports, of one kind, or an output (or state) and an input of the same dimension.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gemel.dynamics.declare import DynamicModel, Quantity
from gemel.dynamics.ports import Port, gives_potential, ports_of
from gemel.errors import AssetError, ModelError
from gemel.samples.units import conversion

Place = tuple[str, str]
"""A quantity of a component: (component, name)."""
Sum = tuple[tuple[float, "Place | float"], ...]
"""A weighted sum of quantities and numbers."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What the joints say.

    Args:
        given: each joined input as a sum of other quantities.
        unknown: joined inputs that must be solved for.
        conditions: sums that must be zero, as many as there are unknowns, each with words.
    """

    given: Mapping[Place, Sum]
    unknown: tuple[Place, ...]
    conditions: tuple[tuple[Sum, str], ...]


@dataclass(slots=True)
class _Reading:
    models: Mapping[str, DynamicModel]
    given: dict[Place, Sum] = field(default_factory=dict)
    unknown: list[Place] = field(default_factory=list)
    conditions: list[tuple[Sum, str]] = field(default_factory=list)

    def give(self, place: Place, value: Sum | None) -> None:
        """Say what an input is; None: it must be solved for."""
        if place in self.given or place in self.unknown:
            raise _refused(f"{'/'.join(place)} is given twice", "leave out one of the joints")
        if value is None:
            self.unknown.append(place)
        else:
            self.given[place] = value


def read_joints(models: Mapping[str, DynamicModel], joints: Iterable[tuple[str, str]]) -> Joined:
    """Read joints ``(component/port, component/port)`` or ``(component/output, component/input)``.

    Raises:
        ModelError: a name that is not there, kinds or units that do not fit, an input given twice.
    """
    reading, groups = _Reading(models), _Groups()
    for left, right in joints:
        a, b = _place(models, left), _place(models, right)
        ported = [name in ports_of(models[c]) for c, name in (a, b)]
        if all(ported):
            groups.join(a, b)
        elif any(ported):
            raise _refused(f"{left} and {right}: a port is joined to a port only", "name two ports, or an output and an input")
        else:
            _wire(reading, a, b)
    for node in groups.all():
        _node(reading, node)
    return Joined(reading.given, tuple(reading.unknown), tuple(reading.conditions))


def _place(models: Mapping[str, DynamicModel], text: str) -> Place:
    component, _, name = text.rpartition("/")
    model = models.get(component)
    if model is None:
        raise _refused(f"no component {component!r} in {text!r}", f"there are: {', '.join(models)}")
    if not any(name in kind for kind in (ports_of(model), model.inputs, model.outputs, model.states)):
        ports = ", ".join(ports_of(model)) or "none"
        raise _refused(f"{component} has no port, input or output {name!r}", f"its ports: {ports}")
    return component, name


def _wire(reading: _Reading, source: Place, target: Place) -> None:
    for place, other in ((source, target), (target, source)):
        model = reading.models[other[0]]
        if place[1] not in reading.models[place[0]].inputs and other[1] in model.inputs:
            source, target = place, other
            break
    else:
        raise _refused(
            f"{'/'.join(source)} and {'/'.join(target)}: an output is joined to an input", "name one of each"
        )
    units = tuple(quantity(reading.models, p).unit for p in (source, target))
    try:
        scale, offset = conversion(*units)
    except AssetError as e:
        raise _refused(f"{'/'.join(source)} and {'/'.join(target)}: {e.message}", "join what measures the same") from e
    reading.give(target, ((scale, source), (1.0, offset)) if offset else ((scale, source),))


def _node(reading: _Reading, node: Sequence[Place]) -> None:
    """Potentials are equal, flows into the components sum to zero."""
    ports = {place: ports_of(reading.models[place[0]])[place[1]] for place in node}
    words = ", ".join("/".join(place) for place in node)
    if len({port.kind for port in ports.values()}) > 1:
        kinds = ", ".join(f"{'/'.join(p)} is {port.kind}" for p, port in ports.items())
        raise _refused(f"ports of different kinds are joined: {kinds}", "join ports of one kind")
    givers = [p for p in node if gives_potential(reading.models[p[0]], ports[p])]
    givers.sort(key=lambda p: ports[p].flow is not None)  # one that gives whatever is drawn comes first
    takers = [p for p in node if p not in givers]
    if len(givers) > 1 and ports[givers[1]].flow is None:
        raise _refused(f"two fix the potential of {words}", "let one of them take it, or leave one out")
    drawn = tuple(_flow(place, ports[place]) for place in node if ports[place].flow is not None)
    potential = _potential(reading, takers, ports) if not givers else _value(givers[0], ports[givers[0]])
    for place in takers if givers else ():
        reading.give((place[0], str(ports[place].potential)), ((1.0, potential),))
    if not givers:
        reading.conditions.append((drawn, f"the flows of {words} must sum to zero"))
    for i, place in enumerate(givers):
        port = ports[place]
        if port.flow is None:
            continue
        own = (place[0], port.flow)
        if i == 0:
            rest = tuple((-port.sign * c, q) for c, q in drawn if q != own)
            reading.give(own, rest or ((1.0, 0.0),))
        else:
            reading.give(own, None)
            equal = ((1.0, _value(place, port)), (-1.0, potential))
            reading.conditions.append((equal, f"the potentials of {words} must be equal"))


def _potential(reading: _Reading, takers: Sequence[Place], ports: Mapping[Place, Port]) -> Place:
    """Nobody gives the potential: it is solved for, as that of the first."""
    first = (takers[0][0], str(ports[takers[0]].potential))
    reading.give(first, None)
    for place in takers[1:]:
        reading.give((place[0], str(ports[place].potential)), ((1.0, first),))
    return first


def _value(place: Place, port: Port) -> Place | float:
    return (place[0], port.potential) if isinstance(port.potential, str) else port.potential


def _flow(place: Place, port: Port) -> tuple[float, Place | float]:
    return port.sign, (place[0], str(port.flow))


def quantity(models: Mapping[str, DynamicModel], place: Place) -> Quantity:
    """Give what a component declares of a name."""
    model = models[place[0]]
    found = model.inputs.get(place[1]) or model.outputs.get(place[1]) or model.states.get(place[1])
    assert found is not None
    return found


def _refused(message: str, remedy: str) -> ModelError:
    return ModelError(message, code="system-joint", remedy=remedy)


class _Groups:
    """Ports that are joined, directly or through others."""

    def __init__(self) -> None:
        self._of: dict[Place, list[Place]] = {}

    def join(self, a: Place, b: Place) -> None:
        ours, theirs = self._of.setdefault(a, [a]), self._of.setdefault(b, [b])
        if ours is not theirs:
            ours.extend(theirs)
            for place in theirs:
                self._of[place] = ours

    def all(self) -> list[list[Place]]:
        return list({id(group): group for group in self._of.values()}.values())
