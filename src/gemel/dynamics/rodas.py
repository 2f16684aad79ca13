"""RODASP: a linearly implicit method of order 4 for stiff models, one step of it, and as many as an interval needs.

Steinebach, G. (1995), Order reduction of ROW methods for DAEs and method of lines applications, preprint 1741, Technische
Hochschule Darmstadt: six stages, L-stable, stiffly accurate, and without loss of order where what is stiff is driven from
outside (Prothero and Robinson 1974). One Jacobian, by `jax.jacfwd`, and one factorisation a step; no iteration. Computed as
Hairer and Wanner (1996), Solving Ordinary Differential Equations II, IV.7, equations 7.25 and 7.26, for a rate that depends on time too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.declare import Array

Rate = Callable[[Array, Array], Array]
RTOL: Final = 1e-5  # of a state's value
ATOL: Final = 1e-7  # of its usual magnitude
MOST: Final = 1_000  # steps tried in one interval
_SHORTEST: Final = 1e-12  # of the interval
_GAMMA: Final = 0.25


def _lower(*rows: tuple[float, ...]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Give rows below a diagonal as a square."""
    return np.array([np.pad(row, (0, len(rows) - len(row))) for row in rows], np.float64)


_FIFTH: Final = (-1.764437648774483, -0.4747565572063027, 2.369691846915802, 0.6195023590649829)
_ALPHA: Final = _lower(
    (), (0.75,), (8.6120400814152190e-2, 0.1238795991858478), (0.7749345355073236, 0.1492651549508680, -0.2941996904581916),
    (5.308746682646142, 1.330892140037269, -5.374137811655562, -0.2655010110278497), (*_FIFTH, _GAMMA),
)  # fmt: skip
_BETA: Final = _lower(
    (), (0.0,), (-0.049392, -0.014112), (-0.4820494693877561, -0.1008795555555556, 0.9267290249433117), _FIFTH,
    (-8.0368370789113464e-2, -5.6490613592447572e-2, 0.4882856300427991, 0.5057162114816189, -0.1071428571428569),
)  # fmt: skip
_COUPLING: Final = np.tril(_BETA - _ALPHA, -1) + _GAMMA * np.eye(6)  # γ of the stages
_INVERSE: Final = np.linalg.inv(_COUPLING)
_A: Final = (_ALPHA @ _INVERSE).tolist()  # of the stages as they are computed: no product with the Jacobian
_C: Final = (np.eye(6) / _GAMMA - _INVERSE).tolist()
_AT: Final = _ALPHA.sum(1).tolist()
_SLOPE: Final = [0.25, -0.5, -0.023504, -0.0362, 0.0, 0.0]  # the sums of the rows of γ


def rodas(f: Rate, t: Array, x: Array, h: Array) -> Array:
    """Step by RODASP, of order 4, L-stable: arguments as in `gemel.dynamics.methods`."""
    return step(f, t, x, h)[0]


def step(f: Rate, t: Array, x: Array, h: Array) -> tuple[Array, Array]:
    """Give x one step later and its difference to the embedded solution of order 3, both [states]."""
    import jax

    jnp = maths.loaded()
    t, x = jnp.asarray(t, jnp.result_type(float)), jnp.asarray(x)
    solve = solver(f, t, x, _GAMMA * h)
    here, slope = jax.jvp(lambda t: f(t, x), (t,), (jnp.ones_like(t),))
    stages: list[Array] = []
    for a, c, at, by in zip(_A, _C, _AT, _SLOPE, strict=True):
        known = f(t + at * h, x + _sum(a, stages)) if stages else here
        stages.append(solve(_GAMMA * (h * known + _sum(c, stages) + h * h * by * slope)))
    return x + _sum(_A[5], stages) + stages[5], stages[5]


def across(f: Rate, t: Array, x: Array, h: Array, scales: Array) -> Array:
    """Give x at t + h, by as many steps as keep the error within `RTOL` and `ATOL`; one where that is enough.

    Pure; batched by `jax.vmap` (all go on until the last is there) and differentiated forwards. NaN where `MOST` steps do not
    suffice, or none is short enough.

    Args:
        f: the rate.
        t: the instant [s].
        x: the state there [states].
        h: the interval [s]; nothing jumps within it.
        scales: usual magnitudes of the states [states]; ∞ for what is only summed up along.
    """
    import jax

    jnp = maths.loaded()
    t, h, x = jnp.asarray(t, jnp.result_type(float)), jnp.asarray(h, jnp.result_type(float)), jnp.asarray(x)

    def going(at: tuple[Array, ...]) -> Array:
        _, x, by, left, tried = at
        return (left > 0) & (tried < MOST) & (by > _SHORTEST * h) & jnp.isfinite(x).all()

    def one(at: tuple[Array, ...]) -> tuple[Array, ...]:
        now, x, by, left, tried = at
        by = jnp.minimum(by, left)
        after, off = step(f, now, x, by)
        allowed = ATOL * scales + RTOL * jnp.where(jnp.isfinite(scales), jnp.maximum(jnp.abs(x), jnp.abs(after)), 0.0)
        error = jax.lax.stop_gradient(jnp.sqrt(jnp.square(off / allowed).sum() / jnp.isfinite(scales).sum()))
        good = error <= 1.0  # not where it is no number
        next_by = by * jnp.where(jnp.isfinite(error), jnp.clip(0.9 * jnp.maximum(error, 1e-8) ** -0.25, 0.1, 5.0), 0.1)
        rest = jnp.where(left - by > _SHORTEST * h, left - by, 0.0)
        return jnp.where(good, now + by, now), jnp.where(good, after, x), next_by, jnp.where(good, rest, left), tried + 1

    _, x, _, left, _ = jax.lax.while_loop(going, one, (t, x, h, h, jnp.asarray(0)))
    return jnp.where(left > 0, jnp.nan, x)


def solver(f: Rate, t: Array, x: Array, h: Array) -> Callable[[Array], Array]:
    """Give what solves (I − h·J) k = r, J being the Jacobian of the rate at (t, x)."""
    import jax
    from jax.scipy.linalg import lu_factor, lu_solve

    jnp = maths.loaded()
    x = jnp.asarray(x)
    factors = lu_factor(jnp.eye(x.shape[-1], dtype=x.dtype) - h * jax.jacfwd(lambda x: f(t, x))(x))
    return lambda r: lu_solve(factors, r)


def _sum(weights: list[float], stages: list[Array]) -> Array:
    return sum((w * s for w, s in zip(weights, stages, strict=False) if w), 0.0)
