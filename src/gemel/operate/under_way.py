"""What is computed with a model now, and whether that will ever come back.

    a thread: `with under.of(kind)` ─► which, and how often ─► `Patience`, looked at about once a second ─► it hangs

A model of one's own may begin to loop for ever on the way, in what is compiled of it, and while that is made. No thread can be
stopped; who looks can say which model it was, and have the process begun anew without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

HANGS_S: Final = 120.0  # what takes so long, be it compiled on a slow machine, does not come back …
USED: Final = 0.5  # … if it had so much of that of the processor: the machine may be busy with others …
AT_ALL: Final = 5.0  # … or took so many times as long: what waits uses no processor
PAUSE_S: Final = 5.0  # a longer time between two looks counts as this: the process was halted


class UnderWay:
    """What one thread computes with; others read it."""

    def __init__(self) -> None:
        self.what: object = None
        self.failed: object = None  # what raised last
        self.turn = 0
        self.came = set[object]()  # of what came back before: it is compiled

    @contextmanager
    def of(self, what: object) -> Iterator[None]:
        """Say what is computed with until the block ends."""
        self.turn, self.what = self.turn + 1, what
        try:
            yield
        except Exception:
            self.failed = what
            raise
        finally:
            self.what = None

    def on(self) -> None:
        """Say that it comes on: a step of many is made, as where hours are made up for at once."""
        self.turn += 1
        self.came.add(self.what)


class Patience:
    """How long what is under way takes already.

    Args:
        under: what is watched.
        share: of `HANGS_S`: its limit.
        first: so many times as long until it comes on for the first time: a small machine compiles for minutes.
        clock: gives seconds.
        used: gives the seconds that the process had of the processor.
    """

    def __init__(
        self, under: UnderWay, share: float = 1.0, clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time, first: float = 1.0,
    ) -> None:  # fmt: skip
        self.under, self._share, self._clock, self._used, self._first = under, share, clock, used, first
        self._turn, self._last, self._processor = 0, (clock(), used()), 0.0
        self.seconds = 0.0

    def look(self, *, waits: bool = False) -> bool:
        """Look; tell whether what is under way will not come back. `waits`: for another, and its own time stands still."""
        last, self._last = self._last, (self._clock(), self._used())
        if self.under.what is None or self.under.turn != self._turn:
            self._turn, self.seconds, self._processor = self.under.turn, 0.0, 0.0
        elif not waits:
            self.seconds += min(self._last[0] - last[0], PAUSE_S)
            self._processor += self._last[1] - last[1]
        limit = HANGS_S * self._share * (1.0 if self.under.what in self.under.came else self._first)
        return self.seconds > limit and (self._processor > USED * limit or self.seconds > AT_ALL * limit)
