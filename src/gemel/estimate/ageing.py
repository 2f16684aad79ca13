"""How far a machine is degraded, from what was asked of it and from a condition signal, where there is one.

    rate of the law at each bin, indicator, maintenance + Prior -> follow -> Aged: level, pace and their doubt

A law says how fast a thing degrades at a load (an expression of the plant file, a slow state of a dynamic model). How
fast this very thing does, is not known exactly, nor how strongly the load drives it::

    x' = x + s e (1 + d)      e = r̄ (r / r̄)^g Δt      the law's rate r, of mean r̄ over the record
    d' = d φ_d + …             what makes it faster or slower for a time, returning
    y  = x + b + c + noise     b comes and goes (an indicator that the weather moves), c is its accuracy

Given the pace s, the exponent g and the noise all is linear and Gaussian: exact Kalman filters over a grid of them,
weighted by prior and likelihood (Magill, 1965, Optimal adaptive estimation of sampled stochastic processes). Without an
indicator the weights stay the prior's: linear accumulation of damage (Palmgren, 1924; Miner, 1945) with an honest doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

PACES: Final = 41  # of the grid of s, over three spreads either way
EXPONENTS: Final = np.array([0.1, 0.4, 0.7, 1.0, 1.3, 1.6])
EXPONENT_SD: Final = 0.35  # laws of wear are quoted with exponents of 2 to 3, or 3 to 4
WANDER, PERSISTENCE_S = 0.2, 10 * 86_400.0  # of the pace: relative standard deviation, and how long it lasts
COLOURS: Final = (
    (0.0, 6.0),
    (1.0, 6.0),
    (3.0, 6.0),
    (3.0, 30.0),
)  # sd of b in noises, how many bins it lasts
RENEWED: Final = 0.02  # of the way to the threshold: how exactly an overhaul is as good as it says


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a thing went through, bin by bin.

    Args:
        dt: length of a bin [s].
        rate: the law's rate at each bin, towards the threshold, ≥ 0 [bins], per second; NaN where nothing is known.
        indicator: what the condition signal showed [bins]; NaN where it showed nothing; None: there is none.
        keep: what maintenance at the beginning of a bin left of the degradation [bins], and perhaps after the last of them
            [bins + 1]: 1 all, 0 none; None: none was done.
    """

    dt: float
    rate: Array
    indicator: Array | None = None
    keep: Array | None = None

    @property
    def known(self) -> float:
        """The part of the time for which the load is known."""
        return float(np.isfinite(self.rate).mean()) if len(self.rate) else 0.0

    @property
    def readings(self) -> int:
        """How many bins tell something: of the indicator, else of the load."""
        return int(np.isfinite(self.rate if self.indicator is None else self.indicator).sum())

    @property
    def filled(self) -> Array:
        """The rate, where it is not known the mean of what is."""
        known = np.isfinite(self.rate)
        return np.where(known, self.rate, self.mean)

    @property
    def mean(self) -> float:
        """The law's mean rate, per second."""
        known = self.rate[np.isfinite(self.rate)]
        return float(known.mean()) if len(known) else 0.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known beforehand.

    Args:
        new: the value of a new thing.
        threshold: the value at which it has failed; on either side of `new`.
        start: its value at the first bin; None: not known.
        spread: of the logarithm of its pace: 0.5 is a factor of 1.6 either way, one time in three more.
        accuracy: standard uncertainty of the indicator, that no averaging removes.
    """

    new: float
    threshold: float
    start: float | None = None
    spread: float = 0.5
    accuracy: float = 0.0

    @property
    def way(self) -> float:
        """How far it is from new to failed, with its sign."""
        return self.threshold - self.new


@dataclass(frozen=True, slots=True)
class Aged:
    """What is believed at the end of the record; degradation counts from 0 (new) to 1 (failed).

    Args:
        prior: that it began with.
        pace, exponent, weight: the grid and its posterior [n].
        mean, covariance: of (x, d, b, c) at each point of the grid [n, 4], [n, 4, 4].
        reference: the law's mean rate, that exponents turn about, per second.
        readings: bins that told something.
        known: the part of the time for which the load is known.
    """

    prior: Prior
    pace: Array
    exponent: Array
    weight: Array
    mean: Array
    covariance: Array
    reference: float
    readings: int
    known: float

    def level(self) -> tuple[float, float]:
        """Give the value now and its standard deviation, in the unit of the threshold."""
        x = float(self.weight @ self.mean[:, 0])
        spread = self.weight @ (self.covariance[:, 0, 0] + (self.mean[:, 0] - x) ** 2)
        return self.prior.new + self.prior.way * x, abs(self.prior.way) * float(np.sqrt(spread))

    def draw(self, members: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Draw members: paces and exponents [members], states [members, 4]."""
        chosen = rng.choice(len(self.weight), members, p=self.weight)
        roots = np.linalg.cholesky(self.covariance + 1e-15 * np.eye(4))
        apart = np.einsum("mij,mj->mi", roots[chosen], rng.standard_normal((members, 4)))
        width = np.diff(np.unique(np.log(self.pace))).mean() if len(np.unique(self.pace)) > 1 else 0.0
        pace = self.pace[chosen] * np.exp(
            width * (rng.random(members) - 0.5)
        )  # between two points of the grid
        return pace, self.exponent[chosen], self.mean[chosen] + apart


def driven(rate: Array | float, reference: float, exponent: Array | float) -> Array:
    """Give a law's rate, as strongly driven by the load as an exponent says; 1 is the law as it stands."""
    if reference <= 0.0:
        return np.asarray(rate, np.float64)
    return np.asarray(reference * (np.maximum(rate, 0.0) / reference) ** exponent, np.float64)


def follow(seen: Exposure, prior: Prior) -> Aged:
    """Give what is believed of a thing after its record.

    Args:
        seen: what it went through; times of unknown load count as usual ones.
        prior: what was known before.
    """
    shown = None if seen.indicator is None else (seen.indicator - prior.new) / prior.way
    noise = _noise(shown)
    first = _paces(seen, prior)
    coarse = _filtered(seen, prior, shown, (first, EXPONENTS, noise))
    mean = float(coarse.weight @ np.log(coarse.pace))
    sd = float(np.sqrt(coarse.weight @ (np.log(coarse.pace) - mean) ** 2))
    if sd > 2.0 * np.diff(np.log(first)).mean():
        return coarse
    fine = np.exp(np.linspace(mean - 0.3 * prior.spread, mean + 0.3 * prior.spread, PACES))
    return _filtered(seen, prior, shown, (fine, EXPONENTS, noise))


def _paces(seen: Exposure, prior: Prior) -> Array:
    return np.exp(np.linspace(-3.0, 3.0, PACES) * prior.spread)


def _noise(shown: Array | None) -> float:
    """Give the noise of an indicator from its differences: the median is not moved by jumps."""
    if shown is None:
        return 1.0
    apart = np.diff(shown[np.isfinite(shown)])
    return max(float(np.median(np.abs(apart))) / 0.954, 1e-6) if len(apart) else 1e-3


def _filtered(seen: Exposure, prior: Prior, shown: Array | None, grid: tuple[Array, Array, float]) -> Aged:
    """Run all filters of the grid at once."""
    paces, exponents, noise = grid
    colours = COLOURS if shown is not None else COLOURS[:1]
    s, g, colour, lasts = np.array([(a, b, *c) for a, b, c in product(paces, exponents, colours)]).T
    colour = colour * noise
    n, step = len(s), seen.dt / PERSISTENCE_S
    kept = np.stack([np.ones(n), np.full(n, np.exp(-step)), np.exp(-1.0 / lasts), np.ones(n)], 1)
    spread = np.stack(
        [
            np.full(n, _start_sd(prior)),
            np.full(n, WANDER),
            colour,
            np.full(n, abs(prior.accuracy / prior.way)),
        ],
        1,
    )
    fresh = spread**2 * (1.0 - kept**2)
    mean, covariance = np.zeros((n, 4)), spread[:, :, None] * np.eye(4) * spread[:, None, :]
    mean[:, 0] = _start(prior, shown)
    rate, reference = seen.filled / abs(prior.way), seen.mean / abs(prior.way)
    likelihood = -0.5 * (np.log(s) / prior.spread) ** 2 - 0.5 * ((g - 1.0) / EXPONENT_SD) ** 2
    looked = np.array([1.0, 0.0, 1.0, 1.0])
    for i in range(len(rate)):
        if seen.keep is not None and seen.keep[i] != 1.0:
            _renew(mean, covariance, float(seen.keep[i]))
        if shown is not None and np.isfinite(shown[i]):
            cross = covariance @ looked
            variance, error = cross @ looked + noise**2, shown[i] - mean @ looked
            gain = cross / variance[:, None]
            likelihood -= 0.5 * (np.log(variance) + error**2 / variance)
            mean = mean + gain * error[:, None]
            covariance = covariance - gain[:, :, None] * cross[:, None, :]
        e = s * driven(rate[i], reference, g) * seen.dt
        mean[:, 0] += e * (1.0 + mean[:, 1])
        mean *= kept
        covariance[:, 0, :] += e[:, None] * covariance[:, 1, :]
        covariance[:, :, 0] += e[:, None] * covariance[:, :, 1]
        covariance = covariance * kept[:, :, None] * kept[:, None, :]
        covariance[:, range(4), range(4)] += fresh
    if seen.keep is not None and len(seen.keep) > len(rate) and seen.keep[-1] != 1.0:
        _renew(mean, covariance, float(seen.keep[-1]))
    weight = np.exp(likelihood - likelihood.max())
    return Aged(prior, s, g, weight / weight.sum(), mean, covariance, seen.mean, seen.readings, seen.known)


def _renew(mean: Array, covariance: Array, keep: float) -> None:
    mean[:, 0] *= keep
    covariance[:, 0, :] *= keep
    covariance[:, :, 0] *= keep
    covariance[:, 0, 0] += (RENEWED * (1.0 - keep)) ** 2


def _start(prior: Prior, shown: Array | None) -> float:
    if prior.start is not None:
        return (prior.start - prior.new) / prior.way
    there = shown[np.isfinite(shown)] if shown is not None else np.empty(0)
    return float(there[0]) if len(there) else 0.0


def _start_sd(prior: Prior) -> float:
    return RENEWED if prior.start is not None else 0.5
