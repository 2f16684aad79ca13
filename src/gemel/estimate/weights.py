"""Weights of members, as logarithms: what readings make of them, how many count, moments."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
HALVINGS: Final = 30  # until a power is known


def moments(values: Floats, part: Floats) -> tuple[Any, Any]:
    """Give mean and standard deviation over members [machines, …] of values [machines, members, …]; members without weight do not count."""
    part = part / part.sum(1, keepdims=True)
    there = np.where(part[..., None] > 0, values, 0.0)
    mean = (part[..., None] * there).sum(1)
    left = 1.0 - (part**2).sum(1)  # what a weighted sample lacks of being unbiased
    apart = np.where(part[..., None] > 0, values - mean[:, None], 0.0)
    variance = (part[..., None] * apart**2).sum(1) / np.maximum(left, 1e-12)[:, None]
    return mean, np.sqrt(np.where(left[:, None] > 1e-9, variance, 0.0))


def counted(weight: Floats) -> Floats:
    """Give the effective number of members of each machine, of normalised logarithms of weights (Kong, Liu, Wong 1994)."""
    found: Floats = 1.0 / (np.exp(weight) ** 2).sum(1)
    return found


def tempered(before: Floats, fit: Floats, least: float) -> Floats:
    """Give the weights after readings, of which as much is believed as leaves `least` members, or as many as there were.

    `before` and `fit`, the likelihood of the readings, are logarithms [machines, members].
    """
    weight, _ = normalised(before + fit)
    floor = np.minimum(least, counted(normalised(np.where(np.isfinite(fit), before, -np.inf))[0]))
    low, high = np.zeros(len(weight)), np.ones(len(weight))
    torn = counted(weight) < floor
    if not torn.any():
        return weight
    for _ in range(HALVINGS):
        power = (low + high) / 2
        enough = counted(normalised(before + power[:, None] * fit)[0]) >= floor
        low, high = np.where(enough, power, low), np.where(enough, high, power)
    believed, _ = normalised(before + np.maximum(low, 2.0**-HALVINGS)[:, None] * fit)
    return np.where(torn[:, None], believed, weight)


def normalised(weight: Floats) -> tuple[Floats, Floats]:
    """Give logarithms of weights whose sum is one, and that of their sum before; all the same where no member fits at all."""
    top = weight.max(1, keepdims=True)
    lost = ~np.isfinite(top[:, 0])
    total = np.log(np.exp(weight - np.where(np.isfinite(top), top, 0.0)).sum(1, keepdims=True) + lost[:, None]) + np.where(np.isfinite(top), top, 0.0)
    found: Floats = np.where(lost[:, None], -math.log(weight.shape[1]), weight - total)
    return found, np.where(lost, -np.inf, total[:, 0])


def drawn_apart(before: Floats, how: tuple[npt.NDArray[Any], Floats], fresh: Floats, apart: float) -> Floats:
    """Give copies [members, numbers] that differ and are as wide together as before.

    Args:
        before: what is copied.
        how: which of them, and how wide they all are to be [numbers].
        fresh: draws of standard normals [members, numbers].
        apart: of their width, how far each is drawn from what it is a copy of.
    """
    chosen, wide = how
    copies, keep = before[chosen], math.sqrt(1 - apart**2)
    mean = copies.mean(0)
    more = np.sqrt(np.maximum(wide**2 - (keep * copies.std(0)) ** 2, 0.0)) * fresh
    found: Floats = mean + keep * (copies - mean) + more
    return found
