"""Free-running a model from instant to instant, for speed and for batches: pure, batched, differentiated, compiled.

The methods are in `gemel.dynamics.methods`; none watches its own error. A model that says it is stiff is solved by as many
steps of `gemel.dynamics.rodas` as it needs, unless a method is named.
"""

from typing import Any

from gemel.dynamics import maths, methods, rodas
from gemel.dynamics.compiled import Compiled
from gemel.dynamics.declare import Array
from gemel.dynamics.solution import Between

UNROLLED = 4
"""Up to so many substeps are written out: a loop costs more than they do."""



def rk4(model: Compiled, t: Array, x: Array, u: Array, p: Array, dt: Array) -> Array:
    """Give x one step of `dt` [s] later, with the inputs held, by the classical Runge–Kutta method."""
    return methods.rk4(lambda t, x: model.rate(t, x, u, p), t, x, dt)


def trajectory(
    model: Compiled, x0: Array, u: Array, p: Array, dt: float,
    substeps: int = 1, method: str | None = None, between: Between = "held",
) -> tuple[Array, Array]:  # fmt: skip
    """Free-run a model; pure, so that it can be batched by `jax.vmap`, differentiated and compiled by `jax.jit`.

    Args:
        x0: state at the first instant [states].
        u: inputs [steps, inputs] at the instants.
        p: parameters [parameters].
        model: any compiled one.
        dt: from instant to instant [s].
        substeps: steps of the solver from one instant to the next.
        method: one of `methods.METHODS`; None: `rk4`, or what a stiff model needs.
        between: whether inputs are held from their instant to the next, or go there in a straight line.

    Returns:
        States [steps, states] and outputs [steps, outputs] at the instants of `u`, the first being `x0`.
    """
    jnp = maths.loaded()
    import jax

    u = jnp.asarray(u)
    held = between == "held"
    after = u[:, :0] if held else jnp.concatenate([u[1:], u[-1:]])

    def step(x: Any, at: Any) -> Any:
        t, here, there = at
        there = here if held else there
        y = model.observe(t, x, here, p)
        return advance(model, x, (t, here, there), p, dt, substeps, method), (x, y)

    times = jnp.arange(u.shape[0]) * dt
    _, (xs, ys) = jax.lax.scan(step, jnp.asarray(x0), (times, u, after))
    return xs, ys


def advance(
    model: Compiled, x: Array, at: tuple[Array, Array, Array], p: Array, dt: Array, substeps: int = 1, method: str | None = None
) -> Array:  # fmt: skip
    """Give x one interval later; `at` is the instant, the inputs there, and the inputs at its end."""
    t, here, there = at
    h = dt / substeps
    if method is None and model.stiff:
        scales = model.scales("states")
        one: methods.Step = lambda f, t, x, h: rodas.across(f, t, x, h, scales)  # noqa: E731
    else:
        one = methods.METHODS[method or "rk4"]

    def rate(now: Array, x: Array) -> Array:
        u = here if there is here else here + (there - here) * ((now - t) / dt)
        return model.rate(now, x, u, p)

    if substeps <= UNROLLED:
        for i in range(substeps):
            x = one(rate, t + i * h, x, h)
        return x
    import jax

    return jax.lax.fori_loop(0, substeps, lambda i, x: one(rate, t + i * h, x, h), x)
