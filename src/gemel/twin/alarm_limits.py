"""The limits of all signals as columns: which rows can matter is told by a few array operations.

Per signal four thresholds say when a reading matters at all, given where its alarms stand now:

    value > trip_high    a high alarm not yet begun would begin          (else +inf)
    value <= back_high   a high alarm that is active would go back        (else -inf)
    value < trip_low, value >= back_low: the same below
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gemel.assets import DEVIATION, AlarmLimits
from gemel.samples import Registry
from gemel.samples.batch import F64, I32

HIGHS: Final = ("high", "high_high")


class Limit(Protocol):
    """What an alarm needs of its limit; `gemel.assets.AlarmLimit` is one.

    A limit may also have `off_delay_ns`: how long it must be back before it is cleared (0 where absent).
    """

    @property
    def signal(self) -> int:
        """Number of the signal in the registry."""

    @property
    def level(self) -> str:
        """``high_high``, ``high``, ``low``, ``low_low`` or ``deviation``."""

    @property
    def limit(self) -> float:
        """Beyond it is alarm, in the signal's unit; the limit itself is not."""

    @property
    def delay_ns(self) -> int:
        """How long it must be beyond before it is raised."""

    @property
    def deadband(self) -> float:
        """How far it must come back before it is cleared, in the signal's unit."""

    @property
    def priority(self) -> int:
        """1 (highest) to 3."""

    @property
    def cause(self) -> str:
        """What it usually comes from."""

    @property
    def consequence(self) -> str:
        """What happens where nobody acts."""

    @property
    def response(self) -> str:
        """What to do."""

    @property
    def respond_within_s(self) -> float | None:
        """How long there is for it [s]."""


def beyond(limit: Limit, value: float) -> bool:
    """Tell whether a value is in alarm."""
    return value > limit.limit if limit.level in HIGHS else value < limit.limit


def back(limit: Limit, value: float) -> bool:
    """Tell whether a value has come back by the dead band."""
    if limit.level in HIGHS:
        return value <= limit.limit - limit.deadband
    return value >= limit.limit + limit.deadband


def off_delay(limit: Limit) -> int:
    """Give the off-delay [ns] of limits that have one."""
    return int(getattr(limit, "off_delay_ns", 0) or 0)


class Limits:
    """All limits, in the order of their signals; the signals that have any are numbered for themselves (`slot`)."""

    def __init__(self, limits: Sequence[Limit], registry: Registry) -> None:
        self.table: Final = AlarmLimits.of(limits)
        self._registry = registry
        self.signals = len(registry)
        self.watched_signals, first = np.unique(self.table.signal, return_index=True)
        self._start = np.append(first, len(self.table))
        self.slot: I32 = np.full(self.signals, -1, np.int32)
        self.slot[self.watched_signals] = np.arange(len(self.watched_signals), dtype=np.int32)
        self._units = registry.codes("unit")

    def of(self, signal: int) -> range:
        """Give the numbers of a signal's alarms."""
        slot = int(self.slot[signal])
        return range(int(self._start[slot]), int(self._start[slot + 1])) if slot >= 0 else range(0)

    def path(self, index: int) -> str:
        """Give the path of an alarm's signal."""
        return self._registry.paths[self.table[index].signal]

    def asset(self, index: int) -> str:
        """Give the path of an alarm's asset."""
        return self.path(index).rpartition("/")[0]

    def unit(self, index: int) -> str:
        """Give the unit of an alarm's signal."""
        return self._units[self.table[index].signal]

    def name(self, index: int) -> str:
        """Give an alarm's id: ``<signal path>#<level>``."""
        return f"{self.path(index)}#{self.table[index].level}"

    def find(self, name: str) -> int | None:
        """Give the number of the alarm with this id, None where there is none."""
        path, _, level = name.rpartition("#")
        signals = self._registry.lanes_of(path).values()
        found = (i for s in signals for i in self.of(s) if self.table[i].level == level)
        return next(found, None)


class Thresholds:
    """When a reading matters, per watched signal."""

    def __init__(self, limits: Limits) -> None:
        self._slot = limits.slot
        n = len(limits.watched_signals)
        self.trip_high = np.full(n, np.inf)
        self.back_high = np.full(n, -np.inf)
        self.trip_low = np.full(n, -np.inf)
        self.back_low = np.full(n, np.inf)
        self.running = np.zeros(n, np.bool_)  # a delay runs: every reading matters
        slot = limits.slot[limits.table.signal]
        high = np.isin(limits.table.each("level"), HIGHS)
        limit = limits.table.each("limit").astype(np.float64)
        np.minimum.at(self.trip_high, slot[high], limit[high])
        np.maximum.at(self.trip_low, slot[~high], limit[~high])

    def matter(self, signal: npt.NDArray[np.int32], value: F64) -> npt.NDArray[np.bool_]:
        """Tell which readings of watched signals can change an alarm."""
        slot = self._slot[signal]
        found: npt.NDArray[np.bool_] = value > self.trip_high[slot]
        found |= value < self.trip_low[slot]
        found |= value <= self.back_high[slot]
        found |= value >= self.back_low[slot]
        found |= self.running[slot]
        return found

    def set(self, signal: int, alarms: Sequence[tuple[Limit, str]]) -> None:
        """Set a signal's thresholds from its limits and the phases of their alarms."""
        trip_high, back_high, trip_low, back_low = np.inf, -np.inf, -np.inf, np.inf
        for limit, phase in alarms:
            if limit.level == DEVIATION:
                continue
            high = limit.level in HIGHS
            if phase in ("active", "clearing"):
                if high:
                    back_high = max(back_high, limit.limit - limit.deadband)
                else:
                    back_low = min(back_low, limit.limit + limit.deadband)
            elif high:
                trip_high = min(trip_high, limit.limit)
            else:
                trip_low = max(trip_low, limit.limit)
        slot = self._slot[signal]
        self.trip_high[slot], self.back_high[slot] = trip_high, back_high
        self.trip_low[slot], self.back_low[slot] = trip_low, back_low
        self.running[slot] = any(phase in ("pending", "clearing") for _, phase in alarms)
