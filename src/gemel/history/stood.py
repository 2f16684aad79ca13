"""What each signal said last, and last usably, at a time: what the live state would show, had it stopped there.

For one (signal, time) the latest word counts: a reading that was judged again as Bad is taken back, and the newest
usable one before it is found, however far back it lies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from gemel.history import sql
from gemel.history.lookback import clamped, steps
from gemel.samples import Batch
from gemel.samples.batch import I32
from gemel.samples.status import BAD, BAD_INVALID_TIMESTAMP, is_bad

# a reading with an impossible time is no word on when anything was so
_TIMELY: Final = f"(status & {0xFFFF0000}) <> {BAD_INVALID_TIMESTAMP}"
_GOOD: Final = f"status < {BAD}"


@dataclass(frozen=True, slots=True)
class Ask:
    """Where it is looked."""

    cursor: duckdb.DuckDBPyConnection
    tables: Sequence[str]
    tail: Batch | None

    def ends(self, scope: sql.Scope) -> Batch:
        """Give all words on each signal's newest time in scope, and on its newest time with a word that is not Bad."""
        sql.register_wanted(self.cursor, scope)
        rows = sql.rows(self.tables, scope, tail=self.tail is not None)
        query = (
            f"WITH r AS MATERIALIZED (SELECT * FROM ({rows}) WHERE {_TIMELY}), "
            f"m AS (SELECT signal, max(time) AS t, max(time) FILTER (WHERE {_GOOD}) AS u FROM r GROUP BY signal) "
            "SELECT r.* FROM r JOIN m ON r.signal = m.signal AND (r.time = m.t OR r.time = m.u)"
        )
        return Batch.from_arrow(self.cursor.execute(query).to_arrow_table())


def stood(ask: Ask, signals: I32, at: int, known: int | None) -> Batch:
    """Give each signal's latest row, and before it its newest usable one where that is another.

    Only rows with time <= `at` and received <= `known` [ns] count. It looks back in growing steps: a signal that
    never had a usable row makes it look through all there is of that signal.
    """
    latest: list[Batch] = []
    usable: list[Batch] = []
    unheard = unusable = signals
    for start, end in steps(clamped(at, ask.cursor, ask.tables, ask.tail), sql.ALWAYS):
        scope = sql.Scope(np.union1d(unheard, unusable).astype(np.int32), start, end, known)
        found = ask.ends(scope)
        latest.append(_of(_last(_winners(found)), unheard))
        usable.append(_of(_usable(ask, scope, found), unusable))
        unheard = np.setdiff1d(unheard, latest[-1].signal).astype(np.int32)
        unusable = np.setdiff1d(unusable, usable[-1].signal).astype(np.int32)
        if not len(unheard) and not len(unusable):
            break
    return Batch.concat([*usable, *latest])


def _usable(ask: Ask, scope: sql.Scope, found: Batch) -> Batch:
    """Give the newest row of each signal that is usable by the latest word on it."""
    winners = _winners(found)
    good = [_last(winners.take(~is_bad(winners.status)))]
    # what was not Bad at first, and is by the latest word: an older one counts
    hoped = np.unique(found.signal[~is_bad(found.status)])
    for signal in np.setdiff1d(hoped, good[0].signal).tolist():
        of = found.take((found.signal == signal) & ~is_bad(found.status))
        earlier = replace(scope, signals=np.array([signal], np.int32), end=int(of.time.max()))
        if earlier.start < earlier.end:
            good.append(_usable(ask, earlier, ask.ends(earlier)))
    return Batch.concat(good)


def _of(rows: Batch, signals: I32) -> Batch:
    return rows.take(np.isin(rows.signal, signals))


def _winners(rows: Batch) -> Batch:
    """Give one row a (signal, time), sorted: the latest received wins, then the greater bits, then the status."""
    bits = np.ascontiguousarray(rows.value).view(np.uint64)
    rows = rows.take(np.lexsort((rows.status, bits, rows.received, rows.time, rows.signal)))
    return rows.take(_ends_of(rows.signal, rows.time))


def _last(rows: Batch) -> Batch:
    return rows.take(_ends_of(rows.signal))


def _ends_of(*columns: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Tell which rows of a sorted batch are the last of their group."""
    last = np.ones(len(columns[0]), np.bool_)
    last[:-1] = np.logical_or.reduce([c[1:] != c[:-1] for c in columns])
    return last
