"""Keeps roll-ups true, in the background: which hours are done, which became dirty, unit after unit within a budget.

A unit is read and written beside the commits; its files are named, and the state moved, in one transaction. From the
moment it begins, commits mark what they bring for its hours: so a row that came meanwhile is never overlooked.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import duckdb
import numpy as np
import numpy.typing as npt

from gemel.history import catalogue, files, lake, rolled
from gemel.history.levels import HOUR, PICK, level_of
from gemel.history.manifest import Manifest, by_kind
from gemel.history.rolled import DIRTY, DIRTY_DAYS, Dirty, Rolled
from gemel.history.roller import DEFAULT, Roller, Terms
from gemel.history.rollfile import PICKS, ROLLS, columns
from gemel.history.units import HOURS_A_DAY, Unit, plan
from gemel.samples import Batch
from gemel.samples.clock import DAY, SECOND

CLOSED_NS: Final = 60 * SECOND  # after its end an hour is closed; what comes later is late


@dataclass(frozen=True)
class RolledUp:
    """What a call did: units of work and files written; `behind`: whether there is more to do."""

    units: int
    files: int
    behind: bool


class Catalogue(Protocol):
    """What roll-ups need of the writer."""

    @property
    def connection(self) -> duckdb.DuckDBPyConnection: ...
    def turn(self) -> AbstractContextManager[object]: ...
    def transaction(self, doing: str) -> AbstractContextManager[None]: ...
    def name(self, written: Sequence[files.Written]) -> None: ...
    def forsake(self, written: Sequence[files.Written]) -> None: ...


class RollUps:
    """The roll-ups of one writer's lake."""

    def __init__(self, writer: Catalogue, folder: Path) -> None:
        self._writer = writer
        self._folder = folder
        self._roller = Roller(folder)
        self._state = Rolled()
        self._claimed = 0  # hours before it are rolled up, or about to be
        self._number = 1  # of the next mark
        self._tables: set[str] = set()

    def open(self) -> None:
        """Read the state."""
        self._note(rolled.read(self._writer.connection))

    @property
    def state(self) -> Rolled:
        """The state as of the last transaction."""
        return self._state

    def dirtied(self, batch: Batch, of_row: npt.NDArray[np.str_] | None) -> list[Dirty]:
        """Give the marks that a commit of these rows must make; of_row: their retention classes."""
        if not len(batch) or not self._claimed or int(batch.time.min()) >= self._claimed * HOUR:
            return []
        kept = batch.time >= self._kept_from(len(batch), of_row)
        found = rolled.dirtied(batch if kept.all() else batch.take(kept), self._claimed, self._number)
        self._number += len(found)
        return found

    def true_upto(self, last: int) -> bool:
        """Tell whether the roll-ups of all hours up to a time [ms] are true, or none was ever made."""
        hour = last * files.MS // HOUR
        reached = self._state.upto is None or hour < self._state.upto
        return reached and all(d.first > hour for d in self._state.dirty)

    def lose(self, retention: str, last: int) -> None:
        """Note, within a transaction, that readings of a class up to a time [ms] are dropped: their whole day is closed."""
        if self._state.upto is not None:
            day = last * files.MS // DAY + 1
            rolled.lose(
                self._writer.connection,
                retention,
                max(day * HOURS_A_DAY, self._state.horizon.get(retention, 0)),
            )

    def _kept_from(self, n: int, of_row: npt.NDArray[np.str_] | None) -> npt.NDArray[np.int64]:
        """Give the time [ns] from which each row still counts: what is older than its class's readings does not."""
        start = np.full(n, np.iinfo(np.int64).min)
        for name, hour in self._state.horizon.items():
            start[slice(None) if of_row is None and name == "default" else of_row == name] = hour * HOUR
        return start

    def renew(self, hours: Sequence[Dirty], days: Sequence[Dirty]) -> None:
        """Note, within a transaction, what is to be made anew because its files are lost."""
        for kind, found in ((DIRTY, hours), (DIRTY_DAYS, days)):
            numbered = [replace(d, mark=self._number + i) for i, d in enumerate(found)]
            self._number += len(numbered)
            rolled.mark(self._writer.connection, kind, numbered)

    def marked(self, found: list[Dirty]) -> None:
        """Take note of the marks of a commit that ended well."""
        self._state = replace(self._state, dirty=(*self._state.dirty, *found))

    def roll(self, now: int, budget_s: float, terms: Terms = DEFAULT) -> RolledUp:
        """Roll up unit after unit; none is begun after so long [s]. now: the plant's time [ns]."""
        until = time.monotonic() + budget_s
        closed = (now - CLOSED_NS) // HOUR
        units = written = 0
        while (found := self._next(closed)) is not None:
            if time.monotonic() >= until:
                return RolledUp(units, written, behind=True)
            written += self._do(*found, terms)
            units += 1
        return RolledUp(units, written, behind=False)

    def _next(self, closed: int) -> tuple[Unit, Manifest] | None:
        with self._writer.turn():
            connection = self._writer.connection
            with self._writer.transaction("read the history's catalogue"):
                stored = catalogue.stored(connection, self._folder)
                manifest = Manifest(catalogue.version(connection), by_kind(stored), self._state)
            unit = plan(manifest, closed)
            if unit is None:
                return None
            if unit.fresh and not unit.days:
                self._claimed = max(self._claimed, unit.end)
            return unit, manifest

    def _do(self, unit: Unit, manifest: Manifest, terms: Terms) -> int:
        with _in_words("roll up the history"):
            written = self._roller.roll(unit, manifest, terms)
        try:
            with self._writer.turn():
                for one in written:
                    self._ensure(one.table)
                with self._writer.transaction("name the roll-ups of the history"):
                    self._writer.name(written)
                    self._settle(unit)
                self._note(rolled.read(self._writer.connection))
        except BaseException:
            self._writer.forsake(written)
            raise
        return len(written)

    def _settle(self, unit: Unit) -> None:
        """Move the state on, within the transaction that names the unit's files."""
        connection, days = self._writer.connection, self._state.days
        first, last = unit.first // HOURS_A_DAY, (unit.end - 1) // HOURS_A_DAY
        kind = rolled.DAYS if unit.days else rolled.HOURS
        if unit.fresh:
            rolled.move(connection, kind, last + 1 if unit.days else unit.end)
            if days is None:
                rolled.move(connection, rolled.DAYS, first)
            return
        rolled.unmark(connection, DIRTY_DAYS if unit.days else DIRTY, unit.marks, unit.rest)
        if not unit.days and (days is None or first < days):
            rolled.mark(connection, DIRTY_DAYS, [Dirty(unit.low, unit.high, first, last, self._number)])
            self._number += 1

    def _ensure(self, table: str) -> None:
        level = level_of(table)
        if table in self._tables or level is None:
            return
        schema = PICKS if table.startswith(PICK) else ROLLS
        self._writer.connection.execute(f"CREATE TABLE IF NOT EXISTS lake.{table} ({columns(schema)})")
        catalogue.keep_rows_in_files(self._writer.connection, table)
        self._tables.add(table)

    def _note(self, state: Rolled) -> None:
        self._state = state
        self._claimed = max(self._claimed, state.upto or 0)
        marks = [d.mark for d in (*state.dirty, *state.dirty_days)]
        self._number = max(self._number, max(marks, default=0) + 1)


@contextmanager
def _in_words(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise lake.storage_error(error, doing) from error
