"""Quantiles that residuals are judged by."""

from statistics import NormalDist

_STANDARD = NormalDist()


def normal(share: float) -> float:
    """Give the quantile of the standard normal distribution."""
    return _STANDARD.inv_cdf(share)


def chi_squared(share: float, freedom: float) -> float:
    """Give the quantile of the chi-squared distribution with that many degrees of freedom."""
    from scipy.special import chdtri

    return float(chdtri(freedom, 1 - share))
