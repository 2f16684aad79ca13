"""One writer: a lock on a file, held by the kernel, so that it goes when its process goes."""

import fcntl
import os
from pathlib import Path
from typing import Self

from gemel.errors import StorageError


class WriterLock:
    """Hold the right to write a lake; two writers corrupt a SQLite catalogue."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as busy:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise StorageError(
                f"the history in {path.parent} is already open for writing by process {holder}",
                code="history-locked",
                remedy="stop that process, or give this one another --data directory",
            ) from busy
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Give the lock up; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
