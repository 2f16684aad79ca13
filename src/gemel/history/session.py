"""A read-only session on a lake: opened when there is one, one consistent view a question, asked again where a
file went away under a slow query (compaction replaced it), and without the files that prove to be damaged.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

import duckdb

from gemel.errors import StorageError
from gemel.history import catalogue, lake, sealed, sql
from gemel.history.catalogue import Stored
from gemel.history.doubts import Doubts, doubted
from gemel.history.files import MS
from gemel.history.manifest import EMPTY, Manifest, Manifests
from gemel.samples import Batch

T = TypeVar("T")
Ask = Callable[[duckdb.DuckDBPyConnection, Sequence[str]], T]
TRIES: Final = 3
ALWAYS: Final = 2**62
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
        self._doubts = Doubts(path)

    def ask(self, ask: Ask[T], tail: Batch | None = None, scope: sql.Scope | None = None) -> T:
        """Run `ask` with a cursor and what the raw tables are read from, all in one transaction."""
        left = TRIES
        while True:
            try:
                with self._cursor() as cursor:
                    # always: a lake without a table yet, or without one in scope, is read from it alone
                    cursor.register(sql.TAIL, (Batch.empty() if tail is None else tail).to_arrow(sigma=True))
                    if scope is not None:
                        sql.register_wanted(cursor, scope)
                    return self._in_transaction(cursor, ask)
            except duckdb.Error as error:
                left -= 1
                if not (left > 0 and _passing(error)) and not self._doubt(error, scope):
                    raise lake.storage_error(error, "read the history") from error

    def look(self, look: Callable[[Manifest], T]) -> T:
        """Run `look` with the manifest of the newest version; it reads files by itself."""
        left = TRIES
        while True:
            try:
                return look(self._doubts.left(self._manifest()))
            except (duckdb.Error, OSError) as error:
                left -= 1
                again = left > 0 and (isinstance(error, FileNotFoundError) or _passing(error))
                if not again and not self._doubt(error):
                    raise lake.storage_error(error, "read the history") from error

    def _manifest(self) -> Manifest:
        with self._cursor() as cursor:
            return self._manifests.read(cursor) if self._is_open() else EMPTY

    def _doubt(self, error: Exception, scope: sql.Scope | None = None) -> bool:
        """Look whether files are damaged that a question failed over; tell whether it may be asked again without them."""
        manifest = self._manifest()
        named = doubted(error)
        if named is not None:
            return self._doubts.examine([f for group in manifest.files.values() for f in group.stored if f.path == named])
        if isinstance(error, OSError) or not _may_be_damage(error):
            return False
        return self._doubts.examine(_met(manifest, scope))

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
            answer = ask(cursor, self._sources(cursor))
            with closing(
                cursor.cursor()
            ) as now:  # a transaction of its own: this one sees the catalogue as it was
                if catalogue.oldest(now) > version:
                    raise duckdb.IOException(EXPIRED)
            return answer
        finally:
            cursor.execute("ROLLBACK")

    def _sources(self, cursor: duckdb.DuckDBPyConnection) -> list[str]:
        """Give what the raw tables are read from: the tables, but for those with broken files, which are named one by one."""
        found = dict(zip(lake.tables(cursor), lake.relations(cursor), strict=True))
        if self._doubts:
            stored = catalogue.live(cursor, self.path / "files" / "main")
            for table in {f.table for f in stored if self._doubts.broken(f.path)}:
                sound = [f for f in stored if f.table == table and not self._doubts.broken(f.path)]
                names = ", ".join(lake.quoted(sealed.address(f.path)) for f in sound)
                form = f"SELECT * FROM {found[table]} WHERE false"  # its columns: files of former formats lack some
                rows = f"SELECT * FROM read_parquet([{names}], union_by_name = true)"
                found[table] = f"({form} UNION ALL BY NAME {rows})" if sound else ""
        return [source for source in found.values() if source]

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


def _met(manifest: Manifest, scope: sql.Scope | None) -> list[Stored]:
    """Give the files of readings that a question may have read."""
    raw = manifest.of(lake.PREFIX)
    if scope is None or scope.signals is None or not len(scope.signals):
        return list(raw.stored)
    first, last = (scope.start // MS, (scope.end - 1) // MS) if scope.start < scope.end else (-ALWAYS, ALWAYS)
    return raw.met(int(scope.signals[0]), int(scope.signals[-1]), first, last)


def _may_be_damage(error: Exception) -> bool:
    """Tell whether a failed query may have failed over what a file holds: not over its words, or memory."""
    innocent = (duckdb.ProgrammingError, duckdb.InterruptException, duckdb.OutOfMemoryException, duckdb.CatalogException)
    return isinstance(error, duckdb.InvalidInputException) or not isinstance(error, innocent)


def _passing(error: Exception) -> bool:
    """Tell whether the same question may be answered when asked again: a file was replaced meanwhile."""
    text = str(error)
    words = (EXPIRED, "No such file", "does not exist", "locked")
    return isinstance(error, duckdb.IOException) and any(w in text for w in words)
