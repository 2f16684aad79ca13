"""What changed, told after a tick to whoever keeps a copy of the state."""

import asyncio
import os

import numpy as np
import numpy.typing as npt

from gemel.bus import Bus
from gemel.operate.delta import CHUNK, SUBJECT, Delta, encode
from gemel.operate.partition import Partition
from gemel.samples.batch import I32


class Telling:
    """Tells the signals that changed since it told last.

    Args:
        bus: where it is told.
        partition: whose state it is.
        spacing_s: ticks that come sooner after each other are told together: who catches up needs one delta for many.

    """

    def __init__(self, bus: Bus, partition: Partition, spacing_s: float) -> None:
        self._bus = bus
        self._partition = partition
        self._spacing_s = spacing_s
        self._changed = np.ones(len(partition.registry), np.bool_)
        self._number = 0
        self._last = 0.0
        self._held: object = None  # the overrides that were told last
        self._under_way: set[asyncio.Task[None]] = set()

    def changed(self, signals: npt.ArrayLike) -> None:
        """Note signals, by number or as a mask."""
        self._changed[np.asarray(signals)] = True

    def fit(self, signals: int) -> None:
        """Know so many signals; numbers are only ever added."""
        fitted = np.ones(signals, np.bool_)
        fitted[: min(signals, len(self._changed))] = self._changed[:signals]
        self._changed = fitted

    def tick(self, behind_s: float, facts: int) -> bool:
        """Tell what changed, where it is time for it; tell whether that was so.

        Args:
            behind_s: how far the fold is behind its log [s].
            facts: position of the record.

        """
        now = asyncio.get_running_loop().time()
        if now - self._last < self._spacing_s:
            return False
        self._last = now
        changed = np.flatnonzero(self._changed).astype(np.int32)
        self._changed[changed] = False
        for start in range(0, max(len(changed), 1), CHUNK):
            self._number += 1
            news = not start and self._news()
            told = encode(self.delta(changed[start : start + CHUNK], behind_s, facts, overrides=news))
            send = asyncio.create_task(self._bus.tell(SUBJECT.format(self._partition.number), told))
            self._under_way.add(send)
            send.add_done_callback(self._under_way.discard)
        return True

    def delta(self, signals: I32, behind_s: float, facts: int, *, overrides: bool = True) -> Delta:
        """Give what to show of some signals, and the overrides where they are asked for."""
        p = self._partition
        return Delta(
            self._number, os.getpid(), p.time, behind_s, facts, p.lanes.shown(signals), p.stale[signals],
            p.overrides.held if overrides else None,
        )  # fmt: skip

    def _news(self) -> bool:
        """Tell whether the overrides are others than were told last."""
        told, self._held = self._held, self._partition.overrides.held
        return told is not self._held
