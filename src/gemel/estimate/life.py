"""Remaining life: when a health value will first pass its threshold, as a distribution, or a word why not.

    Followed (what is believed now) + Plan (what will be done to it) -> project -> Life: time of event, fan

By ensemble: members of the posterior are run on under the planned exposure, each with its own unforeseen; the time of
event of a member is its first passage of the threshold, as seen by a reading (Saxena et al., 2008, Metrics for
evaluating performance of prognostic techniques, gives the terms). A threshold passed by less than half of the members
within the horizon is no estimate, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gemel.estimate.degradation import Followed

Array = npt.NDArray[np.float64]

LEAST: Final = 20  # readings below which a rate is hearsay
LEVELS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the fan: the 90 % and the 50 % band around the median


class Plan(Protocol):
    """What will be done to the thing: its exposure and its rests."""

    def exposure(self, use: int, level: Array) -> Array:
        """Give the exposure of a future use (0 the next) to each member, from the value it shows [members]."""
        ...

    def rested(self, use: int, now: Array, rng: np.random.Generator) -> Array:
        """Give how rested each member is at a future use, from how rested it was before [members]."""
        ...


@dataclass(frozen=True, slots=True)
class Steady:
    """The same exposure at each use, without rests; by a factor one asks what more or less load does."""

    each: float

    def exposure(self, use: int, level: Array) -> Array:
        """Give the same to every member."""
        return np.full(len(level), self.each)

    def rested(self, use: int, now: Array, rng: np.random.Generator) -> Array:
        """Give none."""
        return np.zeros_like(now)


@dataclass(frozen=True, slots=True)
class Life:
    """When the threshold will be passed.

    Args:
        event: uses (or time) from now to the first passage, of each member [members]; infinite beyond the horizon.
        fan: quantiles `LEVELS` of the value at each future use [len(LEVELS), horizon].
        threshold: what must not be passed.
        reason: why there is no estimate; empty where there is one.
    """

    event: Array
    fan: Array
    threshold: float
    reason: str = ""

    @property
    def median(self) -> float:
        """The median time of event; NaN where there is no estimate."""
        return self.quantile(0.5)

    def quantile(self, level: float) -> float:
        """Give a quantile of the time of event: NaN without an estimate, infinite where it lies beyond the horizon."""
        if self.reason:
            return float("nan")
        return float(np.quantile(self.event, level, method="inverted_cdf"))

    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Give the central interval of the time of event."""
        return self.quantile(0.5 - level / 2), self.quantile(0.5 + level / 2)

    def within(self, time: float) -> float:
        """Give the probability that the threshold is passed within a time from now."""
        return float("nan") if self.reason else float((self.event <= time).mean())


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far and how finely to look: uses ahead, members of the ensemble."""

    uses: int = 600
    members: int = 2000


def project(
    followed: Followed, plan: Plan, threshold: float, rng: np.random.Generator, horizon: Horizon | None = None
) -> Life:
    """Give the remaining life of a thing under a plan.

    Args:
        followed: what is believed of it now.
        plan: what will be done to it.
        threshold: the value whose first passage, from the healthy side, is the end.
        rng: the same seed gives the same answer.
        horizon: how far to look.
    """
    size = horizon or Horizon()
    law, (s, state) = followed.law, followed.draw(size.members, rng)
    level, wander, recovery = state[:, 0].copy(), state[:, 2].copy(), state[:, 3]
    # a thing of this kind does not heal: a rate of the other sign is what noise left in the posterior
    rate = np.sign(law.rate) * np.maximum(np.sign(law.rate) * state[:, 1], 1e-3 * abs(law.rate))
    rested, exposure = np.full(size.members, followed.rested), np.full(size.members, followed.last)
    event, values = np.full(size.members, np.inf), np.empty((size.uses, size.members))
    fresh = law.wander * abs(law.rate) * s * np.sqrt(1.0 - law.kept**2)
    for use in range(size.uses):
        level += (rate + wander) * exposure + s * law.jitter * rng.standard_normal(size.members)
        wander = wander * law.kept + fresh * rng.standard_normal(size.members)
        rested = plan.rested(use, rested, rng)
        shown = level + recovery * rested + s * law.noise * rng.standard_normal(size.members)
        passed = np.sign(law.rate) * (shown - threshold) >= 0.0
        event = np.where(passed & np.isinf(event), float(use + 1), event)
        values[use] = shown
        exposure = plan.exposure(use, shown)
    return Life(event, np.quantile(values, LEVELS, axis=1), threshold, _reason(followed, event, size))


def _reason(followed: Followed, event: Array, size: Horizon) -> str:
    if followed.readings < LEAST:
        return f"only {followed.readings} readings, {LEAST} are needed"
    part = float(np.isfinite(event).mean())
    if part < 0.5:
        return f"no end in sight: {part:.0%} of the members pass the threshold within {size.uses} uses"
    return ""
