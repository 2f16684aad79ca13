"""The twin's loop: read the log, condition and fold, tick, commit to the lake, keep snapshots, trim the log.

    log ─► partition (pure) ─► tail ─► lake          rows
                            ─► record                facts
                            ─► live.<p>              what changed, ten times a second

Killed at any moment it goes on from the newest snapshot; the lake's `progress` says which rows are there already,
the record's ids which facts.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel import __version__
from gemel.bus import Bus, FrameHeader, Message, StreamReader, decode_frame, encode_tick
from gemel.bus.link import SAMPLES
from gemel.errors import ConflictError, StorageError
from gemel.history import Store, Terms
from gemel.operate.commits import Commits
from gemel.operate.damaged import Damaged, lost
from gemel.operate.delta import Delta
from gemel.operate.gaps import Gaps
from gemel.operate.keeping import Keeping
from gemel.operate.measures import Told
from gemel.operate.outbox import Outbox
from gemel.operate.partition import Effects, Lookup, Partition
from gemel.operate.snapshots import SnapshotFolder
from gemel.operate.telling import Telling
from gemel.operate.tidy import EAGER, IDLE_S, SHARE, Keep, Tidy
from gemel.operate.tracing import Arrivals
from gemel.operate.waits import Waits
from gemel.samples import Batch, Clock, Draft
from gemel.samples.batch import I32
from gemel.samples.clock import SECOND
from gemel.twin.record import Record

log = logging.getLogger(__name__)
TICK_S: Final = 0.1
MOST_TAIL: Final = 6_000_000  # rows; above it the fold waits for the lake, and the log takes what comes
FOLD_ROWS: Final = 131_072
KEEPS_UP_S: Final = 0.5  # behind its log the fold is not in need of what the tidying takes


class Owner:
    """Owns one partition: the only one that folds it and the only writer of its rows."""

    def __init__(
        self, bus: Bus, partition: Partition, store: Store, record: Record, clock: Clock, folder: SnapshotFolder,
        lookup: Lookup, classes: npt.ArrayLike, retention: Mapping[str, float], max_log_bytes: int,
        rollups: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:  # fmt: skip
        self.bus = bus
        self.partition = partition
        self._commits = Commits(store, partition.number, np.asarray(classes), lambda: (partition.position, partition.time))
        self._commits.on_stored = self._on_stored
        self.tail = self._commits.tail
        self.record = record
        self._store = store
        self._clock = clock
        self._folder = folder
        self._lookup = lookup
        self._retention = retention
        self._rollups = dict(rollups or {})
        self._tidy = Tidy(store)
        self._damaged = Damaged()
        self._stream = SAMPLES.format(partition.number)
        self._max_log_bytes = max_log_bytes
        self._producer = f"twin-{time.time_ns():x}"
        self._gaps = Gaps(partition, folder.path, clock, self._tell)
        self._ticks = 0
        self._outbox = Outbox(record)
        self._telling = Telling(bus, partition, TICK_S * 0.8)
        self._version = partition.version
        self.on_plant: Callable[[], None] = _nothing
        self.look_ahead: Callable[[Batch], None] = _no_history  # reads what `lookup` will be asked, in a thread
        self._read_at = time.monotonic()
        self.waits = Waits()
        self._moved = asyncio.Event()  # set and cleared at once whenever the state has moved on
        self.broken = 0
        self.behind_s = 0.0
        self._problems: dict[str, str] = {}
        self.arrivals = Arrivals()
        self._keeping = Keeping(partition, folder, self._commits, self._outbox)

    @property
    def max_log_bytes(self) -> int:
        """Size at which the log refuses [bytes]."""
        return self._max_log_bytes

    async def log_bounds(self) -> tuple[int, int, int]:
        """Give first and last position of the log and its size [bytes]."""
        return await self.bus.bounds(self._stream)

    def put(self, draft: Draft) -> None:
        """Have something recorded."""
        self._outbox.put(draft)

    def behind_now_s(self) -> float:
        """Give how far the fold is behind its log [s]; it grows while the fold waits for the lake."""
        return self.behind_s + (time.monotonic() - self._read_at if self.tail.rows > MOST_TAIL else 0.0)

    def commit_age_s(self) -> float:
        """Give for how long rows have waited to be stored in the lake [s]."""
        return self._commits.age_s()

    def _on_stored(self, position: int) -> None:
        self.arrivals.stored(position)

    def snapshot_age_s(self) -> float:
        """Give since when there is no newer snapshot [s], counted from the start of this process at most."""
        return self._keeping.age_s()

    def measures(self) -> Told:
        """Give the measures of the fold."""
        p50_ms, p99_ms = self.waits.p50_p99_ms()
        return {
            "log_limit_bytes": self._max_log_bytes, "fold_position": self.partition.position, "tail_rows": self.tail.rows,
            "facts_waiting": len(self._outbox.waiting), "frames_broken_total": self.broken,
            "commit_age_seconds": self.commit_age_s(), "commit_seconds": self._commits.took_s,
            "committed_rows_total": self._commits.rows, "snapshot_age_seconds": self.snapshot_age_s(),
            "wire_to_state_seconds": {"0.5": p50_ms / 1000, "0.99": p99_ms / 1000}, **lost(self._store.holes),
        }  # fmt: skip

    @property
    def problems(self) -> dict[str, str]:
        """What does not go as it must, by what it is about."""
        told = {"record": self._outbox.problem, "lake": self._commits.problem, "snapshot": self._keeping.problem}
        return {**self._problems, **{about: words for about, words in told.items() if words}}

    async def start(self) -> None:
        """Load the newest snapshot, and take the lake over from whoever had it."""
        number = self.partition.number
        await self.bus.ensure_stream(self._stream, f"samples.{number}", self._max_log_bytes)
        await self._commits.take_over()
        first, _, _ = await self.bus.bounds(self._stream)
        self._restore(max(self._commits.stored, first - 1))
        self._follow_plant()
        first, last, _ = await self.bus.bounds(self._stream)
        if (anew := self._gaps.check(first, last, self._commits.stored)) is not None:
            await self.bus.trim(self._stream, anew)
        self._gaps.begin()
        self._reader = StreamReader(self.bus, self._stream, self.partition.position)
        self._clock.observe(self.partition.newest)
        self._clock.resume(self.partition.time)

    def _restore(self, upto: int) -> None:
        """Go on from the newest snapshot that this version understands; without one, from the log alone.

        None beyond `upto`, where the lake's rows end or the log begins: a lake that was put back from a backup, or
        lost its last commits with the power, lacks rows that the log still holds.
        """
        for snapshot in self._folder.sound():
            if snapshot.sequence > upto:
                body = {"position": snapshot.sequence, "why": f"the lake ends at {self._commits.stored}"}
                self._tell("SnapshotSkipped", f"snapshot-ahead-{snapshot.sequence}-{self._commits.stored}", body)
                continue
            try:
                self.partition.restore(snapshot)
            except Exception as e:  # whatever another version wrote must not keep the twin from starting
                log.exception("the snapshot at %d is not understood", snapshot.sequence)
                body = {"position": snapshot.sequence, "why": f"{type(e).__name__}: {e}"}
                self._tell("SnapshotSkipped", f"snapshot-skipped-{snapshot.sequence}-{__version__}", body)
            else:
                return

    async def run(self) -> None:
        """Run all loops until cancelled; then store what is folded."""
        try:
            async with asyncio.TaskGroup() as group:
                for loop in (
                    self._read,
                    self._tick,
                    self._outbox.run,
                    self._commits.run,
                    lambda: self._keeping.run(self.bus, self._max_log_bytes),
                    self._tend,
                ):
                    group.create_task(loop())
        finally:
            with contextlib.suppress(StorageError, TimeoutError):
                await asyncio.wait_for(self.save(), 3)

    async def _read(self) -> None:
        while True:
            if self.tail.rows > MOST_TAIL:
                self._commits.due.set()
                await asyncio.sleep(0.02)
                continue
            self._read_at = time.monotonic()
            if messages := await self._reader.take(0.5):
                self.behind_s = max((time.time_ns() - messages[0].stored) / SECOND, 0.0)
                self._digest(messages)
                self._moved.set()
                self._moved.clear()
            if self._gaps.to_put_back:
                await self._put_back()
            await asyncio.sleep(0)

    async def _put_back(self) -> None:
        try:
            await self._gaps.put_back(self.bus, self._store.path)
        except StorageError as e:
            self._problems["log"] = str(e)

    def _digest(self, messages: Sequence[Message]) -> None:
        pending: list[tuple[Batch, int]] = []
        rows = 0
        for message in messages:
            self._gaps.follow(message, self._commits.stored)
            try:
                frame = decode_frame(message.data)
                found = self.partition.rows_of(frame) if frame.header.kind != "tick" else None
            except StorageError as e:
                self._fold(pending, message.sequence - 1)  # or what stands before it is stepped over too
                pending, rows = [], 0
                self._broken(message, str(e))
                continue
            if found is None:
                self._fold(pending, message.sequence - 1)
                pending, rows = [], 0
                facts = self.record.between(self.partition.facts, frame.header.facts)
                self._effect(self.partition.tick(frame.header, message.sequence, facts), message.sequence)
                self._follow_plant()
                self._after_tick()
                self._gaps.note()
                continue
            if frame.header.stored:
                self._fold(pending, message.sequence - 1)
                pending, rows = [], 0
                came = np.full(len(found), self.partition.origin(frame.header, message.sequence) if len(found) else 0)
                self._effect(self.partition.fold_stored(found, message.sequence, came), message.sequence)
                continue
            if len(found):
                pending.append((found, self.partition.origin(frame.header, message.sequence)))
            self.arrivals.read(frame.header, message.sequence)
            rows += len(found)
            if len(found):
                past = bool(found.time.max() <= self.partition.conditioner.watermark)
                self.waits.read(int(found.received[0]), past)
            if rows >= FOLD_ROWS or message.sequence == self._commits.stored:
                self._fold(pending, message.sequence)
                pending, rows = [], 0
        self._fold(pending, messages[-1].sequence)

    def _follow_plant(self) -> None:
        """Fit what is held per signal to the registry in force; signals are only ever added."""
        if self.partition.version == self._version:
            return
        self._version = self.partition.version
        registry = self.partition.registry
        if len(registry) >= len(self._commits.classes):
            self._commits.classes = registry.codes("retention").by_signal()
        self._telling.fit(len(registry))
        self.on_plant()

    def keep_for(
        self, retention: Mapping[str, float], rollups: Mapping[str, Mapping[str, float]] | None = None
    ) -> None:
        """Keep history, and its roll-ups, for so long from now on, by class [s]."""
        self._retention, self._rollups = retention, dict(rollups or {})

    def _fold(self, pending: list[tuple[Batch, int]], sequence: int) -> None:
        if sequence > self.partition.position:
            batch = Batch.concat(rows for rows, _ in pending)
            came = np.repeat(np.array([o for _, o in pending], np.int64), [len(rows) for rows, _ in pending])
            self._effect(self.partition.fold(batch, sequence, self._lookup, came), sequence)
            self.waits.folded(time.time_ns())
            self.arrivals.folded(sequence)

    def _effect(self, effects: Effects, sequence: int) -> None:
        if len(effects.rows):
            self._telling.changed(effects.rows.signal)
            if sequence > self._commits.stored:
                self._commits.add(sequence, self.partition.changes.stored(effects.rows))
        if effects.turned:
            self._telling.changed(effects.turned)
        for draft in effects.drafts:
            self._outbox.put(draft)
        self._clock.observe(self.partition.newest)

    def _broken(self, message: Message, why: str) -> None:
        self.broken += 1
        self._tell(
            "FrameBroken",
            f"broken-{self.partition.number}-{message.sequence}",
            {"why": why, "stored": message.stored},
            message.sequence,
        )
        self.partition.position = message.sequence

    def _tell(self, kind: str, once: str, body: dict[str, object], sequence: int = 0) -> None:
        cause = f"samples.{self.partition.number}:{sequence}" if sequence else ""
        self._outbox.put(
            Draft(
                id=once,
                kind=kind,
                at=self.partition.time or self._clock.now(),
                actor="gemel",
                body=body,
                cause=cause,
            )
        )

    # ---- the plant's clock

    async def _tick(self) -> None:
        due = asyncio.get_running_loop().time()
        while True:
            due = max(due + TICK_S, asyncio.get_running_loop().time())
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            self._ticks += 1
            header = FrameHeader(
                kind="tick", partition=self.partition.number, producer=self._producer, sequence=self._ticks,
                version=__version__, time=self._clock.now(), facts=self.record.position,
            )  # fmt: skip
            try:
                await self.bus.append(f"samples.{self.partition.number}", encode_tick(header), timeout_s=2)
                self._problems.pop("log", None)
            except (StorageError, ConflictError) as e:
                self._problems["log"] = str(e)

    def _after_tick(self) -> None:
        self._telling.changed(self.partition.turned)
        self._clock.resume(self.partition.time)
        if self._telling.tick(self.behind_s, self.record.position):
            self.arrivals.told()

    def delta(self, signals: I32) -> Delta:
        """Give what to show of some signals, and the overrides."""
        return self._telling.delta(signals, self.behind_s, self.record.position)

    # ---- what lasts

    async def commit(self) -> int:
        """Store all rows folded so far, with the position they reach, in one transaction; give the position."""
        return await self._commits.commit()

    async def save(self) -> None:
        """Keep a snapshot: rows up to its position are stored before it is there, facts recorded before."""
        await self._keeping.save()

    async def _tend(self) -> None:
        """Tidy the history in the background, a little at a time."""
        rest = IDLE_S
        while True:
            await asyncio.sleep(rest)
            rest = await self.tend_quietly()

    async def tend_quietly(self) -> float:
        """Tidy; say where that fails, and leave it for the next time; give how long to rest [s]."""
        try:
            rest = await self.tend()
            self._problems.pop("tidying", None)
        except Exception as e:  # a full disk, a file that is gone: never a reason to stop the fold
            self._problems["tidying"] = f"the history is not tidied: {e}"
            log.exception("the history is not tidied")
            return IDLE_S
        return rest

    async def caught_up(self) -> int:
        """Give the newest source time [ns] of all that is in the log now."""
        _, last, _ = await self.bus.bounds(self._stream)
        await self.folded(last)
        return self.partition.newest

    async def folded(self, upto: int) -> int:
        """Give the position of the log that the state has reached, once it is `upto`."""
        while self.partition.position < upto:
            await self._moved.wait()
        return self.partition.position

    async def reached(self) -> int:
        """Give the plant time [ns] that all in the log now has reached: of ticks, and of receipt."""
        await self.caught_up()
        return max(self.partition.time, int(self.partition.lanes.latest.received.max(initial=0)))

    async def tend(self) -> float:
        """Merge small files, roll up, drop what is past its retention: a turn; give how long to rest [s]."""
        terms = Terms(self.partition.checks.each("stale_after"), self._commits.classes)
        now = self._commits.stored_time if self.tail.rows else self.partition.time  # hours that wait for the lake are not over
        share = EAGER if self.behind_now_s() < KEEPS_UP_S else SHARE
        rest = await self._tidy.turn(now, Keep(terms, self._retention, self._rollups), share)
        for draft in self._damaged.drafts(self._store.holes, self.partition.time or self._clock.now()):
            self._outbox.put(draft)
        return rest


def _nothing() -> None:
    """Nobody asked to hear of it."""


def _no_history(_rows: Batch) -> None:
    """There is nothing to be read."""
