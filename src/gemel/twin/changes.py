"""Synchronisation by event: a change of value becomes a fact, guarded in rate and counted.

    rows newer than all of their signal ─► another value, or good instead of bad? ─► waits ─► tick ─► PropertyChanged

The record is for ever, so it is guarded: a signal may change `BURST` times at once and then once in `REFILL`, all
signals together `BURST_ALL` times and then once in `REFILL_ALL`. Changes beyond that wait and are brought together:
the fact that comes then says the newest value, and how many changes it stands for. Nothing is dropped in silence.
The guard is the generic cell rate algorithm (ITU-T I.371, 2004, annex A): one time for each, until when it is used up.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import Sync
from gemel.samples import Batch, Draft, Registry
from gemel.samples.batch import I64
from gemel.samples.clock import MILLISECOND, SECOND
from gemel.samples.status import is_bad, severity
from gemel.samples.units import after
from gemel.twin.lanes import NEVER, by_signal
from gemel.twin.origins import BITS

CHANGED: Final = "PropertyChanged"
BURST: Final = 10
REFILL: Final = SECOND
BURST_ALL: Final = 200
REFILL_ALL: Final = 100 * MILLISECOND
_NONE: Final = float("nan")


@dataclass(slots=True)
class _Newest:
    """The newest reading of a signal: a row of it."""

    value: float
    status: int
    time: int
    received: int
    position: int


class Changes:
    """Changes of the signals that are synchronised by event.

    Args:
        sync: which these are.
        registry: what their numbers mean.
        partition: whose log the readings come from.

    """

    def __init__(self, sync: Sync, registry: Registry, partition: int = 0) -> None:
        n = len(sync)
        self._sync = sync
        self._registry = registry
        self._partition = partition
        self._slot = np.full(len(registry) if n else 0, -1, np.int32)
        self._slot[sync.signal] = np.arange(n, dtype=np.int32)
        self._seen = np.full(n, _NONE)  # the value that the last change led to; NaN: bad, or nothing yet
        self._heard = np.zeros(n, np.bool_)
        self._told = np.full(n, _NONE)  # the value that the last fact said
        self._count = np.zeros(n, np.int64)  # changes since then
        self._used = np.full(n, NEVER)  # until when the signal's share is used up [ns]
        self._used_all = int(NEVER)
        self._newest: dict[int, _Newest] = {}
        self._unstored = np.zeros(0 if not n or sync.stored.all() else len(registry), np.bool_)
        if len(self._unstored):
            self._unstored[sync.signal[~sync.stored]] = True

    def __len__(self) -> int:
        return len(self._sync)

    def stored(self, rows: Batch) -> Batch:
        """Give the rows that go into history."""
        return rows if not len(self._unstored) else rows.take(~self._unstored[rows.signal])

    @property
    def waiting(self) -> int:
        """How many signals wait for their turn."""
        return int((self._count > 0).sum())

    def on_rows(self, rows: Batch, came: I64) -> None:
        """Take rows that were the newest of their signal when they came, in order; `came` is the origin of each."""
        if not len(self._sync) or not len(rows):
            return
        slot = self._slot[rows.signal]
        value = np.where(is_bad(rows.status), _NONE, rows.value)
        mine = np.flatnonzero((slot >= 0) & self._differs(value, slot))
        if not len(mine):
            return
        hot = np.zeros(len(self._sync), np.bool_)
        hot[slot[mine]] = True
        kept = np.flatnonzero((slot >= 0) & hot[slot])
        for i in kept[by_signal(rows.take(kept))].tolist():
            self._step(int(slot[i]), float(value[i]), rows, i, int(came[i]) >> BITS)

    def _differs(self, value: npt.NDArray[np.float64], slot: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        seen = self._seen[slot]
        with np.errstate(invalid="ignore"):
            apart = np.abs(value - seen) > self._sync.deadband[slot]
        return np.asarray(apart | (np.isnan(value) != np.isnan(seen)) | ~self._heard[slot])

    def _step(self, slot: int, value: float, rows: Batch, i: int, position: int) -> None:
        one = np.array([slot], np.int32)
        if not self._differs(np.array([value]), one)[0]:
            return
        self._seen[slot], self._heard[slot] = value, True
        self._count[slot] += 1
        self._newest[slot] = _Newest(
            float(rows.value[i]), int(rows.status[i]), int(rows.time[i]), int(rows.received[i]), position
        )

    def on_tick(self, now: int) -> list[Draft]:
        """Give the facts whose turn it is at a plant time [ns], those that wait longest first."""
        waiting = np.flatnonzero(self._count > 0)
        if not len(waiting):
            return []
        came = np.array([self._newest[w].received for w in waiting.tolist()], np.int64)
        order = waiting[np.lexsort((waiting, came))]
        drafts = []
        for slot in order.tolist():
            if self._used[slot] > now + (BURST - 1) * REFILL:
                continue
            if self._used_all > now + (BURST_ALL - 1) * REFILL_ALL:
                break
            self._used[slot] = max(int(self._used[slot]), now) + REFILL
            self._used_all = max(self._used_all, now) + REFILL_ALL
            drafts.append(self._draft(slot))
        return drafts

    def _draft(self, slot: int) -> Draft:
        newest, signal = self._newest.pop(slot), int(self._sync.signal[slot])
        row = self._registry.row(signal)
        value = float(self._seen[slot])
        body = {
            "value": _known(value), "before": _known(float(self._told[slot])), "status": newest.status, "lane": row["lane"],
            "unit": row["unit"], "time": newest.time, "received": newest.received, "reading": _known(newest.value),
            "changes": int(self._count[slot]),
        }  # fmt: skip
        words = severity(newest.status) if np.isnan(value) else _shown(value, row)
        self._told[slot], self._count[slot] = value, 0
        name = hashlib.sha256(f"{row['uid']}\0{newest.time}\0{newest.received}".encode()).hexdigest()[:24]
        return Draft(
            id=f"changed-{name}", kind=CHANGED, at=newest.time, actor="gemel", subject=row["path"], body=body, reason=words,
            cause=f"samples.{self._partition}:{newest.position}" if newest.position else "",
        )  # fmt: skip

    # ---- snapshot

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give what is remembered, by the number of the signal."""
        newest = [self._newest.get(slot, _Newest(_NONE, 0, 0, 0, 0)) for slot in range(len(self._sync))]
        return {
            "signal": self._sync.signal.copy(), "seen": self._seen.copy(), "heard": self._heard.copy(),
            "told": self._told.copy(), "count": self._count.copy(), "used": self._used.copy(),
            "all": np.array([self._used_all]), "value": np.array([n.value for n in newest], np.float64),
            "row": np.array([(n.status, n.time, n.received, n.position) for n in newest], np.int64).reshape(-1, 4),
        }  # fmt: skip

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what was remembered; signals that are new here have said nothing."""
        if "signal" not in arrays:
            return
        self._used_all = int(arrays["all"][0])
        known = arrays["signal"] < len(self._slot)
        rows = np.flatnonzero(known)[self._slot[arrays["signal"][known]] >= 0]
        slots = self._slot[arrays["signal"][rows]]
        for name in ("seen", "heard", "told", "count", "used"):
            getattr(self, f"_{name}")[slots] = arrays[name][rows]
        for slot, row in zip(slots.tolist(), rows.tolist(), strict=True):
            if self._count[slot] > 0:
                self._newest[slot] = _Newest(float(arrays["value"][row]), *arrays["row"][row].tolist())


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _shown(value: float, row: Mapping[str, Any]) -> str:
    states = row["states"] or []
    if states and value == int(value) and 0 <= value < len(states):
        return str(states[int(value)])
    return f"{value:g}{after(row['unit'])}"
