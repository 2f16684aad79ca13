"""How a thing of a kind degrades: a law learned on one that lived to its end, followed on another.

    record of a reference -> learn -> Law -> follow(record of another) -> Followed -> life.project -> Life

What is recorded is a health value at each use (a capacity, a head, a clearance). It changes with exposure (charge
passed, cubed speed times time), at a rate of its own that wanders and returns, and parts of the loss come back at rest:

    level' = level + s rate (1 + d) e + s jitter ξ      e the exposure of the use
    d'     = d exp(-1/persistence) + wander √(1 - exp(-2/persistence)) ξ'
    y      = level + s recovery r + s noise ξ''         r how rested it is, 0 to 1

One number, s, says how much faster this thing ages than the reference; everything that ageing does grows with it. For
a given s all is linear and Gaussian, so the posterior is exact: Kalman filters over a grid of s, weighted by their
likelihoods. Kalman, R. E. (1960), A new approach to linear filtering and prediction problems; the mixture over a grid
is Magill's (1965, Optimal adaptive estimation of sampled stochastic processes).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

START_SD: Final = 0.1  # of the level, relative to the first reading
OWN_SD: Final = 0.2  # of rate and recovery, relative, beside the common factor s
SPREAD: Final = (
    0.5  # of log s: a kind's members age within a factor of e^±0.5 of each other, one time in three not
)
GRID: Final = np.exp(np.linspace(-1.5, 1.5, 41))
LASTING: Final = (15.0, 0.7)  # prior of the persistence: median in uses, spread of its logarithm


@dataclass(frozen=True, slots=True)
class Record:
    """What was seen of one thing, use by use.

    Args:
        value: the health value read at each use [uses]; NaN where it was not read.
        exposure: what each use does to it [uses], ≥ 0, in any one unit.
        rested: how rested the thing was at each use, 0 to 1 [uses]; None where rest gives nothing back.
    """

    value: Array
    exposure: Array
    rested: Array | None = None

    def first(self, uses: int) -> Record:
        """Give the record as it was after so many uses."""
        rested = None if self.rested is None else self.rested[:uses]
        return Record(self.value[:uses], self.exposure[:uses], rested)

    @property
    def rest(self) -> Array:
        """How rested at each use, zero where nothing is known."""
        return np.zeros_like(self.value) if self.rested is None else self.rested


@dataclass(frozen=True, slots=True)
class Law:
    """How things of a kind degrade; see the module for the equations.

    Args:
        rate: change of the value per exposure, of the reference.
        recovery: what a full rest gives back.
        noise, jitter: standard deviations of a reading and of a use, in the unit of the value.
        wander: standard deviation of the rate, relative to it.
        persistence: how many uses a rate that has wandered takes to come back.
    """

    rate: float
    recovery: float
    noise: float
    jitter: float
    wander: float
    persistence: float

    @property
    def kept(self) -> float:
        """What is left of a wandered rate after one use."""
        return float(np.exp(-1.0 / self.persistence))


@dataclass(frozen=True, slots=True)
class Followed:
    """What is believed of one thing after its last use: for each ageing factor of the grid, exact moments.

    Args:
        law: of its kind.
        factor, weight: the grid of s and its posterior [n].
        mean, covariance: of (level, rate, wander of the rate, recovery) for each s [n, 4], [n, 4, 4].
        readings: how many were used.
        rested: how rested it was at its last use.
        last: exposure of its last use.
    """

    law: Law
    factor: Array
    weight: Array
    mean: Array
    covariance: Array
    readings: int
    rested: float
    last: float

    def draw(self, members: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw members of the posterior: their s [members] and their states [members, 4]."""
        chosen = rng.choice(len(self.factor), members, p=self.weight)
        roots = np.linalg.cholesky(self.covariance + 1e-18 * np.eye(4))
        states = self.mean[chosen] + np.einsum("mij,mj->mi", roots[chosen], rng.standard_normal((members, 4)))
        return self.factor[chosen], states


def follow(law: Law, record: Record, grid: Array = GRID) -> Followed:
    """Give what is believed of a thing after its record, starting from the law of its kind.

    Args:
        law: of its kind, learned elsewhere.
        record: its uses so far; the first reading centres the level.
        grid: ageing factors to weigh.
    """
    mean, covariance, likelihood = _filtered(law, record, grid)
    posterior = likelihood - 0.5 * (np.log(grid) / SPREAD) ** 2
    weight = np.exp(posterior - posterior.max())
    return Followed(
        law, grid, weight / weight.sum(), mean, covariance,
        int(np.isfinite(record.value).sum()), float(record.rest[-1]), float(record.exposure[-1]),
    )  # fmt: skip


def learn(record: Record) -> Law:
    """Learn the law of a kind from one that lived to its end, by maximum likelihood of its readings.

    Args:
        record: of the reference; two dozen readings at least, over most of its life.
    """
    from scipy.optimize import minimize

    value, exposure = record.value[np.isfinite(record.value)], record.exposure
    total = max(float(exposure[:-1].sum()), 1e-300)
    slope = (value[-1] - value[0]) / total
    size = abs(value[-1] - value[0]) or abs(value[0]) or 1.0
    start = Law(slope, 0.15 * size, 0.01 * size, 0.005 * size, 0.5, LASTING[0])

    def law_of(z: Array) -> Law:
        noise, jitter, wander, persistence = (float(v) for v in np.exp(np.clip(z, -30.0, 10.0)))
        return replace(start, noise=noise, jitter=jitter, wander=wander, persistence=persistence)

    def cost(z: Array) -> float:
        prior = 0.5 * ((z[3] - np.log(LASTING[0])) / LASTING[1]) ** 2
        return float(prior - _filtered(law_of(z), record, np.ones(1), own=1.0)[2][0])

    first = np.log([start.noise, start.jitter, start.wander, start.persistence])
    best = law_of(
        minimize(cost, first, method="Nelder-Mead", options={"maxiter": 200, "xatol": 0.02, "fatol": 0.02}).x
    )
    mean = _filtered(best, record, np.ones(1), own=1.0)[0][0]
    # wander is relative to the rate: what was found of the one is kept when the other is set to what was found
    return replace(
        best, rate=float(mean[1]), recovery=float(mean[3]), wander=best.wander * abs(slope / float(mean[1]))
    )


def evidence(law: Law, record: Record) -> float:
    """Give the log-likelihood of a record under a law as it stands (s = 1): what to compare descriptions of rest by."""
    return float(_filtered(law, record, np.ones(1))[2][0])


def rested(hours: Array, *, free: float, time: float, uses: float) -> Array:
    """Give how rested a thing is at each use, from the hours since the use before.

    Args:
        hours: before each use [uses].
        free: the usual pause, which gives nothing back [h].
        time: what two thirds of the recovery take beyond it [h].
        uses: how many uses consume two thirds of it again.

    >>> rested(np.array([0.0, 500.0, 5.0]), free=5.0, time=24.0, uses=5.0).round(2)
    array([0.  , 1.  , 0.82])
    """
    found, now = np.zeros(len(hours)), np.zeros(())
    for i, pause in enumerate(hours):
        now = rest_step(now, pause, free, time, uses)
        found[i] = float(now)
    return found


def rest_step(now: npt.ArrayLike, pause: npt.ArrayLike, free: float, time: float, uses: float) -> Array:
    """Give how rested a thing is at the next use; arguments as for `rested`, batched."""
    tired = np.asarray(now) * np.exp(-1.0 / uses)
    gain = 1.0 - np.exp(-np.maximum(np.asarray(pause, np.float64) - free, 0.0) / time)
    return np.asarray(tired + (1.0 - tired) * gain)


def _filtered(law: Law, record: Record, grid: Array, own: float = OWN_SD) -> tuple[Array, Array, Array]:
    """Run a Kalman filter for each s at once; means [n, 4], covariances [n, 4, 4], log-likelihoods [n]."""
    n, s, kept = len(grid), grid, law.kept
    value, rest = record.value, record.rest
    first = value[np.isfinite(value)][0]
    mean = np.stack([np.full(n, first), s * law.rate, np.zeros(n), s * law.recovery], axis=1)
    drift = law.wander * abs(law.rate) * s  # of the rate, in its unit
    scale = np.stack(
        [np.full(n, START_SD * abs(first)), own * abs(law.rate) * s, drift, own * abs(law.recovery) * s], 1
    )
    covariance = np.einsum("ni,ij->nij", scale**2, np.eye(4))
    step = np.stack([law.jitter * s, np.zeros(n), drift * np.sqrt(1.0 - kept**2), np.zeros(n)], axis=1)
    likelihood, move = np.zeros(n), np.diag([1.0, 1.0, kept, 1.0])
    for i, y in enumerate(value):
        if i:
            move[0, 1:3] = record.exposure[i - 1]
            mean = mean @ move.T
            covariance = move @ covariance @ move.T + np.einsum("ni,ij->nij", step**2, np.eye(4))
        if np.isfinite(y):
            seen = np.array([1.0, 0.0, 0.0, rest[i]])
            cross = covariance @ seen
            variance = cross @ seen + (law.noise * s) ** 2
            error, gain = y - mean @ seen, cross / variance[:, None]
            likelihood = likelihood - 0.5 * (np.log(variance) + error**2 / variance)
            mean = mean + gain * error[:, None]
            covariance = covariance - np.einsum("ni,nj->nij", gain, cross)
    return mean, covariance, likelihood
