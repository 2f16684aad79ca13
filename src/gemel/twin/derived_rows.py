"""Rows by slot: what derived signals rest on, kept as long as late readings are waited for.

A *slot* is the place of a signal among those that expressions read or give. `Recent` answers what each slot said
last, and gives all rows of some slots since a time; what is older than the horizon is a single row a slot, the base.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F64, I32, I64, U32, Batch, Index
from gemel.samples.status import BAD_OUT_OF_RANGE, LIMIT_HIGH, LIMIT_LOW
from gemel.twin.lanes import NEVER, bits

Stored = Callable[[I32, int, int, int, int], Batch]
"""Gives the rows of some signals with start <= time < end, received by a time, and of each the last one before, at most
so long before; for one time the row received last. Asked so: (signals, start, end, known, back)."""
_NAMES: Final = ("time", "received", "value", "status")
_MOST: Final = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows sorted by (slot, time), one a time: the one received last."""

    slot: I32
    time: I64
    received: I64
    value: F64
    status: U32

    @classmethod
    def of(cls, rows: Batch) -> Self:
        """Sort a batch whose `signal` is the slot; of rows of one time the greatest by (received, bits, status) stays."""
        slot, time = rows.signal, rows.time
        rising = (slot[1:] > slot[:-1]) | ((slot[1:] == slot[:-1]) & (time[1:] > time[:-1]))
        if not rising.all():
            rows = rows.take(np.lexsort((time, slot)))
            slot, time = rows.signal, rows.time
            again = (slot[1:] == slot[:-1]) & (time[1:] == time[:-1])
            if again.any():
                rows = rows.take(np.lexsort((rows.status, bits(rows.value), rows.received, time, slot)))
                rows = rows.take(np.append(~again, True))  # sorted by (slot, time) before, too
        return cls(rows.signal, rows.time, rows.received, rows.value, rows.status)

    def batch(self) -> Batch:
        """Give them as a batch."""
        return Batch(self.slot, self.time, self.received, self.value, self.status)

    def __len__(self) -> int:
        return len(self.slot)

    def asof(self, slot: I32, time: I64) -> Index:
        """Give the place of each slot's last row at or before a time, -1 where there is none."""
        if not len(self.slot) or not len(slot):
            return np.full(len(slot), -1)
        low, high = int(time.min()), int(time.max())
        span = high - low + 3
        mine, asked = _within(self.time, low, high), time - low + 1
        if span * (int(self.slot.max()) + 2) >= _MOST:
            distinct = np.unique(np.concatenate([mine, asked]))
            mine, asked, span = (
                np.searchsorted(distinct, mine),
                np.searchsorted(distinct, asked),
                len(distinct) + 1,
            )
        keys = self.slot.astype(np.int64) * span + mine
        found: Index = np.searchsorted(keys, slot.astype(np.int64) * span + asked, side="right") - 1
        return np.where((found >= 0) & (self.slot[found] == slot), found, -1)


def _within(time: I64, low: int, high: int) -> I64:
    """Count times from `low`, which is 1; what is before is 0, what is after comes last."""
    result: I64 = np.clip(time, low - 1, high + 1) - (low - 1)
    return result


class Recent:
    """The rows of all slots since the horizon, and the last one before it; and the same of the last moment only.

    Most of what comes out of order is hardly late: then only few rows need be looked at.
    """

    def __init__(self, n: int) -> None:
        self.last = Last(n)
        self.far = Since(n)
        self._near = Since(n)

    @property
    def horizon(self) -> int:
        """The time [ns] up to which one row a slot is kept."""
        return self.far.horizon

    def begin(self, base: Rows, horizon: int) -> None:
        """Take what was known of the time up to a horizon."""
        self.last.take(base)
        self.far.base.take(base)
        self._near.base.take(base)
        self.far.horizon = horizon

    def add(self, rows: Rows) -> None:
        """Take new rows."""
        if len(rows):
            self.last.take(rows)
            self.far.add(rows)
            self._near.add(rows)

    def close(self, horizon: int, near: int) -> None:
        """Let what is not newer than a time be settled; and, for most questions, what is not newer than `near`."""
        self.far.close(horizon)
        self._near.close(max(near, horizon))

    def rows(self, slots: I32, since: int) -> Batch:
        """Give the rows of some slots (sorted, each once) from a time on, and the last ones before, in no order."""
        kept = self._near if since > self._near.horizon else self.far
        return kept.rows(slots)


class Since:
    """The rows of all slots since a horizon, and the last one before it."""

    def __init__(self, n: int) -> None:
        self.base = Last(n)
        self.horizon = NEVER
        self._chunks: list[Rows] = []

    def add(self, rows: Rows) -> None:
        """Take new rows."""
        self._chunks.append(rows)

    def close(self, horizon: int) -> None:
        """Let what is not newer than a time be settled: one row a slot is kept of it."""
        self.horizon = max(self.horizon, horizon)
        settled = [c for c in self._chunks if int(c.time.max()) <= self.horizon]
        for chunk in settled:
            self.base.take(chunk)
        if settled:
            self._chunks = [c for c in self._chunks if int(c.time.max()) > self.horizon]

    def rows(self, slots: I32) -> Batch:
        """Give the rows of some slots (sorted, each once), the base among them, in no order."""
        parts = [self.base.rows(slots)]
        for chunk in self._chunks:
            start, end = (np.searchsorted(chunk.slot, slots, side) for side in ("left", "right"))
            length = end - start
            places = np.arange(int(length.sum())) + np.repeat(start - np.cumsum(length) + length, length)
            parts.append(chunk.batch().take(places))
        return Batch.concat(parts)

    def held(self) -> tuple[Batch, "Last"]:
        """Give all rows beyond the horizon, sorted, and the last of each slot up to it: the same however they came."""
        base = self.base.copy()
        rows = Rows.of(Batch.concat([c.batch() for c in self._chunks]))
        old = rows.time <= self.horizon
        base.take(Rows.of(rows.batch().take(old)))
        return rows.batch().take(~old), base


class Last:
    """The newest row of each slot."""

    def __init__(self, n: int) -> None:
        self.time, self.received = np.full(n, NEVER), np.full(n, NEVER)
        self.value, self.status = np.full(n, np.nan), np.zeros(n, np.uint32)

    def take(self, rows: Rows) -> None:
        """Take the newest of some rows; of one time the one received last."""
        if not len(rows):
            return
        ends = np.flatnonzero(np.append(rows.slot[1:] != rows.slot[:-1], True))
        slot, time, received = rows.slot[ends], rows.time[ends], rows.received[ends]
        newer = (time > self.time[slot]) | ((time == self.time[slot]) & (received >= self.received[slot]))
        ends, slot = ends[newer], slot[newer]
        for name in _NAMES:
            getattr(self, name)[slot] = getattr(rows, name)[ends]

    def rows(self, slots: I32) -> Batch:
        """Give the rows of some slots, of those that have one."""
        slots = slots[self.time[slots] != NEVER]
        return Batch(slots, *(getattr(self, name)[slots] for name in _NAMES))

    def put(self, slots: I32, other: "Last") -> None:
        """Take the rows of some slots from another."""
        for name in _NAMES:
            getattr(self, name)[slots] = getattr(other, name)[slots]

    def copy(self) -> "Last":
        """Give a copy."""
        other = Last(len(self.time))
        for name in _NAMES:
            getattr(other, name)[:] = getattr(self, name)
        return other


def stored(rows: Batch, signals: I32) -> dict[str, npt.NDArray[Any]]:
    """Give the columns of rows for a snapshot, slots as registry numbers."""
    return {"signal": signals[rows.signal], **{name: getattr(rows, name).copy() for name in _NAMES}}


def restored(columns: Mapping[str, npt.NDArray[Any]], slot: I32) -> Batch:
    """Read rows back; those of signals that are no slots any more are left out."""
    rows = Batch.of(**{name: columns[name] for name in ("signal", *_NAMES)})
    known = rows.take(rows.signal < len(slot))
    known = known.take(slot[known.signal] >= 0)
    return known.with_columns(signal=slot[known.signal])


def ranged(value: F64, status: U32, low: float, high: float) -> U32:
    """Give statuses, Bad where a value lies outside its range; NaN: not limited."""
    if np.isnan(low) and np.isnan(high):
        return status
    with np.errstate(invalid="ignore"):
        status = np.where(value < low, np.maximum(status, np.uint32(BAD_OUT_OF_RANGE | LIMIT_LOW)), status)
        return np.where(value > high, np.maximum(status, np.uint32(BAD_OUT_OF_RANGE | LIMIT_HIGH)), status)
