"""The plant's clock: the one source of "now", injected everywhere.

On a live plant it is the wall; in a replay it follows the data, so that a replay of 2020 is alive in 2020.
Time is int64, nanoseconds since 1970-01-01 UTC, everywhere inside gemel.
"""

import time
from datetime import UTC, datetime
from typing import Final, Protocol

SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
EARLIEST: Final = 0  # 1970: no plant has readings before it
LATEST: Final = 4_102_444_800 * SECOND  # 2100-01-01: later is a broken clock, not a reading


class Clock(Protocol):
    """Tells the plant's time."""

    def now(self) -> int:
        """Give the plant's time [ns since 1970 UTC]; never goes backwards."""

    def observe(self, newest: int) -> None:
        """Take note of the newest source time seen [ns]; a wall clock does not care."""


class WallClock:
    """The machine's clock, held where it would step backwards."""

    def __init__(self, start: int = 0) -> None:
        self._last = start

    def now(self) -> int:
        self._last = max(self._last, time.time_ns())
        return self._last

    def observe(self, newest: int) -> None:
        """Do nothing: the wall does not follow the data."""


class DataClock:
    """Follows the newest reading: the clock of a replay at any speed.

    Between readings the plant's time stands still: a paused replay ages nothing.

    >>> clock = DataClock(); clock.observe(5); clock.observe(3); clock.now()
    5
    """

    def __init__(self, start: int = 0) -> None:
        self._last = start

    def now(self) -> int:
        return self._last

    def observe(self, newest: int) -> None:
        self._last = max(self._last, newest)


def plant_clock(kind: str, start: int = 0) -> Clock:
    """Make the clock a plant file asks for: ``wall`` or ``data``."""
    return DataClock(start) if kind == "data" else WallClock(start)


def iso(time: int) -> str:
    """Write a time [ns] as ISO 8601 in UTC, to the nanosecond.

    >>> iso(1_577_836_800_000_000_001)
    '2020-01-01T00:00:00.000000001Z'
    """
    return f"{datetime.fromtimestamp(time // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{time % SECOND:09d}Z"
