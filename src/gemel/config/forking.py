"""Going back beside a running twin: ``python -m gemel.config.forking DATA NAME`` makes a fork of a past time.

Also the check that nothing was lost on the way: the log replayed from the oldest kept snapshot is the live state.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from gemel.bus import Bus
from gemel.bus.link import SAMPLES
from gemel.config.apply import applied
from gemel.config.running import running_of
from gemel.config.versions import Versions
from gemel.errors import GemelError, StorageError
from gemel.history import Reader, Series
from gemel.operate.chronicle import Chronicle
from gemel.operate.fork import Fork, Forks, from_history, from_log
from gemel.operate.forking import SUBJECT
from gemel.operate.partition import Partition
from gemel.operate.places import Places
from gemel.operate.replay import differing, replay
from gemel.operate.snapshots import SnapshotFolder
from gemel.operate.stored import StoredRows

log = logging.getLogger(__name__)
CHECK: Final = "verify-replay"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay from the oldest kept snapshot gave.

    Args:
        since, upto: positions of the log that it began after and ended with.
        time: plant time of the live state that it is held against [ns].
        signals: how many there are.
        differs: names of what is not the same, bit for bit; empty where all is.
    """

    since: int
    upto: int
    time: int
    signals: int
    differs: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the replay equals the live state."""
        return not self.differs


@dataclass(frozen=True, slots=True)
class _Beside:
    """What one needs to go back beside a running twin."""

    bus: Bus
    chronicle: Chronicle
    reader: Reader
    kept: SnapshotFolder
    fresh: Partition


@asynccontextmanager
async def _beside(places: Places) -> AsyncIterator[_Beside]:
    versions = Versions(places)
    site = applied(places, versions)
    bus = await Bus.open(running_of(places).bus, "forking")
    chronicle = Chronicle(bus, places.data, wall=site.plant.clock == "wall")
    reader = await asyncio.to_thread(Reader, places.lake)
    fresh = versions.fresh(site)
    series = Series(reader, fresh)
    fresh.stored = StoredRows(series)
    try:
        yield _Beside(bus, chronicle, reader, SnapshotFolder(places.snapshots / "0", own=False), fresh)
    finally:
        chronicle.close()
        reader.close()
        await bus.close()


async def make(places: Places, name: str) -> Fork:
    """Make the fork that was begun under a name: from the log where it reaches back so far, else from history."""
    forks = Forks(places.forks)
    fork = forks.made_by(forks.get(name), os.getpid())
    try:
        async with _beside(places) as b:
            await b.bus.ask("twin.ask", {"do": "flush"}, timeout_s=30)  # what waits in memory is in the lake then
            snapshot = await from_log(b.bus, b.chronicle, b.fresh, b.kept, fork.at, Series(b.reader, b.fresh).existing)
            origin = "lake" if snapshot is None else "log"
            if snapshot is None:
                snapshot = await from_history(b.chronicle, b.fresh, b.reader, fork.at)
            return forks.end(fork, snapshot, origin)
    except GemelError as e:
        return forks.fail(fork, str(e))


async def verify_replay(places: Places) -> Replayed:
    """Replay the log from the oldest kept snapshot up to now, and hold it against the live state, bit for bit.

    The twin must be running and goes on meanwhile; raises StorageError where there is no snapshot yet, ConfigError where
    nothing runs.
    """
    forks = Forks(places.forks)
    async with _beside(places) as b:
        first, _, _ = await b.bus.bounds(SAMPLES.format(b.fresh.number))
        oldest = b.kept.oldest(since=first - 1)
        if oldest is None:
            raise StorageError(
                "there is no snapshot yet", code="no-snapshot", remedy="one is kept each 30 s: try again then"
            )
        forks.begin(CHECK, "gemel", "replay against live", 0)
        try:
            msgspec.json.decode(await b.bus.ask(SUBJECT, {"name": CHECK}, timeout_s=60))
            live = await asyncio.to_thread(forks.load, CHECK)
        finally:
            forks.delete(CHECK)
        await b.bus.ask("twin.ask", {"do": "flush"}, timeout_s=30)
        again = await replay(b.bus, b.chronicle, b.fresh, oldest, live.sequence, Series(b.reader, b.fresh).existing)
        found = differing(again.snapshot(), live)
        return Replayed(oldest.sequence, live.sequence, live.time, len(np.atleast_1d(again.stale)), tuple(found))


def main(argv: list[str]) -> int:
    """Make one fork."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    fork = asyncio.run(make(Places(Path(argv[0])), argv[1]))
    if fork.state != "ready":
        log.error("the fork %s failed: %s", fork.name, fork.problem)
    return 0 if fork.state == "ready" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
