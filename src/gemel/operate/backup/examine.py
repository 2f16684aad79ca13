"""Checking a data directory, running or not: plant file, registries, snapshots, history, log and record."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec

from gemel import sealing
from gemel.assets import load
from gemel.bus import Bus, StreamReader, decode_frame
from gemel.bus.link import FACTS, SAMPLES
from gemel.errors import GemelError, StorageError
from gemel.history import damage, holes
from gemel.history.aside import ASIDE
from gemel.operate.backup.verify import Problem
from gemel.operate.places import DATA_FORMAT, Places
from gemel.operate.sealed import in_the_clear
from gemel.samples import Registry, Snapshot
from gemel.twin import chain


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a data directory found."""

    data: str
    files: int
    rows: int
    bytes: int
    frames: int
    facts: int
    problems: list[Problem]


async def examine(places: Places, bus: Bus, told: Callable[[str], None]) -> Examined:
    """Read everything there is; nothing is changed."""
    problems = [*_settings(places), *_sealed(places), *_registries(places), *_snapshots(places)]
    looked, found = _lake(places)
    problems += found
    told("history is read")
    frames, found = await _log(bus)
    problems += found
    facts, found = await _record(bus, places)
    problems += found
    told("log and record are read")
    return Examined(
        data=str(places.data),
        files=looked.files,
        rows=looked.rows,
        bytes=looked.bytes,
        frames=frames,
        facts=facts,
        problems=problems,
    )


def _settings(places: Places) -> Iterator[Problem]:
    try:
        found = msgspec.json.decode((places.data / "format.json").read_bytes())["format"]
        if found > DATA_FORMAT:
            yield Problem(
                where="format.json", why=f"format {found}; this gemel knows formats up to {DATA_FORMAT}"
            )
        load(places.applied)
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, GemelError) as e:
        yield Problem(where="applied", why=_words(e))


def _sealed(places: Places) -> Iterator[Problem]:
    if sealing.seal_of(places.data) is None:
        return
    for file in in_the_clear(places):
        yield Problem(where=_name(places, file), why="it lies in the clear, though these data are sealed: gemel seal")


def _registries(places: Places) -> Iterator[Problem]:
    for file in (places.registry, *sorted(places.registries.glob("*.arrow"))):
        try:
            stored = sealing.read(file)
            registry = Registry.from_bytes(stored)
            named = (registry.digest, hashlib.sha256(stored).hexdigest())  # by the second, those of 0.1
            if not registry.sound or (file != places.registry and file.stem not in named):
                yield Problem(where=_name(places, file), why="it is not what its digest says")
        except Exception as e:  # whatever stands there
            yield Problem(where=_name(places, file), why=_words(e))


def _snapshots(places: Places) -> Iterator[Problem]:
    for file in sorted(places.snapshots.rglob("*.snap")):
        try:
            Snapshot.from_bytes(sealing.read(file))
        except FileNotFoundError:  # thinned meanwhile
            continue
        except Exception as e:  # whatever stands there
            yield Problem(where=_name(places, file), why=_words(e))


def _lake(places: Places) -> tuple[damage.Looked, list[Problem]]:
    try:
        looked = damage.look(places.lake)
    except StorageError as e:
        return damage.Looked(0, 0, 0, ()), [Problem(where="lake/catalogue.sqlite", why=e.message)]
    found = [
        Problem(
            where=_name(places, d.path), why=d.why, start=d.start, end=d.end, signals=d.signals, rows=d.rows
        )
        for d in looked.damage
    ]
    return looked, [*found, *_holes(places)]


def _holes(places: Places) -> Iterator[Problem]:
    """Give what was taken aside before: it is out of the lake, and its readings are lost all the same."""
    for h in holes.known(places.lake):
        if h.rows:
            where = _name(places, places.lake / ASIDE / h.file)
            yield Problem(where=where, why=h.why, start=h.start, end=h.end, signals=(h.low, h.high), rows=h.rows)


async def examine_log(bus: Bus, places: Places) -> list[Problem]:
    """Read all of the log and the record."""
    return [*(await _log(bus))[1], *(await _record(bus, places))[1]]


async def _log(bus: Bus) -> tuple[int, list[Problem]]:
    problems, count = [], 0
    stream = SAMPLES.format(0)
    first, last, _ = await bus.bounds(stream)
    reader = StreamReader(bus, stream, max(first - 1, 0))
    expected, stored = first, 0
    try:
        while expected <= last:
            messages = await reader.take(5.0)
            if not messages:
                problems.append(
                    Problem(where=f"log {expected}", why="the log does not give it", start=stored)
                )
                break
            for message in messages:
                if message.sequence > last:
                    break
                if message.sequence > expected:
                    words = f"{message.sequence - expected} messages are missing"
                    problems.append(
                        Problem(where=f"log {expected}", why=words, start=stored, end=message.stored)
                    )
                expected, stored = message.sequence + 1, message.stored
                count += 1
                try:
                    decode_frame(message.data)
                except StorageError as e:
                    problems.append(
                        Problem(where=f"log {message.sequence}", why=e.message, start=stored, end=stored)
                    )
            if messages[-1].sequence >= last:
                break
    finally:
        await reader.close()
    return count, problems


async def _record(bus: Bus, places: Places) -> tuple[int, list[Problem]]:
    head = places.heads / "head.json"
    key = places.heads / "head.key"
    try:
        signed = chain.SignedHead.from_bytes(head.read_bytes()) if head.exists() else None
        public = chain.load_key(key.read_bytes()).public_key() if key.exists() else None
        stored = [data async for data in _stored(bus)]
        verdict = chain.verify(stored, signed, key=public)
    except GemelError as e:
        return 0, [Problem(where=FACTS, why=e.message)]
    if verdict.ok:
        return verdict.checked, []
    return verdict.checked, [Problem(where=f"{FACTS} {verdict.broken_at}", why=verdict.reason)]


async def _stored(bus: Bus) -> AsyncIterator[bytes]:
    _, last, _ = await bus.bounds(FACTS)
    reader = StreamReader(bus, FACTS, 0)
    try:
        while reader.position < last:
            messages = await reader.take(5.0)
            if not messages:
                return
            for message in messages:
                yield message.data
    finally:
        await reader.close()


def _name(places: Places, file: Path) -> str:
    return str(file.relative_to(places.data)) if places.data in file.parents else str(file)


def _words(error: Exception) -> str:
    return (
        error.message if isinstance(error, GemelError) else f"{type(error).__name__}: {error}".split("\n")[0]
    )
