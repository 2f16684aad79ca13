"""Taking a back-up while the twin goes on: everything as of one position of the log.

In this order, each step seeing at least what the one before it saw:

1. the record's signed head, 2. the twin saves a snapshot (rows before it are in the lake, facts before it in the
record), 3. the catalogue is copied and its files held, 4. the log from the snapshot up to the first tick after that,
5. the record up to what that tick knew. A restored twin goes on from the snapshot, folds the same log, and knows the
same facts at the same ticks: it becomes what the original was at that position.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from gemel import __version__, sealing
from gemel.bus import Bus, Message, decode_frame
from gemel.bus.link import FACTS, SAMPLES
from gemel.errors import StorageError
from gemel.history.hold import hold
from gemel.operate.backup.manifest import Entry, Manifest, Point, Stretch
from gemel.operate.backup.streams import export
from gemel.operate.backup.vault import CHUNK, Vault
from gemel.operate.places import Places
from gemel.samples import Snapshot
from gemel.samples.clock import iso
from gemel.twin.chain import SignedHead

# What is made anew, belongs to one machine, or is copied in another way.
LEFT_OUT: Final = {
    "lock",
    "run.json",
    "token",
    "ballast",
    "logs",
    "log",
    "lake",
    "snapshots",
    "settings.json",
    "record",
}
SECRETS: Final = "secrets"
PARTITION: Final = 0
TRIES: Final = 3

Told = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """What is backed up.

    Args:
        places: the data directory.
        bus: a connection to its log.
        live: whether its twin runs and can be asked.
        plant: its name.
        with_secrets: whether secrets are copied too; only into a sealed back-up.
    """

    places: Places
    bus: Bus
    live: bool
    plant: str
    with_secrets: bool


async def take(source: Source, vault: Vault, told: Told) -> Manifest:
    """Take a back-up; raises StorageError where the log, the history or the folder cannot be read or written."""
    for left in reversed(range(TRIES)):
        try:
            return await _take(source, vault, told)
        except StorageError as e:
            if e.code not in {"backup-moved", "log-trimmed"} or not left:
                raise
            told(f"begun again: {e.message}")
    raise AssertionError("unreachable")


async def _take(source: Source, vault: Vault, told: Told) -> Manifest:
    places, before = source.places, vault.added
    former = _former(vault)
    heads = _heads(places)
    applied = _applied(places)
    known = await _save(source)
    path, snapshot = _newest(places)
    with hold(places.lake) as held:
        files = [
            *(_stored(vault, f"lake/{name}", at, former) for name, at in held.files.items()),
            *(
                _stored(vault, name, at, former)
                for name, at in _rest(places, with_secrets=source.with_secrets)
            ),
        ]
    if path is not None:
        files.append(_entry(vault, f"snapshots/{PARTITION}/{path.name}", _read(path)))
    told("history, state and settings are copied")
    samples, tick = await _samples(source, vault, snapshot.sequence if snapshot else 0)
    facts = await _facts(source, vault, max(known, tick, snapshot.facts if snapshot else 0))
    files += (_entry(vault, f"record/{name}", data) for name, data in _heads_upto(heads, facts.upto))
    told("log and record are copied")
    if _applied(places) != applied:
        raise _moved("another plant file was applied meanwhile")
    wall = time.time_ns()
    point = Point(
        position=samples.upto, facts=facts.upto, snapshot=snapshot.sequence if snapshot else 0,
        time=snapshot.time if snapshot else 0, registry=snapshot.registry if snapshot else "", wall=wall,
    )  # fmt: skip
    manifest = Manifest(
        id=iso(wall).replace(":", "").replace("-", ""), gemel=__version__, plant=source.plant, point=point, files=files,
        streams=[samples, facts], new_bytes=vault.added - before,
    )  # fmt: skip
    vault.save(manifest)
    return manifest


async def _save(source: Source) -> int:
    """Have the twin keep a snapshot of now; give the record's position then, or "all" where nothing runs."""
    if not source.live:
        return 1 << 62
    told = await source.bus.ask("twin.ask", {"do": "save"}, timeout_s=120)
    return int(msgspec.json.decode(told)["facts"])


async def _samples(source: Source, vault: Vault, after: int) -> tuple[Stretch, int]:
    """Copy the log behind the snapshot up to a tick; give how much of the record that tick knew."""
    stream = SAMPLES.format(PARTITION)
    first, last, _ = await source.bus.bounds(stream)
    after = max(after, first - 1)
    ticks: dict[int, int] = {}

    def is_tick(message: Message) -> bool:
        with contextlib.suppress(StorageError):
            header = decode_frame(message.data).header
            if header.kind == "tick":
                ticks[message.sequence] = header.facts
        return message.sequence in ticks

    stretch, _ = await export(source.bus, vault, stream, after, last, is_tick if source.live else _any)
    return stretch, ticks.get(stretch.upto, 0)


async def _facts(source: Source, vault: Vault, upto: int) -> Stretch:
    _, last, _ = await source.bus.bounds(FACTS)
    stretch, _ = await export(source.bus, vault, FACTS, 0, min(upto, last), _any)
    return stretch


def _any(_message: Message) -> bool:
    return True


# ---- files


def _former(vault: Vault) -> dict[tuple[str, int, int], Entry]:
    """Give the files of the newest back-up by path, size and time: what need not be read again."""
    for backup in reversed(vault.manifests()):
        try:
            return {(e.path, e.size, e.changed): e for e in vault.load(backup).files if e.changed}
        except StorageError:  # damaged: verify says so
            continue
    return {}


def _stored(vault: Vault, name: str, file: Path, former: dict[tuple[str, int, int], Entry]) -> Entry:
    with _open(file) as content:
        about = os.fstat(content.fileno())
        known = former.get((name, about.st_size, about.st_mtime_ns))
        if known is not None and all(vault.has(c) for c in known.chunks):
            return known
        chunks, size = vault.put_file(content)
    return Entry(path=name, size=size, mode=about.st_mode & 0o777, changed=about.st_mtime_ns, chunks=chunks)


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except FileNotFoundError:
        raise _moved(f"{file.name} went away meanwhile") from None


def _entry(vault: Vault, name: str, data: bytes) -> Entry:
    chunks = [vault.put(data[i : i + CHUNK]) for i in range(0, len(data), CHUNK)]
    return Entry(path=name, size=len(data), chunks=chunks)


def _rest(places: Places, *, with_secrets: bool) -> Iterator[tuple[str, Path]]:
    """Give whatever else lies in the data directory: what is added there later is backed up without being named here."""
    for top in sorted(places.data.iterdir()):
        if top.name in LEFT_OUT or (top.name == SECRETS and not with_secrets):
            continue
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file() and file.suffix not in {".new", ".old", ".log"}:
                yield str(file.relative_to(places.data)), file


def _newest(places: Places) -> tuple[Path | None, Snapshot | None]:
    """Give the newest snapshot that is sound."""
    paths = sorted(
        (places.snapshots / str(PARTITION)).glob("*.snap"), key=lambda p: int(p.stem.split("-")[1])
    )
    for path in reversed(paths):
        with contextlib.suppress(StorageError):
            return path, _snapshot(path)
    return None, None


def _snapshot(path: Path) -> Snapshot:
    try:
        with sealing.opened(path) as file:
            return Snapshot.read(file)
    except FileNotFoundError:
        raise _moved(f"{path.name} was given up meanwhile") from None
    except OSError as e:
        raise StorageError(f"{path.name} cannot be read: {e}", code="snapshot-torn", remedy="an older one is used") from e


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise _moved(f"{path.name} was given up meanwhile") from None


def _heads(places: Places) -> dict[str, bytes]:
    """Read the record's signed head and its key, before anything else: the head is then no further than the record."""
    return {
        f.name: f.read_bytes() for f in (places.heads / "head.json", places.heads / "head.key") if f.exists()
    }


def _heads_upto(heads: dict[str, bytes], upto: int) -> Iterator[tuple[str, bytes]]:
    for name, data in heads.items():
        if name != "head.json" or SignedHead.from_bytes(data).seq <= upto:
            yield name, data


def _moved(what: str) -> StorageError:
    return StorageError(what, code="backup-moved", remedy="try again")


def _applied(places: Places) -> str:
    """Give a digest of the applied plant file and the registry."""
    files = [places.registry, *sorted(places.applied.glob("*"))]
    known = hashlib.sha256()
    for file in files:
        with contextlib.suppress(OSError):
            known.update(file.name.encode() + b"\0" + file.read_bytes())
    return known.hexdigest()
