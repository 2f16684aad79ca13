"""`gemel seal`: data that lie in the clear are sealed where they lie, file by file; or another secret opens them.

In this order, so that a kill at any point loses nothing and can be gone on from: `sealed.json` (marked as under way),
each file beside itself and then in its place, the catalogue, the log (from a copy that stays until all is checked), the
mark taken off. A file says itself whether it is sealed, so what is half done can be read all along.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gemel import sealing
from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.server import free_port, new_token
from gemel.config.lock import lock
from gemel.durable import sync
from gemel.errors import ConfigError, StorageError
from gemel.history.lake import CATALOGUE
from gemel.history.scrub import scrub
from gemel.operate.backup.examine import examine_log
from gemel.operate.places import Places
from gemel.operate.sealed import in_the_clear, log_key
from gemel.sealing.folder import read_mark

PIECE: Final = 1 << 22  # bytes copied at a time
BEFORE: Final = "log.before"  # the log in the clear, while its server seals it

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was done.

    Args:
        files: files that lay in the clear and are sealed now.
        bytes: how many bytes they hold.
        log: whether the log was sealed.
        reopened: whether only another secret opens what was sealed before.
    """

    files: int
    bytes: int
    log: bool
    reopened: bool


def seal_all(places: Places, name: str, told: Told) -> Sealed:
    """Seal all data of a directory on which nothing runs; raises ConfigError (secret, no data), StorageError (the log)."""
    if not (places.data / "format.json").exists():
        raise ConfigError(
            f"no data of a twin in {places.data}",
            code="no-data",
            remedy="name the data directory with --data",
        )
    with lock(places):
        keys, log, reopened = _begin(places, name)
        files = size = 0
        for file in in_the_clear(places):
            size += _seal(file)
            files += 1
        told(f"{files} files are sealed")
        scrub(places.lake / CATALOGUE)
        if log:
            asyncio.run(_seal_log(places, keys.log))
            told("the log is sealed")
        sealing.reseal(places.data, name, keys)
        shutil.rmtree(places.data / BEFORE, ignore_errors=True)
        return Sealed(files, size, log, reopened)


def _begin(places: Places, name: str) -> tuple[sealing.Keys, bool, bool]:
    """Give the keys, whether the log is to be sealed, and whether another secret is to open what is sealed."""
    mark = read_mark(places.data)
    if mark is None or "wrapped" not in mark:
        former = log_key(places)
        return sealing.seal(places.data, name, former, under_way=True), not former, False
    keys = sealing.read_keys(places.data)
    assert keys is not None
    if not mark.get("under_way"):
        return keys, False, mark["key"] != name
    if mark["key"] != name:
        raise ConfigError(
            f"these data are being sealed with the secret {mark['key']!r}", code="log-sealed",
            remedy=f"go on with --key {mark['key']}; another secret can open them afterwards",
        )  # fmt: skip
    return keys, (places.data / BEFORE).exists() or not _log_is_sealed(places), False


def _seal(file: Path) -> int:
    with file.open("rb") as plain, sealing.atomic(file, file.stat().st_mode & 0o777) as out:
        while piece := plain.read(PIECE):
            out.write(piece)
        return plain.tell()


def _log_is_sealed(places: Places) -> bool:
    """Tell whether the log's server has sealed it; there is none in the clear where there is no stream."""
    streams = [s for s in places.streams.glob("jetstream/*/streams/*") if s.is_dir()]
    return all((s / "meta.key").exists() for s in streams)


async def _seal_log(places: Places, key: str) -> None:
    """Have the log's server seal it, from a copy: the server writes over a block in its place, which a kill would tear."""
    before = places.data / BEFORE
    if before.exists():
        shutil.rmtree(places.streams)
    else:
        beside = places.data / f"{BEFORE}.new"
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(places.streams, beside)
        _sync_tree(beside)
        beside.rename(before)
        sync(places.data)
        shutil.rmtree(places.streams)
    shutil.copytree(before, places.streams)
    server = Server(ServerSettings(places.streams, free_port(), new_token(), 1 << 42, key=key))
    await server.start(places.logs / "nats.log")
    try:
        bus = await Bus.open(server.settings.url, "seal")
        try:
            problems = await examine_log(bus, places)
        finally:
            await bus.close()
    finally:
        server.stop()
    if problems:
        raise StorageError(
            f"the log is not whole when it is sealed: {problems[0].where}: {problems[0].why}", code="seal-log",
            remedy=f"it lies as it was in {before}; see gemel verify, and restore a back-up if it was damaged before",
        )  # fmt: skip
    _sync_tree(places.streams)


def _sync_tree(folder: Path) -> None:
    sync(*(f for f in folder.rglob("*") if f.is_file() or f.is_dir()), folder)
