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
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel import __version__
from gemel.bus import Bus, FrameHeader, Message, StreamReader, decode_frame, encode_tick
from gemel.bus.link import SAMPLES
from gemel.errors import ConflictError, StorageError
from gemel.history import Store, Terms
from gemel.operate.damaged import Damaged, lost
from gemel.operate.delta import CHUNK, SUBJECT, Delta, encode
from gemel.operate.measures import Told
from gemel.operate.outbox import Outbox
from gemel.operate.partition import Effects, Lookup, Partition
from gemel.operate.putting_back import frames, lost_rows
from gemel.operate.reached import Mark, Reached
from gemel.operate.snapshots import SnapshotFolder
from gemel.operate.tail import Part, Tail
from gemel.operate.tidy import EAGER, IDLE_S, SHARE, Keep, Tidy
from gemel.operate.tracing import Arrivals
from gemel.samples import Batch, Clock, Draft
from gemel.samples.batch import I32
from gemel.samples.clock import MILLISECOND, SECOND
from gemel.twin.record import Record

log = logging.getLogger(__name__)
TICK_S: Final = 0.1
COMMIT_S: Final = 10.0
COMMIT_ROWS: Final = 1_000_000
MOST_COMMIT: Final = 1_000_000  # rows in one transaction: what a commit needs beside them is six times their size
MOST_TAIL: Final = 6_000_000  # rows; above it the fold waits for the lake, and the log takes what comes
FOLD_ROWS: Final = 131_072
KEEPS_UP_S: Final = 0.5  # behind its log the fold is not in need of what the tidying takes
SNAPSHOT_S: Final = 30.0
SNAPSHOT_SHARE: Final = 20  # a snapshot of many signals takes seconds: not more often than so many times that
IDLE_PROGRESS: Final = 5_000  # positions; an idle plant's ticks need no commit each ten seconds


class Owner:
    """Owns one partition: the only one that folds it and the only writer of its rows."""

    def __init__(
        self, bus: Bus, partition: Partition, store: Store, record: Record, clock: Clock, folder: SnapshotFolder,
        lookup: Lookup, classes: npt.ArrayLike, retention: Mapping[str, float], max_log_bytes: int,
        rollups: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:  # fmt: skip
        self.bus = bus
        self.partition = partition
        self.tail = Tail()
        self.record = record
        self._store = store
        self._clock = clock
        self._folder = folder
        self._lookup = lookup
        self._classes = np.asarray(classes)
        self._retention = retention
        self._rollups = dict(rollups or {})
        self._tidy = Tidy(store)
        self._damaged = Damaged()
        self._stream = SAMPLES.format(partition.number)
        self._max_log_bytes = max_log_bytes
        self._producer = f"twin-{time.time_ns():x}"
        self._seen = Mark(partition.position, 0)  # the last message that was read
        self._reached = Reached(folder.path)
        self._once_reached = Mark(0, 0)  # how far the log went when it was read before
        self._lost_since: int | None = None  # newest receipt [ns] before a hole whose rows the lake has
        self._ticks = 0
        self._deltas = 0
        self._epoch = 0
        self._stored = 0  # position up to which rows are in the lake
        self._stored_time = 0  # the plant's time when that was reached
        self._outbox = Outbox(record)
        self._dirty = np.ones(len(partition.registry), np.bool_)
        self._version = partition.version
        self.on_plant: Callable[[], None] = _nothing
        self._ticked = 0.0
        self._sending: set[asyncio.Task[None]] = set()
        self._read_at = time.monotonic()
        self._commit_now = asyncio.Event()
        self._commit_lock = asyncio.Lock()
        self.waits_ms: deque[float] = deque(maxlen=10_000)  # from receipt to state, the newest frames [ms]
        self._received: list[int] = []
        self.broken = 0
        self.behind_s = 0.0
        self._problems: dict[str, str] = {}
        self.arrivals = Arrivals()
        self._waiting_since = 0.0  # since when rows wait for the lake; 0: none do
        self._saved = time.monotonic()
        self._commit_took = 0.0
        self._committed = 0

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
        return time.monotonic() - self._waiting_since if self._waiting_since else 0.0

    def snapshot_age_s(self) -> float:
        """Give since when there is no newer snapshot [s], counted from the start of this process at most."""
        return time.monotonic() - self._saved

    def measures(self) -> Told:
        """Give the measures of the fold."""
        waits = np.array(self.waits_ms or [0.0])
        p50, p99 = np.percentile(waits, [50, 99]) / 1000
        return {
            "log_limit_bytes": self._max_log_bytes, "fold_position": self.partition.position, "tail_rows": self.tail.rows,
            "facts_waiting": len(self._outbox.waiting), "frames_broken_total": self.broken,
            "commit_age_seconds": self.commit_age_s(), "commit_seconds": self._commit_took,
            "committed_rows_total": self._committed, "snapshot_age_seconds": self.snapshot_age_s(),
            "wire_to_state_seconds": {"0.5": float(p50), "0.99": float(p99)}, **lost(self._store.holes),
        }  # fmt: skip

    @property
    def problems(self) -> dict[str, str]:
        """What does not go as it must, by what it is about."""
        record = {"record": self._outbox.problem} if self._outbox.problem else {}
        return {**self._problems, **record}

    async def start(self) -> None:
        """Load the newest snapshot, and take the lake over from whoever had it."""
        number = self.partition.number
        await self.bus.ensure_stream(self._stream, f"samples.{number}", self._max_log_bytes)
        self._epoch = await asyncio.to_thread(self._store.take_over, number)
        progress = self._store.progress().get(number)
        self._stored = progress.sequence if progress else 0
        first, _, _ = await self.bus.bounds(self._stream)
        self._restore(max(self._stored, first - 1))
        self._follow_plant()
        await self._check_log()
        self._seen = Mark(self.partition.position, 0)
        self._once_reached = self._reached.load()
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
                body = {"position": snapshot.sequence, "why": f"the lake ends at {self._stored}"}
                self._tell("SnapshotSkipped", f"snapshot-ahead-{snapshot.sequence}-{self._stored}", body)
                continue
            try:
                self.partition.restore(snapshot)
            except Exception as e:  # whatever another version wrote must not keep the twin from starting
                log.exception("the snapshot at %d is not understood", snapshot.sequence)
                body = {"position": snapshot.sequence, "why": f"{type(e).__name__}: {e}"}
                self._tell("SnapshotSkipped", f"snapshot-skipped-{snapshot.sequence}-{__version__}", body)
            else:
                return

    async def _check_log(self) -> None:
        """A log shorter than what was folded (lost, or reset by its server) must not take old positions again."""
        first, last, _ = await self.bus.bounds(self._stream)
        known = max(self.partition.position, self._stored)
        if last < known:
            await self.bus.trim(self._stream, known + 1)
            self._tell("LogLost", f"log-lost-{known}", {"known": known, "last": last, **self._span()})
            self._lacks(self.partition.position)
            self.partition.position = known
        elif first > self.partition.position + 1:
            self._tell(
                "LogHole",
                f"log-hole-{first}",
                {"after": self.partition.position, "first": first, **self._span()},
            )
            self._lacks(self.partition.position)
            self.partition.position = first - 1

    def _span(self) -> dict[str, int]:
        """Give the time that a hole covers, as far as is known: from the last tick that was folded until now [ns]."""
        return {"from_time": self.partition.time, "to_time": self._clock.now()}

    async def run(self) -> None:
        """Run all loops until cancelled; then store what is folded."""
        try:
            async with asyncio.TaskGroup() as group:
                for loop in (
                    self._read,
                    self._tick,
                    self._outbox.run,
                    self._commit_loop,
                    self._snapshot_loop,
                    self._tend,
                ):
                    group.create_task(loop())
        finally:
            with contextlib.suppress(StorageError, TimeoutError):
                await asyncio.wait_for(self.save(), 3)

    async def _read(self) -> None:
        while True:
            if self.tail.rows > MOST_TAIL:
                self._commit_now.set()
                await asyncio.sleep(0.02)
                continue
            self._read_at = time.monotonic()
            if messages := await self._reader.take(0.5):
                self.behind_s = max((time.time_ns() - messages[0].stored) / SECOND, 0.0)
                self._digest(messages)
            if self._lost_since is not None:
                await self._put_back(self._lost_since)
            await asyncio.sleep(0)

    def _lacks(self, after: int) -> None:
        """Note that messages after a position are gone; what the lake has of them is to be given back to the log."""
        if after < self._stored and self._lost_since is None:
            self._lost_since = int(self.partition.lanes.latest.received.max(initial=0))

    async def _put_back(self, since: int) -> None:
        p = self.partition
        try:
            rows = await asyncio.to_thread(lost_rows, self._store.path, since, len(p.registry))
            for frame in frames(rows, p.registry, p.number, f"lake-{time.time_ns():x}"):
                await self.bus.append(f"samples.{p.number}", frame)
        except (StorageError, ConflictError) as e:
            self._problems["log"] = f"what the log lost is not put back: {e}"
            return
        self._lost_since = None

    def _digest(self, messages: Sequence[Message]) -> None:
        pending: list[tuple[Batch, int]] = []
        rows = 0
        for message in messages:
            self._note_hole(message)
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
                self._reached.note(self._seen)
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
                self._received.append(int(found.received[0]))
            if rows >= FOLD_ROWS or message.sequence == self._stored:
                self._fold(pending, message.sequence)
                pending, rows = [], 0
        self._fold(pending, messages[-1].sequence)

    def _note_hole(self, message: Message) -> None:
        """Say what the log does not have any more, between which moments: its server leaves out what it finds damaged."""
        now = Mark(message.sequence, message.stored)
        if now.sequence > self._seen.sequence + 1:
            self._tell_hole(self._seen, now)
        elif self._once_reached.taken_again_by(now):
            self._tell_hole(self._seen, self._once_reached)
            self._once_reached = Mark(0, 0)
        self._seen = now

    def _tell_hole(self, after: Mark, upto: Mark) -> None:
        self._lacks(after.sequence)
        body: dict[str, object] = {
            "after": after.sequence,
            "upto": upto.sequence,
            "from_time": after.stored or self.partition.time,
            "to_time": upto.stored,
        }
        self._tell("LogHole", f"log-hole-{after.sequence}-{upto.sequence}-{upto.stored}", body)

    def _follow_plant(self) -> None:
        """Fit what is held per signal to the registry in force; signals are only ever added."""
        if self.partition.version == self._version:
            return
        self._version = self.partition.version
        registry = self.partition.registry
        if len(registry) >= len(self._classes):
            self._classes = registry.codes("retention").by_signal()
        self._dirty = _fitted(self._dirty, len(registry), True)
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
            now = time.time_ns()
            self.waits_ms.extend((now - received) / MILLISECOND for received in self._received)
            self._received.clear()
            self.arrivals.folded(sequence)

    def _effect(self, effects: Effects, sequence: int) -> None:
        if len(effects.rows):
            self._dirty[effects.rows.signal] = True
            if sequence > self._stored:
                self.tail.add(sequence, self.partition.changes.stored(effects.rows))
                self._waiting_since = self._waiting_since or time.monotonic()
                if self.tail.rows >= COMMIT_ROWS:
                    self._commit_now.set()
        if effects.turned:
            self._dirty[effects.turned] = True
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
        self._dirty[self.partition.turned] = True
        self._clock.resume(self.partition.time)
        now = asyncio.get_running_loop().time()
        if now - self._ticked < TICK_S * 0.8:
            return  # catching up: many ticks at once need one delta
        self._ticked = now
        changed = np.flatnonzero(self._dirty).astype(np.int32)
        self._dirty[changed] = False
        self.arrivals.told()
        for start in range(0, max(len(changed), 1), CHUNK):
            self._deltas += 1
            news = not start and self._news()
            told = encode(self.delta(changed[start : start + CHUNK], news))
            send = asyncio.create_task(self.bus.tell(SUBJECT.format(self.partition.number), told))
            self._sending.add(send)
            send.add_done_callback(self._sending.discard)

    def _news(self) -> bool:
        """Tell whether the overrides are others than were told last."""
        told, self._told_held = getattr(self, "_told_held", None), self.partition.overrides.held
        return told is not self._told_held

    def delta(self, signals: I32, overrides: bool = True) -> Delta:
        """Give what to show of some signals, and the overrides where they are asked for."""
        p = self.partition
        return Delta(
            self._deltas,
            os.getpid(),
            p.time,
            self.behind_s,
            self.record.position,
            p.lanes.shown(signals),
            p.stale[signals],
            p.overrides.held if overrides else None,
        )

    # ---- what lasts

    async def _commit_loop(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._commit_now.wait(), COMMIT_S)
            self._commit_now.clear()
            try:
                await self.commit()
                self._problems.pop("lake", None)
            except StorageError as e:
                self._problems["lake"] = str(e)
                log.error("the lake does not take rows: %s", e)
                await asyncio.sleep(1)

    async def commit(self) -> int:
        """Store all rows folded so far, with the position they reach, in one transaction; give the position."""
        upto = self.partition.position
        if self.tail.rows or upto - self._stored >= IDLE_PROGRESS:
            await self._store_upto(upto)
        return upto

    async def _store_upto(self, upto: int) -> None:
        # Shielded: a commit under way ends well even where its waiter is cancelled, and what it stored is then
        # known. Else the rows would be stored once more, with the next commit.
        await asyncio.shield(asyncio.ensure_future(self._store_rows(upto)))

    async def _store_rows(self, upto: int) -> None:
        async with self._commit_lock:
            if upto <= self._stored:
                return
            reached = self.partition.time
            for part in self.tail.parts(upto, MOST_COMMIT):
                began = time.monotonic()
                await asyncio.to_thread(self._commit_part, part, self._classes)
                self._stored = part.sequence
                self.arrivals.stored(part.sequence)
                self.tail.drop(part.sequence)
                self._commit_took = time.monotonic() - began
                self._committed += part.rows
                self._waiting_since = began if self.tail.rows else 0.0
            self._stored_time = reached

    def _commit_part(self, part: Part, classes: npt.NDArray[Any]) -> None:
        """Put rows together and store them, in a thread: a million rows are 50 ms in which readings need not wait."""
        rows = Batch.concat(part.pieces)
        self._store.commit(self.partition.number, self._epoch, part.sequence, rows, classes)

    async def save(self) -> None:
        """Keep a snapshot: rows up to its position are stored before it is there, facts recorded before."""
        sequence = self.partition.position
        saving = self._folder.begin(sequence, self.partition.snapshot)
        try:
            await self._store_upto(sequence)
            async with asyncio.timeout(2):
                await self._outbox.flush()
        except BaseException:
            saving.discard()
            raise
        await asyncio.to_thread(self._folder.keep, saving)
        self._saved = time.monotonic()

    async def _snapshot_loop(self) -> None:
        took = 0.0
        while True:
            await asyncio.sleep(max(SNAPSHOT_S, took * SNAPSHOT_SHARE))
            began = time.monotonic()
            try:
                await self.save()
                took = time.monotonic() - began
                await self._trim()
                self._problems.pop("snapshot", None)
            except (StorageError, OSError, TimeoutError) as e:
                self._problems["snapshot"] = f"no snapshot: {e or type(e).__name__}"
                log.error("no snapshot: %s", e)

    async def _trim(self) -> None:
        """Give back the log behind the lake's progress and the oldest kept snapshot; sooner where it is half full."""
        _, _, size = await self.bus.bounds(self._stream)
        keep = self._folder.oldest_position()
        if size > self._max_log_bytes // 2:
            keep = self._folder.oldest_needed()
        await self.bus.trim(self._stream, min(keep, self._stored) + 1)

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
        while self.partition.position < last:  # noqa: ASYNC110 - the position moves with every message, for all
            await asyncio.sleep(0.01)
        return self.partition.newest

    async def reached(self) -> int:
        """Give the plant time [ns] that all in the log now has reached: of ticks, and of receipt."""
        await self.caught_up()
        return max(self.partition.time, int(self.partition.lanes.latest.received.max(initial=0)))

    async def tend(self) -> float:
        """Merge small files, roll up, drop what is past its retention: a turn; give how long to rest [s]."""
        terms = Terms(self.partition.checks.each("stale_after"), self._classes)
        now = self._stored_time if self.tail.rows else self.partition.time  # hours that wait for the lake are not over
        share = EAGER if self.behind_now_s() < KEEPS_UP_S else SHARE
        rest = await self._tidy.turn(now, Keep(terms, self._retention, self._rollups), share)
        for draft in self._damaged.drafts(self._store.holes, self.partition.time or self._clock.now()):
            self._outbox.put(draft)
        return rest


def _nothing() -> None:
    """Nobody asked to hear of it."""


def _fitted(column: npt.NDArray[np.bool_], n: int, new: bool) -> npt.NDArray[np.bool_]:
    fitted = np.full(n, new)
    fitted[: min(n, len(column))] = column[:n]
    return fitted
