"""Last shown values of all signals, as they follow the twin's deltas."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from gemel.operate import delta
from gemel.samples.batch import F64, I64, U32
from gemel.twin.properties import Held


class Values:
    """Last shown values, columns indexed by signal."""

    def __init__(self, n: int) -> None:
        self.value: F64 = np.full(n, np.nan)
        self.status: U32 = np.zeros(n, np.uint32)
        self.time: I64 = np.full(n, np.iinfo(np.int64).min)
        self.received: I64 = np.full(n, np.iinfo(np.int64).min)
        self.stale: npt.NDArray[np.bool_] = np.ones(n, np.bool_)
        self.seen: npt.NDArray[np.bool_] = np.zeros(n, np.bool_)
        self.sequence = 0
        self.plant_time = 0
        self.behind_s = 0.0
        self.facts = 0
        self.held: Mapping[int, Held] = {}

    def take(self, d: delta.Delta) -> None:
        """Take a delta over."""
        s = d.rows.signal
        self.value[s], self.status[s], self.time[s] = d.rows.value, d.rows.status, d.rows.time
        self.received[s], self.stale[s], self.seen[s] = (
            d.rows.received,
            d.stale,
            d.rows.time != np.iinfo(np.int64).min,
        )
        self.sequence, self.plant_time, self.behind_s, self.facts = d.sequence, d.time, d.behind_s, d.facts
        self.held = self.held if d.held is None else d.held
