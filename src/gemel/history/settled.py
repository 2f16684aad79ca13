"""What readings and roll-ups say in the end: of rows that were stored more than once, the one that counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gemel.history import files, groups, rollfile
from gemel.history.groups import Wanted
from gemel.history.levels import Level
from gemel.history.order import order
from gemel.samples import Batch
from gemel.samples.batch import Index


@dataclass(frozen=True)
class Rows:
    """Readings sorted by (signal, time), each once; at: where they lie in the table of their stored columns."""

    batch: Batch
    table: pa.Table
    at: Index

    def take(self, rows: npt.NDArray[Any]) -> "Rows":
        return Rows(self.batch.take(rows), self.table, self.at[rows])

    def picks(self, made: int) -> pa.Table:
        return rollfile.of_picks(self.table.take(pa.array(self.at)), self.batch, made)


def settled(tables: Sequence[pa.Table], start: int, end: int) -> Rows:
    """Give the readings with start <= time < end [ns] of some tables; for one (signal, time) the latest received wins."""
    batch = Batch.concat([groups.batch(t) for t in tables])
    late = any(groups.optional(t, "late") is not None for t in tables)
    table = pa.concat_tables(tables, promote_options="default")
    at = np.flatnonzero((batch.time >= start) & (batch.time < end))
    at = at[order(batch.take(at))] if len(at) < len(batch) else order(batch)
    rows = batch.take(at)
    if late:
        best = winners(rows)
        at, rows = at[best], rows.take(best)
    return Rows(rows, table, at)


def winners(rows: Batch) -> Index:
    """Tell, of rows sorted by (signal, time), the one of each (signal, time) that was received last."""
    same = (rows.signal[1:] == rows.signal[:-1]) & (rows.time[1:] == rows.time[:-1])
    if not same.any():
        return np.arange(len(rows))
    best: Index = np.lexsort((rows.value, rows.status, rows.received, rows.time, rows.signal))
    return best.take(np.flatnonzero(np.append(~same, True)))


def latest(tables: Sequence[pa.Table], wanted: Wanted, level: Level) -> pa.Table:
    """Give the rows of roll-ups within bounds that are true: of the latest making of their chunk."""
    table = pa.concat_tables(tables, promote_options="default")
    signal, ms = groups.column(table, "signal"), groups.column(table, "ms")
    true = rollfile.true_rows(signal, ms, groups.column(table, "made"), level.chunk // files.MS)
    true &= (ms >= wanted.first) & (ms <= wanted.last)
    return table if true.all() else table.filter(pa.array(true))
