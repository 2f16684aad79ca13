"""The equations of an FMU for model exchange as functions of JAX: each call goes to a child that stands by.

    rate or outputs of a batch ─► pure_callback ─► rows in the FMU's units ─► child (Exchange) ─► SI
    their slopes               ─► the same rows, each number moved a little either way (central differences)

So filters, fits and laws of wear compute with it as with any model; it is slower by what a call to another process takes.
Slopes by differences: Nocedal and Wright, Numerical Optimization, 2nd ed. 2006, section 8.1, eq. 8.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.operate.fmi.model import FmuModel

Rows = npt.NDArray[np.float64]
MOVED: Final = float(np.cbrt(np.finfo(np.float64).eps))  # of a size: where rounding and curvature err least


def called(model: FmuModel, what: str, t: Array, at: tuple[Values, Values, Values]) -> Mapping[str, Array]:
    """Give ``rates`` or ``outputs`` by name, of values with any leading axes."""
    jnp = maths.loaded()
    kinds = (model.states, model.inputs, model.parameters)
    parts = [[jnp.asarray(v[n], jnp.float64) for n in names] for v, names in zip(at, kinds, strict=True)]
    lead = jnp.broadcast_shapes(jnp.shape(t), *(a.shape for part in parts for a in part))
    columns = [jnp.broadcast_to(jnp.asarray(t, jnp.float64), lead), *(jnp.broadcast_to(a, lead) for part in parts for a in part)]
    found = _function(model, what)(jnp.stack(columns, -1))
    return {name: found[..., i] for i, name in enumerate(_wanted(model, what))}


@lru_cache(16)
def _function(model: FmuModel, what: str) -> Callable[[Any], Any]:
    jnp = maths.loaded()
    import jax

    asked, n = _Asked.of(model), len(_wanted(model, what))
    part = slice(0, n) if what == "rates" else slice(len(model.states), None)

    def values(rows: Any) -> Rows:
        return asked.values(np.asarray(rows))[..., part]

    def slopes(rows: Any) -> Rows:
        return asked.slopes(np.asarray(rows))[..., part, :]

    @jax.custom_jvp
    def function(rows: Any) -> Any:
        shape = jax.ShapeDtypeStruct((*rows.shape[:-1], n), jnp.float64)  # type: ignore[no-untyped-call]
        return jax.pure_callback(values, shape, rows, vmap_method="broadcast_all")

    @function.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        (rows,), (moved,) = primals, tangents
        shape = jax.ShapeDtypeStruct((*rows.shape[:-1], n, rows.shape[-1] - 1), jnp.float64)  # type: ignore[no-untyped-call]
        slope = jax.pure_callback(slopes, shape, rows, vmap_method="broadcast_all")
        return function(rows), jnp.einsum("...ij,...j->...i", slope, moved[..., 1:])  # time is given, never searched

    return function


class _Asked:
    """An FMU in a child of its own, asked in SI."""

    def __init__(self, model: FmuModel) -> None:
        self._model = model
        names = {"states": list(model.states), "inputs": list(model.inputs), "outputs": list(model.outputs), "parameters": list(model.parameters)}
        self._opening = {"do": "open", "path": str(model.path), "as_": str(model.path), "names": names}
        given: list[tuple[str, Quantity]] = [*model.states.items(), *model.inputs.items(), *model.parameters.items()]
        own = [(1.0, 0.0), *(model.scales[name] for name, _ in given)]
        self._scale, self._offset = np.array(own).T
        # what a low or high end of a range allows decides nothing: equations go on a little beyond
        self._sizes = np.array([q.scale for _, q in given])
        told = [model.scales[n][0] for n in model.states], [model.scales[n] for n in model.outputs]
        self._told_scale = np.array([*told[0], *(s for s, _ in told[1])])
        self._told_offset = np.array([*(0.0 for _ in told[0]), *(o for _, o in told[1])])  # a rate has no zero point

    @staticmethod
    @lru_cache(16)
    def of(model: FmuModel) -> _Asked:
        """Give that of a model, one a process."""
        return _Asked(model)

    def values(self, rows: Rows) -> Rows:
        """Give rates and outputs [..., states + outputs] of rows [..., 1 + states + inputs + parameters]; raises ModelError."""
        flat = rows.reshape(-1, rows.shape[-1])
        own = (flat - self._offset) / self._scale
        answer = self._model.ask({"do": "evaluate", "of": self._opening["as_"], "rows": own}, self._opening)
        found = answer["rows"] * self._told_scale + self._told_offset
        return np.asarray(found.reshape(*rows.shape[:-1], len(self._told_scale)), np.float64)

    def slopes(self, rows: Rows) -> Rows:
        """Give how rates and outputs move with states, inputs and parameters [..., states + outputs, columns]."""
        flat = rows.reshape(-1, rows.shape[-1])
        step = MOVED * np.maximum(np.abs(flat[:, 1:]), self._sizes)
        columns = step.shape[1]
        both = np.repeat(flat[:, None, None], 2, 1).repeat(columns, 2)  # [rows, ways, columns, numbers]
        for j in range(columns):
            both[:, 0, j, 1 + j] += step[:, j]
            both[:, 1, j, 1 + j] -= step[:, j]
        found = self.values(both)
        slope = (found[:, 0] - found[:, 1]) / _widths(both)[..., None]
        return np.asarray(np.moveaxis(slope, 1, 2).reshape(*rows.shape[:-1], -1, columns), np.float64)


def _widths(both: Rows) -> Rows:
    """Give by how much each column was moved, as floating-point numbers have it [rows, columns]."""
    apart = both[:, 0] - both[:, 1]
    return np.stack([apart[:, j, 1 + j] for j in range(apart.shape[1])], 1)


def _wanted(model: FmuModel, what: str) -> Mapping[str, Quantity]:
    return model.states if what == "rates" else model.outputs
