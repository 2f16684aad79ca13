"""What each signal said last, and last usably, at a time: the rows that a fold up to there could end with.

Where several rows share the greatest (time, received) all of them are given: which one stands is the fold's to say,
so that a state asked of history and one that was folded live cannot differ.
"""

from collections.abc import Sequence
from typing import Final

import duckdb
import numpy as np

from gemel.history import sql
from gemel.history.lookback import clamped, steps
from gemel.samples import Batch
from gemel.samples.batch import I32
from gemel.samples.status import BAD, BAD_INVALID_TIMESTAMP

# a reading with an impossible time is no word on when anything was so
_TIMELY: Final = f"(status & {0xFFFF0000}) <> {BAD_INVALID_TIMESTAMP}"
_ORDER: Final = "ORDER BY time DESC, received DESC"


def stood(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[str], signals: I32, at: int, known: int | None,
    *, tail: Batch | None,
) -> Batch:  # fmt: skip
    """Give the rows with time <= `at` and received <= `known` [ns] that are a signal's latest, or its latest usable."""
    found: list[Batch] = []
    unheard = unusable = signals
    for start, end in steps(clamped(at, cursor, tables, tail), sql.ALWAYS):
        scope = sql.Scope(np.union1d(unheard, unusable).astype(np.int32), start, end, known)
        sql.register_wanted(cursor, scope)
        query = _candidates(sql.rows(tables, scope, tail=tail is not None))
        rows = Batch.from_arrow(cursor.execute(query).to_arrow_table())
        found.append(rows)
        unheard = np.setdiff1d(unheard, rows.signal).astype(np.int32)
        unusable = np.setdiff1d(unusable, rows.signal[rows.status < np.uint32(BAD)]).astype(np.int32)
        if not len(unheard) and not len(unusable):
            break
    return Batch.concat(found)


def _candidates(query: str) -> str:
    return (
        f"SELECT * FROM ({query}) WHERE {_TIMELY} "
        f"QUALIFY rank() OVER (PARTITION BY signal {_ORDER}) = 1 "
        f"OR (status < {BAD} AND rank() OVER (PARTITION BY signal, status < {BAD} {_ORDER}) = 1)"
    )
