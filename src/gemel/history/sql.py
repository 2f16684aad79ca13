"""The SQL that gives samples their own columns back, from the raw tables and the hot tail alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gemel.history.files import MS, TIME, VALUE
from gemel.samples.clock import DAY

FEW: Final = 64  # signals that are written into the query; more are joined
TAIL: Final = "tail"
ALWAYS: Final = -(2**63) + DAY  # before all time [ns], and still to be reckoned with
WANTED: Final = "wanted"
# + 0.0: a column that is itself a sort key comes out of DuckDB's window with -0.0 made 0.0
LATEST: Final = "received DESC, status DESC, value + 0.0 DESC"
NEWEST: Final = f"row_number() OVER (PARTITION BY signal, time ORDER BY {LATEST}) = 1"


@dataclass(frozen=True)
class Scope:
    """Which rows a query looks at: start <= time < end, received <= known; signals None: all."""

    signals: npt.NDArray[np.int32] | None  # sorted, each once: see `wanted`
    start: int
    end: int
    known: int | None = None

    def where(self, time: str, *, stored: bool) -> str:
        """Give the condition; for stored rows it also bounds `ms`, which files and row groups are pruned by."""
        parts = [f"{time} >= {self.start}", f"{time} < {self.end}", self._signals()]
        if stored:
            parts += [f"ms >= {self.start // MS}", f"ms <= {(self.end - 1) // MS}"]
        if self.known is not None:
            parts.append(f"received <= {self.known}")
        return " AND ".join(parts)

    def _signals(self) -> str:
        if self.signals is None:
            return "true"
        if not len(self.signals):
            return "false"
        if len(self.signals) == 1:
            return f"signal = {self.signals[0]}"
        if len(self.signals) <= FEW:
            return f"signal IN ({', '.join(map(str, self.signals.tolist()))})"
        low, high = int(self.signals[0]), int(self.signals[-1])
        inside = f"signal BETWEEN {low} AND {high}"
        return f"{inside} AND signal IN (SELECT signal FROM {WANTED})" if self.joined else inside

    @property
    def joined(self) -> bool:
        """Whether the query needs the table of wanted signals; see `register_wanted`."""
        s = self.signals
        return s is not None and len(s) > FEW and int(s[-1]) - int(s[0]) + 1 != len(s)


def wanted(signals: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Give signal numbers as a scope takes them: sorted, once each."""
    return np.unique(np.asarray(signals, dtype=np.int32).ravel())


def register_wanted(cursor: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    """Put the wanted signals where the scope's query looks for them."""
    if scope.joined:
        cursor.register(WANTED, pa.table({"signal": scope.signals}))


def rows(tables: Iterable[str], scope: Scope, *, tail: bool, late: bool | None = None) -> str:
    """Give a query for all rows in scope, in no order, with columns as a `Batch` has them.

    `tables` are what each is read from: a table of the lake, or files.
    `late` picks the stored rows with or without that mark; rows of the tail have none and are always in.
    """
    marked = "" if late is None else " AND late" if late else " AND NOT late"
    parts = [
        f"SELECT signal, {TIME} AS time, received, {VALUE} AS value, status, sigma FROM {t} "
        f"WHERE {scope.where(TIME, stored=True)}{marked}"
        for t in tables
    ]
    if tail or not parts:
        parts.append(
            f"SELECT signal, time, received, value, status, sigma FROM {TAIL} WHERE {scope.where('time', stored=False)}"
        )
    return " UNION ALL ".join(parts)


def newest(query: str) -> str:
    """Give the rows of a query where for one (signal, time) the latest received wins."""
    return f"SELECT * FROM ({query}) QUALIFY {NEWEST}"


def last(query: str) -> str:
    """Give each signal's newest row."""
    return f"SELECT * FROM ({query}) QUALIFY row_number() OVER (PARTITION BY signal ORDER BY time DESC, {LATEST}) = 1"
