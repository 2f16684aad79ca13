"""The writer of the history: rows and progress in one transaction, so that storage is exactly-once.

Flow: sort → cut by retention class and day → Parquet files, synced → one catalogue transaction names the files and
moves `progress`. A crash before it leaves files that nobody names (swept at the next open); after it, all is there.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import duckdb
import numpy as np
import numpy.typing as npt

from gemel.errors import ConflictError, StorageError
from gemel.history import catalogue, files, lake, rolled, sealed
from gemel.history.aside import Aside
from gemel.history.holes import Hole
from gemel.history.lock import WriterLock
from gemel.history.newest import NEVER, Newest
from gemel.history.order import order
from gemel.history.quantise import Grids
from gemel.history.roller import DEFAULT, Terms
from gemel.history.rollups import RolledUp, RollUps
from gemel.history.transaction import Transaction
from gemel.history.upkeep import Compacted, Upkeep
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

    def __init__(
        self, path: Path, connection: duckdb.DuckDBPyConnection, lock: WriterLock, bounds: lake.Bounds
    ) -> None:
        self.path = path
        self._folder = path / "files" / "main"
        self._connection = connection
        self._lock = lock
        self._turn = threading.RLock()
        self._grids = Grids()
        self._newest = Newest(np.zeros(0, np.int64))
        self._tables: set[str] = set()  # that are known to be there
        self._doubtful: list[Path] = []  # files of commits that failed, whose naming could not be told yet
        self._rollups = RollUps(_Writer(self), self._folder)
        self._aside = Aside(_Writer(self), self._rollups)
        self._upkeep = Upkeep(_Writer(self), self._rollups, self._aside, bounds)

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
            store = cls(path, connection, lock, bounds)
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
            self._settle_doubts()
            written: list[files.Written] = []
            batch = batch.take(order(batch))
            try:
                self._write(batch, classes, written)
                dirty = self._rollups.dirtied(
                    batch, None if classes is None else np.asarray(classes)[batch.signal]
                )
                with self._transaction("commit to the history"):
                    self._name(written)
                    rolled.mark(self._connection, rolled.DIRTY, dirty)
                    self._move(partition, epoch, epoch, sequence)
            except BaseException as error:
                stored = self._stored(partition, sequence)
                if stored:  # the transaction did end well, whatever came after it
                    self._rollups.open()
                    self._remember(batch)
                    return _committed(written)
                self._doubtful += [w.path for w in written]
                if stored is False:
                    self._settle_doubts()
                if isinstance(error, OSError | duckdb.Error):
                    raise lake.storage_error(error, "write a file of the history") from error
                raise
            self._rollups.marked(dirty)
            self._remember(batch)
            return _committed(written)

    def roll_up(self, now_ns: int, budget_s: float = 5.0, terms: Terms = DEFAULT) -> RolledUp:
        """Roll up the hours that are over, and make anew those that late rows made dirty: see `Upkeep.roll_up`."""
        return self._upkeep.roll_up(now_ns, budget_s, terms)

    @property
    def holes(self) -> tuple[Hole, ...]:
        """What damage took out of the history."""
        return self._aside.holes

    def patrol(self) -> bool:
        """Look for damage: see `Upkeep.patrol`."""
        return self._upkeep.patrol()

    def compact(self, budget_s: float = 10.0, *, grace_s: float = 300.0) -> Compacted:
        """Merge small files, give up former versions, delete what they left: see `Upkeep.compact`."""
        return self._upkeep.compact(budget_s, grace_s=grace_s)

    def retain(
        self,
        now_ns: int,
        classes: Mapping[str, float],
        rollups: Mapping[str, Mapping[str, float]] | None = None,
    ) -> int:
        """Drop the files whose newest row is older than its class keeps: see `Upkeep.retain`."""
        return self._upkeep.retain(now_ns, classes, rollups)

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
            lake.check_format(self._connection)
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS lake.{rolled.TABLE} ({rolled.COLUMNS})")
            lake.add_sigma(self._connection)
            self._connection.execute(
                "UPDATE lake.format SET version = ? WHERE version < ?", [lake.FORMAT] * 2
            )
            self._connection.execute(
                'CREATE TABLE IF NOT EXISTS lake.progress ("partition" INTEGER, epoch BIGINT, sequence BIGINT)'
            )
        self._rollups.open()
        self._aside.open()
        for table in lake.tables(self._connection):
            catalogue.keep_rows_in_files(self._connection, table)
        catalogue.end_emptied(self._connection)
        catalogue.sweep(self._connection, self._folder.rglob("*.parquet"))
        progress = {p: now.sequence for p, now in self.progress().items()}
        newest = catalogue.newest(self._connection)
        self._newest = Newest.noted(self.path, progress, NEVER if newest is None else (newest + 1) * files.MS)

    def _remember(self, batch: Batch) -> None:
        self._newest = self._newest.after(batch)
        with suppress(
            OSError, StorageError
        ):  # a full disk: the note only saves work, and an old one is found out
            self._newest.note(self.path, {p: now.sequence for p, now in self.progress().items()})

    def _transaction(self, doing: str) -> Transaction:
        return Transaction(self._connection, doing)

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
        """Write the files of a sorted batch, noting each in `written` as soon as it stands."""
        if not len(batch):
            return
        late = self._newest.late(batch)
        by_signal = None if classes is None else np.asarray(classes)
        of_row = np.zeros(len(batch), np.int8) if by_signal is None else by_signal[batch.signal]
        for retention, rows in files.groups(batch, of_row):
            table = lake.table_of(DEFAULT_CLASS if by_signal is None else str(retention))
            if table not in self._tables:
                self._connection.execute(f"CREATE TABLE IF NOT EXISTS lake.{table} ({files.COLUMNS})")
                catalogue.keep_rows_in_files(self._connection, table)
                self._tables.add(table)
            whole = len(rows) == len(batch)
            part, part_late = (batch, late) if whole else (batch.take(rows), late[rows])
            written.append(files.write(self._folder, table, files.to_table(part, part_late, self._grids)))

    def _name(self, written: Sequence[files.Written]) -> None:
        for one in written:
            self._connection.execute(
                f"CALL ducklake_add_data_files('lake', '{one.table}', {lake.quoted(sealed.address(one.path))}, allow_missing => true)"
            )

    def _settle_doubts(self) -> None:
        """Delete the files of failed commits, once the catalogue can be asked that it does not name them."""
        if self._doubtful:
            try:
                catalogue.sweep(self._connection, self._doubtful)
            except duckdb.Error as error:
                raise lake.storage_error(error, "clean up after a failed commit") from error
            self._doubtful = []

    def _stored(self, partition: int, sequence: int) -> bool | None:
        try:
            now = self._progress_of(partition)
        except StorageError:
            return None
        return now is not None and now.sequence >= sequence


class _Writer:
    """What of the writer its roll-ups use."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self._store._connection

    @property
    def folder(self) -> Path:
        return self._store._folder

    @property
    def path(self) -> Path:
        return self._store.path

    def turn(self) -> threading.RLock:
        return self._store._turn

    def transaction(self, doing: str) -> Transaction:
        return self._store._transaction(doing)

    def name(self, written: Sequence[files.Written]) -> None:
        self._store._name(written)

    def forsake(self, written: Sequence[files.Written]) -> None:
        with self._store._turn:
            self._store._doubtful += [w.path for w in written]
            self._store._settle_doubts()


def _committed(written: list[files.Written]) -> Committed:
    return Committed(sum(w.rows for w in written), len(written), sum(w.size for w in written), already=False)
