"""How far `Reader.at` looks back: in growing steps, so that what is recent is found at once."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import duckdb

from gemel.history import catalogue, sql
from gemel.history.files import MS
from gemel.samples import Batch
from gemel.samples.clock import DAY, SECOND

STEPS: Final = (30 * SECOND, 600 * SECOND, 6 * 3600 * SECOND, 8 * DAY, 64 * DAY)


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
