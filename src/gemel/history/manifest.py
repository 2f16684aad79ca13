"""What a version of the lake holds: its files and the state of its roll-ups, read once a version."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from gemel.history import catalogue, holes, lake, rolled
from gemel.history.catalogue import Stored
from gemel.history.holes import Hole
from gemel.history.levels import PICK, ROLL
from gemel.history.rolled import Rolled


@dataclass(frozen=True)
class Files:
    """The files of a kind, and quick answers to which of them may matter."""

    stored: tuple[Stored, ...]

    @cached_property
    def _bounds(self) -> npt.NDArray[np.int64]:
        return np.array([(f.low, f.high, f.first, f.last) for f in self.stored], np.int64).reshape(-1, 4).T

    def met(self, low: int, high: int, first: int, last: int) -> list[Stored]:
        """Give those that may have rows of signals low to high and ms first to last, both ends in."""
        if not self.stored:
            return []
        lows, highs, firsts, lasts = self._bounds
        hit = (lows <= high) & (highs >= low) & (firsts <= last) & (lasts >= first)
        return [self.stored[i] for i in np.flatnonzero(hit).tolist()]


@dataclass(frozen=True)
class Manifest:
    """A version of the lake."""

    version: int
    files: Mapping[str, Files]  # by kind: "raw_", "roll_1m_", …
    rolled: Rolled
    holes: tuple[Hole, ...] = ()

    def of(self, kind: str) -> Files:
        """Give the files of readings (``raw_``), or of a level (``roll_1h_``, ``pick_1h_``), of all retention classes."""
        return self.files.get(kind, NONE)


NONE = Files(())
EMPTY = Manifest(0, {}, Rolled())  # a lake that is not there yet


def kind_of(table: str) -> str:
    """Give the kind of a table: its name without the retention class.

    >>> kind_of("raw_default"), kind_of("pick_1m_default")
    ('raw_', 'pick_1m_')
    """
    head, _, rest = table.partition("_")
    return f"{head}_{rest.partition('_')[0]}_" if f"{head}_" in (ROLL, PICK) else f"{head}_"


class Manifests:
    """Keeps the manifest of the version read last, and reads only what is new. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        self._files: dict[int, Stored] = {}
        self._last: Manifest | None = None

    def read(self, cursor: duckdb.DuckDBPyConnection) -> Manifest:
        """Give the manifest of the lake as it is now; the cursor must not be in a transaction."""
        with self._turn:
            if self._last is not None and self._last.version == _version(cursor):
                return self._last
            cursor.execute("BEGIN")
            try:
                version = _version(cursor)
                if self._last is None or self._last.version != version:
                    lost = holes.read(cursor)
                    self._last = Manifest(version, self._fresh(cursor, lost), rolled.read(cursor), lost)
                return self._last
            finally:
                cursor.execute("ROLLBACK")

    def _fresh(self, cursor: duckdb.DuckDBPyConnection, lost: Iterable[Hole]) -> dict[str, Files]:
        live = {
            int(i)
            for (i,) in cursor.execute(
                f"SELECT data_file_id FROM {catalogue.META}.ducklake_data_file WHERE end_snapshot IS NULL"
            ).fetchall()
        }
        newest = max(self._files, default=-1)
        if any(i > newest for i in live):
            self._files |= {f.id: f for f in catalogue.stored(cursor, self._folder, newest)}
        self._files = {i: f for i, f in self._files.items() if i in live}
        broken = {hole.file for hole in lost}  # noted first, ended in the catalogue after
        return by_kind(f for f in self._files.values() if f.path.name not in broken)


def by_kind(stored: Iterable[Stored]) -> dict[str, Files]:
    """Sort files by kind."""
    groups: dict[str, list[Stored]] = {}
    for file in stored:
        if file.table.startswith((lake.PREFIX, ROLL, PICK)):
            groups.setdefault(kind_of(file.table), []).append(file)
    return {kind: Files(tuple(group)) for kind, group in groups.items()}


def _version(cursor: duckdb.DuckDBPyConnection) -> int:
    row: Any = cursor.execute(f"SELECT max(snapshot_id) FROM {catalogue.META}.ducklake_snapshot").fetchone()
    return int(row[0]) if row and row[0] is not None else 0
