"""A dynamic model as functions over vectors: what every solver, filter, fit and scenario computes with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.errors import ModelError

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Compiled:
    """A model whose states, inputs, parameters and outputs are the last axis of arrays, in the order declared.

    Args:
        model: what was declared.
        states, inputs, outputs, parameters: their names, in order.
        x0, u0, p0: the starts declared, shapes [states], [inputs], [parameters].
    """

    model: DynamicModel
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: tuple[str, ...]
    x0: Vector
    u0: Vector
    p0: Vector

    @property
    def stiff(self) -> bool:
        """Whether the model says that its time constants lie far apart: it is solved by `gemel.dynamics.rodas` then."""
        return bool(getattr(self.model, "stiff", False))

    def rate(self, t: Array, x: Array, u: Array, p: Array) -> Array:
        """Give dx/dt [states] at time t [s] for x [states], u [inputs], p [parameters]: pure, over JAX arrays."""
        found = self.model.derivative(t, *self.named(x, u, p))
        return _vector(found, self.states, x)

    def observe(self, t: Array, x: Array, u: Array, p: Array) -> Array:
        """Give the outputs [outputs]; arguments as for `rate`."""
        found = self.model.output(t, *self.named(x, u, p))
        return _vector(found, self.outputs, x)

    def with_parameters(self, given: Mapping[str, float]) -> Vector:
        """Give the parameters declared with some of them replaced; an unknown name is a ModelError."""
        p = self.p0.copy()
        for name, value in given.items():
            p[self.place("parameters", name)] = value
        return p

    def place(self, kind: str, name: str) -> int:
        """Give where a name stands among the `states`, `inputs`, `outputs` or `parameters`."""
        names: tuple[str, ...] = getattr(self, kind)
        try:
            return names.index(name)
        except ValueError:
            raise ModelError(
                f"the model has no {name!r} among its {kind}",
                code="unknown-quantity", remedy=f"it has: {', '.join(names) or 'none'}",
            ) from None  # fmt: skip

    def bounds(self, kind: str) -> tuple[Vector, Vector]:
        """Give the lowest and the highest possible values of a kind, each [n]."""
        declared: Mapping[str, Quantity] = getattr(self.model, kind)
        return np.array([q.low for q in declared.values()]), np.array([q.high for q in declared.values()])

    def scales(self, kind: str) -> Vector:
        """Give the usual magnitudes of a kind [n], each positive."""
        return np.array([q.scale for q in getattr(self.model, kind).values()])

    def named(self, x: Array, u: Array, p: Array) -> tuple[Values, Values, Values]:
        """Give vectors as named values, as the model's functions take them."""
        i = self._index
        return Values(i["states"], x), Values(i["inputs"], u), Values(i["parameters"], p)

    @property
    def _index(self) -> dict[str, dict[str, int]]:
        return {k: {n: i for i, n in enumerate(getattr(self, k))} for k in ("states", "inputs", "parameters")}


def compile_model(model: DynamicModel) -> Compiled:
    """Compile a model; JAX is loaded when one of its functions is first called, not here."""
    kinds: Any = (model.states, model.inputs, model.parameters)
    return Compiled(
        model, tuple(model.states), tuple(model.inputs), tuple(model.outputs), tuple(model.parameters),
        *(np.array([q.start for q in kind.values()], np.float64) for kind in kinds),
    )  # fmt: skip


def _vector(found: Mapping[str, Array], names: tuple[str, ...], x: Array) -> Array:
    jnp = maths.loaded()
    if set(found) != set(names):
        missing, foreign = sorted(set(names) - set(found)), sorted(set(found) - set(names))
        raise ModelError(
            f"the model gives {', '.join(found) or 'nothing'} where it declares {', '.join(names) or 'nothing'}",
            code="model-names", remedy=f"missing: {missing or 'none'}, not declared: {foreign or 'none'}",
        )  # fmt: skip
    if not names:
        return jnp.zeros((*x.shape[:-1], 0))
    parts = jnp.broadcast_arrays(*(jnp.asarray(found[n], jnp.result_type(float)) for n in names))
    return jnp.stack(parts, axis=-1)
