"""From members to words one can act on: bands, paired differences, and what mattered most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
CLEAR: Final = 0.95  # of the members agree on the sign of a difference


@dataclass(frozen=True)
class Figure:
    """A figure over an ensemble: its mean and quantiles, and how many members have none (an event that never comes)."""

    mean: float
    quantiles: tuple[float, ...]
    never: float


@dataclass(frozen=True)
class Difference:
    """A scenario's figure less the baseline's, member by member: both had the same draws (common random numbers).

    Args:
        mean: of the differences.
        interval: in which the mean lies with 95 %.
        quantiles: of the differences.
        more: share of the members in which it is more.
        p_value: of a paired t test (Student 1908) that the mean is zero.
        clear: whether 95 % of the members agree on the sign.
    """

    mean: float
    interval: tuple[float, float]
    quantiles: tuple[float, ...]
    more: float
    p_value: float
    clear: bool


@dataclass(frozen=True)
class Share:
    """How much of a figure's variance goes with each uncertain quantity.

    Args:
        coefficients: standardised regression coefficients of the ranks (Saltelli et al. 2008, Global Sensitivity
            Analysis, §1.2.5 and §2: their squares are shares of the variance where `explained` is near one).
        explained: R² of that regression; far below one, ask for Sobol indices.
    """

    coefficients: dict[str, float]
    explained: float


def bands(kept: npt.NDArray[np.floating], quantiles: tuple[float, ...]) -> Array:
    """Give quantiles over the members of [instants, watched, members] as [quantiles, instants, watched]."""
    ordered = np.sort(kept, axis=-1)
    places = np.array(quantiles) * (ordered.shape[-1] - 1)
    low = np.floor(places).astype(int)
    part = places - low
    high = np.minimum(low + 1, ordered.shape[-1] - 1)
    found = ordered[..., low] * (1 - part) + ordered[..., high] * part
    return np.moveaxis(np.asarray(found, float), -1, 0)


def figure(values: Array, quantiles: tuple[float, ...]) -> Figure:
    """Sum up a figure over the members; the mean is of those that have one."""
    finite = np.isfinite(values)
    mean = float(values[finite].mean()) if finite.any() else math.inf
    return Figure(mean, _quantiles(values, quantiles), float(1 - finite.mean()))


def difference(scenario: Array, baseline: Array, quantiles: tuple[float, ...]) -> Difference:
    """Compare member by member; where an event never comes in both, they do not differ."""
    with np.errstate(invalid="ignore"):
        d = scenario - baseline
    d = np.where(np.isnan(d), 0.0, d)
    finite = d[np.isfinite(d)]
    n, mean = len(finite), float(finite.mean()) if len(finite) else math.nan
    error = float(finite.std(ddof=1) / math.sqrt(n)) if n > 1 else math.inf
    more, less = float((d > 0).mean()), float((d < 0).mean())
    clear = max(more, less) >= CLEAR
    return Difference(
        mean,
        (mean - 1.96 * error, mean + 1.96 * error),
        _quantiles(d, quantiles),
        more,
        _p_value(mean, error, n),
        clear,
    )


def sensitivity(names: tuple[str, ...], unit: Array, values: Array) -> Share:
    """Regress the ranks of a figure on those of what was drawn.

    Args:
        names: what each column is about.
        unit: what was drawn, in (0, 1) [members, names].
        values: the figure [members]; where an event never comes, its rank is the last.
    """
    ranks = _standard(
        np.argsort(np.argsort(np.where(np.isfinite(values), values, np.inf), kind="stable")).astype(float)
    )
    if not len(names) or len(values) < 2 * len(names) + 2 or not ranks.any():
        return Share(dict.fromkeys(names, 0.0), 0.0)
    given = np.column_stack([_standard(column) for column in unit.T])
    found, *_ = np.linalg.lstsq(given, ranks, rcond=None)
    left = ranks - given @ found
    explained = 1 - float(left @ left) / float(ranks @ ranks)
    return Share(dict(zip(names, map(float, found), strict=True)), explained)


def sobol(a: Array, b: Array, mixed: Array) -> tuple[Array, Array]:
    """Give first-order and total indices (Saltelli et al. 2010, Computer Physics Communications 181, table 2; Jansen 1999).

    Args:
        a: a figure over some draws [members].
        b: the figure over draws independent of them [members].
        mixed: over the first with one column taken from the second [columns, members].
    """
    variance = np.var(np.concatenate([a, b])) or 1.0
    first = 1 - np.mean((b - mixed) ** 2, axis=1) / (2 * variance)
    total = np.mean((a - mixed) ** 2, axis=1) / (2 * variance)
    return first, total


def _quantiles(values: Array, quantiles: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(q) for q in np.quantile(values, quantiles, method="inverted_cdf"))


def _standard(values: Array) -> Array:
    spread = values.std()
    return (values - values.mean()) / spread if spread else np.zeros_like(values)


def _p_value(mean: float, error: float, n: int) -> float:
    from scipy.special import stdtr

    if n < 2 or math.isnan(mean):
        return 1.0
    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return float(2 * stdtr(n - 1, -abs(mean / error)))
