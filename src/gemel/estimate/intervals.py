"""How sure a fit is of each parameter.

The Gauss–Newton covariance assumes white noise. What a model leaves over is rarely white, so the covariance is the
sandwich of Newey, W. K. and West, K. D. (1987), A simple, positive semi-definite, heteroskedasticity and autocorrelation
consistent covariance matrix, Econometrica 55(3), with their Bartlett weights, never less than the plain one. The
profile (Raue, A. et al. (2009), Bioinformatics 25(15)) checks it where the cost is not a parabola.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.least_squares import Box, Minimum, minimise, reduced
from gemel.estimate.objective import Objective
from gemel.samples.batch import F64

LEVEL: Final = 0.95


@dataclass(frozen=True, eq=False)
class Spread:
    """How sure a fit is.

    Args:
        plain: covariance [m, m] if what is left were white noise.
        covariance: what holds where it is not.
        inflation: by how much the standard deviations grew for that, at most.
    """

    plain: F64
    covariance: F64
    inflation: float

    @property
    def sd(self) -> F64:
        """Standard deviations [m]."""
        variance = np.diagonal(self.covariance)  # not positive where the search ended nowhere: nothing is known then
        return np.asarray(np.where(variance >= 0, np.sqrt(np.maximum(variance, 0.0)), np.inf), np.float64)


def spread(objective: Objective, found: Minimum, held: npt.NDArray[np.bool_], least: float = 0.0) -> Spread:
    """Give how sure a fit is of its free parameters; those `held` [m] (at a bound, not told) get no covariance.

    The variance of the weighted residuals is taken as `least` where they are smaller.
    """
    r, jacobian = objective.sensitivities(found.p, found.x0)
    m = len(found.p)
    records, steps = len(objective.records), len(objective.records[0])
    effective = _without_states(jacobian[..., :m], jacobian[..., m:])
    information = reduced(found.normal)
    keep = np.flatnonzero(~held)
    inverse = np.zeros((m, m))
    inverse[np.ix_(keep, keep)] = np.linalg.pinv(information[np.ix_(keep, keep)], hermitian=True)
    counted = int(sum(rec.usable.sum() for rec in objective.records))
    noise = max(2 * found.cost / max(counted - len(keep) - found.x0.size, 1), least)
    plain = inverse * noise
    scores = (effective * r[..., None]).reshape(records, steps, -1, m).sum(axis=2)
    robust = inverse @ long_run(scores) @ inverse * counted / max(counted - len(keep) - found.x0.size, 1)
    return wider(plain, robust)


def _without_states(jp: F64, jx: F64) -> F64:
    """Take out of the sensitivities what the initial state of each record can undo."""
    undo = np.linalg.pinv(jx)
    return np.asarray(jp - jx @ (undo @ jp), np.float64)


def long_run(scores: F64) -> F64:
    """Sum the autocovariances of the scores [records, steps, m], Bartlett weights, up to their correlation length."""
    steps = scores.shape[1]
    lags = min(_bandwidth(scores), steps - 1)
    total = np.einsum("snp,snq->pq", scores, scores)
    for lag in range(1, lags + 1):
        along = np.einsum("snp,snq->pq", scores[:, lag:], scores[:, :-lag])
        total += (1 - lag / (lags + 1)) * (along + along.T)
    return np.asarray(total, np.float64)


def _bandwidth(scores: F64) -> int:
    """Choose the lags by how long the scores go with themselves (Andrews 1991, first-order plug-in)."""
    rho = 0.0
    for column in np.moveaxis(scores, -1, 0):
        below = float((column[:, :-1] ** 2).sum())
        rho = max(rho, float((column[:, 1:] * column[:, :-1]).sum()) / below if below > 0 else 0.0)
    rho = min(max(rho, 0.0), 0.97)
    alpha = 4 * rho**2 / (1 - rho**2) ** 2
    return int(np.ceil(1.1447 * (alpha * scores.shape[1]) ** (1 / 3)))


def wider(plain: F64, robust: F64) -> Spread:
    """Give how sure a fit is by its plain covariance [m, m], made as wide as the robust one where that is wider."""
    own, others = np.diagonal(plain), np.diagonal(robust)
    grow = np.sqrt(np.maximum(np.divide(others, own, out=np.ones_like(own), where=own > 0), 1.0))
    return Spread(plain, plain * np.outer(grow, grow), float(grow.max(initial=1.0)))


def profile(
    objective: Objective, box: Box, found: Minimum, at: int, noise: float, level: float = LEVEL
) -> tuple[float, float]:
    """Give the interval of one parameter by its profile: where the best cost of all others rises by the quantile.

    Args:
        objective: of the fit.
        box: where it may go.
        found: its minimum.
        at: place of the parameter among the free ones.
        noise: variance of the weighted residuals; larger than 1 widens.
        level: of confidence.
    """
    from scipy.stats import chi2

    rise = float(chi2.ppf(level, 1)) / 2 * noise
    information = reduced(found.normal)
    guess = float(np.sqrt(2 * rise * np.linalg.pinv(information, hermitian=True)[at, at]))
    return _edge(objective, box, found, at, -guess, rise), _edge(objective, box, found, at, guess, rise)


def _edge(objective: Objective, box: Box, found: Minimum, at: int, step: float, rise: float) -> float:
    inside, outside, here = 0.0, step, found
    bound = box.p_low[at] if step < 0 else box.p_high[at]
    for _ in range(12):
        value = found.p[at] + outside
        beyond = value < bound if step < 0 else value > bound
        if beyond:
            return float(bound)
        here = _pinned(objective, box, here, at, value)
        if here.cost - found.cost >= rise:
            break
        inside, outside = outside, outside * 2
    for _ in range(6):
        middle = (inside + outside) / 2
        here = _pinned(objective, box, here, at, found.p[at] + middle)
        inside, outside = (middle, outside) if here.cost - found.cost < rise else (inside, middle)
    return float(found.p[at] + (inside + outside) / 2)


def _pinned(objective: Objective, box: Box, near: Minimum, at: int, value: float) -> Minimum:
    low, high, p = box.p_low.copy(), box.p_high.copy(), near.p.copy()
    low[at] = high[at] = p[at] = value
    return minimise(objective, replace(box, p_low=low, p_high=high), p, near.x0, most=20)
