"""Making forks while the twin runs: of now by the twin itself, of a past time by a process of its own.

A replay may take minutes of a core: neither the fold nor whoever answers people can spare them.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from gemel.bus import Bus
from gemel.bus.server import die_with_parent
from gemel.errors import GemelError
from gemel.operate.fold import Owner
from gemel.operate.fork import Fork, Forks

SUBJECT: Final = "twin.fork"
MAKER: Final = "gemel.config.forking"  # the program that makes a fork of a past time
WAIT_S: Final = 10.0  # for one that is soon made; a longer one is looked at later


class ForkNow:
    """In the twin's process: keeps the state as it stands."""

    def __init__(self, owner: Owner, forks: Forks) -> None:
        self._owner = owner
        self._forks = forks

    async def answer(self, body: dict[str, Any]) -> bytes:
        """Keep the state under a name that was taken already."""
        fork = self._forks.get(body["name"])
        snapshot = self._owner.partition.snapshot()
        done = await asyncio.to_thread(self._forks.end, fork, snapshot, "live")
        return msgspec.json.encode(done)


class Forking:
    """Where people ask: makes forks and says what became of them.

    Args:
        bus: where the twin is.
        data: the data directory.
    """

    def __init__(self, bus: Bus, data: Path) -> None:
        self._bus = bus
        self._data = data
        self.kept = Forks(data / "forks")
        self._making: set[asyncio.Task[int]] = set()

    async def now(self, name: str, by: str, why: str, plant_time: int) -> Fork:
        """Fork the state as it stands; raises as `Forks.begin` does, and StorageError where the twin is away."""
        self.kept.begin(name, by, why, plant_time)
        try:
            done = await self._bus.ask(SUBJECT, {"name": name}, timeout_s=60)
        except GemelError:
            self.kept.delete(name)
            raise
        return msgspec.json.decode(done, type=Fork)

    async def then(self, name: str, by: str, why: str, at: int) -> Fork:
        """Fork a past time [ns]; what takes longer than some seconds is given as ``making``."""
        self.kept.begin(name, by, why, at)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", MAKER, str(self._data), name, stdin=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with_parent(),
        )  # fmt: skip
        waiting = asyncio.create_task(child.wait())
        self._making.add(waiting)
        waiting.add_done_callback(self._making.discard)
        await asyncio.wait([waiting], timeout=WAIT_S)
        return self.kept.get(name)
