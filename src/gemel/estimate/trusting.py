"""A filter that stops listening to a sensor whose error has left what is known of it, and listens again when it fits.

Each output has a slow error (`discrepancy`) of a known size. A sensor that drifts, sticks or shows too much drags its own
error along, for the other sensors hold the states in place. Beyond `limit` sizes it is no longer heard: its error is
forgotten, and what it shows is believed by the model from the others alone, with the wider band that follows. It is heard
again when its readings have fitted that band for a while. Of a machine that changed, or a model that is wrong there, several leave
together: then none is put aside, nor more than `most` at one time, and who is wrong is for `blame` to say.

The two thresholds make a hysteresis; the test is that of a scaled innovation (Mehra, R. K., Peschon, J. (1971), An
innovations approach to fault detection and diagnosis in dynamic systems).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.estimate.discrepancy import PREFIX
from gemel.estimate.innovation import Innovation
from gemel.estimate.problem import Instant, Problem
from gemel.estimate.unscented import Belief, Unscented, triangular

ALARMED = 25.0
"""What an output put aside begins with: so far, squared, is it from its band."""


class Trust(NamedTuple):
    """What is carried: the belief, which outputs are heard [outputs], how far those put aside are off, squared [outputs]."""

    belief: Belief
    heard: Array
    away: Array


@dataclass(frozen=True)
class Trusting:
    """The method.

    Args:
        inner: the filter.
        limit: sizes of an error beyond which its sensor is put aside.
        calm: mean squared distance from its band, in standard deviations, below which it is heard again.
        memory: readings over which that mean is taken.
        most: outputs put aside at one time.
    """

    inner: Unscented
    limit: float = 6.0
    calm: float = 4.0
    memory: int = 60
    most: int = 2

    def start(self, problem: Problem, mean: Array, sd: Array) -> Trust:
        """Give the belief of independent normal values, all sensors heard."""
        jnp, outputs = maths.loaded(), len(problem.model.outputs)
        return Trust(self.inner.start(problem, mean, sd), jnp.ones(outputs, bool), jnp.zeros(outputs))

    def predict(self, problem: Problem, belief: Trust, now: Instant) -> Trust:
        """Give the belief one `dt` after the instant."""
        return belief._replace(belief=self.inner.predict(problem, belief.belief, now))

    def update(self, problem: Problem, belief: Trust, now: Instant) -> tuple[Trust, Innovation]:
        """Give the belief after the readings of the sensors that are heard; the innovation tells of all."""
        jnp = maths.loaded()
        heard_y = jnp.where(belief.heard, now.y, jnp.nan)
        after, innovation = self.inner.update(problem, belief.belief, now._replace(y=heard_y))
        off = now.y - innovation.expected
        distance = jnp.nan_to_num((off / innovation.sd) ** 2, nan=ALARMED)
        away = belief.away + (jnp.minimum(distance, ALARMED) - belief.away) / self.memory
        heard = belief.heard | (away < self.calm)
        after, aside = self._aside(problem, after, heard & jnp.isfinite(now.y), jnp.sum(~heard))
        away = jnp.where(aside, ALARMED, jnp.where(heard, 0.0, away))
        return Trust(after, heard & ~aside, away), innovation._replace(off=off)

    def moments(self, problem: Problem, belief: Trust) -> tuple[Array, Array]:
        """Give mean and standard deviation of the joint vector."""
        return self.inner.moments(problem, belief.belief)

    def outputs(self, problem: Problem, belief: Trust, now: Instant) -> tuple[Array, Array]:
        """Give mean and standard deviation of each true output."""
        return self.inner.outputs(problem, belief.belief, now)

    def _aside(self, problem: Problem, belief: Belief, heard: Array, already: Array) -> tuple[Belief, Any]:
        """Put the worst output aside, if it is beyond the limit; give the belief without its error, and which it is."""
        jnp = maths.loaded()
        of_state, of_output, size = _errors(problem)
        far = jnp.where(heard[of_output], jnp.abs(belief.mean[of_state]) / size, 0.0)
        worst = jnp.argmax(far)
        # two that leave together are no two sensors: it is the model that they both stand on
        beside = jnp.max(jnp.where(jnp.arange(len(far)) == worst, 0.0, far))
        beyond = (far[worst] > self.limit) & (beside < far[worst] / 2.0) & (already < self.most)
        gone = beyond & (jnp.arange(problem.size) == of_state[worst])
        spread = jnp.where(gone, size[worst], 0.0)
        # what moves, believed with its help, is doubted by as much as it proved wrong; not what is constant, nor other errors
        errors = np.array([n.startswith(PREFIX) for n in problem.names])
        moves = ~errors & (np.asarray(problem.walk) > 0)
        doubted = belief.root * jnp.where(moves, far[worst], 1.0)[:, None]
        root = triangular(jnp.hstack((jnp.where(gone[:, None], 0.0, doubted), spread[:, None])))
        aside = beyond & (jnp.arange(len(heard)) == of_output[worst])
        return Belief(jnp.where(gone, 0.0, belief.mean), jnp.where(beyond, root, belief.root)), aside


def _errors(problem: Problem) -> tuple[Any, Any, Any]:
    """Give the places of the errors among states and outputs, and their sizes."""
    jnp, model = maths.loaded(), problem.model
    names = [n for n in model.states if n.startswith(PREFIX)]
    places = np.array([model.place("states", n) for n in names])
    outputs = np.array([model.place("outputs", n.removeprefix(PREFIX)) for n in names])
    return jnp.asarray(places), jnp.asarray(outputs), jnp.asarray(problem.noise.state_start)[places]
