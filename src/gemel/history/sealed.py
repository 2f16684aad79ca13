"""How DuckDB reads the files of a sealed lake: as a file system of its own, whose files open on their way.

DuckDB asks an fsspec file system for `sealed:///…`; a file in the clear among them is read as it is. Only the files go
through it: the catalogue is SQLite's, and holds no readings (`statistics`).
"""

import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
from fsspec import AbstractFileSystem

from gemel import sealing

SCHEME: Final = "sealed"
# Columns whose bounds and counts may stand in the catalogue, which is in the clear: which signal, and when.
TOLD: Final = frozenset({"signal", "ms", "ns", "received", "delay", "made", "hold", "late"})


class LetGo(io.BufferedReader):
    """A file in the clear; DuckDB lets go of what it read without closing it."""

    def __del__(self) -> None:
        self.close()


class SealedFiles(AbstractFileSystem):  # type: ignore[misc] # it has no types
    """Reads and deletes the files of a lake; they are written by ourselves."""

    protocol = SCHEME
    cachable = False

    @classmethod
    def _strip_protocol(cls, path: Any) -> str:
        return str(path).removeprefix(f"{SCHEME}://")

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode != "rb":
            raise OSError(f"{path} is not written by DuckDB")
        file = sealing.opened(self._path(path))
        return LetGo(file.detach()) if isinstance(file, io.BufferedReader) else file

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        with sealing.opened(self._path(path)) as file:
            return {"name": path, "size": file.seek(0, os.SEEK_END), "type": "file"}

    def modified(self, path: str) -> datetime:
        return datetime.fromtimestamp(self._path(path).stat().st_mtime, UTC)

    def glob(self, path: str, **_: Any) -> list[str]:
        return [self._strip_protocol(path)] if self._path(path).exists() else []

    def exists(self, path: str, **_: Any) -> bool:
        return self._path(path).exists()

    def isfile(self, path: str) -> bool:
        return self._path(path).is_file()

    def isdir(self, path: str) -> bool:
        return self._path(path).is_dir()

    def rm(self, path: str, *_: Any, **__: Any) -> None:
        self._path(path).unlink()

    def _path(self, path: str) -> Path:
        return Path(self._strip_protocol(path))


def address(path: Path) -> str:
    """Give what DuckDB calls a file, or a folder, of a lake."""
    return str(path) if sealing.seal_of(path) is None else f"{SCHEME}://{path}"


def let_in(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Have a connection read the files of a lake; what it spills is sealed too, under a key that it forgets."""
    if sealing.seal_of(folder) is not None:
        connection.register_filesystem(SealedFiles())
        connection.execute("SET temp_file_encryption = true")


def statistics(names: list[str], folder: Path) -> bool | list[str]:
    """Give the columns whose bounds a file tells: DuckLake copies them into its catalogue."""
    return True if sealing.seal_of(folder) is None else [n for n in names if n in TOLD]
