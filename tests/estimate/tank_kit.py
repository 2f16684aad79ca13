"""Small models that filters are tested on."""

from functools import lru_cache

import jax
import numpy as np

from gemel.dynamics import Quantity, compile_model, maths
from gemel.estimate import Instant, Noise, Problem


class Line:
    """Two coupled linear tanks; three sensors, of which the last sees both."""

    states = {"upper": Quantity("m", 1.0), "lower": Quantity("m", 0.5)}
    inputs = {"inflow": Quantity("m/s")}
    outputs = {"upper": Quantity("m"), "lower": Quantity("m"), "sum": Quantity("m")}
    parameters = {"rate": Quantity("1/s", 0.2, low=0.0, high=2.0)}

    def derivative(self, t, x, u, p):
        return {"upper": u.inflow - p.rate * x.upper, "lower": p.rate * (x.upper - x.lower)}

    def output(self, t, x, u, p):
        return {"upper": x.upper, "lower": x.lower, "sum": x.upper + x.lower}


class Tank:
    """A tank that empties through an opening; the flow out has no sensor unless one says so."""

    states = {"level": Quantity("m", 1.0, low=0.0, high=4.0)}
    inputs = {"inflow": Quantity("m3/s")}
    outputs = {"level": Quantity("m"), "outflow": Quantity("m3/s")}
    parameters = {"area": Quantity("m2", 1.0, low=0.1), "opening": Quantity("m2.5/s", 0.05, low=0.0, high=0.5)}

    def derivative(self, t, x, u, p):
        return {"level": (u.inflow - p.opening * maths.root(x.level, 1e-3)) / p.area}

    def output(self, t, x, u, p):
        return {"level": x.level, "outflow": p.opening * maths.root(x.level, 1e-3)}


def line_problem(estimated=()):
    walking = np.full(len(estimated), 1e-3)
    noise = Noise(np.array([0.02, 0.01]), walking, np.array([0.05, 0.08, 0.06]), np.array([0.3, 0.2]), walking * 30)
    return Problem(compile_model(Line()), estimated, noise, 0.5)


def tank_problem(walk=1e-4, dt=1.0):
    noise = Noise(np.array([2e-3]), np.array([walk]), np.array([0.01, 1e-3]), np.array([0.1]), np.array([0.02]))
    return Problem(compile_model(Tank()), ("opening",), noise, dt)


@lru_cache
def _living(problem):
    jnp = maths.loaded()

    def go(z, now):
        at, held, pushed, p = now
        instant = Instant(at, held, None, p)
        return problem.possible(problem.advance(instant, z) + pushed), (z, problem.seen(instant, z))

    def live(z, u, pushed, p):
        every = jnp.broadcast_to(p, (len(u), len(p)))
        return jax.lax.scan(go, z, (jnp.arange(len(u)), u, pushed, every))[1]

    return jax.jit(live)


def lived(problem, z, u, rng):
    """Live a truth of the problem's own kind: joint vectors [instants, n] and noisy readings [instants, outputs]."""
    pushed = rng.standard_normal((len(u), problem.size)) * problem.walk
    zs, ys = _living(problem)(z, u, pushed, problem.model.p0)
    return np.asarray(zs), np.asarray(ys) + rng.standard_normal(ys.shape) * problem.noise.sensor
