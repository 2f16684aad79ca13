"""Reading and writing files that may be sealed: a file says by its first bytes whether it is, its folder whether it shall be."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gemel import durable
from gemel.errors import StorageError
from gemel.sealing.folder import Seal, seal_of
from gemel.sealing.stream import MAGIC, KeyOf, Reader, Writer


def sealed_file(path: Path) -> bool:
    """Tell whether a file is sealed."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def opened(path: Path) -> BinaryIO:
    """Open a file to read what it holds, sealed or not.

    Raises OSError as `open` does, and where a sealed one was changed; ConfigError where its secret is missing or
    another, StorageError where its key is not here.
    """
    file = path.open("rb")
    try:
        if file.read(len(MAGIC)) != MAGIC:
            file.seek(0)
            return file
        return cast(BinaryIO, Reader(file, _key(path)))
    except BaseException:
        file.close()
        raise


def _key(path: Path) -> KeyOf:
    seal = seal_of(path)
    return _lost if seal is None else seal.key_of


def _lost(_key_id: bytes, _head: bytes) -> AESGCM:
    raise StorageError(
        "a file is sealed, and sealed.json, which holds its key, is not here", code="sealed-otherwise",
        remedy="put back the sealed.json that belongs to it",
    )  # fmt: skip


def read(path: Path) -> bytes:
    """Give what a file holds; raises as `opened` does."""
    with opened(path) as file:
        return file.read()


def create(path: Path) -> BinaryIO:
    """Give a new file to write, sealed where its folder is; it is neither durable nor whole before it is closed."""
    return writer(path, path.open("wb"))


def writer(path: Path, file: BinaryIO) -> BinaryIO:
    """Give what writes into an open file that is to be `path`: a writer that seals, or the file itself."""
    seal = seal_of(path)
    return file if seal is None else cast(BinaryIO, Writer(file, seal.id, seal.key_of))


def end(out: BinaryIO) -> None:
    """End what `writer` gave, and leave the file open for whoever syncs it."""
    if isinstance(out, Writer):
        out.end()


@contextmanager
def atomic(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Give a file to write that replaces another as a whole, durably, when the block ends well; sealed where its folder is."""
    with durable.atomic(path, mode) as file:
        out = writer(path, file)
        yield out
        end(out)


def write(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file so that a reader, or a power cut, sees the old or the new one; sealed where its folder is."""
    with atomic(path, mode) as file:
        file.write(data)


def stored(path: Path, data: bytes) -> bytes:
    """Give what is to stand in a file that holds `data`: that, or sealed where its folder is."""
    seal = seal_of(path)
    return data if seal is None else sealed(seal, data)


def unsealed(seal: Seal | None, data: bytes) -> bytes:
    """Give what the stored bytes of a file hold, sealed or not; raises OSError where they were changed."""
    if not data.startswith(MAGIC):
        return data
    return Reader(io.BytesIO(data), _lost if seal is None else seal.key_of).read()


def sealed(seal: Seal, data: bytes) -> bytes:
    """Give the sealed form of some bytes."""
    out = io.BytesIO()
    sealer = Writer(out, seal.id, seal.key_of)
    sealer.write(data)
    sealer.end()
    return out.getvalue()
