"""The writer of the history: rows and progress in one transaction, so that storage is exactly-once.

Flow: sort → cut by retention class and day → Parquet files, synced → one catalogue transaction names the files and
moves `progress`. A crash before it leaves files that nobody names (swept at the next open); after it, all is there.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import duckdb
import numpy as np
import numpy.typing as npt

from gemel.errors import ConflictError, StorageError
from gemel.history import files, lake
from gemel.history.lock import WriterLock
from gemel.history.order import order
from gemel.history.quantise import Grids
from gemel.samples import Batch

DEFAULT_CLASS: Final = "default"


@dataclass(frozen=True)
class Progress:
    """How far a partition's log is in the lake, and which owner may go on."""

    epoch: int
    sequence: int


@dataclass(frozen=True)
class Committed:
    """What a commit did; `already` says that the lake had that sequence before, and nothing was written."""

    rows: int
    files: int
    bytes: int
    already: bool


class Store:
    """The one writer of a lake. Calls may come from any thread, one at a time."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection, lock: WriterLock) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        self._turn = threading.RLock()
        self._grids = Grids()

    @classmethod
    def open(cls, path: Path | str, bounds: lake.Bounds = lake.Bounds()) -> Self:  # noqa: B008 - frozen
        """Open the lake under `path`, made if it is not there; raises StorageError where another process writes it."""
        path = Path(path).absolute()
        try:
            (path / "scratch").mkdir(parents=True, exist_ok=True)
            lock = WriterLock(path / "writer.lock")
        except OSError as error:
            raise lake.storage_error(error, "open the history") from error
        try:
            connection = lake.connect(path, read_only=False, bounds=bounds)
            store = cls(path, connection, lock)
            store._prepare()
        except BaseException:
            lock.release()
            raise
        return store

    def progress(self) -> dict[int, Progress]:
        """Give each partition's progress."""
        with self._turn:
            rows = self._connection.execute(
                'SELECT "partition", epoch, sequence FROM lake.progress'
            ).fetchall()
        return {int(p): Progress(int(e), int(s)) for p, e, s in rows}

    def take_over(self, partition: int) -> int:
        """Make the caller the partition's owner and give its epoch; a former owner's commits are refused from now."""
        with self._turn, self._transaction("take over a partition"):
            now = self._progress_of(partition)
            if now is None:
                self._connection.execute("INSERT INTO lake.progress VALUES (?, 1, 0)", [partition])
                return 1
            self._move(partition, now.epoch, now.epoch + 1, now.sequence)
            return now.epoch + 1

    def commit(
        self, partition: int, epoch: int, sequence: int, batch: Batch, classes: npt.ArrayLike | None = None
    ) -> Committed:
        """Store rows and progress together.

        Args:
            partition: whose log the rows came from.
            epoch: what `take_over` gave.
            sequence: last position of the log that is in `batch`; at or below the stored progress nothing is done.
            batch: the rows, in any order.
            classes: retention class of each signal, names or small integers, indexed by signal; None: ``default``.

        Raises ConflictError where another owner took over, StorageError where the disk does not take it; then
        nothing of it is stored, and the same call may be made again.

        """
        with self._turn:
            now = self._progress_of(partition)
            self._check_owner(partition, epoch, now)
            if now is not None and sequence <= now.sequence:
                return Committed(0, 0, 0, already=True)
            written: list[files.Written] = []
            try:
                self._write(batch, classes, written)
                with self._transaction("commit to the history"):
                    self._name(written)
                    self._move(partition, epoch, epoch, sequence)
            except BaseException as error:
                stored = self._stored(partition, sequence)
                if stored:  # the transaction did end well, whatever came after it
                    return _committed(written)
                if (
                    stored is False
                ):  # where it cannot be told, the files stay: the next open sweeps what nobody names
                    _unlink(written)
                if isinstance(error, OSError):
                    raise lake.storage_error(error, "write a file of the history") from error
                raise
            return _committed(written)

    def close(self) -> None:
        """Close the lake and let another writer in; a second call does nothing."""
        with self._turn:
            self._connection.close()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self) -> None:
        with self._transaction("prepare the history"):
            self._connection.execute("CREATE TABLE IF NOT EXISTS lake.format (version INTEGER)")
            if self._connection.execute("SELECT count(*) FROM lake.format").fetchone() == (0,):
                self._connection.execute("INSERT INTO lake.format VALUES (?)", [lake.FORMAT])
            self._connection.execute(
                'CREATE TABLE IF NOT EXISTS lake.progress ("partition" INTEGER, epoch BIGINT, sequence BIGINT)'
            )
            lake.check_format(self._connection)

    def _transaction(self, doing: str) -> "_Transaction":
        return _Transaction(self._connection, doing)

    def _progress_of(self, partition: int) -> Progress | None:
        try:
            row = self._connection.execute(
                'SELECT epoch, sequence FROM lake.progress WHERE "partition" = ?', [partition]
            ).fetchone()
        except duckdb.Error as error:
            raise lake.storage_error(error, "read the history's progress") from error
        return Progress(int(row[0]), int(row[1])) if row else None

    @staticmethod
    def _check_owner(partition: int, epoch: int, now: Progress | None) -> None:
        if now is None or now.epoch != epoch:
            raise ConflictError(
                f"partition {partition} of the history belongs to epoch {now.epoch if now else 'none'}, not {epoch}",
                code="epoch",
                remedy="another owner took over: stop, or take over again and replay from its progress",
            )

    def _move(self, partition: int, epoch: int, to_epoch: int, sequence: int) -> None:
        moved = self._connection.execute(
            'UPDATE lake.progress SET epoch = ?, sequence = ? WHERE "partition" = ? AND epoch = ?',
            [to_epoch, sequence, partition, epoch],
        ).fetchone()
        if moved != (1,):
            self._check_owner(partition, epoch, self._progress_of(partition))

    def _write(self, batch: Batch, classes: npt.ArrayLike | None, written: list[files.Written]) -> None:
        if not len(batch):
            return
        batch = batch.take(order(batch))
        by_signal = None if classes is None else np.asarray(classes)
        of_row = np.zeros(len(batch), np.int8) if by_signal is None else by_signal[batch.signal]
        for retention, rows in files.groups(batch, of_row):
            table = lake.table_of(DEFAULT_CLASS if by_signal is None else str(retention))
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS lake.{table} ({files.COLUMNS})")
            part = batch if len(rows) == len(batch) else batch.take(rows)
            written.append(files.write(self._folder(), table, files.to_table(part, self._grids)))

    def _folder(self) -> Path:
        return self.path / "files" / "main"

    def _name(self, written: list[files.Written]) -> None:
        for one in written:
            self._connection.execute(
                f"CALL ducklake_add_data_files('lake', '{one.table}', {lake.quoted(one.path)})"
            )

    def _stored(self, partition: int, sequence: int) -> bool | None:
        try:
            now = self._progress_of(partition)
        except StorageError:
            return None
        return now is not None and now.sequence >= sequence


class _Transaction:
    """All or nothing on one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, doing: str) -> None:
        self._connection = connection
        self._doing = doing

    def __enter__(self) -> None:
        self._connection.execute("BEGIN")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        try:
            self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        except duckdb.Error as failed:
            if kind is None:
                raise lake.storage_error(failed, self._doing) from failed
        if isinstance(error, duckdb.Error):
            raise lake.storage_error(error, self._doing) from error


def _unlink(written: list[files.Written]) -> None:
    for one in written:
        one.path.unlink(missing_ok=True)


def _committed(written: list[files.Written]) -> Committed:
    return Committed(sum(w.rows for w in written), len(written), sum(w.size for w in written), already=False)
