"""One step of each fixed-step method: explicit ones for speed, linearly implicit ones for stiff ensembles.

Each takes a rate ``f(t, x)``, the instant t [s], the state x [states] and the step h [s], and gives x at t + h. They
do not watch their own error; their orders are tested against analytic solutions. The implicit ones solve one linear
system with the Jacobian of the rate a stage, no iteration, so that they cost the same in every scenario of a batch.
"""

from collections.abc import Callable, Mapping
from typing import Final

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.dynamics.rodas import Rate, rodas, solver

Step = Callable[[Rate, Array, Array, Array], Array]
_GAMMA: Final = 1 + 0.5**0.5  # L-stable: Verwer et al. (1999), section 3


def euler(f: Rate, t: Array, x: Array, h: Array) -> Array:
    """Step by Euler's explicit method, of order 1 (Euler 1768)."""
    return x + h * f(t, x)


def heun(f: Rate, t: Array, x: Array, h: Array) -> Array:
    """Step by Heun's method, of order 2 (Heun 1900)."""
    k1 = f(t, x)
    return x + h / 2 * (k1 + f(t + h, x + h * k1))


def rk4(f: Rate, t: Array, x: Array, h: Array) -> Array:
    """Step by the classical Runge–Kutta method, of order 4 (Kutta 1901)."""
    half = h / 2
    k1 = f(t, x)
    k2 = f(t + half, x + half * k1)
    k3 = f(t + half, x + half * k2)
    k4 = f(t + h, x + h * k3)
    return x + h / 6 * (k1 + 2 * (k2 + k3) + k4)


def implicit_euler(f: Rate, t: Array, x: Array, h: Array) -> Array:
    """Step by the linearly implicit Euler method, of order 1, L-stable (Deuflhard 1985: one Newton step)."""
    return x + h * solver(f, t + h, x, h)(f(t + h, x))


def rosenbrock(f: Rate, t: Array, x: Array, h: Array) -> Array:
    """Step by ROS2, of order 2, L-stable.

    Verwer, Spee, Blom and Hundsdorfer (1999), A second-order Rosenbrock method applied to photochemical dispersion
    problems, SIAM J. Sci. Comput. 20, equation 3.1, for a rate that depends on time too.
    """
    import jax

    jnp = maths.loaded()
    t = jnp.asarray(t, jnp.asarray(x).dtype)
    solve = solver(f, t, x, _GAMMA * h)
    here, slope = jax.jvp(lambda t: f(t, x), (t,), (jnp.ones_like(t),))
    k1 = solve(here + _GAMMA * h * slope)
    k2 = solve(f(t + h, x + h * k1) - 2 * k1 - _GAMMA * h * slope)
    return x + h * (1.5 * k1 + 0.5 * k2)


METHODS: Final[Mapping[str, Step]] = {
    "euler": euler,
    "heun": heun,
    "rk4": rk4,
    "implicit-euler": implicit_euler,
    "rosenbrock": rosenbrock,
    "rodas": rodas,  # `gemel.dynamics.rodas`
}

