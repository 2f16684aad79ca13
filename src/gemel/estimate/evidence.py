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
    """Which signatures, the standard deviation of the size of each, and how large all are expected to be (0: either way)."""

    places: Sequence[int]
    sizes: Sequence[float]
    mean: float = 0.0


class Weight(NamedTuple):
    """How well an explanation does: natural logarithm of how many times better than none; sizes, and their covariance."""

    score: float
    mean: Vector
    covariance: Vector


@dataclass(frozen=True, eq=False)
class Evidence:
    """White residuals [n] and signatures [signatures, n]."""

    residual: Vector
    signatures: Vector

    @classmethod
    def of(cls, residual: Vector, signature: Vector, covariance: Vector) -> Evidence:
        """Make residuals and signatures white by a covariance [n, n]."""
        from scipy.linalg import solve_triangular

        root = np.linalg.cholesky(covariance)
        white = solve_triangular(root, np.column_stack((residual, signature)), lower=True)
        return cls(white[:, 0], np.ascontiguousarray(white[:, 1:].T))

    def square(self, place: int) -> float:
        """Give how much a signature of size one tells: the square of it, white."""
        return float(self.signatures[place] @ self.signatures[place])

    def weighed(self, those: Sequence[Explanation]) -> list[Weight]:
        """Weigh explanations."""
        square = float(self.residual @ self.residual)
        best = min((square - 2.0 * self._weight(one, 1.0)[1] for one in those), default=square)
        left = 1.0 + INEXACT * max(best / len(self.residual) - 1.0, 0.0)
        return [self._weight(one, left)[0] for one in those]

    def _weight(self, one: Explanation, left: float) -> tuple[Weight, float]:
        """Weigh one where all variances are so many times what they usually are; give too what it takes off the square, halved."""
        size, places = np.array(one.sizes), list(one.places)
        signs = size[:, None] * self.signatures[places]
        expected = one.mean * self.signatures[places].sum(0)
        rest = self.residual - expected
        curvature = signs @ signs.T / left + np.eye(len(size))
        root = np.linalg.cholesky(curvature)
        pull = signs @ rest / left
        found = np.linalg.solve(curvature, pull)
        gain = 0.5 * float(pull @ found) + float(expected @ (self.residual - 0.5 * expected)) / left
        covariance = size[:, None] * np.linalg.inv(curvature) * size
        return Weight(gain - float(np.log(np.diagonal(root)).sum()), one.mean + size * found, covariance), gain
