"""What damage took out of the history for good: kept in the lake, so that every answer can say what it lacks.

A query or the background meets a file that cannot be read → its writer takes it aside (`aside`) → a hole, with its span of
time: one row of the lake's table `holes`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from gemel.history import damage, lake
from gemel.history.catalogue import Stored
from gemel.history.damage import Damage
from gemel.history.files import MS

TABLE: Final = "holes"
COLUMNS: Final = (
    "file VARCHAR, kind VARCHAR, why VARCHAR, lost BIGINT, begins BIGINT, ends BIGINT, low INTEGER, high INTEGER, settled BOOLEAN"
)
ALL: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Hole:
    """Rows of a file that nobody can read any more.

    Args:
        file: its name; under it, it is kept aside.
        table: of the history.
        why: in words.
        rows: how many are lost; 0 where all could be saved, or made anew.
        start: time of the first [ns].
        end: the time after the last [ns].
        low, high: the lowest and the highest signal number among them; those between need not all be.
        settled: whether what could be saved of the file is in the lake again.

    """

    file: str
    table: str
    why: str
    rows: int
    start: int
    end: int
    low: int = 0
    high: int = ALL
    settled: bool = True

    def meets(self, signals: npt.NDArray[np.int32], start: int, end: int) -> bool:
        """Tell whether rows of some signals with start <= time < end may be lost in it."""
        if not self.rows or self.start >= end or self.end <= start:
            return False
        return bool(((signals >= self.low) & (signals <= self.high)).any())


def of(found: Damage, file: Stored) -> Hole:
    """Give the hole that a damaged file makes as long as nothing of it is saved."""
    return Hole(
        file.path.name, file.table, found.why, file.rows, file.first * MS, (file.last + 1) * MS, file.low, file.high, settled=False
    )


def bounded(hole: Hole, found: Damage) -> Hole:
    """Give what is left of a hole once the sound row groups of its file are saved."""
    low, high = found.signals or (hole.low, hole.high)
    return replace(hole, rows=found.rows, start=found.start, end=found.end, low=low, high=high, settled=True)


def read(connection: duckdb.DuckDBPyConnection) -> tuple[Hole, ...]:
    """Read the holes of a lake, within the caller's transaction; none in one that was written before there were any."""
    try:
        rows = connection.execute(f"SELECT * FROM lake.{TABLE} ORDER BY file, begins").fetchall()
    except duckdb.CatalogException:
        return ()
    return tuple(Hole(f, k, w, int(n), int(a), int(b), int(lo), int(hi), bool(s)) for f, k, w, n, a, b, lo, hi, s in rows)


def known(path: Path) -> tuple[Hole, ...]:
    """Give the holes of a lake that nobody need write."""
    if not (path / lake.CATALOGUE).exists():
        return ()
    connection = lake.connect(path, read_only=True, bounds=lake.Bounds())
    try:
        return read(connection)
    finally:
        connection.close()


def put(connection: duckdb.DuckDBPyConnection, hole: Hole) -> None:
    """Note a hole instead of what was noted of its file, within the caller's transaction."""
    take_away(connection, [hole.file])
    connection.execute(
        f"INSERT INTO lake.{TABLE} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [hole.file, hole.table, hole.why, hole.rows, hole.start, hole.end, hole.low, hole.high, hole.settled],
    )


def take_away(connection: duckdb.DuckDBPyConnection, files: Iterable[str]) -> None:
    """Forget the holes of some files, within the caller's transaction."""
    for file in files:
        connection.execute(f"DELETE FROM lake.{TABLE} WHERE file = {lake.quoted(file)}")


def examined(files: Sequence[Stored]) -> list[tuple[Stored, Damage]]:
    """Read some files from end to end, and give those that are damaged.

    Raises StorageError where a file cannot be read for another reason (no right to, no memory): that is not damage.
    """
    found = []
    for file in files:
        _may_be_read(file.path)
        found += [(file, one) for one in damage.of_file(file)]
    return found


def _may_be_read(path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno != damage.EIO:
            raise lake.storage_error(error, "read a file of the history") from error
