"""Forks: the twin's state at a moment as a value, kept under a name, for whoever wants to go on from there.

    now  ─► the partition's own snapshot
    then ─► the nearest kept snapshot before, and the log from there; where the log is trimmed, history and the record

What is folded into a fork changes neither the live twin nor another fork: a fork is a `Snapshot`, and every partition
made of it has columns of its own.
"""

import asyncio
import contextlib
import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from gemel import sealing
from gemel.bus import Bus
from gemel.bus.link import SAMPLES
from gemel.errors import ConflictError, NotFoundError, RefusedError
from gemel.history import Reader
from gemel.operate.chronicle import Chronicle
from gemel.operate.partition import Lookup, Partition
from gemel.operate.places import alive
from gemel.operate.replay import replay
from gemel.operate.snapshots import SnapshotFolder
from gemel.samples import Snapshot
from gemel.twin.lanes import NEVER

NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,63}$"
MOST: Final = 100
CHUNK: Final = 100_000  # signals asked of history at once


class Fork(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a fork.

    Args:
        name: what it is called.
        by, why: who made it, and what for.
        made: wall time [ns].
        at: plant time of its state [ns].
        state: ``making``, ``ready`` or ``failed``.
        origin: ``live``; ``log`` (replayed, bit for bit what was live then); ``lake`` (from history and the record,
            for the log is trimmed: values and alarms as they stood, the checks remember nothing).
        position, facts: how far of the log and of the record is in it; from the lake the position is 0.
        registry: digest of the registry that numbers its signals.
        problem: why it failed.
        pid: process that is making it.
    """

    name: str
    by: str
    why: str
    made: int
    at: int
    state: str = "making"
    origin: str = "live"
    position: int = 0
    facts: int = 0
    registry: str = ""
    problem: str = ""
    pid: int = 0


class Forks:
    """The forks of a data directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, name: str, by: str, why: str, at: int) -> Fork:
        """Take a name; raises RefusedError (a bad name, too many), ConflictError (it is taken)."""
        if not re.fullmatch(NAME, name):
            raise RefusedError(
                f"{name[:80]!r} cannot be a fork's name", code="fork-name",
                remedy="small letters, digits, _ and -, at most 64",
            )  # fmt: skip
        if len(self.listed()) >= MOST:
            raise RefusedError(f"there are {MOST} forks already", code="forks-full", remedy="delete one")
        self._folder.mkdir(parents=True, exist_ok=True)
        fork = Fork(name=name, by=by, why=why, made=time.time_ns(), at=at, pid=os.getpid())
        try:
            with (self._folder / f"{name}.json").open("xb") as file:
                file.write(sealing.stored(self._folder, msgspec.json.encode(fork)))
        except FileExistsError:
            raise ConflictError(
                f"there is a fork {name!r} already", code="fork-exists", remedy="choose another name"
            ) from None
        return fork

    def end(self, fork: Fork, snapshot: Snapshot, origin: str) -> Fork:
        """Keep the state of a fork: it is ready."""
        with sealing.atomic(self._state(fork.name)) as file:
            snapshot.write(file)
        if not (self._folder / f"{fork.name}.json").exists():  # deleted while it was made
            self._state(fork.name).unlink()
        return self._note(
            msgspec.structs.replace(
                fork, state="ready", origin=origin, at=snapshot.time, position=snapshot.sequence,
                facts=snapshot.facts, registry=snapshot.registry, pid=0,
            )
        )  # fmt: skip

    def fail(self, fork: Fork, problem: str) -> Fork:
        """Say why a fork could not be made."""
        return self._note(msgspec.structs.replace(fork, state="failed", problem=problem, pid=0))

    def made_by(self, fork: Fork, pid: int) -> Fork:
        """Say which process makes a fork."""
        return self._note(msgspec.structs.replace(fork, pid=pid))

    def get(self, name: str) -> Fork:
        """Give a fork; raises NotFoundError."""
        with contextlib.suppress(OSError, msgspec.DecodeError):
            if re.fullmatch(NAME, name):
                return _looked_at(msgspec.json.decode(sealing.read(self._folder / f"{name}.json"), type=Fork))
        raise NotFoundError(f"no fork {name[:80]!r}", remedy="see GET /api/v1/forks")

    def listed(self) -> list[Fork]:
        """Give all forks, the newest first."""
        names = (path.stem for path in self._folder.glob("*.json"))
        found = []
        for name in names:
            with contextlib.suppress(NotFoundError):  # deleted meanwhile
                found.append(self.get(name))
        return sorted(found, key=lambda f: f.made, reverse=True)

    def load(self, name: str) -> Snapshot:
        """Give the state of a fork: a value of one's own; raises NotFoundError, StorageError (torn)."""
        fork = self.get(name)
        if fork.state != "ready":
            raise ConflictError(
                f"the fork {name} is {fork.state}", code="fork-not-ready", remedy=fork.problem or "wait for it"
            )
        with sealing.opened(self._state(name)) as file:
            return Snapshot.read(file)

    def delete(self, name: str) -> Fork:
        """Give a fork up."""
        fork = self.get(name)
        (self._folder / f"{name}.json").unlink(missing_ok=True)
        self._state(name).unlink(missing_ok=True)
        return fork

    def _state(self, name: str) -> Path:
        return self._folder / f"{name}.snap"

    def _note(self, fork: Fork) -> Fork:
        path = self._folder / f"{fork.name}.json"
        if path.exists():  # else it was deleted meanwhile
            sealing.write(path, msgspec.json.encode(fork))
        return fork


def _looked_at(fork: Fork) -> Fork:
    """Say of a fork whose maker is gone that it failed."""
    if fork.state != "making" or alive(fork.pid):
        return fork
    return msgspec.structs.replace(fork, state="failed", problem="who made it ended before it was done", pid=0)


def partition_of(snapshot: Snapshot, fresh: Partition) -> Partition:
    """Go on from a fork in a fresh partition; it shares no column with the fork, the live twin, or another fork."""
    own = {name: np.array(column) for name, column in snapshot.arrays.items()}
    notes = msgspec.json.decode(msgspec.json.encode(snapshot.notes))
    fresh.restore(replace(snapshot, arrays=own, notes=notes))
    return fresh


async def from_log(
    bus: Bus, chronicle: Chronicle, fresh: Partition, kept: SnapshotFolder, at: int, lookup: Lookup
) -> Snapshot | None:  # fmt: skip
    """Give the state at a time [ns] by replaying the log; None where neither it nor a snapshot reaches back so far."""
    first, last, _ = await bus.bounds(SAMPLES.format(fresh.number))
    start = next((s for s in kept.sound() if s.time <= at and s.sequence >= first - 1), None)
    if start is None and first > 1:
        return None
    await replay(bus, chronicle, fresh, start, last, lookup, until=at)
    return fresh.snapshot()


async def from_history(chronicle: Chronicle, fresh: Partition, reader: Reader, at: int) -> Snapshot:
    """Give the state at a time [ns] from history and the record: what stood then, the checks remember nothing."""
    n = len(fresh.registry)
    for start in range(0, n, CHUNK):
        signals = np.arange(start, min(start + CHUNK, n), dtype=np.int32)
        fresh.lanes.fold(await asyncio.to_thread(reader.stood, signals, at, at))
    await chronicle.follow()
    for fact in chronicle.facts(chronicle.find(at, at).tolist()):
        fresh.alarms.on_fact(fact)
        fresh.overrides.on_fact(fact, fact.at)
        fresh.desired.on_fact(fact)
        fresh.facts = fact.seq
    fresh.overrides.on_tick(at)
    fresh.time = at
    heard = fresh.lanes.latest.time
    fresh.newest = int(heard.max()) if n and (heard != NEVER).any() else 0
    fresh.staleness.tick(at, heard)
    return fresh.snapshot()
