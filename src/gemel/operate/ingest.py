"""The way in: connectors give rows, rows become frames, frames go into the log, and only then is the source told.

A frame is cut after 20 ms or 8,192 rows; what is old waits apart (`backlog`). Each is appended under an id of its own
until the log has it, so a lost acknowledgement stores nothing twice. A full disk or a log that refuses stops the
reading: the source waits.
"""

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from gemel import __version__
from gemel.bus import Bus, FrameHeader, encode_frame
from gemel.connect import Connector, Reading
from gemel.errors import ConnectError, StorageError
from gemel.operate.backlog import MOST, Backlog, FoldRoom, Heard
from gemel.operate.leaps import Leaps
from gemel.operate.measures import Told
from gemel.operate.tracing import Departures
from gemel.samples import Batch, Clock, Registry, plant_clock
from gemel.samples.clock import EARLIEST, LATEST

log = logging.getLogger(__name__)
LINGER_S: Final = 0.02
ROWS: Final = 8192
IN_FLIGHT: Final = 8  # frames on their way to the disk
MOST_WAITING: Final = (
    1_000_000  # rows on their way; a connector's are bounded by its readings, requests by this
)
READINGS: Final = 256  # readings of one connector on their way
PATIENCE_S: Final = 10.0  # with a twin that does not say how far its time is
LEAVE_S: Final = 5.0  # for what a connector has read, before it is left
NO_TIME: Final = np.iinfo(np.int64).min  # a payload without a time of its own: it gets the time of receipt


async def clock_for(bus: Bus, kind: str, patience_s: float = PATIENCE_S) -> Clock:
    """Make the clock that dates receipts; it goes on after all that was ever received.

    What a source sends again after a restart would else look as old as it was the first time, or older where the
    machine's clock was set back meanwhile, and could not be told from it. A clock that follows the data waits for the
    twin to tell it; the wall, which is right nearly always, only for so long [s]: sources must not wait for a twin that
    does not come up.
    """
    word, begun = {"data": "caught_up"}.get(kind, "reached"), time.monotonic()
    while True:
        left = math.inf if kind == "data" else begun + patience_s - time.monotonic()
        if left <= 0:
            log.warning("the twin does not say how far its time is: receipts are dated by the machine's clock alone")
            return plant_clock(kind)
        try:
            reached = int(msgspec.json.decode(await bus.ask("twin.ask", {"do": word}, timeout_s=min(left, 30))))
            return plant_clock(kind, reached + 1 if reached else 0)
        except StorageError:
            await asyncio.sleep(0.1)


class Framer:
    """Cuts frames from the rows of all connectors, and appends them durably, in order of their numbers."""

    def __init__(self, bus: Bus, registry: Registry, clock: Clock, partition: int = 0) -> None:
        self._bus = bus
        self._registry = registry
        self._clock = clock
        self._leaps = Leaps(len(registry))
        self._heard = Heard(len(registry))
        self._room = FoldRoom(bus)
        self.backlog = Backlog(self._append_old, self._room)
        self._partition = partition
        self._producer = f"ingest-{time.time_ns():x}"
        self._sequence = 0
        self._pending: list[tuple[str, Batch]] = []  # by the registry that numbers them
        self._waiting: list[asyncio.Future[None]] = []
        self._rows = 0
        self._under_way = 0
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._flying: set[asyncio.Task[None]] = set()
        self.frames = 0
        self.values = 0
        self.departures = Departures()
        self.refusing = ""  # why the log does not take frames now

    @property
    def waiting(self) -> int:
        """Rows taken and not yet durable, but for those of the past."""
        return self._rows + self._under_way

    async def learn(self) -> None:
        """Ask the twin which readings it has of each signal, so that what is old is known from the first on."""
        await self._room.heard(len(self._registry), self._heard)

    async def add(self, rows: Batch, registry: str = "", *, patient: bool = True) -> None:
        """Wait until these rows are durable in the log; `registry` numbers them, by default the one in force.

        Who is not patient gets a StorageError at once where rows of the past would have to wait long.
        """
        if not len(rows):
            return
        numbered, stamped = registry or self._registry.digest, self._stamped(rows)
        old = self._heard.overtaken(stamped.signal, stamped.time, self._clock.now())
        if not patient and self.backlog.rows >= MOST and old.any():
            raise _refused("more of the past is arriving than the twin takes in beside what is live")
        if not old.any():
            await self._add(stamped, numbered)
        elif old.all():
            await self.backlog.add(stamped, numbered)
        else:
            live = self._add(stamped.take(~old), numbered)
            await asyncio.gather(live, self.backlog.add(stamped.take(old), numbered))

    async def _add(self, rows: Batch, registry: str) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((registry, rows))
        self._waiting.append(done)
        self._rows += len(rows)
        self._wake.set()
        await done

    def number_by(self, registry: Registry) -> None:
        """Number rows by another registry from now on; those that were added before keep theirs."""
        self._registry, self._leaps = registry, Leaps(len(registry))
        self._heard.fit(len(registry))

    def check(self) -> None:
        """Raise StorageError where more rows would only wait: whoever asks again would fill the memory with them."""
        if self.refusing or self.waiting >= MOST_WAITING:
            raise _refused(self.refusing or "more is arriving than the log takes")

    def _stamped(self, rows: Batch) -> Batch:
        timed = rows.time != NO_TIME
        if timed.any():
            newest = self._leaps.believed(rows.signal[timed], rows.time[timed], self._clock.now())
            if newest is not None:
                self._clock.observe(newest)
        now = self._clock.now()
        return rows.with_columns(
            time=rows.time if timed.all() else np.where(timed, rows.time, now),
            received=np.full(len(rows), now),
        )

    async def run(self) -> None:
        """Cut and send frames until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run())
            group.create_task(self.backlog.run())

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            if self._rows < ROWS:
                await asyncio.sleep(LINGER_S)
            self._wake.clear()
            pending, waiting = self._pending, self._waiting
            self._pending, self._waiting, self._rows = [], [], 0
            await self._slots.acquire()
            task = asyncio.create_task(self._send(pending, waiting))
            self._flying.add(task)
            task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        self._slots.release()

    async def _send(self, pending: list[tuple[str, Batch]], waiting: list[asyncio.Future[None]]) -> None:
        count = sum(len(rows) for _, rows in pending)
        self._under_way += count
        try:
            for registry, run in groupby(pending, key=itemgetter(0)):
                await self._send_rows(Batch.concat(rows for _, rows in run), registry)
        except Exception as e:  # whoever waits must hear of it: a source would stand still without a word
            for done in waiting:
                if not done.done():
                    done.set_exception(e)
            return
        finally:
            self._under_way -= count
        for done in waiting:
            if not done.done():
                done.set_result(None)

    async def _send_rows(self, rows: Batch, registry: str) -> None:
        for start in range(0, len(rows), ROWS * 8):
            await self._send_frame(rows[start : start + ROWS * 8], registry)

    async def _append_old(self, registry: str, rows: Batch) -> int:
        """Append a frame of the past, received when it is: what is known by then is what the log says by then."""
        return await self._send_frame(rows.with_columns(received=np.full(len(rows), self._clock.now())), registry)

    async def _send_frame(self, rows: Batch, registry: str) -> int:
        self._sequence += 1
        traced = self.departures.begin(len(rows), int(rows.received.min()))
        header = FrameHeader(
            kind="samples", partition=self._partition, producer=self._producer, sequence=self._sequence,
            version=__version__, registry=registry, trace=traced.traceparent if traced else "",
        )  # fmt: skip
        position = await self._append(encode_frame(header, rows), f"{self._producer}-{self._sequence}")
        if traced:
            traced.landed()
        self.frames += 1
        self.values += len(rows)
        return position

    async def _append(self, data: bytes, once: str) -> int:
        while True:
            try:
                position = await self._bus.append(f"samples.{self._partition}", data, once=once)
            except StorageError as e:
                self.refusing = e.message
                await asyncio.sleep(0.1)
            else:
                self.refusing = ""
                return position


class DiskGuard:
    """Stops the reading while the disk is nearly full: the log must never be the one that fills it."""

    def __init__(self, data: Path, reserve_bytes: int) -> None:
        self._data = data
        self._reserve = reserve_bytes
        self.open = asyncio.Event()
        self.open.set()
        self.free = 0
        self.limit = 0

    def look(self) -> None:
        """Measure, and open or shut."""
        disk = os.statvfs(self._data)
        self.free = disk.f_bavail * disk.f_frsize
        self.limit = limit = min(self._reserve, disk.f_blocks * disk.f_frsize // 10)
        if self.free < limit:
            self.open.clear()
        elif self.free > limit * 1.1:
            self.open.set()

    async def run(self) -> None:
        """Look each half second until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(0.5)


class Ingest:
    """Runs the connectors of a plant."""

    def __init__(self, connectors: list[Connector], framer: Framer, guard: DiskGuard) -> None:
        self.connectors = {c.name: c for c in connectors}
        self.framer = framer
        self.guard = guard
        self._group: asyncio.TaskGroup | None = None
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._reads: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Read from all connectors until cancelled, then close them."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self.framer.run())
                group.create_task(self.guard.run())
                for connector in self.connectors.values():
                    self._start(connector)
        finally:
            await asyncio.gather(*(c.close() for c in self.connectors.values()), return_exceptions=True)

    def measures(self) -> Told:
        """Give the measures of the way in."""
        found: Told = {
            "frames_total": self.framer.frames, "values_total": self.framer.values, "rows_waiting": self.framer.waiting,
            "past_rows_waiting": self.framer.backlog.rows, "disk_free_bytes": self.guard.free, "disk_reserve_bytes": self.guard.limit,
        }  # fmt: skip
        statuses = [c.status() for c in self.connectors.values()]
        for measure in ("messages", "values", "reconnects"):
            found[f"connection_{measure}_total"] = {s.name: float(getattr(s, measure)) for s in statuses}
        found["connection_waiting"] = {s.name: float(s.waiting) for s in statuses}
        found["connection_unacknowledged"] = {s.name: float(s.unacknowledged) for s in statuses}
        found["connection_refused_total"] = {s.name: float(sum(s.refused.values())) for s in statuses}
        found["connection_up"] = {s.name: float(s.state == "connected") for s in statuses if s.state != "closed"}
        return found

    async def exchange(self, connectors: Sequence[Connector]) -> None:
        """Read from these connectors from now on: those that stay are not touched, others are left in order.

        What one that goes has read is stored and acknowledged first; its source keeps the rest.
        """
        wanted = {c.name: c for c in connectors}
        gone = [c for name, c in self.connectors.items() if wanted.get(name) is not c]
        for connector in gone:
            if (reading := self._reads.pop(connector.name, None)) is not None:
                reading.cancel()
                await asyncio.wait([self._pumps.pop(connector.name)], timeout=LEAVE_S)
            await connector.close()
        fresh = [c for name, c in wanted.items() if self.connectors.get(name) is not c]
        self.connectors = wanted
        for connector in fresh:
            self._start(connector)

    def _start(self, connector: Connector) -> None:
        if self._group is not None:
            self._pumps[connector.name] = self._group.create_task(self._pump(connector))

    async def _pump(self, connector: Connector) -> None:
        await connector.open()
        async with asyncio.TaskGroup() as group:
            self._reads[connector.name] = group.create_task(self._read(connector, group))

    async def _read(self, connector: Connector, group: asyncio.TaskGroup) -> None:
        slots = asyncio.Semaphore(READINGS)
        while True:
            await self.guard.open.wait()
            reading = await connector.read()
            await slots.acquire()
            group.create_task(self._store(connector, reading, slots.release))

    async def _store(self, connector: Connector, reading: Reading, release: Callable[[], None]) -> None:
        try:
            await self.framer.add(reading.rows, reading.registry)
            await connector.acknowledge(reading.receipt)
        except ConnectError as e:  # the source is gone and will send it again
            log.info("%s: an acknowledgement was not delivered: %s", connector.name, e)
        finally:
            release()


def _refused(why: str) -> StorageError:
    return StorageError(why, code="log-refused", remedy="nothing of this request is stored; try again in some seconds")


def believable(time_ns: int) -> bool:
    """Tell whether a time can be a reading's at all."""
    return EARLIEST <= time_ns <= LATEST
