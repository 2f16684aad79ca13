"""Residuals in units of their own uncertainty, and when they leave their band: not one threshold but a sum of evidence.

The noises of a model are first made to fit a time when all was right, so that what the model always gets a little wrong is
no news. The sum is that of Page, E. S. (1954), Continuous inspection schemes, two-sided, on the mean and on the
spread (Basseville, M., Nikiforov, I. V. (1993), Detection of Abrupt Changes, sec. 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gemel.estimate.bank import Excerpt, Explanations, Weighed, explain
from gemel.estimate.problem import Problem

Vector = npt.NDArray[np.float64]
FACTORS = (0.4, 1.0, 2.5, 6.0)
LEFT_OUT = 20  # instants at the beginning: the filter is still finding its feet


@dataclass(frozen=True, eq=False)
class Band:
    """What residuals are like while all is right, and when one has left its band.

    Args:
        mean, sd: of the residuals [outputs].
        limit: of the sums of mean and of spread [2, outputs].
        slack: half the shift, in standard deviations, worth finding; less is not summed.
    """

    mean: Vector
    sd: Vector
    limit: Vector
    slack: float = 0.5


@dataclass(frozen=True, eq=False)
class Raised:
    """Which residuals left their band.

    Args:
        at: number of the first instant at which one is beyond the limit; -1 if none is.
        onset: the instant at which that sum had begun to grow.
        sums: largest sum of each output, of mean and of spread [2, outputs].
    """

    at: int
    onset: int
    sums: Vector


def alone(problem: Problem, p: Vector) -> Explanations:
    """Give the one explanation that nothing is wrong; p are the parameters."""
    n, size = problem.noise, problem.size
    walk = np.concatenate((n.state, n.parameter))
    start = np.concatenate((n.state_start, n.parameter_start))
    loud, seen = np.ones(len(n.sensor)), np.ones(len(n.sensor), bool)
    many = [start, walk, np.zeros(size), np.zeros(size, bool), np.int64(-1), n.sensor, loud, seen, p]
    return Explanations(*(np.asarray(part)[None] for part in many))


def fitted(problem: Problem, record: Excerpt, sweeps: int = 2) -> Problem:
    """Give the problem with noises under which a record of a time when all was right is most likely.

    One noise after the other, states and sensors, is multiplied by each of a few factors; the best is kept.
    """
    noise = problem.noise
    states, outputs = len(noise.state), len(noise.sensor)
    for sweep in range(sweeps):
        factors = np.array(FACTORS) ** (0.5**sweep)
        for place in range(states + outputs):
            scale = np.ones((len(factors), states + outputs))
            scale[:, place] = factors
            tried = alone(replace(problem, noise=noise), record.p)
            many = Explanations(*(np.repeat(part, len(factors), 0) for part in tried))
            many.walk[:, :states] *= scale[:, :states]
            many.sensor[:] *= scale[:, states:]
            score = explain(problem, many, record).likelihood[:, LEFT_OUT:].sum(1)
            best = scale[int(np.argmax(np.where(np.isfinite(score), score, -np.inf)))]
            noise = replace(noise, state=noise.state * best[:states], sensor=noise.sensor * best[states:])
    return replace(problem, noise=noise)


def residuals(problem: Problem, record: Excerpt) -> Weighed:
    """Give the residuals of a record where nothing is suspected; the first axis has one entry."""
    return explain(problem, alone(problem, record.p), record)


def raised(off: Vector, band: Band) -> Raised:
    """Sum up residuals [instants, outputs], in standard deviations, NaN where there is none; tell when one left its band."""
    sums, since = np.zeros((3, off.shape[1])), np.zeros((3, off.shape[1]), np.int64)
    limit = np.stack((band.limit[0], band.limit[0], band.limit[1]))
    largest, at, onset = np.zeros_like(sums), -1, -1
    for k, moved in enumerate(_moved(off, band)):
        sums = np.maximum(0.0, sums + moved)
        since = np.where(sums > 0, since, k + 1)
        largest = np.maximum(largest, sums)
        if at < 0 and k >= LEFT_OUT and np.any(sums > limit):
            at, onset = k, int(since.flat[int(np.argmax(sums / limit))])
    return Raised(at, onset, np.stack((largest[:2].max(0), largest[2])))


def band(off: Vector, margin: float = 2.0) -> Band:
    """Give the band of residuals [instants, outputs] of a time when all was right.

    Its standard deviation is that of white noise with the same long-run variance where residuals follow their
    predecessors, for they make sums grow faster. The limit is 12 (with the slack of 0.5 a false alarm about once in 10^5
    independent normal readings), or so many times the largest sum of that time.
    """
    kept = off[LEFT_OUT:]
    known = np.isfinite(kept).any(0)  # what nothing was read of leaves no band
    mean, sd = np.zeros(kept.shape[1]), np.ones(kept.shape[1])
    mean[known], sd[known] = np.nanmean(kept[:, known], 0), np.nanstd(kept[:, known], 0)
    z = np.nan_to_num((kept - mean) / sd)
    follows = np.clip([float(np.mean(a[1:] * a[:-1])) for a in z.T], 0.0, 0.9)
    found = Band(mean, sd * np.sqrt((1 + follows) / (1 - follows)), np.full((2, off.shape[1]), np.inf))
    return replace(found, limit=np.maximum(12.0, margin * raised(kept, found).sums))


def _moved(off: Vector, band: Band) -> Vector:
    """Give what each reading adds to the sums up, down and of spread [instants, 3, outputs]; a wild one adds no more than 4."""
    z = np.clip(np.nan_to_num((off - band.mean) / band.sd), -4.0, 4.0)
    return np.stack((z, -z, (z**2 - 1) / np.sqrt(2.0)), 1) - band.slack
