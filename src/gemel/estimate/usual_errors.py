"""How wrong the residuals of a model usually are: noise that follows itself, and bends that a good time already showed.

A model that is not the machine errs slowly and with the regime. Taken for white noise such errors are overwhelming
evidence of whatever resembles them a little, so what is weighed is first made white: by the covariance of the residuals of a
good time, plus what is still unknown of how the model bends (the discrepancy of Kennedy, M. C., O'Hagan, A. (2001)) where
the machine is now. Where it never worked before, more is usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
LASTING: Final = (2.0, 10.0, 40.0, 160.0, 640.0)  # blocks that a slow error lasts
SLOWER: Final = 1.5  # a good time shows so much too little of what is slow
DRIFT: Final = 0.3  # standard deviations of its residual, an output may be off for all of the judged time
TOGETHER: Final = 0.8  # of how the slow errors of outputs go together in a good time is taken for lasting
BENT: Final = 0.1  # of a strike, per usual spread: bends at first
LEAST_BENT: Final = 0.01
SWEEPS: Final = 15
SMOOTH: Final = 15  # blocks by whose means it is seen how slow errors go together


@dataclass(frozen=True, eq=False)
class Errors:
    """Slow and quick errors of residuals.

    Args:
        mean: of the residuals [outputs].
        quick: variance of what is another at each instant [outputs].
        slow: variances of what lasts [lasting, outputs].
        quick_like, slow_like: correlations between outputs.
    """

    mean: Vector
    quick: Vector
    slow: Vector
    quick_like: Vector
    slow_like: Vector

    def covariance(self, instants: int, drift: float = 0.0) -> Vector:
        """Give the covariance of so many successive residuals, instant by instant [instants x outputs, the same]."""
        between = np.abs(np.subtract.outer(np.arange(instants), np.arange(instants)))
        found: Vector = np.kron(np.eye(instants), _like(self.quick, self.quick_like))
        for lasting, variance in zip(LASTING, self.slow, strict=True):
            found += np.kron(np.exp(-between / lasting), _like(SLOWER * variance, self.slow_like))
        found += np.kron(np.ones((instants, instants)), drift**2 * np.eye(len(self.mean)))
        return found


def errors(off: Vector) -> Errors:
    """Learn the errors of the residuals of a good time [instants, outputs]; what was never read errs by one, quickly."""
    known = np.isfinite(off).any(0)
    mean = np.where(known, np.nanmean(np.where(known, off, 0.0), 0), 0.0)
    z = np.nan_to_num(off - mean)
    z = np.clip(z, -8 * z.std(0), 8 * z.std(0))
    variances = np.stack([_variances(one) for one in z.T], 1)
    many = max(len(z) // SMOOTH, 1)
    smooth = z[: many * SMOOTH].reshape(many, -1, z.shape[1]).mean(1)
    quick = np.where(known, np.maximum(variances[0], 1e-3), 1.0)
    return Errors(mean, quick, variances[1:], _correlation(np.diff(z, axis=0)),
                  TOGETHER * _correlation(smooth) + (1 - TOGETHER) * np.eye(z.shape[1]))  # fmt: skip


def bends(residual: Vector, signature: Vector, own: npt.NDArray[np.intp]) -> tuple[Vector, Vector]:
    """Learn how a model usually bends: mean and covariance of the bends [bends], [bends, bends].

    How much each output bends is learned with it (empirical Bayes: MacKay, D. J. C. (1992), Bayesian interpolation).

    Args:
        residual: white residuals of a good time [readings].
        signature: of the bends, made white with them [readings, bends].
        own: the output that each bend is of [bends].
    """
    curvature, pull = signature.T @ signature, signature.T @ residual
    outputs = int(own.max(initial=0)) + 1
    variance = np.full(outputs, BENT**2)
    for _ in range(SWEEPS):
        covariance = np.linalg.inv(curvature + np.diag(1 / variance[own]))
        mean = covariance @ pull
        each = mean**2 + np.diagonal(covariance)
        variance = np.maximum(np.array([each[own == o].mean() if (own == o).any() else 1.0 for o in range(outputs)]), LEAST_BENT**2)
    covariance = np.linalg.inv(curvature + np.diag(1 / variance[own]))
    return np.asarray(covariance @ pull, np.float64), np.asarray(covariance, np.float64)


def _variances(z: Vector) -> Vector:
    """Give the variance of the quick and of each slow error of one output, by its autocovariance."""
    from scipy.optimize import nnls

    lags = np.unique(np.concatenate((np.arange(6), np.geomspace(6, max(len(z) // 4, 7), 25))).astype(int))
    seen = np.array([z[lag:] @ z[: len(z) - lag] / len(z) for lag in lags])
    shapes = np.stack([lags == 0, *(np.exp(-lags / lasting) for lasting in LASTING)], 1).astype(float)
    weight = (1.0 + lags) ** -0.25
    found: Vector = nnls(shapes * weight[:, None], seen * weight)[0]
    return found


def _correlation(z: Vector) -> Vector:
    sd: Vector = z.std(0)
    each = np.divide(z - z.mean(0), sd, out=np.zeros_like(z), where=sd > 0)
    found: Vector = each.T @ each / max(len(z), 1)
    np.fill_diagonal(found, 1.0)
    return found


def _like(variance: Vector, correlation: Vector) -> Any:
    sd = np.sqrt(variance)
    return sd[:, None] * correlation * sd
