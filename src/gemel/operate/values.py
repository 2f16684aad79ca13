"""Last shown values of all signals, as they follow the twin's deltas."""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from gemel.operate import delta
from gemel.samples.batch import F32, F64, I64, SIGMA, U32, Batch
from gemel.twin.properties import Held


class Values:
    """Last shown values, columns indexed by signal."""

    def __init__(self, n: int, former: "Values | None" = None) -> None:
        self.value: F64 = np.full(n, np.nan)
        self.status: U32 = np.zeros(n, np.uint32)
        self.time: I64 = np.full(n, np.iinfo(np.int64).min)
        self.received: I64 = np.full(n, np.iinfo(np.int64).min)
        self.stale: npt.NDArray[np.bool_] = np.ones(n, np.bool_)
        self.seen: npt.NDArray[np.bool_] = np.zeros(n, np.bool_)
        self.sigma: F32 | None = None  # until one is told
        self.sequence = 0
        self.plant_time = 0
        self.behind_s = 0.0
        self.facts = 0
        self.held: Mapping[int, Held] = {}
        if former is not None:
            self._go_on_from(former)

    def _go_on_from(self, former: "Values") -> None:
        """Show what was shown, until what is new is heard: signals are only ever added."""
        n = min(len(self.value), len(former.value))
        for name in ("value", "status", "time", "received", "stale", "seen"):
            getattr(self, name)[:n] = getattr(former, name)[:n]
        if former.sigma is not None:
            self.sigma = np.full(len(self.value), np.nan, SIGMA)
            self.sigma[:n] = former.sigma[:n]
        self.sequence, self.plant_time = former.sequence, former.plant_time
        self.behind_s, self.facts, self.held = former.behind_s, former.facts, former.held

    def has(self, d: delta.Delta) -> bool:
        """Tell whether all that a delta speaks of is known here: the twin may be ahead, with a changed plant."""
        return not len(d.rows) or int(d.rows.signal.max()) < len(self.value)

    def take(self, d: delta.Delta) -> None:
        """Take a delta over; signals that are not known here yet are left out."""
        if not self.has(d):
            known = d.rows.signal < len(self.value)
            d = msgspec.structs.replace(d, rows=d.rows.take(known), stale=d.stale[known])
        s = d.rows.signal
        self.value[s], self.status[s], self.time[s] = d.rows.value, d.rows.status, d.rows.time
        self.received[s], self.stale[s], self.seen[s] = (
            d.rows.received,
            d.stale,
            d.rows.time != np.iinfo(np.int64).min,
        )
        self._take_sigma(d.rows)
        self.sequence, self.plant_time, self.behind_s, self.facts = d.sequence, d.time, d.behind_s, d.facts
        self.held = self.held if d.held is None else d.held

    def _take_sigma(self, rows: Batch) -> None:
        if rows.sigma is not None and self.sigma is None:
            self.sigma = np.full(len(self.value), np.nan, SIGMA)
        if self.sigma is not None:
            self.sigma[rows.signal] = rows.uncertainty()
