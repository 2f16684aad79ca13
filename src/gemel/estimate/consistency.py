"""Whether a filter knows how much it knows: its errors against its own standard deviations.

Bar-Shalom, Y., Li, X. R., Kirubarajan, T. (2001), Estimation with Applications to Tracking and Navigation, sec. 5.4.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gemel.estimate.quantile import chi_squared, normal

Vector = npt.NDArray[np.float64]


def coverage(truth: Vector, mean: Vector, sd: Vector, share: float = 0.9) -> float:
    """Give how often the central band that should hold `share` of the truths holds them; NaN is left out."""
    inside = np.abs(truth - mean) <= normal(0.5 + share / 2) * sd
    counted = np.isfinite(truth) & np.isfinite(mean) & np.isfinite(sd)
    return float(np.mean(inside[counted])) if counted.any() else float("nan")


def nees_band(size: int, runs: int, share: float = 0.95) -> tuple[float, float]:
    """Give the band in which the mean of `runs` normalised squares of `size` numbers lies, if all is right (eq. 5.4.2-4)."""
    many = size * runs
    return chi_squared((1 - share) / 2, many) / runs, chi_squared((1 + share) / 2, many) / runs
