"""The folder of back-ups: content in chunks named by what they hold, each stored once, and a manifest a back-up.

backup.json            format and cipher
chunks/ab/ab12…        a piece of content: magic, flags, size, sealed bytes
manifests/<id>.gmb     what one back-up holds; written last, so that a torn back-up is none
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import msgspec
import pyarrow as pa

from gemel.durable import sync, write_atomic
from gemel.errors import ConfigError, StorageError
from gemel.operate.backup.manifest import FORMAT, Entry, Manifest
from gemel.sealing.cipher import Cipher, Plain, Sealed, damaged

MAGIC: Final = b"GMB1"
CHUNK: Final = 4 << 20  # bytes
_ZSTD: Final = 1
_LARGEST: Final = 1 << 31


class Vault:
    """Back-ups in one folder; one process may write it at a time."""

    def __init__(self, folder: Path, cipher: Cipher) -> None:
        self.folder = folder
        self._cipher = cipher
        self._codec = pa.Codec("zstd", compression_level=3)
        self.added = 0  # bytes written since it was opened

    @classmethod
    def create(cls, folder: Path, cipher: Cipher) -> Self:
        """Make the folder of back-ups."""
        for part in ("chunks", "manifests"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        write_atomic(folder / "backup.json", msgspec.json.encode({"format": FORMAT, **cipher.header}))
        return cls(folder, cipher)

    @classmethod
    def open(cls, folder: Path, secret_of: Callable[[str], str], key: str = "") -> Self:
        """Open a folder; `secret_of` gives the secret of a name, `key` is its name where it was renamed."""
        header = header_of(folder)
        if header["cipher"] == "none":
            return cls(folder, Plain())
        name = key or header["key"]
        return cls(folder, Sealed(secret_of(name), name, header))

    @property
    def sealed(self) -> bool:
        """Tell whether nobody can read it without its secret."""
        return bool(self._cipher.header["cipher"] != "none")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to write; raises ConfigError where another back-up goes on."""
        with (self.folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ConfigError(
                    f"another back-up into {self.folder} goes on", code="backup-busy", remedy="wait for it"
                ) from None
            yield

    # ---- content

    def put(self, plain: bytes) -> str:
        """Store a chunk durably, unless it is there, and give its name."""
        name = self._cipher.name(plain)
        path = self._path(name)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            stored = self._stored(plain, name.encode())
            write_atomic(path, stored)
            self.added += len(stored)
        return name

    def has(self, name: str) -> bool:
        """Tell whether a chunk is there."""
        return self._path(name).exists()

    def get(self, name: str) -> bytes:
        """Give a chunk; raises StorageError where it is missing or is not what its name says."""
        plain = self._read(self._path(name), name.encode())
        if self._cipher.name(plain) != name:
            raise damaged(f"the chunk {name[:12]} holds something else")
        return plain

    def put_file(self, file: BinaryIO) -> tuple[list[str], int]:
        """Store what a file holds, chunk by chunk; give their names and the size."""
        chunks, size = [], 0
        while data := file.read(CHUNK):
            chunks.append(self.put(data))
            size += len(data)
        return chunks, size

    def content(self, entry: Entry) -> Iterator[bytes]:
        """Give an entry's content; raises StorageError where it is not whole."""
        size = 0
        for name in entry.chunks:
            data = self.get(name)
            size += len(data)
            yield data
        if size != entry.size:
            raise damaged(f"{entry.path} has {size} bytes instead of {entry.size}")

    # ---- manifests

    def manifests(self) -> list[str]:
        """Give the ids of the back-ups, the oldest first."""
        return sorted(p.stem for p in (self.folder / "manifests").glob("*.gmb"))

    def load(self, backup: str) -> Manifest:
        """Read what a back-up holds; raises StorageError where it cannot be read."""
        plain = self._read(self.folder / "manifests" / f"{backup}.gmb", backup.encode())
        try:
            found = msgspec.json.decode(plain)
            _known(int(found["format"]))
            return msgspec.convert(found, Manifest)
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as e:
            raise damaged(f"the manifest {backup} cannot be read: {e}") from e

    def save(self, manifest: Manifest) -> None:
        """Write a manifest: from now on the back-up is one."""
        stored = self._stored(msgspec.json.encode(manifest), manifest.id.encode())
        write_atomic(self.folder / "manifests" / f"{manifest.id}.gmb", stored)

    def keep(self, newest: int) -> tuple[list[str], int]:
        """Drop all but the newest back-ups and the chunks that only they held; give what went and how many bytes.

        Nothing is swept where a remaining manifest cannot be read: its chunks would not be known.
        """
        backups = self.manifests()
        gone = backups[: max(len(backups) - newest, 0)]
        wanted = set().union(*(self.load(b).chunks for b in backups[len(gone) :]))
        for backup in gone:
            (self.folder / "manifests" / f"{backup}.gmb").unlink()
        return gone, self._sweep(wanted)

    def discard(self, name: str) -> None:
        """Remove a chunk that was found damaged, so that the next back-up stores it anew."""
        self._path(name).unlink(missing_ok=True)

    def _sweep(self, wanted: set[str]) -> int:
        freed = 0
        for path in (self.folder / "chunks").glob("*/*"):
            if path.name not in wanted:  # left by a torn back-up, or held by none any more
                freed += path.stat().st_size
                path.unlink()
        return freed

    def _path(self, name: str) -> Path:
        return self.folder / "chunks" / name[:2] / name

    def _stored(self, plain: bytes, about: bytes) -> bytes:
        packed = self._codec.compress(plain, asbytes=True)
        flags, body = (_ZSTD, packed) if len(packed) < 0.95 * len(plain) else (0, plain)
        head = MAGIC + bytes([flags]) + len(plain).to_bytes(4, "little")
        return head + self._cipher.seal(body, head + about)

    def _read(self, path: Path, about: bytes) -> bytes:
        try:
            stored = path.read_bytes()
        except OSError as e:
            raise damaged(f"{path.name[:20]} cannot be read: {e.strerror}") from e
        head, size = stored[:9], int.from_bytes(stored[5:9], "little")
        if len(head) < 9 or head[:4] != MAGIC or size > _LARGEST:
            raise damaged(f"{path.name[:20]} is torn")
        body = self._cipher.open(stored[9:], head + about)
        try:
            return self._codec.decompress(body, size, asbytes=True) if head[4] & _ZSTD else body
        except (pa.ArrowException, OSError) as e:
            raise damaged(f"{path.name[:20]}: {e}") from e


def header_of(folder: Path) -> dict[str, Any]:
    """Read what a folder of back-ups says of itself; raises ConfigError where it is none, StorageError where it is torn."""
    try:
        header = msgspec.json.decode((folder / "backup.json").read_bytes(), type=dict[str, Any])
        _known(int(header["format"]))
        return {"cipher": str(header["cipher"]), **header}
    except FileNotFoundError:
        raise ConfigError(
            f"{folder} is no folder of back-ups",
            code="no-backup",
            remedy="name the folder that gemel backup wrote to",
        ) from None
    except (OSError, msgspec.MsgspecError, KeyError, ValueError) as e:
        raise damaged(f"backup.json cannot be read: {e}") from e


def is_vault(folder: Path) -> bool:
    """Tell whether a folder holds back-ups."""
    return (folder / "backup.json").exists()


def _known(found: int) -> None:
    if found > FORMAT:
        raise StorageError(
            f"the back-up has format {found}; this gemel reads formats up to {FORMAT}", code="backup-format",
            remedy="use the version of gemel that wrote it, or a newer one",
        )  # fmt: skip


def sync_tree(folder: Path) -> None:
    """Put every file and folder below a folder on the disk."""
    for root, _, names in os.walk(folder):
        sync(*(Path(root) / n for n in names), Path(root))
