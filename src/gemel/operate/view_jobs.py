"""Jobs as serve sees them: asked for here, worked on by *reason*."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from gemel.assets import Plant
from gemel.bus import Bus
from gemel.bus.work import WorkQueue
from gemel.errors import GemelError
from gemel.history import Reader
from gemel.operate import whatif
from gemel.operate.ahead import AHEAD, MOST_BYTES
from gemel.operate.estimates_declared import TOGETHER
from gemel.operate.family import WANTED
from gemel.operate.jobs import Job, Jobs
from gemel.operate.joining import members
from gemel.operate.reasoning import CANCEL, HERE, PROGRESS
from gemel.twin.releases import Releases

PATIENCE_S: Final = 1.0  # with who estimates; a what-if is answered without
STARTING_S: Final = 60.0  # a process that works on jobs is there by then, or nobody waits any more


class JobsView:
    """Asks for jobs, follows and stops them.

    Args:
        bus: where the queue is.
        folder: where jobs are kept.
    """

    def __init__(self, bus: Bus, folder: Path) -> None:
        self._bus = bus
        self.kept = Jobs(folder)
        self._progress: dict[str, tuple[float, float]] = {}
        self._listening = False
        self._ahead: tuple[float, bytes] = (-math.inf, b"")  # when it was asked, and what will be

    @cached_property
    def _queue(self) -> WorkQueue:
        return WorkQueue(self._bus)

    async def ask(self, kind: str, spec: dict[str, Any], title: str, by: str) -> Job:
        """Ask for a job; the same asked again is the same. Raises RefusedError, StorageError."""
        await self.warm()
        asked, new = await asyncio.to_thread(self.kept.ask, kind, spec, title, by)
        if new:
            await self._queue.ensure()
            await self._queue.put(asked.id.encode())
        return await self.get(asked.id)

    async def warm(self) -> None:
        """Have a process that works on jobs started, where none runs."""
        await self._listen()
        await self._bus.tell(WANTED, b"reason")

    async def ahead(self, spec: Mapping[str, Any]) -> None:
        """Have what a what-if will need made ready, by a process that is started where none runs."""
        data = msgspec.json.encode(spec)
        await self.warm()
        if len(data) <= MOST_BYTES:
            self._ahead = time.monotonic(), data
            await self._bus.tell(AHEAD, data)

    async def get(self, name: str) -> Job:
        """Give a job and how far it is; raises NotFoundError."""
        await self._listen()
        return self._far(await asyncio.to_thread(self.kept.get, name))

    async def listed(self, kind: str) -> list[Job]:
        """Give the jobs of a kind without their results, the newest first."""
        return [self._far(job) for job in await asyncio.to_thread(self.kept.listed, kind)]

    async def cancel(self, name: str) -> Job:
        """Stop a job, or give one up that has ended; raises NotFoundError."""
        job = await asyncio.to_thread(self.kept.cancel, name)
        await self._bus.tell(CANCEL, name.encode())
        return job

    def _far(self, job: Job) -> Job:
        if job.state != "running" or job.asked.id not in self._progress:
            return job
        return msgspec.structs.replace(job, progress=self._progress[job.asked.id][0])

    async def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            await self._bus.hear(PROGRESS, self._on_progress)

    async def _on_progress(self, data: bytes) -> None:
        told = msgspec.json.decode(data)
        if told["id"] == HERE:
            await self._ask_again()
            return
        self._progress = {n: p for n, p in self._progress.items() if time.monotonic() - p[1] < 60}
        self._progress[told["id"]] = (float(told["progress"]), time.monotonic())

    async def _ask_again(self) -> None:
        """Tell who has just begun to listen what was asked for while nobody did."""
        asked, data = self._ahead
        if time.monotonic() - asked < STARTING_S:
            await self._bus.tell(AHEAD, data)


class ReasonedView:
    """The part of `View` that reasons."""

    bus: Bus
    plant: Plant
    _reader: Reader

    @cached_property
    def jobs(self) -> JobsView:
        """Long work, kept beside the history."""
        return JobsView(self.bus, self._reader.path.parent / "jobs")

    async def whatif_assets(self, asset: str) -> list[str]:
        """Give the assets that a what-if is about."""
        return await asyncio.to_thread(members, self.plant, asset)

    async def whatif_begin(
        self, asset: str, shown: Mapping[str, tuple[float, str, float, str]], releases: Releases, at: int,
        estimated: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:  # fmt: skip
        """Give where a what-if about an asset begins, from what it shows and what was released by then."""
        return await asyncio.to_thread(whatif.begin, self.plant, asset, shown, releases, at, estimated)

    async def whatif_together(self, assets: Sequence[str]) -> list[dict[str, Any]]:
        """Give how what is estimated of assets goes together now, by who estimates; nothing where nobody does."""
        try:
            told = await self.bus.ask(TOGETHER, {"assets": list(assets)}, timeout_s=PATIENCE_S)
        except GemelError:
            return []
        found: list[dict[str, Any]] = msgspec.json.decode(told)
        return found

    async def whatif_spec(
        self, begun: Mapping[str, Any], question: Mapping[str, Any], at: str
    ) -> dict[str, Any]:
        """Give all that the result of a what-if follows from."""
        return await asyncio.to_thread(whatif.spec, begun, question, at, self.plant)
