"""Ports: where components touch, so that a system is made of them by saying what is joined to what.

A component is a dynamic model that also has `ports`. A port names two of its quantities: a *potential*, which is equal
for all ports joined together (pressure, speed, temperature, voltage), and a *flow*, whose sum over them is zero
(volume flow, torque, heat flow, current); so it is in Modelica (Language Specification, "Connectors and
Connections"). A pump that is driven by a shaft and lifts water, say:

    class Pump:
        inputs = {"speed": Quantity("rad/s"), "suction_pressure": Quantity("Pa"), "flow": Quantity("m3/s", 0.01)}
        outputs = {"discharge_pressure": Quantity("Pa"), "torque": Quantity("N.m")}
        ports = {
            "shaft": Port("rotational", "speed", "torque"),
            "suction": Port("hydraulic", "suction_pressure", "flow"),
            "discharge": Port("hydraulic", "discharge_pressure", "flow", out=True),
        }
        ...

What the model *gives* (an output or a state) and what it *takes* (its input) is its own choice, by which its equations are easy
to write: a port whose potential is an output or a state gives the potential and takes the flow; a port whose potential
is an input takes the potential and gives the flow. A potential may be a plain number: 0.0 Pa where a pipe ends in the
open, above a tank. A flow that passes through (`flow` above) is an input where one of its
two ports gives a potential: that port's neighbours decide it. A port without a flow gives a potential whatever is
drawn (a reservoir), or takes one and draws nothing (a sensor).

The flow counts positive **into** the component; ``out=True`` says that the quantity named counts positive out of it,
and that the port is an outlet: a relation such as ``pump-1 feeds pipe-1`` joins an outlet of the left to an inlet of
the right. A motor's shaft is an outlet of torque: ``Port("rotational", "speed", "load_torque", out=True)``.

Any choice can be joined with any other: where the equations cannot be put in an order, the system finds which few
values must be solved for, and does it by Newton's method (`gemel.dynamics.system`). What costs nothing: each node has
one giver of a potential. The `start` of an input that a port takes is the first guess there, so give it a usual value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from gemel.dynamics.declare import DynamicModel, Quantity
from gemel.errors import ModelError
from gemel.samples.units import fits

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "hydraulic": ("Pa", "m3/s"),
    "rotational": ("rad/s", "N.m"),
    "thermal": ("K", "W"),
    "electrical": ("V", "A"),
}
"""The kinds of ports, each with the unit of its potential and of its flow: their product is a power, but for heat."""


@dataclass(frozen=True, slots=True)
class Port:
    """One place where a component can be joined to others.

    Args:
        kind: one of `KINDS`.
        potential: the input, output or state that is equal for all that are joined here, or a fixed number.
        flow: the input, output or state whose sum is zero over all that are joined here; None where nothing flows.
        out: whether `flow` counts positive out of the component, which makes the port an outlet.
    """

    kind: str
    potential: str | float
    flow: str | None = None
    out: bool = False

    @property
    def sign(self) -> float:
        """Give what `flow` is multiplied by to count positive into the component."""
        return -1.0 if self.out else 1.0


@runtime_checkable
class Component(DynamicModel, Protocol):
    """A dynamic model with ports."""

    ports: Mapping[str, Port]


def gives_potential(model: DynamicModel, port: Port) -> bool:
    """Tell whether the model gives a port's potential: an output, a state, a number; else it is an input."""
    return port.potential not in model.inputs


def check_ports(model: DynamicModel, name: str = "the model") -> None:
    """Check that the ports of a model can be joined; raises ModelError naming the port."""
    for key, port in ports_of(model).items():
        wrong = _wrong(model, port)
        if wrong:
            raise ModelError(
                f"{name}: port {key!r}: {wrong[0]}", code="model-port", remedy=wrong[1], context={"port": key}
            )


def ports_of(model: DynamicModel) -> Mapping[str, Port]:
    """Give the ports of a model, none where it has none."""
    found: Mapping[str, Port] = getattr(model, "ports", {})
    return found


def _wrong(model: DynamicModel, port: Port) -> tuple[str, str] | None:
    if port.kind not in KINDS:
        return f"no kind of port {port.kind!r}", f"one of {', '.join(KINDS)}"
    for name, unit in zip((port.potential, port.flow), KINDS[port.kind], strict=True):
        if not isinstance(name, str):
            continue
        quantity = _quantity(model, name)
        if quantity is None:
            return f"{name!r} is no input, output or state", "declare it among them"
        if not fits(quantity.unit, unit):
            return f"{name!r} is in {quantity.unit}, a {port.kind} port needs {unit}", f"declare it in {unit}"
    if port.flow is None:
        return None
    if gives_potential(model, port):
        if port.flow not in model.inputs:
            return f"it gives {port.potential!r} and {port.flow!r} too", "one of the two must be an input"
    elif port.flow in model.inputs and not _passes(model, port):
        return f"it takes {port.potential!r} and {port.flow!r} too", "one of the two must be an output"
    return None


def _passes(model: DynamicModel, port: Port) -> bool:
    """Tell whether a flow taken as an input enters by another port of the model, one that gives a potential."""
    return any(p.flow == port.flow and gives_potential(model, p) for p in ports_of(model).values())


def _quantity(model: DynamicModel, name: str) -> Quantity | None:
    return model.inputs.get(name) or model.outputs.get(name) or model.states.get(name)
