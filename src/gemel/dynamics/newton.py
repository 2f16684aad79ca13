"""A few equations solved by Newton's method with a fixed number of steps: pure, the same work in every scenario.

The steps are limited, and none of them is differentiated: by the implicit function theorem the derivative of the
solution is that of one last step from it (Griewank and Walther 2008, section 15.3). So a gradient costs one step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gemel.dynamics import maths
from gemel.dynamics.declare import Array

Residual = Callable[[Sequence[Array]], Sequence[Array]]
REACH = 4.0  # a step goes no further than so many usual magnitudes


def roots(residual: Residual, frozen: Residual, guess: Sequence[Array], scales: Sequence[float], steps: int) -> list[Array]:
    """Solve ``residual(z) = 0`` for a few unknowns.

    Args:
        residual: the equations, over arrays of one shape.
        frozen: the same equations, of whose other values no derivative is taken.
        guess: where to begin.
        scales: usual magnitudes of the unknowns.
        steps: how many steps are made, the last of them differentiated.
    """
    import jax

    z = [jax.lax.stop_gradient(g) for g in guess]
    for _ in range(steps - 1):
        found, slopes = jacobian(frozen, z)
        z = _moved(z, solved(slopes, found), scales)
    found, slopes = jacobian(frozen, z)
    slopes = [[jax.lax.stop_gradient(s) for s in row] for row in slopes]
    last = residual([jax.lax.stop_gradient(v) for v in z])
    return _moved(z, solved(slopes, last), scales)


def _moved(z: Sequence[Array], by: Sequence[Array], scales: Sequence[float]) -> list[Array]:
    jnp = maths.loaded()
    limits = [REACH * jnp.maximum(jnp.abs(v), scale) for v, scale in zip(z, scales, strict=True)]
    return [v - jnp.clip(d, -m, m) for v, d, m in zip(z, by, limits, strict=True)]


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
