"""A read-only session on a lake: opened when there is one, one consistent view a question, asked again where a
file went away under a slow query (compaction replaced it).
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

import duckdb

from gemel.errors import StorageError
from gemel.history import catalogue, lake, sql
from gemel.history.manifest import EMPTY, Manifest, Manifests
from gemel.samples import Batch

T = TypeVar("T")
Ask = Callable[[duckdb.DuckDBPyConnection, Sequence[str]], T]
TRIES: Final = 3
EXPIRED: Final = (
    "the version of the lake that was read was given up meanwhile: its files may have been missing"
)
BEING_MADE: Final = "creating a new DuckLake is explicitly disabled"  # its writer is just making it


class Session:
    """Asks questions of a lake that another process may be writing. Safe to use from any thread."""

    def __init__(self, path: Path, bounds: lake.Bounds) -> None:
        self.path = path
        self._bounds = bounds
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._opening = threading.Lock()
        self._manifests = Manifests(path / "files" / "main")

    def ask(self, ask: Ask[T], tail: Batch | None = None, scope: sql.Scope | None = None) -> T:
        """Run `ask` with a cursor and what the raw tables are read from (`lake.relations`), all in one transaction."""
        for left in reversed(range(TRIES)):
            try:
                with self._cursor() as cursor:
                    # always: a lake without a table yet, or without one in scope, is read from it alone
                    cursor.register(sql.TAIL, (Batch.empty() if tail is None else tail).to_arrow(sigma=True))
                    if scope is not None:
                        sql.register_wanted(cursor, scope)
                    return self._in_transaction(cursor, ask)
            except duckdb.Error as error:
                if not left or not _passing(error):
                    raise lake.storage_error(error, "read the history") from error
        raise AssertionError("unreachable")

    def look(self, look: Callable[[Manifest], T]) -> T:
        """Run `look` with the manifest of the newest version; it reads files by itself."""
        for left in reversed(range(TRIES)):
            try:
                with self._cursor() as cursor:
                    manifest = self._manifests.read(cursor) if self._is_open() else EMPTY
                return look(manifest)
            except (duckdb.Error, OSError) as error:
                if not left or not (isinstance(error, FileNotFoundError) or _passing(error)):
                    raise lake.storage_error(error, "read the history") from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the lake; a second call does nothing."""
        with self._opening:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _is_open(self) -> bool:
        return self._connection is not None

    def _in_transaction(self, cursor: duckdb.DuckDBPyConnection, ask: Ask[T]) -> T:
        if not self._is_open():
            return ask(cursor, [])
        cursor.execute("BEGIN")
        try:
            version = catalogue.version(cursor)
            answer = ask(cursor, lake.relations(cursor))
            with closing(
                cursor.cursor()
            ) as now:  # a transaction of its own: this one sees the catalogue as it was
                if catalogue.oldest(now) > version:
                    raise duckdb.IOException(EXPIRED)
            return answer
        finally:
            cursor.execute("ROLLBACK")

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._opening:
            if self._connection is None:
                self._connection = self._opened()
            cursor = (
                self._connection.cursor()
                if self._connection
                else duckdb.connect(":memory:", config={"threads": 1})
            )
        try:
            yield cursor
        finally:
            cursor.close()

    def _opened(self) -> duckdb.DuckDBPyConnection | None:
        """Open the lake, or give None while its writer has not made it yet."""
        if not (self.path / lake.CATALOGUE).exists():
            return None
        try:
            connection = lake.connect(self.path, read_only=True, bounds=self._bounds)
        except StorageError as error:
            if BEING_MADE in str(error.context.get("error")):
                return None
            raise
        try:
            lake.check_format(connection)
        except duckdb.CatalogException:
            connection.close()
            return None
        except BaseException:
            connection.close()
            raise
        return connection


def _passing(error: Exception) -> bool:
    """Tell whether the same question may be answered when asked again: a file was replaced meanwhile."""
    text = str(error)
    words = (EXPIRED, "No such file", "does not exist", "locked")
    return isinstance(error, duckdb.IOException) and any(w in text for w in words)
