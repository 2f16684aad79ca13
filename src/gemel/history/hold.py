"""A lake held still for a copy, while its writer goes on: the catalogue as of one moment, and every file it names.

Files never change once they are named, only go: a second name (a hard link) keeps one until it is copied, however
soon compaction or retention takes the first away. Run it in another process than the writer's: closing the
catalogue there would drop the writer's locks (SQLite, "How To Corrupt An SQLite Database File", section 2.2).
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gemel.errors import StorageError
from gemel.history import lake

HOLD: Final = "hold"
OTHERS: Final = {lake.CATALOGUE, "writer.lock"}  # of the lake's folder; the rest of its files are small notes


@dataclass(frozen=True)
class Held:
    """A lake held still: where each of its files is to go (below the lake's folder), and where it can be read."""

    files: dict[str, Path]


@contextmanager
def hold(path: Path, tries: int = 5) -> Iterator[Held]:
    """Hold a lake until the block ends; raises StorageError where it cannot be read."""
    folder = path / HOLD
    shutil.rmtree(folder, ignore_errors=True)  # what a killed back-up left
    try:
        yield _held(path, folder, tries)
    except sqlite3.Error as error:
        raise lake.storage_error(error, "copy the catalogue of the history") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _held(path: Path, folder: Path, tries: int) -> Held:
    if not (path / lake.CATALOGUE).exists():
        return Held({})
    for left in reversed(range(tries)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        copy = folder / lake.CATALOGUE
        _copy(path / lake.CATALOGUE, copy)
        try:
            files = {name: _link(path / name, folder / str(i)) for i, name in enumerate(named(copy))}
        except FileNotFoundError:  # a version was given up just now: the next copy does not name it
            if not left:
                raise
            continue
        notes = {p.name: p for p in path.iterdir() if p.is_file() and not _of_catalogue(p.name)}
        return Held({lake.CATALOGUE: copy, **files, **notes})
    raise AssertionError("unreachable")


def _of_catalogue(name: str) -> bool:
    return name in OTHERS or name.startswith(lake.CATALOGUE) or name.endswith(".new")


def _copy(source: Path, target: Path) -> None:
    """Copy a catalogue as of one moment, whoever writes it (SQLite's online backup)."""
    with closing(sqlite3.connect(source, timeout=20)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


def named(catalogue: Path) -> list[str]:
    """Give the files that any version of a copied catalogue names, below the lake's folder."""
    with closing(sqlite3.connect(catalogue)) as connection:
        rows = connection.execute(
            """
            SELECT s.path, t.path, f.path, f.path_is_relative FROM ducklake_data_file f
            JOIN ducklake_table t ON t.table_id = f.table_id
            JOIN ducklake_schema s ON s.schema_id = t.schema_id
            UNION
            SELECT s.path, t.path, d.path, d.path_is_relative FROM ducklake_delete_file d
            JOIN ducklake_table t ON t.table_id = d.table_id
            JOIN ducklake_schema s ON s.schema_id = t.schema_id
            """
        ).fetchall()
    return sorted(_below(schema, table, file, bool(relative)) for schema, table, file, relative in rows)


def _below(schema: str, table: str, file: str, relative: bool) -> str:
    if not relative:
        raise StorageError(
            f"the history names a file outside of its folder: {file}", code="history-outside",
            remedy="merge it into the lake first; a back-up would not hold it",
        )  # fmt: skip
    return str(Path("files") / schema / table / file)


def _link(file: Path, second: Path) -> Path:
    try:
        os.link(file, second)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without hard links
        shutil.copyfile(file, second)
    return second
