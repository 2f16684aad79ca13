"""The unscented Kalman filter in square-root form: the covariance is carried as a triangular root of itself.

Points: Julier, S. J., Uhlmann, J. K. (1997), A new extension of the Kalman filter to nonlinear systems, eq. 12, with
κ = max(3 - n, 0), so that no weight is negative; for n ≥ 3 these are the cubature points of Arasaratnam, I., Haykin,
S. (2009), Cubature Kalman filters. Roots by orthogonal triangularisation, as van der Merwe, R., Wan, E. A. (2001), The
square-root unscented Kalman filter, so that no covariance ever becomes indefinite. Points beyond a declared range are
held at its bound before the model sees them (Kandepu, R., Foss, B., Imsland, L. (2008), Applying the unscented Kalman
filter for nonlinear state estimation, sec. 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.estimate.innovation import Innovation, weighed
from gemel.estimate.problem import Instant, Problem, Robust

FAR = 3.0
"""Standard deviations that the gauge of an input is held to be off by at most: beyond, the slopes are not those of the place."""


class Belief(NamedTuple):
    """A normal distribution of the joint vector: mean [n] and lower triangular root [n, n] of the covariance."""

    mean: Array
    root: Array


@dataclass(frozen=True)
class Unscented:
    """The method; `robust` None trusts every reading."""

    robust: Robust | None = None

    def start(self, problem: Problem, mean: Array, sd: Array) -> Belief:
        """Give the belief of independent normal values."""
        jnp = maths.loaded()
        return Belief(jnp.asarray(mean, float), jnp.diag(jnp.asarray(sd, float)))

    def predict(self, problem: Problem, belief: Belief, now: Instant) -> Belief:
        """Give the belief one `dt` after the instant."""
        import jax

        jnp = maths.loaded()
        points, weights = _points(problem, belief)
        moved = jax.vmap(lambda z: problem.advance(now, z))(points)
        mean, spread = _moments(moved, weights)
        return Belief(
            problem.possible(mean), triangular(jnp.hstack((spread, jnp.diag(jnp.asarray(problem.walk)))))
        )

    def update(self, problem: Problem, belief: Belief, now: Instant) -> tuple[Belief, Innovation]:
        """Give the belief after the readings of the instant."""
        import jax

        jnp = maths.loaded()
        points, weights = _points(problem, belief)
        mean, dx = _moments(points, weights)
        moved, there = _gauged(problem, (points, weights), now, self.robust)
        seen = jax.vmap(lambda z: problem.seen(there, z))(points)
        expected, dy = _moments(seen, weights)
        shaken = problem.shaken(there, mean)  # what is wrong with an input is wrong with all outputs at once
        expected, dy = expected - shaken @ moved, jnp.hstack((dy, shaken))
        sensor = jnp.asarray(problem.noise.sensor)
        sd = jnp.sqrt(jnp.sum(dy**2, 1) + sensor**2)
        off, sensor, weight = weighed(now.y - expected, sd, sensor, self.robust)
        used, m = weight > 0, len(problem.model.outputs)
        # one triangularisation gives root of S, gain times that root, and the root after (Kaminski, P. G. et al. (1971))
        top = jnp.hstack((jnp.where(used[:, None], dy, 0.0), jnp.diag(jnp.where(used, sensor, 1.0))))
        array = triangular(jnp.vstack((top, jnp.hstack((dx, jnp.zeros((problem.size, top.shape[1] - dx.shape[1])))))))
        white = jax.scipy.linalg.solve_triangular(array[:m, :m], off, lower=True)
        after = Belief(problem.possible(mean + array[m:, :m] @ white), array[m:, m:])
        likelihood = -0.5 * (jnp.sum(white**2) + jnp.sum(used) * math.log(2 * math.pi)) - jnp.sum(
            jnp.log(jnp.abs(jnp.diagonal(array[:m, :m])))
        )
        root, gain = array[:m, :m], dy[:, : dx.shape[1]] * used[:, None]
        gain = jax.scipy.linalg.cho_solve((root, True), gain @ gain.T).T
        return after, Innovation(expected, sd, now.y - expected, weight, jnp.sum(white**2), likelihood, None, root @ root.T, gain)

    def moments(self, problem: Problem, belief: Belief) -> tuple[Array, Array]:
        """Give mean and standard deviation of the joint vector."""
        return belief.mean, maths.loaded().sqrt(maths.loaded().sum(belief.root**2, 1))

    def outputs(self, problem: Problem, belief: Belief, now: Instant) -> tuple[Array, Array]:
        """Give mean and standard deviation of each true output: what a perfect sensor would show."""
        import jax

        points, weights = _points(problem, belief)
        seen = jax.vmap(lambda z: problem.seen(now, z))(points)
        mean, spread = _moments(seen, weights)
        spread = maths.loaded().hstack((spread, problem.shaken(now, belief.mean)))
        return mean, maths.loaded().sqrt(maths.loaded().sum(spread**2, 1))


def _gauged(problem: Problem, known: tuple[Array, Array], now: Instant, robust: Robust | None) -> tuple[Array, Instant]:
    """Give what is wrong with each input's gauge by the readings of the outputs, in its standard deviations, and the instant without it.

    Where a gauge shows too much, the slopes of the outputs are those of another place, and the reading is off in one
    direction there: a gain that always leans with the error moves, in many readings, what it should not move at all
    (regression with errors in the regressors: Fuller, W. A. (1987), Measurement Error Models, ch. 1). So slopes are taken
    where the readings say that the inputs were, as an iterated filter does with the state (Jazwinski 1970, sec. 8.3).
    """
    import jax

    jnp, (points, weights), sd = maths.loaded(), known, problem.noise.input
    if sd is None or not np.any(sd):
        return jnp.zeros(0), now
    expected, dy = _moments(jax.vmap(lambda z: problem.seen(now, z))(points), weights)
    shaken, sensor = problem.shaken(now, weights @ points), jnp.asarray(problem.noise.sensor)
    off, sensor, weight = weighed(now.y - expected, jnp.sqrt(jnp.sum(dy**2, 1) + jnp.sum(shaken**2, 1) + sensor**2), sensor, robust)
    both = jnp.where((weight > 0)[:, None], jnp.hstack((dy, shaken)), 0.0)
    size = jnp.where(weight > 0, jnp.sqrt(jnp.sum(both**2, 1) + sensor**2), 1.0)  # outputs have units of very unlike sizes
    both, noise = both / size[:, None], jnp.where(weight > 0, sensor / size, 1.0)
    moved = both[:, dy.shape[1] :].T @ jnp.linalg.solve(both @ both.T + jnp.diag(noise**2), off / size)
    moved = jnp.clip(moved, -FAR, FAR)
    return moved, now._replace(u=jnp.asarray(now.u).at[np.flatnonzero(sd)].add(moved * sd[np.flatnonzero(sd)]))


def _points(problem: Problem, belief: Belief) -> tuple[Any, Any]:
    jnp, n = maths.loaded(), problem.size
    kappa = max(3 - n, 0)
    away = math.sqrt(n + kappa) * belief.root.T
    points = jnp.concatenate((belief.mean + away, belief.mean - away))
    weights = jnp.full(2 * n, 0.5 / (n + kappa))
    if kappa:
        points = jnp.concatenate((points, belief.mean[None]))
        weights = jnp.append(weights, kappa / (n + kappa))
    return problem.possible(points), weights


def _moments(points: Array, weights: Array) -> tuple[Any, Any]:
    """Give the mean [n] and a root [n, points] of the covariance, not yet triangular."""
    mean = weights @ points
    return mean, (maths.loaded().sqrt(weights)[:, None] * (points - mean)).T


def triangular(root: Array) -> Any:
    """Give the lower triangular root of the same covariance, its diagonal not negative."""
    jnp = maths.loaded()
    lower = jnp.linalg.qr(root.T, mode="r").T
    return lower * jnp.where(jnp.diagonal(lower) < 0, -1.0, 1.0)
