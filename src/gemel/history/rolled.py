"""How far roll-ups reach, and which hours are dirty: kept in the lake, moved in the transactions of commits.

Hours are counted since 1970. All whole hours before `upto` are rolled up, but for the dirty ones: rectangles of
signals and hours, each marked by the commit that brought a row older than `upto`. A row changes its own hour and,
as it may hold so long, the next.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from gemel.history import lake
from gemel.history.levels import HOUR
from gemel.samples import Batch
from gemel.samples.batch import I32, I64

TABLE: Final = "rolled"
COLUMNS: Final = (
    "kind VARCHAR, class VARCHAR, low INTEGER, high INTEGER, first BIGINT, last BIGINT, mark BIGINT"
)
HOURS, DAYS, DIRTY, DIRTY_DAYS, HORIZON = "hours", "days", "dirty", "dirty-days", "horizon"
MOST_MARKS: Final = 8  # of one commit: DuckLake keeps up to ten rows in the catalogue itself
NEVER: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Dirty:
    """Signals low to high have hours first to last whose roll-ups are not true any more; both ends in."""

    low: int
    high: int
    first: int
    last: int
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Rolled:
    """The state of the roll-ups.

    Args:
        upto: the first hour that is not rolled up; None before the first roll-up.
        days: the first day that is not rolled up.
        dirty: what is to be made anew.
        dirty_days: days whose hours were made anew since; first and last are days.
        horizon: by retention class, the first hour whose readings are all still there.

    """

    upto: int | None = None
    days: int | None = None
    dirty: tuple[Dirty, ...] = ()
    dirty_days: tuple[Dirty, ...] = ()
    horizon: Mapping[str, int] = field(default_factory=dict)

    def hours(self, signal: int) -> npt.NDArray[np.int64]:
        """Give the dirty hours of a signal, sorted, each once."""
        return _of(signal, self.dirty)

    def stale_days(self, signal: int) -> npt.NDArray[np.int64]:
        """Give the dirty days of a signal, sorted, each once; days with a dirty hour are not true either."""
        return _of(signal, self.dirty_days)


def _of(signal: int, marks: tuple[Dirty, ...]) -> npt.NDArray[np.int64]:
    mine = [np.arange(d.first, d.last + 1) for d in marks if d.low <= signal <= d.high]
    return np.unique(np.concatenate(mine)) if mine else np.zeros(0, np.int64)


def read(connection: duckdb.DuckDBPyConnection) -> Rolled:
    """Read the state, within the caller's transaction; none in a lake of former format."""
    try:
        rows = connection.execute(f"SELECT * FROM lake.{TABLE}").fetchall()
    except duckdb.CatalogException:
        return Rolled()
    reach = {kind: int(first) for kind, _, _, _, first, _, _ in rows if kind in (HOURS, DAYS)}
    horizon = {name: int(first) for kind, name, _, _, first, _, _ in rows if kind == HORIZON}
    return Rolled(reach.get(HOURS), reach.get(DAYS), _marks(rows, DIRTY), _marks(rows, DIRTY_DAYS), horizon)


def _marks(rows: list[tuple[Any, ...]], wanted: str) -> tuple[Dirty, ...]:
    found = (
        Dirty(low, high, first, last, number)
        for kind, _, low, high, first, last, number in rows
        if kind == wanted
    )
    return tuple(sorted(found, key=lambda d: d.mark))


def move(connection: duckdb.DuckDBPyConnection, kind: str, upto: int) -> None:
    """Note how far hours, or days, are rolled up."""
    connection.execute(f"DELETE FROM lake.{TABLE} WHERE kind = '{kind}'")
    connection.execute(f"INSERT INTO lake.{TABLE} VALUES ('{kind}', '', 0, 0, {int(upto)}, 0, 0)")


def mark(connection: duckdb.DuckDBPyConnection, kind: str, found: list[Dirty]) -> None:
    """Mark what is dirty: hours, or days."""
    for d in found:
        connection.execute(
            f"INSERT INTO lake.{TABLE} VALUES ('{kind}', '', {d.low}, {d.high}, {d.first}, {d.last}, {d.mark})"
        )


def unmark(
    connection: duckdb.DuckDBPyConnection, kind: str, done: Iterable[Dirty], rest: Dirty | None
) -> None:
    """Take marks away, or leave what of the first is still to be done."""
    numbers = ", ".join(str(d.mark) for d in done)
    connection.execute(f"DELETE FROM lake.{TABLE} WHERE kind = '{kind}' AND mark IN ({numbers})")
    if rest is not None:
        mark(connection, kind, [rest])


def lose(connection: duckdb.DuckDBPyConnection, retention: str, hour: int) -> None:
    """Note that readings of a class before an hour are dropped: what is rolled up of them stays as it is."""
    connection.execute(
        f"DELETE FROM lake.{TABLE} WHERE kind = '{HORIZON}' AND class = {lake.quoted(retention)}"
    )
    connection.execute(
        f"INSERT INTO lake.{TABLE} VALUES ('{HORIZON}', {lake.quoted(retention)}, 0, 0, {int(hour)}, 0, 0)"
    )


def dirtied(batch: Batch, upto: int, number: int) -> list[Dirty]:
    """Give what the rows of a batch make dirty, in a few rectangles: those of the least area, numbered from `number`."""
    old = batch.time < upto * HOUR
    if not old.any():
        return []
    hour, signal = batch.time[old] // HOUR, batch.signal[old]
    ways = [_runs(hour, signal), [Dirty(d.first, d.last, d.low, d.high) for d in _runs(signal, hour)]]
    best = min(ways, key=lambda found: sum((d.high - d.low + 1) * (d.last - d.first + 1) for d in found))
    return [Dirty(d.low, d.high, d.first, min(d.last + 1, upto - 1), number + i) for i, d in enumerate(best)]


def _runs(along: I64 | I32, across: I64 | I32) -> list[Dirty]:
    """Cut by the widest gaps of one axis; give for each part its range, and that of the other axis."""
    order = np.argsort(along, kind="stable")
    along, across = along[order], across[order]
    gap = np.diff(along)
    widest = np.sort(np.argsort(gap, kind="stable")[-(MOST_MARKS - 1) :])
    cuts = widest[gap[widest] > 1] + 1
    return list(_parts(along, across, [0, *cuts.tolist(), len(along)]))


def _parts(
    along: npt.NDArray[np.integer], across: npt.NDArray[np.integer], edges: list[int]
) -> Iterator[Dirty]:
    for start, end in pairwise(edges):
        part = across[start:end]
        yield Dirty(int(part.min()), int(part.max()), int(along[start]), int(along[end - 1]))
