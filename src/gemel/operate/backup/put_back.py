"""Putting a back-up back: into a directory beside the one asked for, which takes its name when all is there.

A restore that is killed leaves `<data>.restoring`, never half a data directory; the next one begins anew.
"""

import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.link import FACTS
from gemel.bus.server import free_port, new_token
from gemel.errors import ConfigError, StorageError
from gemel.operate.backup import streams
from gemel.operate.backup.manifest import Entry, Manifest
from gemel.operate.backup.vault import Vault, sync_tree
from gemel.operate.places import DATA_FORMAT, Places
from gemel.operate.sealed import log_key
from gemel.samples import Draft
from gemel.sealing.cipher import damaged
from gemel.twin import record
from gemel.twin.record import Record

KEPT: Final = {"secrets"}  # what may lie in the directory already: the key that the back-up is sealed with
LOG_BYTES: Final = -1  # no bound: the twin gives its streams their own sizes when it starts


async def put_back(
    vault: Vault, manifest: Manifest, data: Path, told: Callable[[str], None]
) -> dict[str, Any]:
    """Restore a back-up into a directory that is empty or not there.

    Raises ConfigError where something lies there, StorageError where the back-up is not whole or the disk does not
    take it; then there is no data directory.
    """
    check_empty(data)
    beside = data.with_name(data.name + ".restoring")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True, mode=0o700)
    places = Places(beside)
    for entry in manifest.files:
        _write(vault, entry, beside)
    _check_format(beside)
    places.make()
    told("files are restored")
    checked = await _log(vault, manifest, places, log_key(places, _with_secrets(beside, data)))
    told("log and record are restored")
    _take_place(beside, data)
    return {"data": str(data), "backup": manifest.id, "facts_checked": checked, "position": manifest.point.position,
            "facts": manifest.point.facts}  # fmt: skip


def check_empty(data: Path) -> None:
    """Raise ConfigError where a directory holds anything but secrets."""
    if data.exists() and (not data.is_dir() or {p.name for p in data.iterdir()} - KEPT):
        raise ConfigError(
            f"{data} is not empty",
            code="restore-not-empty",
            remedy="name a new directory with --data; nothing is overwritten",
        )


def _write(vault: Vault, entry: Entry, folder: Path) -> None:
    path = folder / entry.path
    if Path(entry.path).is_absolute() or ".." in Path(entry.path).parts:
        raise damaged(f"it names a file outside of the data directory: {entry.path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, entry.mode), "wb") as out:
        for data in vault.content(entry):
            out.write(data)
    if entry.changed:  # so that a back-up of what was restored finds its files unchanged
        os.utime(path, ns=(entry.changed, entry.changed))


def _check_format(folder: Path) -> None:
    mark = folder / "format.json"
    found = msgspec.json.decode(mark.read_bytes())["format"] if mark.exists() else 0
    if found > DATA_FORMAT:
        raise StorageError(
            f"the data in the back-up have format {found}; this gemel knows formats up to {DATA_FORMAT}", code="backup-format",
            remedy="restore with the version of gemel that wrote it, or a newer one",
        )  # fmt: skip


async def _log(vault: Vault, manifest: Manifest, places: Places, key: str) -> int:
    """Make log and record anew, check the record's chain, and note in it that it was restored."""
    server = Server(ServerSettings(places.streams, free_port(), new_token(), 1 << 42, sync='"1h"', key=key))
    await server.start(places.logs / "nats.log")
    try:
        bus = await Bus.open(server.settings.url, "restore")
        try:
            for stretch in manifest.streams:
                most = record.MAX_BYTES if stretch.stream == FACTS else LOG_BYTES
                await streams.put_back(bus, vault, stretch, most)
            return await _note(Record(bus, places.data / "record"), manifest)
        finally:
            await bus.close()
    finally:
        server.stop()


async def _note(facts: Record, manifest: Manifest) -> int:
    await facts.open()
    verdict = facts.verdict
    if verdict is None or not verdict.ok:
        raise StorageError(
            f"the record in the back-up is not whole: {verdict.reason if verdict else 'it was not read'}", code="backup-record",
            remedy="restore an older back-up",
        )  # fmt: skip
    at = manifest.point.time or manifest.point.wall
    body = {
        "backup": manifest.id,
        "position": manifest.point.position,
        "facts": manifest.point.facts,
        "wall": time.time_ns(),
    }
    await facts.append(
        Draft(id=f"restored-{uuid.uuid4().hex}", kind="BackupRestored", at=at, actor="gemel", body=body)
    )
    return verdict.checked


def _with_secrets(beside: Path, data: Path) -> Path:
    return data if (data / "secrets").exists() else beside


def _take_place(beside: Path, data: Path) -> None:
    sync_tree(beside)
    if data.exists():
        for kept in KEPT:
            if (data / kept).exists():
                shutil.rmtree(beside / kept, ignore_errors=True)
                (data / kept).rename(beside / kept)
        data.rmdir()
    beside.rename(data)
