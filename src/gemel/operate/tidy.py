"""Tidies the history in the background: merges small files, rolls up, drops what is past its retention, looks for damage.

Its thread is its own, at a lower priority than the fold's where the system gives threads priorities; and it rests
after each turn, in proportion to how long that took, so that it never takes more than a share of one core.
"""

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from gemel.history import Store, Terms

TURN_S: Final = 2.0  # nothing is begun after so long in one turn
IDLE_S: Final = 20.0  # between turns, while there is nothing left to do
SHARE: Final = 0.5  # of one core, while there is, and the fold is behind its log
EAGER: Final = 0.9  # while the fold keeps up: else roll-ups of a busy plant would fall behind for ever
NICE: Final = 10


@dataclass(frozen=True)
class Keep:
    """What is kept, and how it is rolled up.

    Args:
        terms: how long readings hold, and their retention classes, by signal.
        classes: how long readings are kept, by class [s].
        rollups: how long roll-ups are kept, by class and level [s].

    """

    terms: Terms
    classes: Mapping[str, float]
    rollups: Mapping[str, Mapping[str, float]]


class Tidy:
    """The background of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "tidy", initializer=_step_back)

    async def turn(self, now: int, keep: Keep, share: float = SHARE) -> float:
        """Do a turn's work; give how long to rest [s]: little while something is left to do.

        Args:
            now: the plant's time [ns].
            keep: what is kept.
            share: of one core, to be taken on average.
        """
        began = time.monotonic()
        behind = await asyncio.get_running_loop().run_in_executor(self._thread, self._turn, now, keep)
        took = time.monotonic() - began
        return took * (1 / share - 1) if behind else IDLE_S

    def _turn(self, now: int, keep: Keep) -> bool:
        merged = self._store.compact(TURN_S)
        rolled = self._store.roll_up(now, TURN_S, keep.terms)
        self._store.retain(now, keep.classes, keep.rollups)
        if not (rolled.behind or merged.behind):
            self._store.patrol()
        return rolled.behind or merged.behind


def _step_back() -> None:
    """Let every other thread of the process go first; Linux gives each thread its own niceness."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
