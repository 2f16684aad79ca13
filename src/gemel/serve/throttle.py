"""Slows guessing down: after a few wrong passwords the next try must wait, twice as long each time.

Counted by name and address together, and by address alone, so that one who guesses from elsewhere locks nobody
out. Bounded in memory: the oldest are forgotten.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gemel.serve.problems import ThrottledError

FREE_TRIES: Final = 5  # by name and address
FREE_TRIES_OF_ADDRESS: Final = 30
LONGEST_S: Final = 900.0
REMEMBERED: Final = 10_000


class Throttle:
    """Counts wrong tries; pure but for the clock it is given."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._wrong: OrderedDict[tuple[str, ...], tuple[int, float]] = OrderedDict()

    def check(self, name: str, address: str) -> None:
        """Raise ThrottledError where the next try must wait."""
        wait = max(self._wait((address, name), FREE_TRIES), self._wait((address,), FREE_TRIES_OF_ADDRESS))
        if wait > 0:
            raise ThrottledError(
                "too many wrong passwords",
                remedy=f"wait {wait:.0f} s",
                context={"retry_after_s": max(int(wait + 1), 1)},
            )

    def wrong(self, name: str, address: str) -> None:
        """Count a wrong try."""
        for key in ((address, name), (address,)):
            count, _ = self._wrong.pop(key, (0, 0.0))
            self._wrong[key] = (count + 1, self._now())
        while len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)

    def right(self, name: str, address: str) -> None:
        """Forget the wrong tries of who came in."""
        self._wrong.pop((address, name), None)

    def _wait(self, key: tuple[str, ...], free: int) -> float:
        count, last = self._wrong.get(key, (0, 0.0))
        if count < free:
            return 0.0
        return last + min(2.0 ** min(count - free, 20), LONGEST_S) - self._now()
