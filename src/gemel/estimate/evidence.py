"""How well each explanation does of residuals made white: signatures with unknown sizes, weighed side by side.

An explanation is some signatures, each with the size that is expected of it; sizes are integrated out (Bayesian linear
regression; the generalised likelihood ratio of Willsky and Jones with a prior in place of the maximum). No signature is
exact: where even the best explanation leaves more than the usual errors do, all evidence counts so much less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
INEXACT: Final = 10.0  # times what the best explanation leaves too much, the variance of all readings is larger


class Explanation(NamedTuple):
    """Which signatures, and the standard deviation of the size of each."""

    places: Sequence[int]
    sizes: Sequence[float]


class Weight(NamedTuple):
    """How well an explanation does: natural logarithm of how many times better than none; sizes, and their covariance."""

    score: float
    mean: Vector
    covariance: Vector


@dataclass(frozen=True, eq=False)
class Evidence:
    """White residuals [n] and signatures [n, signatures] as far as their explanations need them."""

    products: Vector
    pull: Vector
    square: float
    many: int

    @classmethod
    def of(cls, residual: Vector, signature: Vector, covariance: Vector) -> Evidence:
        """Make residuals and signatures white by a covariance [n, n]."""
        from scipy.linalg import solve_triangular

        root = np.linalg.cholesky(covariance)
        white = solve_triangular(root, np.column_stack((residual, signature)), lower=True)
        a, b = white[:, 0], white[:, 1:]
        return cls(b.T @ b, b.T @ a, float(a @ a), len(a))

    def weighed(self, those: Sequence[Explanation]) -> list[Weight]:
        """Weigh explanations."""
        best = min((self.square - 2.0 * self._weight(one, 1.0)[1] for one in those), default=self.square)
        left = 1.0 + INEXACT * max(best / self.many - 1.0, 0.0)
        return [self._weight(one, left)[0] for one in those]

    def _weight(self, one: Explanation, left: float) -> tuple[Weight, float]:
        """Weigh one where all variances are so many times what they usually are; give too what it takes off the square, halved."""
        at, size = list(one.places), np.array(one.sizes)
        curvature = size[:, None] * self.products[np.ix_(at, at)] * size / left + np.eye(len(at))
        root = np.linalg.cholesky(curvature)
        pull = size * self.pull[at] / left
        found = np.linalg.solve(curvature, pull)
        gain = 0.5 * float(pull @ found)
        covariance = size[:, None] * np.linalg.inv(curvature) * size
        return Weight(gain - float(np.log(np.diagonal(root)).sum()), size * found, covariance), gain
