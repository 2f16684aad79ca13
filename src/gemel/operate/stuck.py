"""Tell a log's server that is stuck from one that has much to do.

After a write that failed (a full disk) nats-server takes nothing more into that stream, also when there is room again,
until it is started anew. On a disk that others use, a flood may leave appends unanswered for as long; to end the server
then would make it worse. What tells them apart: a stuck one writes nothing.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

MUTE_S: Final = 6.0  # a server that is reached, answers no append and writes nothing for so long is stuck …
SLOW_S: Final = 30.0  # … and one that writes, but leaves one stream's appends unanswered for so long
SPACING_S: Final = 30.0  # it is not started again more often than this …
ROOM: Final = 64 << 20  # … and only where its disk has so many bytes


class Silence:
    """What the processes of a family say of their log's server, and what it writes meanwhile.

    Args:
        store: folder of the server's streams.
        clock: seconds that only grow.
    """

    def __init__(self, store: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._told: dict[str, float] = {}
        self._written = 0
        self._grew = self._started = -SPACING_S

    def started(self) -> None:
        """Note that the server was started anew."""
        self._told.clear()
        self._started = self._clock()

    def told(self, process: str, mute_s: float) -> None:
        """Note for how long a process has waited for its appends [s]; 0 where they are answered."""
        self._told[process] = mute_s
        if mute_s > 0 and (written := self._newest()) != self._written:
            self._written, self._grew = written, self._clock()

    def stuck(self) -> bool:
        """Tell whether the server must be started again."""
        now, mute_s = self._clock(), max(self._told.values(), default=0.0)
        if mute_s < MUTE_S or now - self._started < SPACING_S:
            return False
        return (mute_s >= SLOW_S or now - self._grew >= MUTE_S) and self._has_room()

    def _newest(self) -> int:
        """Give when a block of any stream was last written, by the file system's clock [ns]."""
        return max((block.stat().st_mtime_ns for block in self._store.glob("jetstream/*/streams/*/msgs/*.blk")), default=0)

    def _has_room(self) -> bool:
        disk = os.statvfs(self._store)
        return disk.f_bavail * disk.f_frsize > ROOM
