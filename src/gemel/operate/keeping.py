"""Keeps snapshots of a partition, and gives the log back behind them."""

import asyncio
import logging
import time
from typing import Final

from gemel.bus import Bus
from gemel.bus.link import SAMPLES
from gemel.errors import StorageError
from gemel.operate.commits import Commits
from gemel.operate.outbox import Outbox
from gemel.operate.partition import Partition
from gemel.operate.snapshots import SnapshotFolder

log = logging.getLogger(__name__)
SNAPSHOT_S: Final = 30.0
SNAPSHOT_SHARE: Final = 20  # a snapshot of many signals takes seconds: not more often than so many times that


class Keeping:
    """Saves the state from time to time.

    Args:
        partition: whose state it is.
        folder: where snapshots are kept.
        commits: rows up to a snapshot's position are in the lake before it is there.
        outbox: facts are recorded before it is there.

    """

    def __init__(self, partition: Partition, folder: SnapshotFolder, commits: Commits, outbox: Outbox) -> None:
        self._partition = partition
        self._folder = folder
        self._commits = commits
        self._outbox = outbox
        self._saved = time.monotonic()
        self.problem = ""

    def age_s(self) -> float:
        """Give since when there is no newer snapshot [s], counted from the start of this process at most."""
        return time.monotonic() - self._saved

    async def save(self) -> None:
        """Keep a snapshot: rows up to its position are stored before it is there, facts recorded before."""
        sequence = self._partition.position
        saving = self._folder.begin(sequence, self._partition.snapshot)
        try:
            await self._commits.store(sequence)
            async with asyncio.timeout(2):
                await self._outbox.flush()
        except BaseException:
            saving.discard()
            raise
        await asyncio.to_thread(self._folder.keep, saving)
        self._saved = time.monotonic()

    async def run(self, bus: Bus, max_log_bytes: int) -> None:
        """Save, and trim the log, until cancelled."""
        took = 0.0
        while True:
            await asyncio.sleep(max(SNAPSHOT_S, took * SNAPSHOT_SHARE))
            began = time.monotonic()
            try:
                await self.save()
                took = time.monotonic() - began
                await self._trim(bus, max_log_bytes)
                self.problem = ""
            except (StorageError, OSError, TimeoutError) as e:
                self.problem = f"no snapshot: {e or type(e).__name__}"
                log.error("no snapshot: %s", e)

    async def _trim(self, bus: Bus, max_log_bytes: int) -> None:
        """Give back the log behind the lake's progress and the oldest kept snapshot; sooner where it is half full."""
        stream = SAMPLES.format(self._partition.number)
        _, _, size = await bus.bounds(stream)
        keep = self._folder.oldest_position()
        if size > max_log_bytes // 2:
            keep = self._folder.oldest_needed()
        await bus.trim(stream, min(keep, self._commits.stored) + 1)
