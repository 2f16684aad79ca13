"""Which folder is sealed, and under what: `sealed.json` holds its keys, wrapped under a secret that lies elsewhere.

The secret opens the keys, and the keys never change: another secret wraps them anew, and no file need be written again.
A folder is sealed where it, or one above it, has that file; so nobody who writes into it can forget to.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from gemel.durable import write_atomic
from gemel.errors import ConfigError, StorageError
from gemel.sealing.cipher import Sealed
from gemel.sealing.secrets import secret

MARK: Final = "sealed.json"
AGAIN: Final = "sealed-again.json"  # the same once more: without it nothing that is sealed could be read by anybody
FORMAT: Final = 2  # 1, without a number: of the log alone, whose key is derived from the secret itself
_KEYS: Final = b"gemel keys at rest"


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrapped: the key of the files (hex), and the log's as its server takes it."""

    files: str
    log: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A key that files are sealed under, and the id that their heads name it by."""

    key: bytes = field(repr=False)

    @property
    def id(self) -> bytes:
        """Eight bytes that tell keys apart, and nothing of the key."""
        return HKDFExpand(SHA256(), 8, b"gemel sealed file: id").derive(self.key)

    def key_of(self, key_id: bytes, head: bytes) -> AESGCM:
        """Give the key of a file; raises StorageError where it is sealed under another."""
        if key_id != self.id:
            raise StorageError(
                "a file is sealed under the key of another data directory", code="sealed-otherwise",
                remedy="put back the sealed.json that belongs to it",
            )  # fmt: skip
        return AESGCM(HKDF(SHA256(), 32, head, b"gemel sealed file").derive(self.key))


def seal(folder: Path, name: str, log: str = "", *, under_way: bool = False) -> Keys:
    """Seal a folder under a secret: what is written below it from now on is sealed.

    Args:
        folder: the data directory.
        name: of the secret.
        log: the log's key, where it has one already.
        under_way: whether files lie there in the clear, which are still to be sealed.

    """
    keys = Keys(files=os.urandom(32).hex(), log=log or "k" + os.urandom(32).hex())
    _write(folder, name, keys, under_way=under_way)
    return keys


def reseal(folder: Path, name: str, keys: Keys, *, under_way: bool = False) -> None:
    """Wrap a folder's keys under another secret; the former one opens them no more."""
    _write(folder, name, keys, under_way=under_way)


def _write(folder: Path, name: str, keys: Keys, *, under_way: bool) -> None:
    wrap = Sealed(secret(name, folder), name)
    wrapped = wrap.seal(msgspec.json.encode(keys), _KEYS).hex()
    mark = {"format": FORMAT, "under_way": under_way, "wrapped": wrapped, **wrap.header}
    folder.mkdir(parents=True, exist_ok=True)
    for file in (folder / AGAIN, folder / MARK):
        write_atomic(file, msgspec.json.encode(mark))


def read_mark(folder: Path) -> dict[str, Any] | None:
    """Give what a folder says of its keys, None where it is not sealed; raises ConfigError where it cannot be read."""
    wrong: Exception | None = None
    for file in (folder / MARK, folder / AGAIN):
        try:
            return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            continue
        except (OSError, msgspec.MsgspecError) as e:
            wrong = e
    if wrong is None:
        return None
    raise ConfigError(
        f"{folder / MARK} cannot be read: {wrong}", code="log-seal", remedy="restore it from a back-up"
    ) from wrong


def read_keys(folder: Path, secrets: Path | None = None) -> Keys | None:
    """Open a folder's keys, None where its files are in the clear; raises ConfigError (secret missing, or another).

    `secrets` is the data directory whose secrets serve, where it is not this one.
    """
    mark = read_mark(folder)
    if mark is None or "wrapped" not in mark:
        return None
    return opened_keys(mark, secret(mark["key"], secrets or folder))


def seal_in(mark: dict[str, Any], text: str) -> Seal:
    """Give what the files of a folder with such a mark are sealed under; raises ConfigError where the secret is another's."""
    return Seal(bytes.fromhex(opened_keys(mark, text).files))


def opened_keys(mark: dict[str, Any], text: str) -> Keys:
    """Open the keys that a mark holds, with a secret's text; raises ConfigError where it is another's."""
    if mark.get("format", 0) > FORMAT:
        raise ConfigError(
            f"{MARK} has format {mark['format']}; this gemel knows {FORMAT}", code="log-seal",
            remedy="use the version of gemel that wrote it, or a newer one",
        )  # fmt: skip
    wrap = Sealed(text, mark["key"], {k: v for k, v in mark.items() if k not in {"format", "under_way", "wrapped"}})
    return msgspec.json.decode(wrap.open(bytes.fromhex(mark["wrapped"]), _KEYS), type=Keys)


def folder_of(path: Path) -> Path | None:
    """Give the folder with the keys that a path belongs to: itself or one above it; None where there is none."""
    path = path.absolute()
    for folder in (path, *path.parents):
        if (folder / MARK).exists() or (folder / AGAIN).exists():
            return folder
    return None


def seal_of(path: Path) -> Seal | None:
    """Give what files at a path are sealed under, None where they are in the clear; raises ConfigError."""
    folder = folder_of(path)
    if folder is None:
        return None
    changed = 0
    with suppress(FileNotFoundError):
        changed = (folder / MARK).stat().st_mtime_ns
    return _seal_of(folder, changed)


@lru_cache(maxsize=64)
def _seal_of(folder: Path, changed: int) -> Seal | None:
    keys = read_keys(folder)  # scrypt takes a tenth of a second: once a process
    return None if keys is None else Seal(bytes.fromhex(keys.files))
