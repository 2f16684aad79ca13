"""Filtering: one step from instant to instant, and a whole record of them.

A belief carried is the one before the readings of its instant. `step` meets it with them and moves on: pure, so that it
is compiled by `jax.jit` and batched over assets by `jax.vmap`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.estimate.innovation import Innovation
from gemel.estimate.problem import Instant, Problem


class Method(Protocol):
    """A filter: what it carries is its own affair, a tree of arrays."""

    def start(self, problem: Problem, mean: Array, sd: Array) -> Any:
        """Give the belief of independent normal values, mean and sd [n]."""
        ...

    def predict(self, problem: Problem, belief: Any, now: Instant) -> Any:
        """Give the belief one `dt` after the instant, its inputs held."""
        ...

    def update(self, problem: Problem, belief: Any, now: Instant) -> tuple[Any, Innovation]:
        """Give the belief after the readings of the instant."""
        ...

    def moments(self, problem: Problem, belief: Any) -> tuple[Array, Array]:
        """Give mean and standard deviation of the joint vector."""
        ...

    def outputs(self, problem: Problem, belief: Any, now: Instant) -> tuple[Array, Array]:
        """Give mean and standard deviation of each true output."""
        ...


class Estimate(NamedTuple):
    """What is believed at an instant, its readings included.

    Args:
        mean, sd: of states and estimated parameters [n].
        output, output_sd: of the true outputs [outputs]; where there is no sensor, a virtual one.
        innovation: the readings against what was expected of them.
    """

    mean: Array
    sd: Array
    output: Array
    output_sd: Array
    innovation: Innovation


def step(problem: Problem, method: Method, belief: Any, now: Instant) -> tuple[Any, Estimate]:
    """Meet the belief before an instant with its readings; give the belief before the next, and the estimate.

    `problem` and `method` are constants of what is compiled; the belief is what the method carries.
    """
    after, innovation = method.update(problem, belief, now)
    innovation = innovation._replace(spread=None, gain=None)  # the filter's own affair: nothing of a record is kept of it
    estimate = Estimate(*method.moments(problem, after), *method.outputs(problem, after, now), innovation)
    return method.predict(problem, after, now), estimate


def track(problem: Problem, method: Method, u: Array, y: Array, p: Array, belief: Any = None) -> Estimate:
    """Filter a record: u [instants, inputs], y [instants, outputs]; give estimates whose first axis is the instants.

    It begins with the belief given, by default the one declared.
    """
    import jax

    jnp = maths.loaded()
    begin = method.start(problem, *problem.start) if belief is None else belief

    def one(carried: Any, now: Any) -> Any:
        return step(problem, method, carried, Instant(now[0], now[1], now[2], p))

    _, estimates = jax.lax.scan(one, begin, (jnp.arange(len(y)), jnp.asarray(u), jnp.asarray(y)))
    found: Estimate = estimates
    return found
