"""Residuals of a free run and how they move with parameters and initial states, for one record or many at once.

parameters, initial states -> free run (Runge–Kutta, fixed step) -> residuals / sigma -> normal equations in blocks

Every record has an initial state of its own (multiple shooting without continuity; Bock 1983), so that a long
history is many records solved side by side. The Jacobian comes by forward sensitivities: one scan carries the state
and its derivatives by every parameter, which is exact where finite differences meet the solver's noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gemel.dynamics import Compiled, maths
from gemel.dynamics.fixed import trajectory
from gemel.errors import ModelError
from gemel.estimate.record import Record
from gemel.estimate.whole_runs import runs_whole, whole_runs
from gemel.samples.batch import F64


@dataclass(frozen=True, eq=False)
class Normal:
    """The normal equations at a point: shared parameters (p) and the states of each record (x), in blocks.

    Args:
        cost: half the sum of squared weighted residuals.
        pp, px, xx: [m, m], [records, m, k], [records, k, k].
        p, x: gradients [m], [records, k].
    """

    cost: float
    pp: F64
    px: F64
    xx: F64
    p: F64
    x: F64


class Objective:
    """What a fit makes small: records of one machine against its model.

    Args:
        model: compiled.
        free: names of the parameters that are searched; the others stay as in `fixed`.
        records: of equal length and step; at least one.
        fixed: all parameters [parameters].
        sigma: standard deviation of the noise of each output [outputs].
        substeps: of the solver in one step of the record.
        on_step: called before each linearisation; what it raises ends the search.
    """

    def __init__(
        self, model: Compiled, free: Sequence[str], records: Sequence[Record], fixed: F64, *,
        sigma: F64, substeps: int = 1, on_step: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        lengths, steps = {len(r) for r in records}, {r.dt for r in records}
        if len(lengths) != 1 or len(steps) != 1:
            raise ModelError(
                "records of one fit must be of one length and one step",
                code="record",
                remedy="cut them first",
            )
        self.model, self.free, self.records, self.fixed = (
            model,
            tuple(free),
            tuple(records),
            np.asarray(fixed, np.float64),
        )
        self.places = np.array([model.place("parameters", name) for name in free], np.int64)
        self.dt, self.substeps = records[0].dt, substeps
        self._on_step = on_step
        self._data = _stacked(records, sigma)
        self._run = _compiled(model, self.places.tobytes(), self.dt, substeps)

    @property
    def weight(self) -> F64:
        """By what each residual is multiplied [records, steps, outputs]; 0 where there is no reading."""
        return self._data[2]

    def normal(self, p: F64, x0: F64) -> Normal:
        """Linearise at free parameters [m] and initial states [records, states]."""
        if self._on_step is not None:
            self._on_step()
        cost, *blocks = self._run["normal"](p, x0, self.fixed, *self._data)
        return Normal(float(cost), *(np.asarray(b) for b in blocks))

    def costs(self, p: F64, x0: F64) -> F64:
        """Give the cost of many candidates at once: [n, m] and [n, records, states] to [n]; inf where one blows up."""
        found = np.asarray(self._run["costs"](p, x0, self.fixed, *self._data))
        return np.where(np.isfinite(found), found, np.inf)

    def residuals(self, p: F64, x0: F64) -> F64:
        """Give measured minus free run [records, steps, outputs]; NaN where there is no reading."""
        y = self.outputs(p, x0)
        measured = np.stack([np.where(r.usable, r.outputs, np.nan) for r in self.records])
        return np.asarray(measured - y, np.float64)

    def outputs(self, p: F64, x0: F64) -> F64:
        """Give the outputs of the free run [records, steps, outputs]."""
        return np.asarray(self._run["outputs"](p, x0, self.fixed, self._data[0]))

    def sensitivities(self, p: F64, x0: F64) -> tuple[F64, F64]:
        """Give the weighted residuals [records, steps·outputs] and their Jacobian […, m + states]."""
        r, jacobian = self._run["sensitivities"](p, x0, self.fixed, *self._data)
        return np.asarray(r), np.asarray(jacobian)


def _stacked(records: Sequence[Record], sigma: F64) -> tuple[F64, F64, F64]:
    measured = np.stack([np.where(r.usable, r.outputs, 0.0) for r in records])
    weight = np.stack([np.sqrt(np.where(r.usable, r.weights, 0.0)) for r in records]) / np.asarray(sigma)
    return np.stack([r.inputs for r in records]), measured, weight


_cache: dict[tuple[Any, ...], dict[str, Any]] = {}
KEPT = 16  # compiled objectives; one takes some megabytes


def _compiled(model: Compiled, places: bytes, dt: float, substeps: int) -> dict[str, Any]:
    """Compile once per model and choice of parameters: a nightly fit must not pay for it again."""
    key = (model, places, dt, substeps)
    if key not in _cache:
        while len(_cache) >= KEPT:
            _cache.pop(next(iter(_cache)))
        make = whole_runs if runs_whole(model) else _functions
        _cache[key] = make(model, np.frombuffer(places, np.int64), dt, substeps)
    return _cache[key]


def _functions(model: Compiled, places: Any, dt: float, substeps: int) -> dict[str, Any]:
    jnp = maths.loaded()
    import jax

    m = len(places)

    def weighted(p: Any, x: Any, fixed: Any, u: Any, y: Any, w: Any) -> Any:
        full = jnp.asarray(fixed).at[places].set(p)
        return ((trajectory(model, x, u, full, dt, substeps)[1] - y) * w).reshape(-1)

    def linear(p: Any, x: Any, fixed: Any, u: Any, y: Any, w: Any) -> Any:
        at = jnp.concatenate([p, x])
        run = lambda z: weighted(z[:m], z[m:], fixed, u, y, w)  # noqa: E731 - a closure over one record
        r, push = jax.linearize(run, at)
        return r, jax.vmap(push, out_axes=1)(jnp.eye(len(at)))

    def normal(p: Any, x0: Any, fixed: Any, u: Any, y: Any, w: Any) -> Any:
        r, jac = jax.vmap(partial(linear, p), in_axes=(0, None, 0, 0, 0))(x0, fixed, u, y, w)
        jp, jx = jac[..., :m], jac[..., m:]
        pairs = (("snp,snq->pq", jp, jp), ("snp,snk->spk", jp, jx), ("snk,snl->skl", jx, jx))
        blocks = [jnp.einsum(how, a, b) for how, a, b in pairs]
        return (r**2).sum() / 2, *blocks, jnp.einsum("snp,sn->p", jp, r), jnp.einsum("snk,sn->sk", jx, r)

    def cost(p: Any, x0: Any, fixed: Any, u: Any, y: Any, w: Any) -> Any:
        r = jax.vmap(partial(weighted, p), in_axes=(0, None, 0, 0, 0))(x0, fixed, u, y, w)
        return (r**2).sum() / 2

    def outputs(p: Any, x0: Any, fixed: Any, u: Any) -> Any:
        full = jnp.asarray(fixed).at[places].set(p)
        return jax.vmap(lambda x, held: trajectory(model, x, held, full, dt, substeps)[1])(x0, u)

    def sensitivities(p: Any, x0: Any, fixed: Any, u: Any, y: Any, w: Any) -> Any:
        return jax.vmap(partial(linear, p), in_axes=(0, None, 0, 0, 0))(x0, fixed, u, y, w)

    many = jax.vmap(cost, in_axes=(0, 0, None, None, None, None))
    return {
        "normal": jax.jit(normal),
        "costs": jax.jit(many),
        "outputs": jax.jit(outputs),
        "sensitivities": jax.jit(sensitivities),
    }
