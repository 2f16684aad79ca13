"""Answers what was measured: lake and hot tail together, read-only, from any process, while the writer writes.

Times are [ns]; ranges are start <= time < end. Nothing is interpolated: a gap is a gap. A tail may hold rows that
are in the lake too: ask the twin for its tail first and the lake after, then no row is missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gemel.errors import AssetError
from gemel.history import lake, sql
from gemel.history.files import TIME
from gemel.history.session import Session
from gemel.samples import Batch
from gemel.samples.batch import F64, I64, U32
from gemel.samples.clock import DAY, SECOND

AGGREGATES: Final = tuple(sql.VALUES)
MOST_INTERVALS: Final = 1_000_000
STEPS: Final = (
    30 * SECOND,
    600 * SECOND,
    6 * 3600 * SECOND,
    8 * DAY,
    64 * DAY,
)  # how far `at` looks back, in turn
ALWAYS: Final = -(2**63) + DAY


@dataclass(frozen=True)
class Aggregated:
    """One row an interval, from `start` on, none left out.

    Args:
        times: start of each interval [ns].
        values: the aggregate over usable rows (not Bad, not NaN); NaN is a gap.
        counts: how many usable rows.
        worst: the worst status of all rows, Bad ones too; 0 where there is none.

    """

    times: I64
    values: F64
    counts: I64
    worst: U32


@dataclass(frozen=True)
class Existing:
    """What the lake holds for each row asked about: columns as long as the question.

    Args:
        found: whether there is a row of that signal and time, received before.
        value, status, received: of the newest such row; NaN and 0 where not found.

    """

    found: npt.NDArray[np.bool_]
    value: F64
    status: U32
    received: I64


class Reader:
    """Reads a lake. Cheap to keep open, sees each commit; calls may come from any thread."""

    def __init__(self, path: Path | str, bounds: lake.Bounds = lake.Bounds()) -> None:  # noqa: B008 - frozen
        self.path = Path(path).absolute()
        self._session = Session(self.path, bounds)

    def raw(
        self, signals: npt.ArrayLike, start: int, end: int, limit: int | None = None, known: int | None = None,
        *, tail: Batch | None = None, corrected: bool = False,
    ) -> Batch:  # fmt: skip
        """Give rows sorted by (signal, time); for one (signal, time) the latest received wins.

        Args:
            signals: registry numbers.
            start: first time [ns].
            end: the time after the last [ns].
            limit: at most so many rows, the first ones.
            known: only what had been received by then [ns].
            tail: rows that may not be in the lake yet.
            corrected: give the rows that were superseded, too; equal rows once.

        """
        scope = sql.Scope(sql.wanted(signals), start, end, known)

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Batch:
            query = sql.rows(tables, scope, tail=tail is not None)
            query = query if corrected else sql.newest(query)
            if limit is not None and not corrected:
                query = f"SELECT * FROM ({query}) ORDER BY signal, time, received LIMIT {int(limit)}"
            found = Batch.from_arrow(cursor.execute(query).to_arrow_table())
            return _distinct(found)[:limit] if corrected else _sorted(found)

        return self._session.ask(ask, tail, scope)

    def decimated(
        self, signal: int, start: int, end: int, points: int, *, tail: Batch | None = None
    ) -> Batch:
        """Give at most about 2 x `points` rows of the real ones, such that a trend looks the same.

        Per bucket of time: the first, the last, the lowest and the highest usable row, the worst status, the
        extremes among Bad rows; so a spike of one sample survives. Where there are few rows all are given.
        """
        scope = sql.Scope(sql.wanted([signal]), start, end)
        most = 2 * max(points, 2)

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Batch:
            query = sql.rows(tables, scope, tail=tail is not None)
            few = Batch.from_arrow(cursor.execute(f"{query} LIMIT {most + 1}").to_arrow_table())
            if len(few) <= most:
                return _newest(few)
            buckets = max(points // 2, 1)
            while True:
                width = max(-(-(end - start) // buckets), 1)
                rows = Batch.from_arrow(cursor.execute(sql.decimated(query, start, width)).to_arrow_table())
                if len(rows) <= most or buckets == 1:
                    return _sorted(rows)
                buckets = buckets * 2 // 3 or 1

        return self._session.ask(ask, tail, scope)

    def aggregated(
        self,
        signal: int,
        start: int,
        end: int,
        interval_ns: int,
        aggregate: str,
        *,
        tail: Batch | None = None,
    ) -> Aggregated:
        """Give one aggregate an interval, intervals counted from `start`; raises AssetError for what cannot be."""
        _check_intervals(start, end, interval_ns, aggregate)
        scope = sql.Scope(sql.wanted([signal]), start, end)

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> pa.Table:
            query = sql.rows(tables, scope, tail=tail is not None)
            return cursor.execute(sql.aggregated(query, start, interval_ns, aggregate)).to_arrow_table()

        return _filled(self._session.ask(ask, tail, scope), start, end, interval_ns, aggregate)

    def at(
        self, signals: npt.ArrayLike, at: int, known: int | None = None, *, tail: Batch | None = None
    ) -> Batch:
        """Give each signal's last row with time <= `at` and received <= `known`; signals without one are left out."""
        wanted = sql.wanted(signals)

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Batch:
            found: list[Batch] = []
            missing, end = wanted, at + 1
            for start in [at + 1 - step for step in STEPS] + [ALWAYS]:
                scope = sql.Scope(missing, start, end, known)
                sql.register_wanted(cursor, scope)
                query = sql.last(sql.rows(tables, scope, tail=tail is not None))
                part = Batch.from_arrow(cursor.execute(query).to_arrow_table())
                found.append(part)
                missing, end = np.setdiff1d(missing, part.signal).astype(np.int32), start
                if not len(missing):
                    break
            return _sorted(Batch.concat(found))

        return self._session.ask(ask, tail, sql.Scope(wanted, 0, 0))

    def existing(self, batch: Batch, *, tail: Batch | None = None) -> Existing:
        """Tell for each row of `batch` what is stored for its signal and time that was received before it."""
        n = len(batch)
        result = Existing(
            np.zeros(n, np.bool_), np.full(n, np.nan), np.zeros(n, np.uint32), np.zeros(n, np.int64)
        )
        if not n:
            return result
        keys = pa.table(
            {"row": np.arange(n), "signal": batch.signal, "time": batch.time, "received": batch.received}
        )
        signals = np.unique(batch.signal)
        bounds = int(batch.time.min()), int(batch.time.max()) + 1

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> pa.Table:
            cursor.register("keys", keys)
            return cursor.execute(
                sql.before(tables, "keys", tail=tail is not None, bounds=bounds, signals=signals)
            ).to_arrow_table()

        table = self._session.ask(ask, tail, sql.Scope(signals, *bounds))
        row = table["row"].to_numpy()
        result.found[row] = True
        for name in ("value", "status", "received"):
            getattr(result, name)[row] = table[name].to_numpy()
        return result

    def rows_count(
        self, signals: npt.ArrayLike | None = None, start: int | None = None, end: int | None = None
    ) -> int:
        """Count the stored rows, superseded ones too; without bounds no file is read."""
        low, high = ALWAYS if start is None else start, -ALWAYS if end is None else end
        scope = sql.Scope(None if signals is None else sql.wanted(signals), low, high)
        bounded = signals is not None or start is not None or end is not None
        condition = scope.where(TIME, stored=True) if bounded else "true"

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> int:
            counts = (
                cursor.execute(f"SELECT count(*) FROM lake.{t} WHERE {condition}").fetchone() for t in tables
            )
            return sum(int(c[0]) for c in counts if c)

        return self._session.ask(ask, None, scope)

    def latest(self) -> int | None:
        """Give the newest source time stored [ns]; None where nothing is."""

        def ask(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> int | None:
            newest = (cursor.execute(f"SELECT max(ms) FROM lake.{t}").fetchone() for t in tables)
            known = [int(n[0]) for n in newest if n and n[0] is not None]
            if not known:
                return None
            top = (
                cursor.execute(f"SELECT max({TIME}) FROM lake.{t} WHERE ms = {max(known)}").fetchone()
                for t in tables
            )
            return max(int(t[0]) for t in top if t and t[0] is not None)

        return self._session.ask(ask)

    def close(self) -> None:
        """Close the lake; a second call does nothing."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sorted(batch: Batch) -> Batch:
    return batch.take(batch.order()) if len(batch) else batch


def _distinct(batch: Batch) -> Batch:
    """Give sorted rows, equal ones once."""
    rows = batch.take(
        np.lexsort((batch.value.view(np.int64), batch.status, batch.received, batch.time, batch.signal))
    )
    columns = (rows.signal, rows.time, rows.received, rows.value.view(np.int64), rows.status)
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = np.logical_or.reduce([c[1:] != c[:-1] for c in columns])
    return rows.take(fresh)


def _newest(batch: Batch) -> Batch:
    """Give sorted rows where for one (signal, time) the latest received wins, as `sql.newest` does."""
    order = np.lexsort((batch.value, batch.status, batch.received, batch.time, batch.signal))
    rows = batch.take(order)
    same = (rows.signal[1:] == rows.signal[:-1]) & (rows.time[1:] == rows.time[:-1])
    return rows.take(np.append(~same, [True] * bool(len(rows))).astype(np.bool_))


def _check_intervals(start: int, end: int, interval_ns: int, aggregate: str) -> None:
    if aggregate not in sql.VALUES:
        raise AssetError(
            f"no aggregate {aggregate!r}", code="aggregate", remedy=f"one of {', '.join(AGGREGATES)}"
        )
    if interval_ns <= 0:
        raise AssetError("an interval must be longer than nothing", code="interval", remedy="such as 60s")
    if (end - start) // interval_ns > MOST_INTERVALS:
        raise AssetError(
            f"more than {MOST_INTERVALS} intervals were asked for",
            code="interval",
            remedy="ask for longer intervals or a shorter range",
        )


def _filled(table: pa.Table, start: int, end: int, interval: int, aggregate: str) -> Aggregated:
    n = max(-(-(end - start) // interval), 0)
    times = start + np.arange(n, dtype=np.int64) * interval
    values = np.zeros(n) if aggregate == "count" else np.full(n, np.nan)
    counts, worst = np.zeros(n, np.int64), np.zeros(n, np.uint32)
    bucket = table["bucket"].to_numpy()
    values[bucket] = table["value"].cast(pa.float64()).to_numpy()  # a NULL comes as NaN: no usable row
    counts[bucket] = table["usable"].to_numpy()
    worst[bucket] = table["worst"].to_numpy()
    return Aggregated(times, values, counts, worst)
