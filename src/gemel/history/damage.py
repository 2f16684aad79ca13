"""Looks for damage in a lake: what is damaged, and which rows, signals and time it covers.

That a file is changed tells the digest in its name; what of it is lost tell the checksums of its pages (Apache
Parquet format, `PageHeader.crc`). Files of gemel 0.1.0 have neither: they are decoded and counted, which finds most
damage, not all.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gemel import sealing
from gemel.errors import StorageError
from gemel.history import catalogue, lake
from gemel.history.files import MS, digest

UNHARMED: Final = "a bit that describes it is changed; every page of it is sound"
DIGEST: Final = 16  # digits in the name of a file
EIO: Final = errno.EIO  # what a disk that cannot read a block says, and what a broken seal says


@dataclass(frozen=True)
class Damage:
    """Rows of a file that cannot be trusted any more.

    Args:
        table: of the history.
        path: the file.
        why: in words.
        rows: how many there were; 0 where none is lost.
        start: time of the first [ns]; as the catalogue says where the file itself cannot.
        end: the time after the last [ns].
        signals: the lowest and the highest signal number among them.
        groups: the damaged row groups; empty where the whole file is meant.
    """

    table: str
    path: Path
    why: str
    rows: int
    start: int
    end: int
    signals: tuple[int, int] | None
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class Looked:
    """What was looked at."""

    files: int
    rows: int
    bytes: int
    damage: tuple[Damage, ...]


def look(path: Path) -> Looked:
    """Read every file of a lake; raises StorageError where its catalogue cannot be read at all."""
    found: list[Damage] = []
    files = rows = size = 0
    for file in live(path):
        files, rows, size = files + 1, rows + file.rows, size + file.size
        found += of_file(file)
    if any(not d.path.exists() for d in found):  # replaced while it was read: what is live now tells
        named = {file.path for file in live(path)}
        found = [d for d in found if d.path in named]
    return Looked(files, rows, size, tuple(found))


def live(path: Path) -> list[catalogue.Stored]:
    """Give the files that the newest version of a lake names; raises StorageError where the catalogue is damaged."""
    if not (path / lake.CATALOGUE).exists():
        return []
    check_catalogue(path / lake.CATALOGUE)
    connection = lake.connect(path, read_only=True, bounds=lake.Bounds())
    try:
        return catalogue.live(connection, path / "files" / "main")
    finally:
        connection.close()


def check_catalogue(file: Path) -> None:
    """Raise StorageError where a catalogue is not sound (SQLite's own check of every page)."""
    try:
        with closing(sqlite3.connect(file, timeout=20)) as connection:
            told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        told = [str(error)]
    if told != ["ok"]:
        raise StorageError(
            f"the catalogue of the history is damaged: {told[0]}", code="catalogue-damaged",
            remedy="restore the newest back-up that gemel verify finds whole",
        )  # fmt: skip


def of_file(file: catalogue.Stored) -> Iterator[Damage]:
    """Give what is damaged in one file."""
    try:
        with (
            sealing.opened(file.path) as stored,
            pq.ParquetFile(stored, page_checksum_verification=True) as content,
        ):
            broken = _broken_groups(content)
            if content.metadata.num_rows != file.rows:
                yield _whole(file, f"it holds {content.metadata.num_rows} rows instead of {file.rows}")
            elif broken:
                yield _bounded(file, content, broken)
            elif changed(file.path):
                yield Damage(file.table, file.path, UNHARMED, 0, file.first * MS, (file.last + 1) * MS, None)
    except FileNotFoundError:
        yield _whole(file, "the file is gone")
    except (OSError, pa.ArrowException, ValueError) as error:
        yield _whole(file, _first_line(error))


def changed(path: Path) -> bool:
    """Tell whether a file is not what its name says; one of gemel 0.1.0 says nothing."""
    named = path.stem.partition("-")[2]
    return len(named) == DIGEST and named != digest(path)


def _broken_groups(content: pq.ParquetFile) -> dict[int, str]:
    broken = {}
    for group in range(content.metadata.num_row_groups):
        try:
            content.read_row_group(group)
        except (OSError, pa.ArrowException, ValueError) as error:
            broken[group] = _first_line(error)
    return broken


def _whole(file: catalogue.Stored, why: str) -> Damage:
    return Damage(file.table, file.path, why, file.rows, file.first * MS, (file.last + 1) * MS, None)


def _bounded(file: catalogue.Stored, content: pq.ParquetFile, broken: dict[int, str]) -> Damage:
    groups = [content.metadata.row_group(g) for g in broken]
    ms, signals = (_bounds(groups, content.schema_arrow.get_field_index(n)) for n in ("ms", "signal"))
    if ms is None or signals is None:
        return _whole(file, next(iter(broken.values())))
    return Damage(
        file.table, file.path, next(iter(broken.values())), sum(g.num_rows for g in groups), ms[0] * MS, (ms[1] + 1) * MS,
        signals, tuple(broken),
    )  # fmt: skip


def _bounds(groups: list[Any], column: int) -> tuple[int, int] | None:
    told = [g.column(column).statistics for g in groups]
    if not all(t is not None and t.has_min_max for t in told):
        return None
    return int(np.min([t.min for t in told])), int(np.max([t.max for t in told]))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
