"""What must outlive a power cut: bytes are safe once synced, a name only once its folder is synced too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def sync(*paths: Path) -> None:
    """Put files, or the names in folders, on the disk: a rename or a new folder is not there until then (fsync(2))."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file so that a reader, or a power cut, sees the old or the new one, never half."""
    with atomic(path, mode) as out:
        out.write(data)


def replace(beside: Path, path: Path) -> None:
    """Give a file that is synced the name of another, durably."""
    beside.replace(path)
    sync(path.parent)


@contextmanager
def atomic(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Give a file to write that replaces another as a whole, durably, when the block ends well."""
    beside = path.with_name(path.name + ".new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())
    replace(beside, path)
