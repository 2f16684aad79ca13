"""The plant's clock: the one source of "now", injected everywhere.

On a live plant it is the wall; in a replay it follows the data, so that a replay of 2020 is alive in 2020.
Time is int64, nanoseconds since 1970-01-01 UTC, everywhere inside gemel.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
EARLIEST: Final = 0  # 1970: no plant has readings before it
STEP: Final = 60 * SECOND  # of the wall between two looks: more than that, and it was set
TRUST: Final = 10 * SECOND  # of a leap, until it is taken for true; and of what a source said, until it is forgotten
FAR: Final = 400 * DAY  # more than a plant is ever off
DOUBT: Final = 600 * SECOND  # of so far a leap: until then a machine that just booted knows the time
LATEST: Final = 4_102_444_800 * SECOND  # 2100-01-01: later is a broken clock, not a reading


class Clock(Protocol):
    """Tells the plant's time."""

    def now(self) -> int:
        """Give the plant's time [ns since 1970 UTC]; never goes backwards."""

    def observe(self, newest: int) -> None:
        """Take note of the newest source time seen [ns]."""

    def resume(self, reached: int) -> None:
        """Go on after a plant time that was reached before [ns]."""

    @property
    def doubted_s(self) -> float:
        """For how long what it goes by has not been believed [s]; 0: it is."""


class WallClock:
    """The machine's clock, which is not believed at once where it leaps, and never goes backwards.

    It is held against the steady clock of the machine (monotonic). A leap forwards of more than a minute is taken for
    true once it lasted `TRUST`, or at once where what a source says agrees with it; one of more than `FAR`, also over
    a restart, and one that sources contradict, once it lasted `DOUBT`: a machine that boots with a wrong year is set
    right by then. Until then, plant time goes on at the steady pace, or as sources say. Set back, it goes on at half that pace until the
    wall has caught up, or at the whole of it where it is further back than `FAR`, or sources agree with plant time.

    Args:
        start: plant time that was reached before [ns]; 0: none is known.
        wall: the machine's clock [ns since 1970 UTC].
        steady: a clock that is never set [ns].
    """

    def __init__(
        self, start: int = 0, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall, self._steady = wall, steady
        self._last = start
        self._looked = steady()
        self._limit = FAR  # how far ahead the next look may be: after a start the machine may have been off for long
        self._leapt: int | None = None  # since when the wall is further ahead than is believed
        self._said, self._heard = 0, self._looked  # what a source said last, and when

    def now(self) -> int:
        wall, steady = self._wall(), self._steady()
        passed, self._looked = steady - self._looked, steady
        due = self._last + passed
        if self._last and wall - due > self._limit and not self._trusted(wall, due, steady):
            self._last = self._told(due, steady)
            return self._last
        self._limit, self._leapt = STEP, None
        contradicted = wall < due and self._agrees(due, steady) and not self._agrees(wall, steady)
        if contradicted or due - wall > FAR:
            self._last = self._told(due, steady)
        else:
            self._last = max(wall, self._last + passed // 2)
        return self._last

    def observe(self, newest: int) -> None:
        """Hear what a source says the time is [ns]: it tells a clock that was set wrong from one that was set right."""
        self._said, self._heard = newest, self._steady()

    def resume(self, reached: int) -> None:
        """Go on after a plant time that was reached before [ns]."""
        self._last = max(self._last, reached)

    @property
    def doubted_s(self) -> float:
        """For how long the wall has not been believed [s]; 0: it is."""
        return 0.0 if self._leapt is None else (self._looked - self._leapt) / SECOND

    def _trusted(self, wall: int, due: int, steady: int) -> bool:
        if self._leapt is None:
            self._leapt = steady
        doubtful = wall - due > FAR or self._agrees(due, steady)
        lasted = steady - self._leapt >= (DOUBT if doubtful else TRUST)
        return lasted or (self._agrees(wall, steady) and self._heard > self._leapt)

    def _told(self, due: int, steady: int) -> int:
        """Give plant time where the wall is not believed: a machine that was off does not know for how long, sources do."""
        fresh = steady - self._heard <= TRUST and self._said - due <= FAR
        return max(due, self._said) if fresh else due

    def _agrees(self, time: int, steady: int) -> bool:
        return abs(self._said - time) <= STEP and steady - self._heard <= TRUST


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

    def resume(self, reached: int) -> None:
        self._last = max(self._last, reached)

    @property
    def doubted_s(self) -> float:
        return 0.0


def plant_clock(kind: str, start: int = 0) -> Clock:
    """Make the clock a plant file asks for: ``wall`` or ``data``."""
    return DataClock(start) if kind == "data" else WallClock(start)


def iso(time: int) -> str:
    """Write a time [ns] as ISO 8601 in UTC, to the nanosecond.

    >>> iso(1_577_836_800_000_000_001)
    '2020-01-01T00:00:00.000000001Z'
    """
    return f"{datetime.fromtimestamp(time // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{time % SECOND:09d}Z"
