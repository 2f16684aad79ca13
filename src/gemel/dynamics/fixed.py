"""Fixed-step integration by the classical Runge–Kutta method of fourth order, for speed and for batches.

Kutta, W. (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen. The order is tested
against analytic solutions. It does not watch its own error: for stiff or unknown models use the adaptive solvers.
"""

from typing import Any

from gemel.dynamics import maths
from gemel.dynamics.compiled import Compiled
from gemel.dynamics.declare import Array


def rk4(model: Compiled, t: Array, x: Array, u: Array, p: Array, dt: Array) -> Array:
    """Give x one step of `dt` [s] later, with the inputs held."""
    half = dt / 2
    k1 = model.rate(t, x, u, p)
    k2 = model.rate(t + half, x + half * k1, u, p)
    k3 = model.rate(t + half, x + half * k2, u, p)
    k4 = model.rate(t + dt, x + dt * k3, u, p)
    return x + dt / 6 * (k1 + 2 * (k2 + k3) + k4)


def trajectory(
    model: Compiled, x0: Array, u: Array, p: Array, dt: float, substeps: int = 1
) -> tuple[Array, Array]:
    """Free-run a model; pure, so that it can be batched by `jax.vmap`, differentiated and compiled by `jax.jit`.

    Args:
        x0: state at the first instant [states].
        u: inputs [steps, inputs], each held from its instant to the next.
        p: parameters [parameters].
        model: any compiled one.
        dt: from instant to instant [s].
        substeps: steps of the solver from one instant to the next.

    Returns:
        States [steps, states] and outputs [steps, outputs] at the instants of `u`, the first being `x0`.
    """
    jnp = maths.loaded()
    import jax

    h = dt / substeps

    def step(x: Any, at: Any) -> Any:
        t, held = at
        y = model.observe(t, x, held, p)
        after = x
        for i in range(substeps):
            after = rk4(model, t + i * h, after, held, p, h)
        return after, (x, y)

    times = jnp.arange(u.shape[0]) * dt
    _, (xs, ys) = jax.lax.scan(step, jnp.asarray(x0), (times, jnp.asarray(u)))
    return xs, ys
