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
        mean: of the differences; NaN where an event comes in only one of the two in some member: a mean of the others would
            leave out the very members in which the change did most.
        interval: in which the mean lies with 95 %; NaN where there is none.
        quantiles: of the differences; -∞ where it comes only in the scenario, ∞ where only in the baseline.
        more: share of the members in which it is more, or never comes where it came in the baseline.
        p_value: of a paired t test (Student 1908) that the mean is zero; of a sign test where there is no mean.
        clear: whether 95 % of the members agree on the sign.
        only_scenario: share of the members in which an event comes in the scenario and not in the baseline.
        only_baseline: share in which it comes in the baseline and not in the scenario.
        neither: share in which it comes in neither; there they do not differ.
    """

    mean: float
    interval: tuple[float, float]
    quantiles: tuple[float, ...]
    more: float
    p_value: float
    clear: bool
    only_scenario: float = 0.0
    only_baseline: float = 0.0
    neither: float = 0.0


@dataclass(frozen=True)
class Share:
    """How much of a figure's variance goes with each uncertain quantity.

    Args:
        coefficients: standardised regression coefficients of the ranks (Saltelli et al. 2008, Global Sensitivity
            Analysis, §1.2.5 and §2: their squares are shares of the variance where `explained` is near one and none vary
            together; of what varies together each is what it does while the others stay).
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
    here, there = np.isfinite(scenario), np.isfinite(baseline)
    d: Array = np.subtract(scenario, baseline, out=np.zeros(len(scenario)), where=here | there)
    more, less = float((d > 0).mean()), float((d < 0).mean())
    mean, error = _mean(d) if (here == there).all() else (math.nan, math.nan)
    p_value = _sign_test(d) if math.isnan(mean) else _p_value(mean, error, len(d))
    return Difference(
        mean, (mean - 1.96 * error, mean + 1.96 * error), _quantiles(d, quantiles), more, p_value, max(more, less) >= CLEAR,
        float((here & ~there).mean()), float((there & ~here).mean()), float((~here & ~there).mean()),
    )  # fmt: skip


def _mean(d: Array) -> tuple[float, float]:
    """Give the mean and its standard error."""
    return float(d.mean()), float(d.std(ddof=1) / math.sqrt(len(d))) if len(d) > 1 else math.inf


def _sign_test(d: Array) -> float:
    """Give the probability of so unequal signs where either is as likely (Dixon & Mood 1946, J. Am. Stat. Assoc. 41)."""
    from scipy.stats import binomtest

    more, less = int((d > 0).sum()), int((d < 0).sum())
    return float(binomtest(more, more + less).pvalue) if more + less else 1.0


def sensitivity(names: tuple[str, ...], unit: Array, values: Array) -> Share:
    """Regress the ranks of a figure on those of what was drawn.

    Args:
        names: what each column is about.
        unit: what was drawn, in (0, 1) [members, names].
        values: the figure [members]; where an event never comes, its rank is the last. What is equal shares the mean of its ranks.
    """
    from scipy.stats import rankdata

    ranks = _standard(rankdata(np.where(np.isfinite(values), values, np.inf)))
    if not len(names) or len(values) < 2 * len(names) + 2 or not ranks.any():
        return Share(dict.fromkeys(names, 0.0), 0.0)
    given = np.column_stack([_standard(column) for column in unit.T])
    found, *_ = np.linalg.lstsq(given, ranks, rcond=None)
    left = ranks - given @ found
    explained = 1 - float(left @ left) / float(ranks @ ranks)
    return Share(dict(zip(names, map(float, found), strict=True)), explained)


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
