"""The ensemble Kalman filter in its deterministic form: members are moved, not perturbed, by a reading.

Evensen, G. (1994), Sequential data assimilation with a nonlinear quasi-geostrophic model using Monte Carlo methods; the
update is the symmetric transform of Bishop, C. H., Etherton, B. J., Majumdar, S. J. (2001), as Hunt, B. R., Kostelich,
E. J., Szunyogh, I. (2007), Efficient data assimilation for spatiotemporal chaos, eqs. 20-23, write it. For strongly
bent models and many states; few members know little of far tails. What the model does not know is drawn from `seed`
and the number of the instant, so that a record filtered again gives the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.estimate.innovation import Innovation, weighed
from gemel.estimate.problem import Instant, Problem, Robust

BEFORE = 2**31 - 1
"""The instant from whose draws the first members come."""


@dataclass(frozen=True)
class Ensemble:
    """The method.

    Args:
        members: how many; more than the joint vector has numbers.
        seed: of all draws.
        inflation: the spread is widened by this factor after each update, for what a small ensemble forgets.
        robust: None trusts every reading.
    """

    members: int = 64
    seed: int = 0
    inflation: float = 1.0
    robust: Robust | None = None

    def start(self, problem: Problem, mean: Array, sd: Array) -> Array:
        """Give members [members, n] whose mean is that given."""
        jnp = maths.loaded()
        return problem.possible(jnp.asarray(mean) + jnp.asarray(sd) * self._draw(problem, BEFORE))

    def predict(self, problem: Problem, belief: Array, now: Instant) -> Array:
        """Give the members one `dt` after the instant."""
        import jax

        moved = jax.vmap(lambda z: problem.advance(now, z))(belief)
        return problem.possible(moved + maths.loaded().asarray(problem.walk) * self._draw(problem, now.at))

    def update(self, problem: Problem, belief: Array, now: Instant) -> tuple[Array, Innovation]:
        """Give the members after the readings of the instant."""
        import jax

        jnp, less = maths.loaded(), self.members - 1
        seen = jax.vmap(lambda z: problem.seen(now, z))(belief)
        expected, mean = jnp.mean(seen, 0), jnp.mean(belief, 0)
        dy, dx = seen - expected, belief - mean
        sensor = jnp.asarray(problem.noise.sensor)
        sd = jnp.sqrt(jnp.sum(dy**2, 0) / less + sensor**2)
        off, sensor, weight = weighed(now.y - expected, sd, sensor, self.robust)
        used = weight > 0
        scaled = jnp.where(used, dy / sensor, 0.0)  # [members, outputs]
        values, vectors = jnp.linalg.eigh(less * jnp.eye(self.members) + scaled @ scaled.T)
        shift = vectors @ ((vectors.T @ (scaled @ (off / sensor))) / values)
        transform = (vectors * jnp.sqrt(less / values)) @ vectors.T
        after = problem.possible(mean + shift @ dx + self.inflation * (transform @ dx))
        cover = scaled.T @ scaled / less + jnp.eye(len(problem.model.outputs))
        root = jnp.linalg.cholesky(cover)
        white = jax.scipy.linalg.solve_triangular(root, off / sensor, lower=True)
        likelihood = -0.5 * (jnp.sum(white**2) + jnp.sum(used) * math.log(2 * math.pi))
        likelihood -= jnp.sum(jnp.log(jnp.diagonal(root))) + jnp.sum(jnp.where(used, jnp.log(sensor), 0.0))
        return after, Innovation(expected, sd, now.y - expected, weight, jnp.sum(white**2), likelihood)

    def moments(self, problem: Problem, belief: Array) -> tuple[Array, Array]:
        """Give mean and standard deviation of the joint vector."""
        jnp = maths.loaded()
        return jnp.mean(belief, 0), jnp.std(belief, 0, ddof=1)

    def outputs(self, problem: Problem, belief: Array, now: Instant) -> tuple[Array, Array]:
        """Give mean and standard deviation of each true output: what a perfect sensor would show."""
        import jax

        seen = jax.vmap(lambda z: problem.seen(now, z))(belief)
        return maths.loaded().mean(seen, 0), maths.loaded().std(seen, 0, ddof=1)

    def _draw(self, problem: Problem, at: Array) -> Any:
        """Give normal draws [members, n] whose mean over the members is zero."""
        import jax

        maths.loaded()
        key = jax.random.fold_in(jax.random.key(self.seed), at)
        drawn = jax.random.normal(key, (self.members, problem.size), float)
        # taking the mean away narrows the spread by (N-1)/N
        return (drawn - drawn.mean(0)) * math.sqrt(self.members / (self.members - 1))
