"""What a dynamic model declares of itself; imports without JAX, so that a plant file is checked on the base install."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

Array = Any
"""A scalar or an array of JAX, NumPy or a tracer: model functions must not ask which."""

NOTHING: Final[Mapping[str, Quantity]] = {}


@dataclass(frozen=True, slots=True)
class Quantity:
    """One state, input, output or parameter.

    Args:
        unit: a coherent SI unit (``m``, ``m3/s``, ``K``, ``Pa``, ``rad/s``, ``1``); the functions compute in it.
        start: a state's value at the beginning, a parameter's default, an input's usual value.
        low, high: the physically possible range, both included; estimates and fits stay in it.
        nominal: a usual magnitude, for scaling; by default that of `start`, or 1.
        description: what it is, in words.
    """

    unit: str
    start: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    nominal: float = 0.0
    description: str = ""

    @property
    def scale(self) -> float:
        """A positive magnitude to divide by."""
        return abs(self.nominal) or abs(self.start) or 1.0


class Values:
    """Named values: ``x.level`` or ``x["pump-1/level"]`` of the last axis of an array."""

    __slots__ = ("_array", "_index")

    def __init__(self, index: Mapping[str, int], array: Array) -> None:
        self._index, self._array = index, array

    def __getattr__(self, name: str) -> Array:
        try:
            return self._array[..., self._index[name]]
        except KeyError:
            raise AttributeError(
                f"{name!r} is not declared: {', '.join(self._index) or 'nothing is'}"
            ) from None

    __getitem__ = __getattr__

    def __iter__(self) -> Any:
        return iter(self._index)


@runtime_checkable
class DynamicModel(Protocol):
    """A model of a machine or of a part of it: ``dx/dt = derivative(t, x, u, p)``, ``y = output(t, x, u, p)``.

    Both functions give a mapping by name: rates per second of every state, a value of every output. `t` is in
    seconds since the beginning of the solve. They hold no state and have no side effects; where they branch, they
    use `maths.where`. What the machine itself switches is declared by ``jumps``, a tuple of names of states, whose rates
    jump, and of outputs, where there are any; a model that jumps elsewhere is refused (`gemel.dynamics.check`).
    One whose time constants lie so far apart that steps of the shortest are too many says ``stiff = True``: whatever follows
    it solves it implicitly then (`gemel.dynamics.rodas`); a system of which a part says so is stiff.
    """

    states: Mapping[str, Quantity]
    inputs: Mapping[str, Quantity]
    outputs: Mapping[str, Quantity]
    parameters: Mapping[str, Quantity]

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rate of each state, per second."""
        ...

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give each output."""
        ...
