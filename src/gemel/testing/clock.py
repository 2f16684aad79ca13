"""A clock that a test moves by hand."""

from gemel.samples.clock import SECOND


class ManualClock:
    """Stands still until it is told otherwise (a `Clock`).

    >>> clock = ManualClock(5); clock.advance(0.5); clock.now()
    500000005
    """

    def __init__(self, start: int = 1_700_000_000 * SECOND) -> None:
        self._now = start

    def now(self) -> int:
        """Give the time it stands at [ns]."""
        return self._now

    def observe(self, newest: int) -> None:
        """Do nothing: only the test moves it."""

    def resume(self, reached: int) -> None:
        """Do nothing: only the test moves it."""

    @property
    def doubted_s(self) -> float:
        """It is believed: 0."""
        return 0.0

    def advance(self, seconds: float) -> None:
        """Move forward [s]; a clock never goes backwards."""
        if seconds < 0:
            raise ValueError("a clock never goes backwards")
        self._now += round(seconds * SECOND)

    def jump(self, to: int) -> None:
        """Move to a time [ns] at or after the present one."""
        if to < self._now:
            raise ValueError("a clock never goes backwards")
        self._now = to
