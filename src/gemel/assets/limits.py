"""Alarm limits as columns: what a type declares is kept once, however many signals are watched by it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import I32

DEVIATION: Final = "deviation"
"""Level of an alarm that no limit raises: what is measured is not as a dynamic model expects."""


@dataclass(frozen=True, slots=True)
class AlarmLimit:
    """One limit of one signal (ISA-18.2).

    Args:
        signal: its number in the registry.
        level: ``high``, ``high_high``, ``low``, ``low_low`` or ``deviation``.
        limit, deadband: in the signal's unit; of a deviation minus infinity, which nothing is below.
        delay_ns: how long it must be passed before it counts [ns].
        priority: 1 (most urgent) to 3.
        cause, consequence, response: words for whoever must act.
        respond_within_s: the time there is for it [s].
    """

    signal: int
    level: str
    limit: float
    delay_ns: int
    deadband: float
    priority: int
    cause: str = ""
    consequence: str = ""
    response: str = ""
    respond_within_s: float | None = None


def deviation(priority: int) -> AlarmLimit:
    """Give the alarm of a reading that is not as a dynamic model expects; its signal is yet to be said."""
    return AlarmLimit(
        signal=-1, level=DEVIATION, limit=-math.inf, delay_ns=0, deadband=0.0, priority=priority,
        cause="a sensor, the process, or the dynamic model is wrong",
        consequence="what is shown, or what is estimated from it, may mislead",
        response="see on the page of the asset who is suspected",
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class AlarmLimits(Sequence[AlarmLimit]):
    """The limits of all signals, in the order of their signals; a limit is made when it is looked at.

    Args:
        declared: the different ones, whatever their signal.
        signal: number in the registry of each limit's signal, ascending.
        which: row of each in `declared`.

    >>> high = AlarmLimit(-1, "high", 80.0, 0, 0.0, 1)
    >>> AlarmLimits([high], np.array([3, 9]), np.array([0, 0]))[1].signal
    9
    """

    declared: Sequence[Any]
    signal: I32
    which: I32

    @classmethod
    def of(cls, limits: Sequence[Any]) -> "AlarmLimits":
        """Take limits, or what looks like them, in any order."""
        if isinstance(limits, AlarmLimits):
            return limits
        signal = np.array([limit.signal for limit in limits], np.int32)
        order = np.argsort(signal, kind="stable").astype(np.int32)
        return cls(limits, signal[order], order)

    def __len__(self) -> int:
        return len(self.signal)

    @overload
    def __getitem__(self, at: int) -> AlarmLimit: ...
    @overload
    def __getitem__(self, at: slice) -> list[AlarmLimit]: ...
    def __getitem__(self, at: int | slice) -> AlarmLimit | list[AlarmLimit]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        limit: AlarmLimit = self.declared[self.which[at]]
        signal = int(self.signal[at])
        return limit if limit.signal == signal else replace(limit, signal=signal)

    def __iter__(self) -> Iterator[AlarmLimit]:
        return (self[i] for i in range(len(self)))

    def each(self, name: str) -> npt.NDArray[np.generic]:
        """Give an attribute of every limit as a column."""
        told = np.array([getattr(limit, name) for limit in self.declared])
        return told[self.which] if len(told) else told
