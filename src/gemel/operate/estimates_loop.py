"""The loop of the estimates in the process *reason*: reads the log, has estimates taken into it, keeps snapshots.

    log ─► estimator (pure) ─► ingest ─► log

Killed at any moment it goes on from its newest snapshot: what it makes again, and finds in the log, it does not send.
Nobody waits for it; where it is gone, estimates become stale, and nothing else changes.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from gemel.bus import Bus, Message, StreamReader, decode_frame
from gemel.bus.link import SAMPLES
from gemel.errors import GemelError, StorageError
from gemel.operate.estimates_in import SUBJECT
from gemel.operate.estimator import Estimator, Told
from gemel.operate.rehearsing import Rehearsing
from gemel.operate.releases_out import SUBJECT as RELEASED
from gemel.operate.releases_out import heard
from gemel.operate.residual_turns import Turn, packed
from gemel.operate.residuals_in import SUBJECT as TURNS
from gemel.operate.snapshots import SnapshotFolder
from gemel.samples import Fact
from gemel.samples.clock import SECOND

log = logging.getLogger(__name__)
SNAPSHOT_S: Final = 20.0
AWAY_S: Final = 0.3  # until what is not taken is offered again
MOST: Final = 10_000  # frames that wait to be taken; older ones are given up then
WAIT_S: Final = 0.5

Make = Callable[[int], Estimator]
"""Gives the estimator of the plant in force, its life beginning at a position of the log."""


class EstimatesLoop:
    """Estimates for as long as it runs.

    Args:
        bus: the way to the log.
        folder: where snapshots are kept.
        make: gives an estimator.
        since: position of the log to begin at where there is no snapshot; None: its end.
    """

    def __init__(self, bus: Bus, folder: SnapshotFolder, make: Make, since: int | None = None) -> None:
        self._bus, self._folder, self._make, self._since = bus, folder, make, since
        self._waiting: deque[Told] = deque()
        self._turns: deque[Turn] = deque()
        self._saved = 0.0
        self._released: list[Fact] = []  # all that released parameters, or took a release back …
        self._upto = 0  # … up to this position of the record
        self.estimator: Estimator | None = None
        self.behind_s = 0.0
        self.told = 0  # frames that the log took
        self.problem = ""

    async def run(self) -> None:
        """Follow the log until cancelled; then keep a snapshot."""
        stream = SAMPLES.format(0)
        while True:
            reader: StreamReader | None = None
            try:
                first, last, _ = await self._bus.bounds(stream)
                await self._hear()
                estimator = await asyncio.to_thread(self._begun, first, last)
                self.estimator, self._waiting = estimator, deque()
                self._turns.clear()
                reader = StreamReader(self._bus, stream, estimator.position)
                await self._follow(estimator, reader, last)
            except StorageError as e:  # the log is away, was trimmed behind us, or is another
                self.problem = e.message
                log.warning("estimates wait: %s", e)
                await asyncio.sleep(AWAY_S)
            finally:
                if reader is not None:
                    await reader.close()
                self._save()

    def _begun(self, first: int, last: int) -> Estimator:
        """Give an estimator that goes on from a snapshot where the log still has what follows it, else from `since`, else from now."""
        newest = None
        for snapshot in self._folder.sound():
            fresh, newest = self._fresh(last), newest or snapshot
            if first - 1 <= snapshot.sequence <= last and (fresh.restore(snapshot) or fresh.carry(snapshot)):
                log.info("estimates go on from %d, %d behind", snapshot.sequence, last - snapshot.sequence)
                return fresh
        since, self._since = self._since, None
        begin = since if since is not None and first - 1 <= since <= last else last
        log.info("estimates begin at %d", begin)
        fresh = self._fresh(begin)
        if newest is not None:
            fresh.follow(newest)
        return fresh

    def _fresh(self, position: int) -> Estimator:
        estimator = self._make(position)
        estimator.know(self._released, self._upto)
        return estimator

    async def _hear(self) -> None:
        """Hear what released parameters, up to where the record has grown; raises StorageError where the twin is away."""
        while True:
            news = heard(await self._bus.ask(RELEASED, {"after": self._upto}))
            self._released += news.facts
            grown, self._upto = news.upto > self._upto, max(self._upto, news.upto)
            if not grown or not news.facts:
                return

    async def _heard(self, estimator: Estimator, upto: int) -> None:
        """Wait until all is heard that a tick counts: it must not be taken without."""
        while estimator.known < upto:
            try:
                await self._hear()
            except StorageError as e:
                self.problem = e.message
            estimator.know(self._released, self._upto)
            if estimator.known < upto:
                await asyncio.sleep(AWAY_S)

    async def _follow(self, estimator: Estimator, reader: StreamReader, last: int) -> None:
        rehearsing = Rehearsing()
        while True:
            messages = await reader.take(WAIT_S)
            for message in messages:
                await self._take(estimator, message)
            if messages:
                self.behind_s = max((time.time_ns() - messages[-1].stored) / SECOND, 0.0)
            if estimator.position >= last:
                await self._send()
                await self._tell()
                rehearsing.step(estimator.rehearsals(), estimator.planned)
            if time.monotonic() - self._saved > SNAPSHOT_S:
                await asyncio.to_thread(self._save)

    async def _take(self, estimator: Estimator, message: Message) -> None:
        try:
            frame = decode_frame(message.data)
        except StorageError:
            return  # the twin says so
        if frame.header.producer == estimator.producer:  # what is in the log already need not be sent
            while self._waiting and self._waiting[0].sequence <= frame.header.sequence:
                self._waiting.popleft()
        if frame.header.facts > estimator.known:
            await self._heard(estimator, frame.header.facts)
        work = estimator.take(frame, message.sequence)
        if frame.header.kind == "tick":
            self._waiting.extend(await asyncio.to_thread(list, work))
        else:
            self._waiting.extend(work)
        self._turns.extend(estimator.turns)
        while len(self._waiting) > MOST:
            self._waiting.popleft()

    async def _send(self) -> None:
        """Have what waits taken, in order; what is not taken now is offered again."""
        while self._waiting:
            one = self._waiting[0]
            try:
                await self._bus.ask(SUBJECT, {"frame": one.data})
            except StorageError as e:
                self.problem = e.message
                return
            except GemelError as e:  # refused: offered again it would be refused again
                self.problem = e.message
                log.error("estimates were not taken: %s", e)
            else:
                self.problem = ""
                self.told += 1
            if self._waiting and self._waiting[0] is one:
                self._waiting.popleft()

    async def _tell(self) -> None:
        """Have what residuals did recorded; a fact that is in the record already is known there by its id."""
        while self._turns:
            try:
                await self._bus.ask(TURNS, packed(self._turns[0]))
            except StorageError as e:
                self.problem = e.message
                return
            except GemelError as e:
                self.problem = e.message
                log.error("a residual was not recorded: %s", e)
            self._turns.popleft()

    def _save(self) -> None:
        """Keep a snapshot, unless something waits that the log does not have yet: gone on from there it would be lost."""
        if self.estimator is None or self._waiting or self._turns:
            return
        try:
            self._folder.save(self.estimator.snapshot())
            self._saved = time.monotonic()
        except (StorageError, OSError) as e:
            self.problem = f"no snapshot of the estimates: {e}"
            log.error("%s", self.problem)
