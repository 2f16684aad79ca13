"""How far a query looks: back or ahead in growing steps, so that what is near is found without reading the rest."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import duckdb

from gemel.history import catalogue, sql
from gemel.history.files import MS
from gemel.history.resolve import newest
from gemel.samples import Batch
from gemel.samples.clock import DAY, SECOND

STEPS: Final = (30 * SECOND, 600 * SECOND, 6 * 3600 * SECOND, 8 * DAY, 64 * DAY)
FIRST_STEP: Final = 3600 * SECOND


def clamped(at: int, cursor: duckdb.DuckDBPyConnection, tables: Sequence[str], tail: Batch | None) -> int:
    """Give `at`, or the newest time there may be a row of where that is earlier [ns]."""
    bound = catalogue.newest(cursor) if tables else None
    newest = sql.ALWAYS if bound is None else (bound + 1) * MS
    return min(at, max(newest, int(tail.time.max())) if tail is not None and len(tail) else newest)


def steps(at: int, last: int) -> Iterator[tuple[int, int]]:
    """Give ranges (start, end) that go back from `at` to `last`, each longer than the one before.

    >>> list(steps(100 * SECOND - 1, 0)) == [(70 * SECOND, 100 * SECOND), (0, 70 * SECOND)]
    True
    """
    edges = [at + 1, *(max(at + 1 - step, last) for step in STEPS), last]
    return ((start, end) for end, start in pairwise(edges) if start < end)


def first_rows(
    cursor: duckdb.DuckDBPyConnection, tables: Sequence[str], scope: sql.Scope, limit: int, *, tail: bool
) -> Batch:
    """Give the first `limit` rows of one signal, reading ahead only as far as they reach."""
    found: list[Batch] = []
    missing, start, step = limit, scope.start, FIRST_STEP
    while missing > 0 and start < scope.end:
        end = min(start + step, scope.end)
        query = sql.rows(tables, replace(scope, start=start, end=end), tail=tail)
        rows = newest(Batch.from_arrow(cursor.execute(query).to_arrow_table()))
        found.append(rows[:missing])
        missing, start = missing - len(rows), end
        step = int(step * min(max(missing / len(rows), 0.25), 8)) + 1 if len(rows) else step * 8
    return Batch.concat(found)
