"""What a sensor's own readings say of it, with no model asked: it jumps and comes back, or it is too still.

reading - median of the five around it  -> wild, where far beyond what a good time had
change of the change                    -> still, where far below it, or where the reading repeats itself

No machine moves one reading alone, for an instant, and back; none takes the noise off one sensor and leaves it on the
others. So an instant counts where one output shows it and no other, and against it where several do. Counts are summed up as Page, E. S. (1954) has it,
for Bernoulli trials: what usually happens so often (`usual`) against what a broken sensor does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.residuals import Raised

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LIMIT: Final = 12.0  # of a sum of log-likelihood ratios: between false alarms lie e^12 readings and more (Lorden, G. (1971))
WILD: Final = 1.5  # times what three in a thousand of a good time are beyond, off the median of five
MOST: Final = 0.997
STILL: Final = 0.1  # of the usual change of the change
JUMPS: Final = 0.1  # a share of the readings that a loose contact makes wild
FEWEST: Final = 50  # readings of a good time
RARE: Final = 0.003  # what a good time did not show may still happen so often
OFTEN: Final = 0.4  # who usually is as still as that tells nothing by being so


@dataclass(frozen=True)
class Symptom:
    """What a sensor's own readings say of it.

    Args:
        output: its place.
        how: `noisy` (single readings are wild), `stuck` (it repeats itself, if not always), `slow` (its noise is gone).
        onset, at: instants from when on, and at which that was sure.
        sum: logarithm of how many times likelier than chance.
    """

    output: int
    how: str
    onset: int
    at: int
    sum: float


def symptoms(y: Vector, good: Vector) -> tuple[Symptom, ...]:
    """Give what readings [instants, outputs] show that those of a good time do not, the surest first."""
    if len(good) < FEWEST:
        return ()
    limit, change = WILD * np.quantile(_off(good), MOST, axis=0), STILL * _median(_bent(good))
    found = [
        *_summed(_off(y) > limit, _off(good) > limit, "noisy"),
        *_summed(_still(y, change), _still(good, change), "stuck"),
    ]
    found = [one if one.how == "noisy" or _repeats(y[one.onset :, one.output]) else replace(one, how="slow") for one in found]
    return tuple(sorted(found, key=lambda one: -one.sum))


def noticed(y: Vector, good: Vector, found: Raised) -> Raised:
    """Give when it was noticed that something is wrong: by a residual that left its band, else by a symptom."""
    first = min(symptoms(y, good), key=lambda one: one.at, default=None)
    return found if found.at >= 0 or first is None else replace(found, at=first.at, onset=first.onset)


def _still(y: Vector, change: Vector) -> Flags:
    repeats = np.vstack((np.zeros((1, y.shape[1]), bool), np.diff(y, axis=0) == 0.0))
    found: Flags = (repeats | (_bent(y) < change)) & (y != 0.0)  # zero is where a flow or a power ends, not where a sensor sticks
    return found


def _counted(shown: Flags, often: Flags) -> Vector:
    """Give 1 where only one output shows it, -1 where others do at once: that is the machine's doing, or nobody's."""
    told = shown & ~often
    several = told.sum(1, keepdims=True) > 1
    return np.where(told, np.where(several, -1.0, 1.0), 0.0)


def _off(y: Vector) -> Vector:
    """Give how far each reading is from the median of the five around it; 0 where it is missing."""
    around = np.pad(y, ((2, 2), (0, 0)), mode="edge")
    with np.errstate(invalid="ignore"):
        middle = np.median(np.stack([around[i : i + len(y)] for i in range(5)]), 0)
    return np.nan_to_num(np.abs(y - middle))


def _bent(y: Vector) -> Vector:
    """Give how far each reading is off the middle of its neighbours; infinite where that is not known."""
    found = np.full(y.shape, np.inf)
    found[1:-1] = np.abs(y[1:-1] - 0.5 * (y[:-2] + y[2:]))
    return np.where(np.isfinite(found), found, np.inf)


def _median(values: Vector) -> Vector:
    """Give the median of each column; 0 where it is not known: nothing is below that."""
    found = np.median(values, 0)
    return np.where(np.isfinite(found), found, 0.0)


def _summed(shown: Flags, usual: Flags, how: str) -> list[Symptom]:
    """Sum up the evidence of each output [instants, outputs] (Page); give those that pass the limit."""
    often = usual.mean(0) > OFTEN
    counted, alone = _counted(shown, often), _counted(usual, often) > 0
    chance = np.maximum((alone.sum(0) + 0.5) / (len(usual) + 1.0), RARE)
    broken = np.maximum(JUMPS, 5.0 * chance) if how == "noisy" else 0.5 * (1.0 + chance)
    found = []
    for o in np.flatnonzero(~often & (broken < 1.0)).tolist():
        p, q = float(chance[o]), float(broken[o])
        each = np.where(counted[:, o] == 0.0, np.log((1 - q) / (1 - p)), counted[:, o] * np.log(q / p))
        sums = _page(np.asarray(each, np.float64))
        if sums.max() > LIMIT:
            at = int(np.argmax(sums > LIMIT))
            ended = np.flatnonzero(sums[:at] == 0.0)
            onset = int(ended[-1]) + 1 if len(ended) else 0
            found.append(Symptom(o, how, onset, at, float(sums.max())))
    return found


def _page(steps: Vector) -> Vector:
    """Give the sum that never falls below zero: the sum less its lowest so far."""
    total = np.concatenate(([0.0], np.cumsum(steps)))
    found: Vector = (total - np.minimum.accumulate(total))[1:]
    return found


def _repeats(y: Vector) -> bool:
    return bool(np.mean(np.diff(y) == 0.0) > 0.2)
