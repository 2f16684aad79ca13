"""What can be said of a reading alone: its unit, whether it is a number, in range, of a possible time.

source number → declared unit → status. Judging never makes a status better: a source's Bad stays as it came.
The one exception is a reading of an impossible time, which is BadInvalidTimestamp whatever the source said,
because readers of the history know by that code that its place on the axis of time means nothing.
"""

from typing import Final

import numpy as np

from gemel.assets.checks import Checks
from gemel.condition.readings import Mask, Readings
from gemel.condition.reasons import FUTURE, NOT_A_NUMBER, OUT_OF_RANGE, SOURCE_BAD
from gemel.samples import Batch
from gemel.samples.batch import F32, F64, I32, U32, Index
from gemel.samples.clock import EARLIEST, LATEST
from gemel.samples.status import (
    BAD,
    BAD_INVALID_TIMESTAMP,
    BAD_OUT_OF_RANGE,
    BAD_SENSOR_FAILURE,
    LIMIT_HIGH,
    LIMIT_LOW,
    UNCERTAIN,
)

_LARGEST: Final = np.finfo(np.float64).max


class Screen:
    """The checks that need no memory, for all signals of a registry; constants stand by the kind of a signal."""

    def __init__(self, checks: Checks) -> None:
        self._at = checks.at
        self._tolerance = checks.future_tolerance
        self._scale = np.ascontiguousarray(checks.scale, np.float64)
        # x + -0.0 is x, bit for bit, -0.0 included; x + 0.0 is not
        self._offset = np.where(checks.offset == 0, -0.0, checks.offset).astype(np.float64)
        self._same = (self._scale == 1) & (checks.offset == 0)
        self._convert = not self._same.all()
        self._low = np.where(np.isnan(checks.low), -_LARGEST, checks.low)
        self._high = np.where(np.isnan(checks.high), _LARGEST, checks.high)
        self._bounded = bool((self._low > -_LARGEST).any() or (self._high < _LARGEST).any())

    def kind(self, signal: I32 | Index) -> Index:
        """Give the row of each signal among the constants."""
        return self._at(signal.astype(np.intp))

    def declared(self, kind: Index, value: F64) -> F64:
        """Give source numbers in the declared unit; where the units agree the bits are unchanged."""
        if not self._convert:
            return value
        with np.errstate(all="ignore"):
            out: F64 = value * self._scale.take(kind)
            out += self._offset.take(kind)
        if not np.isfinite(out).all():  # arithmetic may touch the bits of a NaN
            out = np.where(self._same[kind], value, out)
        return out

    def impossible(self, batch: Batch) -> Mask | None:
        """Tell which rows are ahead of the clock that received them, or of no possible time; None: none is."""
        time = batch.time
        if not len(time):
            return None
        wrong: Mask = (time - batch.received) > self._tolerance
        if time.min() < EARLIEST or time.max() > LATEST:
            wrong |= (time < EARLIEST) | (time > LATEST)
        return wrong if wrong.any() else None

    def inside(self, kind: Index, value: F64) -> Mask:
        """Tell which values are numbers within what their sensor can say."""
        if not self._bounded:
            return np.isfinite(value)
        with np.errstate(invalid="ignore"):
            inside: Mask = value >= self._low.take(kind)
            inside &= value <= self._high.take(kind)
        return inside

    def status(self, kind: Index, value: F64, source: U32) -> tuple[U32, Mask]:
        """Give the status after range and number, and which readings are sound; values in declared units."""
        sound = self.inside(kind, value)
        sound &= source < np.uint32(BAD)
        if sound.all():
            return source, sound
        status = source.copy()
        rows = np.flatnonzero(~sound)
        rows = rows[source[rows] < np.uint32(BAD)]
        status[rows] = self._why(kind[rows], value[rows])
        return status, sound

    def _why(self, kind: Index, value: F64) -> U32:
        beyond = np.where(
            value > self._high[kind], BAD_OUT_OF_RANGE | LIMIT_HIGH, BAD_OUT_OF_RANGE | LIMIT_LOW
        )
        return np.where(np.isfinite(value), beyond, BAD_SENSOR_FAILURE).astype(np.uint32)

    def _uncertainty(self, kind: Index, sigma: F32 | None) -> F32 | None:
        """Give uncertainties in the declared unit; what is none (negative, infinite) is not known."""
        if sigma is None:
            return None
        with np.errstate(all="ignore"):
            told = (sigma * np.abs(self._scale.take(kind))).astype(np.float32)
        return np.where((told >= 0) & np.isfinite(told), told, np.float32(np.nan))

    def __call__(self, batch: Batch) -> tuple[Readings, Mask | None]:
        """Give the readings, and which of them are of an impossible time (None: none is)."""
        kind = self.kind(batch.signal)
        value = self.declared(kind, batch.value)
        status, sound = self.status(kind, value, batch.status)
        wrong = self.impossible(batch)
        if wrong is not None:
            status = np.where(wrong, np.uint32(BAD_INVALID_TIMESTAMP), status)
            sound &= ~wrong
        reason = np.zeros(len(batch), np.uint8)
        rows = np.flatnonzero(~sound)
        if len(rows):
            number = np.where(np.isfinite(value[rows]), OUT_OF_RANGE, NOT_A_NUMBER)
            reason[rows] = np.where(batch.status[rows] >= np.uint32(BAD), SOURCE_BAD, number)
        if wrong is not None:
            reason[wrong] = FUTURE
        judged = batch.with_columns(value=value, status=status, sigma=self._uncertainty(kind, batch.sigma))
        return Readings(judged, batch.status, sound, reason, np.arange(len(batch))), wrong


def is_uncertain(status: U32) -> Mask:
    """Tell which statuses are Uncertain."""
    return (status - np.uint32(UNCERTAIN)) < np.uint32(UNCERTAIN)
