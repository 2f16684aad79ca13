"""A few equations solved by Newton's method with a fixed number of steps: pure, the same work in every scenario.

A step after which the equations are further from solved is taken back and halved, by the natural monotonicity test
(Deuflhard 2011, Newton Methods for Nonlinear Problems, section 3.3). It costs no evaluation of its own: the next step finds it out.
Without it the root of a pressure difference, begun four times too high, is overshot for ever.

No step is differentiated but the last: by the implicit function theorem the derivative of the
solution is that of one last step from it (Griewank and Walther 2008, section 15.3). So a gradient costs one step; second derivatives, two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gemel.dynamics import maths
from gemel.dynamics.declare import Array

Residual = Callable[[Sequence[Array]], Sequence[Array]]
REACH = 4.0  # a step goes no further than so many usual magnitudes


def roots(
    residual: Residual, frozen: Residual, guess: Sequence[Array], scales: Sequence[float], steps: int, twice: bool = False
) -> list[Array]:  # fmt: skip
    """Solve ``residual(z) = 0`` for a few unknowns.

    Args:
        residual: the equations, over arrays of one shape.
        frozen: the same equations, of whose other values no derivative is taken.
        guess: where to begin.
        scales: usual magnitudes of the unknowns.
        steps: how many steps are made, the last of them differentiated.
        twice: whether second derivatives are to be right too, as where a Jacobian is differentiated: one more step, with the same slopes.
    """
    import jax

    z = near([jax.lax.stop_gradient(g) for g in guess], frozen, scales, steps - 1)
    _, slopes = jacobian(frozen, z)
    slopes = [[jax.lax.stop_gradient(s) for s in row] for row in slopes]
    last = residual([jax.lax.stop_gradient(v) for v in z])
    z = _moved(z, _limited(z, solved(slopes, last), scales))
    return _moved(z, _limited(z, solved(slopes, residual(z)), scales)) if twice else z


def near(z: Sequence[Array], equations: Residual, scales: Sequence[float], steps: int) -> list[Array]:
    """Give where so many steps from z come to; a step is taken back by half while it leads away."""
    jnp = maths.loaded()
    if steps < 1:
        return list(z)
    found, slopes = jacobian(equations, z)
    full = solved(slopes, found)
    base, by, left = list(z), _limited(z, full, scales), _size(full, scales)
    ahead = _moved(base, by)
    for _ in range(steps - 1):
        found, there = jacobian(equations, ahead)
        nearer = _size(solved(slopes, found), scales) < left
        full = solved(there, found)
        left = jnp.where(nearer, _size(full, scales), left)
        by = [jnp.where(nearer, f, d / 2) for f, d in zip(_limited(ahead, full, scales), by, strict=True)]
        base = [jnp.where(nearer, a, b) for a, b in zip(ahead, base, strict=True)]
        slopes = [[jnp.where(nearer, n, o) for n, o in zip(new, old, strict=True)] for new, old in zip(there, slopes, strict=True)]
        ahead = _moved(base, by)
    return ahead


def _size(by: Sequence[Array], scales: Sequence[float]) -> Array:
    """Give how far a step goes, in usual magnitudes: squared, and summed over the unknowns."""
    return sum((b / s) ** 2 for b, s in zip(by, scales, strict=True))


def _limited(z: Sequence[Array], by: Sequence[Array], scales: Sequence[float]) -> list[Array]:
    jnp = maths.loaded()
    limits = [REACH * jnp.maximum(jnp.abs(v), scale) for v, scale in zip(z, scales, strict=True)]
    return [jnp.clip(d, -m, m) for d, m in zip(by, limits, strict=True)]


def _moved(z: Sequence[Array], by: Sequence[Array]) -> list[Array]:
    return [v - d for v, d in zip(z, by, strict=True)]


def jacobian(residual: Residual, z: Sequence[Array]) -> tuple[Sequence[Array], list[list[Array]]]:
    """Give the residuals and their derivatives, ``slopes[i][j] = dr_i/dz_j``, elementwise over a batch."""
    import jax

    jnp = maths.loaded()
    columns: list[Any] = []
    found: Any = None
    for j in range(len(z)):
        along = tuple(jnp.ones_like(v) if i == j else jnp.zeros_like(v) for i, v in enumerate(z))
        found, column = jax.jvp(lambda *z: tuple(residual(z)), tuple(z), along)
        columns.append(column)
    return found, [[columns[j][i] for j in range(len(z))] for i in range(len(z))]


def solved(a: Sequence[Sequence[Array]], b: Sequence[Array]) -> Sequence[Array]:
    """Solve a small linear system, elementwise over a batch; by Cramer's rule up to three unknowns."""
    if len(b) == 1:
        return [b[0] / a[0][0]]
    if len(b) <= 3:
        whole = _determinant(a)
        return [
            _determinant([[b[i] if k == j else row[k] for k in range(len(b))] for i, row in enumerate(a)]) / whole
            for j in range(len(b))
        ]
    jnp = maths.loaded()
    matrix = jnp.stack([jnp.stack(jnp.broadcast_arrays(*row), -1) for row in a], -2)
    found = jnp.linalg.solve(matrix, jnp.stack(jnp.broadcast_arrays(*b), -1)[..., None])[..., 0]
    return [found[..., j] for j in range(len(b))]


def _determinant(a: Sequence[Sequence[Array]]) -> Array:
    if len(a) == 2:
        return a[0][0] * a[1][1] - a[0][1] * a[1][0]
    return sum(
        a[0][j] * (a[1][(j + 1) % 3] * a[2][(j + 2) % 3] - a[1][(j + 2) % 3] * a[2][(j + 1) % 3]) for j in range(3)
    )
