"""How often a limit was passed, where a horizon is solved period by period: what lasts over a border is counted once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gemel.scenarios.plan import COUNTING, Plan, Raw

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outside:
    """Of each gauge that counts, whether a period began and ended beyond its limit (1 or 0) [gauges, members]; 0 of the others.

    A gauge counts once where it begins beyond its limit. Where the period before ended so, that was counted there.
    """

    begun: Array
    late: Array

    def after(self, before: Outside, read: Array) -> Array:
        """Give what gauges read in a period that follows another one [gauges, members]."""
        return read - self.begun * before.late

    def alike(self, read: Array) -> Array:
        """Give what they read in a period that follows one like it [gauges, members]."""
        return self.after(self, read)


def outside(plan: Plan, limits: Array, raw: Raw) -> Outside:
    """Read off a period's run where it stood at its ends; what is counted is among what was watched."""
    begun = np.zeros(raw.gauges.shape)
    late = np.zeros(raw.gauges.shape)
    for i, gauge in enumerate(plan.gauges):
        if gauge.reading in COUNTING and raw.late is not None:
            first = np.asarray(raw.kept[0, plan.watch.index(gauge.of)])
            limit = first.dtype.type(limits[i])  # as precise as what it is held against
            begun[i] = first > limit if gauge.reading.endswith("above") else first < limit
            late[i] = raw.late[i]
    return Outside(begun, late)
