"""One row for one (signal, time): the latest received wins. Finds the few rows that compete, and only those.

Rows not marked `late` are unique in (signal, time) among themselves. So the late rows and the tail, with the rows
they meet, are settled here, and the bulk is left to DuckDB, untouched.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import duckdb
import numpy as np

from gemel.history import sql
from gemel.history.order import order
from gemel.samples import Batch

SETTLED: Final = "settled"
FEW: Final = 50_000  # rows that are settled here at once
MANY: Final = 1_000_000  # competing rows, beyond which DuckDB settles them all


@dataclass(frozen=True)
class Resolved:
    """A query for the rows of a scope, each (signal, time) once; `rows` too, where they are few."""

    query: str
    rows: Batch | None = None


def resolved(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[str], scope: sql.Scope, *, tail: bool
) -> Resolved:
    """Give the rows in scope where for one (signal, time) the latest received wins."""
    everything = sql.rows(tables, scope, tail=tail)
    few = Batch.from_arrow(cursor.execute(f"{everything} LIMIT {FEW + 1}").to_arrow_table())
    if len(few) <= FEW:
        winners = newest(few)
        return Resolved(_settled(cursor, winners), winners)
    return Resolved(_bulk(cursor, tables, scope, tail=tail))


def _bulk(cursor: duckdb.DuckDBPyConnection, tables: Sequence[str], scope: sql.Scope, *, tail: bool) -> str:
    late = sql.rows(tables, scope, tail=tail, late=True)
    rivals = Batch.from_arrow(cursor.execute(f"{late} LIMIT {MANY + 1}").to_arrow_table())
    if not tables:
        return _settled(cursor, newest(rivals))
    bulk = sql.rows(tables, scope, tail=False, late=False)
    if not len(rivals):
        return bulk
    if len(rivals) > MANY:
        return sql.newest(sql.rows(tables, scope, tail=tail))
    inside = replace(scope, start=int(rivals.time.min()), end=int(rivals.time.max()) + 1)
    cursor.register(SETTLED, rivals.to_arrow(sigma=True))
    met = f"{sql.rows(tables, inside, tail=False, late=False)}"
    met = f"SELECT b.* FROM ({met}) b SEMI JOIN {SETTLED} s ON b.signal = s.signal AND b.time = s.time"
    winners = newest(Batch.concat([rivals, Batch.from_arrow(cursor.execute(met).to_arrow_table())]))
    settled = _settled(cursor, winners)
    return f"SELECT b.* FROM ({bulk}) b ANTI JOIN {SETTLED} s ON b.signal = s.signal AND b.time = s.time UNION ALL {settled}"


def _settled(cursor: duckdb.DuckDBPyConnection, rows: Batch) -> str:
    cursor.register(SETTLED, rows.to_arrow(sigma=True))
    return f"SELECT signal, time, received, value, status, sigma FROM {SETTLED}"


def newest(batch: Batch) -> Batch:
    """Give sorted rows where for one (signal, time) the latest received wins; then the higher status, then value."""
    rows = batch.take(order(batch))
    same = (rows.signal[1:] == rows.signal[:-1]) & (rows.time[1:] == rows.time[:-1])
    if not same.any():
        return rows
    rows = batch.take(np.lexsort((batch.value, batch.status, batch.received, batch.time, batch.signal)))
    return rows.take(np.append(~same, True))


def distinct(batch: Batch) -> Batch:
    """Give sorted rows, equal ones once."""
    bits = batch.value.view(np.int64)
    rows = batch.take(np.lexsort((bits, batch.status, batch.received, batch.time, batch.signal)))
    columns = (rows.signal, rows.time, rows.received, rows.value.view(np.int64), rows.status)
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = np.logical_or.reduce([c[1:] != c[:-1] for c in columns])
    return rows.take(fresh)
