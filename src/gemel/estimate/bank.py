"""Many explanations of the same readings, filtered side by side: one compiled filter, other noises for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, maths
from gemel.estimate.problem import Instant, Noise, Problem
from gemel.estimate.unscented import Belief, Unscented

Vector = npt.NDArray[np.float64]


class Explanations(NamedTuple):
    """What each of so many explanations lets move; the first axis is the explanations.

    Args:
        start: standard deviation of the joint vector at the first instant [n].
        walk: how far it walks per square root of a second [n], from `onset` on where `late` says so.
        jump: standard deviation of what may have happened at the onset [n].
        late: whether the walk of each number begins with the onset [n].
        onset: number of an instant.
        sensor: standard deviation of a reading of each output [outputs].
        loud: how many times that it is from the onset on [outputs].
        seen: whether an output is listened to from the onset on [outputs].
        p: parameters [parameters].
    """

    start: Any
    walk: Any
    jump: Any
    late: Any
    onset: Any
    sensor: Any
    loud: Any
    seen: Any
    p: Any


class Weighed(NamedTuple):
    """How well each explanation did; axes: explanations, instants, outputs or joint vector.

    Args:
        likelihood: logarithm of the density of each instant's readings.
        off: readings less expected, in standard deviations.
        nis: normalised innovation squared.
        mean, sd: of the joint vector.
    """

    likelihood: Vector
    off: Vector
    nis: Vector
    mean: Vector
    sd: Vector


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Readings to be explained: u [instants, inputs], y [instants, outputs] with NaN where none, parameters, start [n]."""

    u: Vector
    y: Vector
    p: Vector
    mean: Vector


def explain(problem: Problem, those: Explanations, record: Excerpt) -> Weighed:
    """Filter a record once for each explanation."""
    found = _compiled(problem.model, problem.estimated, problem.dt, problem.substeps)(
        those, record.u, record.y, record.mean
    )
    return Weighed(*(np.asarray(part) for part in found))


@lru_cache(32)
def _compiled(model: Compiled, estimated: tuple[str, ...], dt: float, substeps: int) -> Callable[..., Any]:
    import jax

    jnp, method, states = maths.loaded(), Unscented(), len(model.states)

    def one(e: Explanations, u: Any, y: Any, mean: Any) -> Any:
        def step(belief: Belief, now: Any) -> Any:
            at, held, read = now
            walk = jnp.where(e.late & (at < e.onset), 0.0, e.walk)
            walk = jnp.sqrt(walk**2 + jnp.where(at == e.onset - 1, e.jump**2 / dt, 0.0))
            begun = at >= e.onset
            sensor = jnp.where(begun, e.sensor * e.loud, e.sensor)
            noise = Noise(walk[:states], walk[states:], sensor, e.start[:states], e.start[states:])
            mine = Problem(model, estimated, noise, dt, substeps)
            instant = Instant(at, held, jnp.where(begun & ~e.seen, jnp.nan, read), e.p)
            after, innovation = method.update(mine, belief, instant)
            off = innovation.off / innovation.sd
            told = (innovation.likelihood, off, innovation.nis, *method.moments(mine, after))
            return method.predict(mine, after, instant), told

        begin = Belief(mean, jnp.diag(e.start))
        return jax.lax.scan(step, begin, (jnp.arange(len(u)), u, y))[1]

    return jax.jit(jax.vmap(one, (0, None, None, None)))
