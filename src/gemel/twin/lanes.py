"""State is a fold: nobody writes it.

Each signal (a lane of a property) holds its latest and its latest usable sample, each the maximum by
(time, received, bits). The maximum is commutative and idempotent, so neither order nor repetition can matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F64, I32, I64, U32, Batch, Index
from gemel.samples.status import BAD_INVALID_TIMESTAMP, is_bad

NEVER: Final = np.iinfo(np.int64).min
_NAMES: Final = ("time", "received", "value", "status")


@dataclass(slots=True, eq=False)
class Lane:
    """The greatest sample of every signal: four columns indexed by signal."""

    time: I64
    received: I64
    value: F64
    status: U32

    @classmethod
    def empty(cls, n: int) -> Self:
        """Make `n` lanes that have seen nothing."""
        return cls(np.full(n, NEVER), np.full(n, NEVER), np.full(n, np.nan), np.zeros(n, np.uint32))

    def take(self, best: Batch) -> I32:
        """Fold in rows, at most one a signal; give the signals whose greatest sample changed."""
        s = best.signal
        newer = _exceeds(best, self.time[s], self.received[s], self.value[s], self.status[s])
        best = best.take(newer)
        s = best.signal
        self.time[s], self.received[s], self.value[s], self.status[s] = (
            best.time, best.received, best.value, best.status,
        )  # fmt: skip
        return s


def bits(value: F64) -> npt.NDArray[np.uint64]:
    """Give the bits of values, so that NaN too has a place in the order."""
    return np.ascontiguousarray(value).view(np.uint64)


def greatest(rows: Batch, order: Index | None = None) -> Batch:
    """Give the greatest row of each signal by (time, received, bits of the value, status).

    Args:
        rows: in any order.
        order: positions of the rows to look at, sorted by signal; None: all of them.

    """
    if order is None:
        order = by_signal(rows)
    if not len(order):
        return rows[:0]
    signal, time = rows.signal[order], rows.time[order]
    last = np.append(signal[1:] != signal[:-1], True)
    if np.all((time[1:] > time[:-1]) | last[:-1]):  # each signal's rows stand in order of time, without ties
        return rows.take(order[last])
    best = rows.take(order)
    best = best.take(np.lexsort((best.status, bits(best.value), best.received, best.time, best.signal)))
    return best.take(last)  # sorting by signal first leaves each group where it was


def by_signal(rows: Batch) -> Index:
    """Give the positions of rows sorted by signal, in order of arrival within one."""
    if np.all(rows.signal[1:] >= rows.signal[:-1]):
        return np.arange(len(rows))
    return np.argsort(rows.signal, kind="stable")


def _exceeds(rows: Batch, time: I64, received: I64, value: F64, status: U32) -> npt.NDArray[np.bool_]:
    a, b = bits(rows.value), bits(value)
    same_time = rows.time == time
    same_receipt = same_time & (rows.received == received)
    newer: npt.NDArray[np.bool_] = (rows.time > time) | (same_time & (rows.received > received))
    newer |= same_receipt & ((a > b) | ((a == b) & (rows.status > status)))
    return newer


class Lanes:
    """Latest and latest usable sample of every signal.

    >>> lanes = Lanes(1)
    >>> lanes.fold(Batch.of(signal=[0], time=[1], received=[1], value=[5.0], status=[0])).tolist()
    [0]
    """

    def __init__(self, n: int) -> None:
        self.latest = Lane.empty(n)
        self.usable = Lane.empty(n)

    def __len__(self) -> int:
        return len(self.latest.time)

    def fold(self, rows: Batch) -> I32:
        """Fold rows in; give the signals that changed. Readings with an impossible time are left out."""
        timely = (rows.status & np.uint32(0xFFFF0000)) != np.uint32(BAD_INVALID_TIMESTAMP)
        if not timely.all():
            rows = rows.take(timely)
        order = by_signal(rows)
        changed = self.latest.take(greatest(rows, order))
        bad = is_bad(rows.status)
        if not bad.any():
            self.usable.take(greatest(rows, order))
            return changed
        also = self.usable.take(greatest(rows, order[~bad[order]]))
        return np.union1d(changed, also).astype(np.int32)

    def stale(self, now: int, stale_after: I64) -> npt.NDArray[np.bool_]:
        """Tell which signals are silent for longer than they may be, at a plant time [ns]."""
        silent: npt.NDArray[np.bool_] = (self.latest.time == NEVER) | (now - self.latest.time > stale_after)
        return silent

    def shown(self, signals: I32) -> Batch:
        """Give what to show: the latest usable value and its times, with the status of the latest reading."""
        has = self.usable.time[signals] != NEVER

        def pick(name: str) -> npt.NDArray[Any]:
            usable, latest = getattr(self.usable, name), getattr(self.latest, name)
            return np.asarray(np.where(has, usable[signals], latest[signals]))

        return Batch(signals, pick("time"), pick("received"), pick("value"), self.latest.status[signals])

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the columns for a snapshot, copied."""
        return {
            f"{lane}.{name}": getattr(getattr(self, lane), name).copy()
            for lane in ("latest", "usable")
            for name in _NAMES
        }

    @classmethod
    def restore(cls, n: int, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take the columns of a snapshot; signals added since have seen nothing."""
        lanes = cls(n)
        for lane in ("latest", "usable"):
            for name in _NAMES:
                old = arrays[f"{lane}.{name}"]
                getattr(getattr(lanes, lane), name)[: len(old)] = old
        return lanes
