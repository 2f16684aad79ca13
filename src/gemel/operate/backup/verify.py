"""Checking back-ups: every byte of every chunk, and that what they hold can be read: frames, record, snapshots, Parquet."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gemel import sealing
from gemel.bus import decode_frame
from gemel.bus.link import FACTS
from gemel.errors import ConfigError, GemelError, StorageError
from gemel.operate.backup import streams
from gemel.operate.backup.manifest import Entry, Manifest, Stretch
from gemel.operate.backup.vault import Vault
from gemel.samples import Registry, Snapshot
from gemel.sealing import MARK, Seal
from gemel.twin import chain


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong: where, what, and since it may be bounded, which time it covers [ns]."""

    where: str
    why: str
    start: int = 0
    end: int = 0
    signals: tuple[int, int] | None = None
    rows: int = 0


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a back-up found."""

    id: str
    files: int
    bytes: int
    messages: int
    facts: int
    problems: list[Problem]


def verify(vault: Vault, manifest: Manifest, told: Callable[[str], None]) -> Checked:
    """Read everything that a back-up holds."""
    problems: list[Problem] = []
    seal, words = _seal(vault, manifest)
    if words:
        told(words)
    for entry in manifest.files:
        problems += _of_file(vault, entry, seal, whole=not words)
    told(f"{manifest.id}: {len(manifest.files)} files are read")
    facts = 0
    for stretch in manifest.streams:
        if stretch.stream == FACTS:
            problems += _of_record(vault, manifest, stretch)
            facts = stretch.messages
        else:
            problems += _of_log(vault, stretch)
    return Checked(
        id=manifest.id, files=len(manifest.files), bytes=manifest.size, messages=sum(s.messages for s in manifest.streams),
        facts=facts, problems=problems,
    )  # fmt: skip


def damaged_chunks(vault: Vault, manifests: Sequence[Manifest]) -> list[str]:
    """Give the chunks of some back-ups that cannot be read."""
    found = []
    for name in sorted(set().union(*(m.chunks for m in manifests))):
        try:
            vault.get(name)
        except StorageError:
            found.append(name)
    return found


def _seal(vault: Vault, manifest: Manifest) -> tuple[Seal | None, str]:
    """Give what the data are sealed under, and in words why what they hold cannot be read."""
    data = _content(vault, manifest, MARK)
    mark = msgspec.json.decode(data) if data else {}
    if "wrapped" not in mark:
        return None, ""
    try:
        return sealing.seal_in(mark, sealing.secret(mark["key"], vault.folder)), ""
    except ConfigError as e:
        return None, f"{e.message}: of the files that are sealed with it every byte is checked, not what they hold"


def _of_file(vault: Vault, entry: Entry, seal: Seal | None, *, whole: bool) -> Iterator[Problem]:
    try:
        data = b"".join(vault.content(entry))
        if whole:
            _read(entry.path, sealing.unsealed(seal, data))
    except (GemelError, OSError, ValueError, KeyError, pa.ArrowException) as e:
        yield Problem(where=entry.path, why=e.message if isinstance(e, GemelError) else str(e).split("\n")[0])


def _read(path: str, data: bytes) -> None:
    """Read a file as what its name says it is; raises where it is not."""
    if path.endswith(".parquet") and path.startswith("lake/"):
        with pq.ParquetFile(io.BytesIO(data), page_checksum_verification=True) as content:
            for group in range(content.metadata.num_row_groups):
                content.read_row_group(group)
    elif path.endswith(".snap"):
        Snapshot.from_bytes(data)
    elif path.startswith("registr") and path.endswith(".arrow"):
        Registry.from_bytes(data)


def _of_log(vault: Vault, stretch: Stretch) -> Iterator[Problem]:
    try:
        for message in streams.messages(vault, stretch):
            try:
                decode_frame(message.data)
            except StorageError as e:
                yield Problem(
                    where=f"{stretch.stream} {message.sequence}", why=f"{e.message}; it was so in the log"
                )
    except StorageError as e:
        yield Problem(where=stretch.stream, why=e.message)


def _of_record(vault: Vault, manifest: Manifest, stretch: Stretch) -> Iterator[Problem]:
    try:
        head = _head(vault, manifest)
        verdict = chain.verify(
            (m.data for m in streams.messages(vault, stretch)), head, key=_key(vault, manifest)
        )
    except GemelError as e:
        yield Problem(where=FACTS, why=e.message)
    else:
        if not verdict.ok:
            yield Problem(where=f"{FACTS} {verdict.broken_at}", why=verdict.reason)


def _head(vault: Vault, manifest: Manifest) -> chain.SignedHead | None:
    data = _content(vault, manifest, "record/head.json")
    return chain.SignedHead.from_bytes(data) if data else None


def _key(vault: Vault, manifest: Manifest) -> Ed25519PublicKey | None:
    data = _content(vault, manifest, "record/head.key")
    return chain.load_key(data).public_key() if data else None


def _content(vault: Vault, manifest: Manifest, path: str) -> bytes:
    entry: Any = next((e for e in manifest.files if e.path == path), None)
    return b"".join(vault.content(entry)) if entry else b""
