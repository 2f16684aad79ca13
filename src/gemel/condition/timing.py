"""The beat of a signal: how far apart its readings come, and how far beside its beat.

Measured where a reading is the newest of its signal, on the source's clock. A reading that was left out puts the next
one beside the beat, by an interval; a silence of more than five intervals is a gap instead. Sums of whole nanoseconds
are kept, which do not depend on how the stream is cut; they become averages at ticks only.
"""

from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.assets.checks import Checks
from gemel.samples.batch import F64, I32, I64, Index
from gemel.samples.clock import SECOND

PERIOD: Final = 10 * SECOND  # of plant time between averages
WEIGHT: Final = 0.25  # of the newest average
UNKNOWN: Final = 1  # a beat [ns] that stands for none
GAP: Final = 5  # intervals of silence that make a gap
PREFIX: Final = "timing."
_SUMS: Final = ("steps", "span", "scatter", "worst", "interval", "jitter")


class Timing:
    """Distances of readings, per signal: sums since the last average, and averages."""

    def __init__(self, checks: Checks) -> None:
        n = len(checks)
        known = checks.interval > 0
        self._any = bool(known.any())
        self._at = checks.at
        self._beat = np.where(known, checks.interval, UNKNOWN).astype(np.float64)  # [ns]
        self._gap_after = np.where(known, checks.interval * GAP, np.iinfo(np.int64).max)
        self._tolerance = checks.jitter_tolerance
        self.steps = np.zeros(n, np.int64)  # distances since the last average
        self.span = np.zeros(n, np.int64)  # their sum [ns]
        self.scatter = np.zeros(n)  # sum of distances from the beat [ns]; whole numbers: exact
        self.worst = np.zeros(n)  # largest distance from the beat ever [ns]
        self.interval = np.full(n, np.nan)  # average distance [ns]
        self.jitter = np.full(n, np.nan)  # average distance from the beat [ns]
        self._settled = 0

    def take(self, signals: I32, steps: Index, span: I64) -> None:
        """Add distances to the sums, each signal at most once."""
        self.steps[signals] += steps
        self.span[signals] += span

    def irregular(self, signal: Index, distance: I64, start: Index) -> tuple[Index, Index]:
        """Give the rows that come after a gap and those beside the beat; distance 0 where there is none before."""
        if not self._any or not len(signal):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        kind = self._at(signal)
        beat = self._beat.take(kind)
        silent = distance > self._gap_after.take(kind)
        apart = np.abs(distance - beat)
        apart[silent | (distance == 0) | (beat == UNKNOWN)] = 0.0
        gaps = np.flatnonzero(silent)
        beside = np.flatnonzero(apart > self._tolerance)
        signals = signal[start]
        self.scatter[signals] += np.add.reduceat(apart, start)
        self.worst[signals] = np.maximum(self.worst[signals], np.maximum.reduceat(apart, start))
        return gaps, beside

    def tick(self, time: int) -> None:
        """Turn sums into averages, once a period of plant time."""
        if time - self._settled < PERIOD:
            return
        self._settled = time
        rows = np.flatnonzero(self.steps)
        steps = self.steps[rows]
        self.interval[rows] = _blend(self.interval[rows], self.span[rows] / steps)
        self.jitter[rows] = _blend(self.jitter[rows], self.scatter[rows] / steps)
        self.steps[rows] = self.span[rows] = 0
        self.scatter[rows] = 0.0

    def interval_s(self, rows: Index) -> F64:
        """Give the average distance of readings of some signals [s]; NaN where fewer than two came."""
        average = self.interval[rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(np.isnan(average), self.span[rows] / self.steps[rows], average) / SECOND

    def jitter_ms(self, rows: Index) -> F64:
        """Give the average distance from the beat [ms]; NaN where the beat is unknown or nothing came."""
        average = self.jitter[rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(np.isnan(average), self.scatter[rows] / self.steps[rows], average)
        return np.where(self._beat.take(self._at(rows)) > UNKNOWN, mean / 1e6, np.nan)

    def state(self, copied: bool = True) -> dict[str, npt.NDArray[Any]]:
        """Give the sums and averages by name."""
        out = {PREFIX + name: getattr(self, name) for name in _SUMS}
        out = {name: column.copy() for name, column in out.items()} if copied else out
        return out | {PREFIX + "settled": np.array([self._settled])}

    @classmethod
    def restore(cls, checks: Checks, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take sums and averages by name; signals added since start anew."""
        timing = cls(checks)
        for name in _SUMS:
            old = arrays[PREFIX + name]
            getattr(timing, name)[: len(old)] = old
        timing._settled = int(arrays[PREFIX + "settled"][0])
        return timing


def _blend(old: F64, new: F64) -> F64:
    return np.where(np.isnan(old), new, old + WEIGHT * (new - old))
