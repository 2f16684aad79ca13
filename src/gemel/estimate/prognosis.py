"""When a degradation will pass its threshold, if all goes on, and if something is done differently: both by the same draws.

    Aged + Outlook (loads to come) -> foretell -> Course; two Courses -> compare

Members of what is believed are run on under loads drawn, block by block, from those of the past (a block is a day, so
that a day stays a day). A change of load, speed or maintenance runs the same members through the same days again:
what differs between the two is the change alone (common random numbers; Glasserman & Yao, 1992, Some guidelines and
guarantees for common random numbers). The time of event is a member's first passage (Saxena et al., 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.ageing import PERSISTENCE_S, WANDER, Aged, driven
from gemel.estimate.life import LEAST, LEVELS

Array = npt.NDArray[np.float64]

CLEAR: Final = 0.95  # of the members that say the same of a change: it is clear
POINTS: Final = 160  # of a fan


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to come.

    Args:
        block: length of a block [s].
        rate: the law's rate at each bin of each block of the past that may come again [blocks, bins], per second.
        renewals: (seconds from now, what maintenance then leaves of the degradation).
    """

    block: float
    rate: Array
    renewals: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """How far and how finely to look: seconds ahead, members, and the seed of what is drawn."""

    horizon: float
    members: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Course:
    """What will become of it.

    Args:
        event: seconds from now to the first passage, of each member [members]; infinite beyond the horizon.
        time: of the fan [points], seconds from now.
        fan: quantiles `LEVELS` of the value [len(LEVELS), points].
        horizon: how far it was looked [s].
        reason: why there is no estimate; empty where there is one.
        thin: whether nothing can be told at all, for lack of data.
    """

    event: Array
    time: Array
    fan: Array
    horizon: float
    reason: str = ""
    thin: bool = False

    def quantile(self, level: float) -> float:
        """Give a quantile of the time of event [s]; infinite where it lies beyond the horizon."""
        return float(np.quantile(self.event, level, method="inverted_cdf"))

    def within(self, seconds: float) -> float:
        """Give the probability of the event within a time from now."""
        return float((self.event <= seconds).mean())

    def survival(self) -> Array:
        """Give the probability that it still lives, at each time of the fan [points]."""
        return np.array([float((self.event > t).mean()) for t in self.time])


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change does to the time of event, member by member.

    Args:
        median, low, high: of its shift [s] over the members of which both ends are within the horizon; NaN: too few are.
        ratio: median of the remaining life with the change, relative to that without; NaN: as above.
        earlier: probability that the event comes earlier with the change.
        clear: whether nearly all members say the same.
    """

    median: float
    low: float
    high: float
    ratio: float
    earlier: float
    clear: bool


def foretell(aged: Aged, outlooks: Sequence[Outlook], size: Size) -> list[Course]:
    """Give what becomes of a thing under each outlook; all of them meet the same members and the same days.

    Args:
        aged: what is believed of it.
        outlooks: of one block length and number of blocks.
        size: how far and how finely to look.
    """
    rng = np.random.default_rng(size.seed)
    pace, exponent, state = aged.draw(size.members, rng)
    step, blocks = outlooks[0].block, len(outlooks[0].rate)
    steps = max(int(np.ceil(size.horizon / step)), 1)
    days = rng.integers(blocks, size=(steps, size.members))
    doubt = np.exp(rng.standard_normal(size.members) * _mean_doubt(outlooks[0].rate))
    kept = np.exp(-step / PERSISTENCE_S)
    wander = _wander(state[:, 1], (kept, steps), rng)
    reason = _thin(aged)
    return [
        _run(aged, o, _Members(pace * doubt, exponent, state[:, 0], days, wander), reason) for o in outlooks
    ]


def compare(without: Course, with_change: Course) -> Difference:
    """Give what a change does; both courses come of one `foretell`."""
    a, b = without.event, with_change.event
    both = np.isfinite(a) & np.isfinite(b)
    earlier = float(((b < a) + 0.5 * (b == a)).mean())
    clear = earlier >= CLEAR or earlier <= 1.0 - CLEAR
    if both.mean() < 0.5:
        nan = float("nan")
        return Difference(nan, nan, nan, nan, earlier, clear)
    low, median, high = np.quantile(b[both] - a[both], [0.05, 0.5, 0.95]).tolist()
    ratio = float(np.median(b[both] / np.maximum(a[both], 1e-9)))
    return Difference(median, low, high, ratio, earlier, clear)


@dataclass(frozen=True, slots=True)
class _Members:
    pace: Array
    exponent: Array
    level: Array
    days: npt.NDArray[np.intp]
    wander: Array


def _run(aged: Aged, outlook: Outlook, m: _Members, reason: str) -> Course:
    steps = len(m.days)
    kinds, which = np.unique(m.exponent, return_inverse=True)
    way = abs(aged.prior.way)
    table = (
        np.stack([np.nanmean(driven(outlook.rate, aged.reference, g), axis=1) for g in kinds])
        * outlook.block
        / way
    )
    renewals = {int(at // outlook.block): keep for at, keep in outlook.renewals}
    x, event = m.level.copy(), np.where(m.level >= 1.0, 0.0, np.inf)
    shown = np.unique((steps * np.linspace(0.0, 1.0, POINTS) ** 2).astype(int))  # dense where it is near
    fan = np.empty((len(LEVELS), len(shown)))
    fan[:, 0] = np.quantile(x, LEVELS)
    place = 1
    for i in range(steps):
        if i in renewals:
            alive = np.isinf(event)
            x = np.where(alive, x * renewals[i], x)
        grown = m.pace * table[which, m.days[i]] * np.maximum(1.0 + m.wander[i], 0.0)
        after = x + grown
        passed = np.isinf(event) & (after >= 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(grown > 0.0, (1.0 - x) / grown, 0.0)
        event = np.where(passed, (i + np.clip(part, 0.0, 1.0)) * outlook.block, event)
        x = after
        if place < len(shown) and shown[place] == i + 1:
            fan[:, place] = np.quantile(x, LEVELS)
            place += 1
    horizon = steps * outlook.block
    values = aged.prior.new + aged.prior.way * fan
    return Course(event, shown * outlook.block, values, horizon, reason or _unseen(event, horizon), bool(reason))


def _wander(first: Array, lasts: tuple[float, int], rng: np.random.Generator) -> Array:
    kept, steps = lasts
    found, now = np.empty((steps, len(first))), first
    for i in range(steps):
        found[i] = now
        now = now * kept + WANDER * np.sqrt(1.0 - kept**2) * rng.standard_normal(len(first))
    return found


def _mean_doubt(rate: Array) -> float:
    """Give how well the mean load is known from so many blocks, relative; one block alone tells it within a quarter."""
    of_blocks = np.nanmean(rate, axis=1)
    mean = float(of_blocks.mean())
    if mean <= 0.0:
        return 0.0
    if len(of_blocks) < 3:
        return 0.25
    return float(min(of_blocks.std(ddof=1) / mean / np.sqrt(len(of_blocks)), 0.5))


def _thin(aged: Aged) -> str:
    if aged.readings < LEAST:
        return f"only {aged.readings} readings, {LEAST} are needed"
    if aged.known < 0.2:
        return f"the load is known for {aged.known:.0%} of the time only"
    return ""


def _unseen(event: Array, horizon: float) -> str:
    part = float(np.isfinite(event).mean())
    if part < 0.5:
        return f"no end in sight: {part:.0%} of the members pass the threshold within {horizon / 86_400.0:.0f} days"
    return ""
