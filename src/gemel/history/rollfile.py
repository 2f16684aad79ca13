"""The stored form of roll-ups, two tables a level: summaries (`roll_…`), and the readings that draw them (`pick_…`).

roll: signal, ms: start of the interval      readings, count, low, high, first, last, worst    as `Summary` has them
      low, high, first: NULL where they are `last`
      total, or base * count + total_q * factor / divisor where the values lie on a grid       sum of the usable values;
                                                                                               of one alone it is `last`
      weighted: time-weighted mean, NULL where it is the mean                                  covered [ns]
      hold [ms]: how long a reading was taken to hold
pick: the columns of a reading, as stored; received = time + delay
both: made: version of the lake they were made of. For one (signal, chunk) only the rows of the latest are true.
      A fine level may lack a chunk where it was not worth its place: then the readings are asked.
"""

from dataclasses import fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gemel.history import groups
from gemel.history.files import CONSTANT, MS, packed
from gemel.history.quantise import Grid
from gemel.history.summary import Summary
from gemel.samples import Batch
from gemel.samples.batch import F64, I64
from gemel.samples.clock import SECOND

ROLLS: Final = pa.schema(
    [
        ("signal", pa.int32()), ("ms", pa.int64()), ("made", pa.int64()), ("hold", pa.int32()),
        ("readings", pa.int32()), ("count", pa.int32()), ("low", pa.float64()), ("high", pa.float64()), ("first", pa.float64()),
        ("last", pa.float64()), ("total_q", pa.int64()), ("factor", pa.float64()), ("divisor", pa.float64()), ("base", pa.float64()),
        ("total", pa.float64()), ("weighted", pa.float64()), ("covered", pa.int64()), ("worst", pa.uint32()),
    ]
)  # fmt: skip
PICKS: Final = pa.schema(
    [
        ("signal", pa.int32()), ("ms", pa.int64()), ("ns", pa.int32()), ("made", pa.int64()),
        ("delay", pa.int64()), ("q", pa.int32()), ("factor", pa.float64()), ("divisor", pa.float64()), ("base", pa.float64()),
        ("residual", pa.float64()), ("value", pa.float64()), ("status", pa.uint32()),
    ]
)  # fmt: skip
SQL: Final = {
    pa.int32(): "INTEGER", pa.int64(): "BIGINT", pa.float64(): "DOUBLE", pa.uint32(): "UINTEGER",
}  # fmt: skip
ROW_GROUP: Final = 32_768
ALIKE: Final = (
    1e-12  # relative: where every reading holds equally long the two means differ by roundings only
)
NEAR: Final = 2.0**-46  # relative: a sum of values on a grid lies on it but for the roundings of adding up
GRID: Final = ("factor", "divisor", "base")
AS_LAST: Final = ("low", "high", "first")  # so a slow signal's hours are not five times its readings


def columns(schema: pa.Schema) -> str:
    """Give the columns in SQL."""
    return ", ".join(f"{f.name} {SQL[f.type]}" for f in schema)


def options(schema: pa.Schema) -> dict[str, Any]:
    """Say how the columns are packed."""
    delta = [n for n in ("signal", "ms", "q", "total_q") if n in schema.names]
    plain = [n for n in ("total", "weighted", "value") if n in schema.names]
    dictionary = [f.name for f in schema if f.name not in (*delta, *plain)]
    return packed(dictionary, {"DELTA_BINARY_PACKED": delta, "PLAIN": plain}, 3)


def of_summary(summary: Summary, grid: Grid, hold: I64, made: int) -> pa.Table:
    """Give the stored columns of summaries; `grid`: of each row's signal, NaN for none; `hold`: by signal [ns]."""
    with np.errstate(all="ignore"):
        q = np.rint((summary.total - summary.count * grid.base) * grid.divisor / grid.factor)
        near = summary.count * grid.base + q * grid.factor / grid.divisor
        alone = (summary.count == 1) & _same(summary.total, summary.last)
        most = np.abs(summary.total) + summary.count * np.abs(grid.base)
        on = (np.abs(near - summary.total) <= most * NEAR) & (np.abs(q) < 2.0**53) & ~alone
        mean, weighted = summary.mean, summary.time_weighted_mean
        alike = (np.abs(weighted - mean) <= np.abs(mean) * ALIKE) | (np.isnan(weighted) & np.isnan(mean))
    given: dict[str, Any] = {
        "signal": summary.signal, "ms": summary.start // MS, "made": np.full(len(summary), made),
        "hold": (hold[summary.signal] // MS).astype(np.int32), "readings": summary.readings.astype(np.int32),
        "count": summary.count.astype(np.int32), "total_q": pa.array(np.where(on, q, 0).astype(np.int64), mask=~on),
        "total": pa.array(summary.total, mask=on | alone), "weighted": pa.array(weighted, mask=alike),
    }  # fmt: skip
    given |= {n: pa.array(getattr(grid, n), mask=~on) for n in GRID}
    given |= {n: getattr(summary, n) for n in ("last", "covered", "worst")}
    given |= {n: pa.array(c, mask=_same(c, summary.last)) for n in AS_LAST for c in [getattr(summary, n)]}
    return _table(given, ROLLS)


def _same(one: F64, other: F64) -> npt.NDArray[np.bool_]:
    return np.equal(one.view(np.int64), other.view(np.int64))


def to_summary(table: pa.Table) -> Summary:
    """Give the summaries that are stored."""
    get = {f.name: groups.optional(table, f.name) for f in fields(Summary)}
    nothing = np.zeros(len(table))
    count = nothing if get["count"] is None else get["count"]
    last = np.full(len(table), np.nan) if get["last"] is None else get["last"]
    get |= {n: last if (c := get[n]) is None else np.where(np.isnan(c), last, c) for n in AS_LAST}
    total = np.where(count == 1, last, _total(table, count))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
    weighted, covered = groups.optional(table, "weighted"), get["covered"]
    weighted = mean if weighted is None else np.where(np.isnan(weighted), mean, weighted)
    integral = nothing if covered is None else np.where(covered > 0, weighted * (covered / SECOND), 0.0)
    made = get | {"start": groups.column(table, "ms") * MS, "total": total, "integral": integral}
    return Summary(*(_as(made[f.name], f.name, len(table)) for f in fields(Summary)))


def _total(table: pa.Table, count: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    plain, q = groups.optional(table, "total"), groups.optional(table, "total_q")
    if q is None:
        return np.zeros(len(table)) if plain is None else plain
    on = count * groups.column(table, "base") + q * groups.column(table, "factor") / groups.column(
        table, "divisor"
    )
    return on if plain is None else np.where(np.isnan(q), plain, on)


INTEGERS: Final = {
    "signal": np.int32,
    "start": np.int64,
    "readings": np.int64,
    "count": np.int64,
    "covered": np.int64,
    "worst": np.uint32,
}


def _as(given: npt.NDArray[Any] | None, name: str, n: int) -> npt.NDArray[Any]:
    dtype = INTEGERS.get(name, np.float64)
    if given is None:
        return np.zeros(n, dtype) if name in INTEGERS else np.full(n, np.nan)
    return np.asarray(given, dtype)


def of_picks(stored: pa.Table, rows: Batch, made: int) -> pa.Table:
    """Give the stored columns of picked readings, as they lie in the files of readings; `rows`: the same, as samples."""
    given: dict[str, Any] = {n: stored.column(n) for n in stored.column_names if n in PICKS.names}
    ms = rows.time // MS
    given |= {"ms": ms, "ns": (rows.time - ms * MS).astype(np.int32), "delay": rows.received - rows.time,
              "made": np.full(len(rows), made)}  # fmt: skip
    residual = given.get("residual")
    given["residual"] = np.zeros(len(rows)) if residual is None else residual.fill_null(0.0)
    return _table(given, PICKS)


def whole(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give all columns again, of a table whose empty ones were left unread."""
    given: dict[str, Any] = {n: table.column(n) for n in table.column_names}
    for name in CONSTANT:
        if name in schema.names:
            column = given.get(name)
            given[name] = np.zeros(len(table)) if column is None else column.fill_null(0)
    return _table({**given, "signal": groups.column(table, "signal")}, schema)


def _table(given: dict[str, Any], schema: pa.Schema) -> pa.Table:
    n = len(given["signal"])
    return pa.Table.from_arrays([_array(given.get(f.name), f, n) for f in schema], schema=schema)


def _array(given: Any, field: pa.Field, n: int) -> Any:
    if given is None:
        return pa.nulls(n, field.type)
    return given if isinstance(given, pa.Array | pa.ChunkedArray) else pa.array(given).cast(field.type)


def true_rows(signal: npt.NDArray[np.int32], ms: I64, made: I64, chunk_ms: int) -> npt.NDArray[np.bool_]:
    """Tell which rows are of the latest making of their (signal, chunk)."""
    if not len(made) or (made == made[0]).all():
        return np.ones(len(made), np.bool_)
    chunk = ms // chunk_ms
    order = np.lexsort((made, chunk, signal))
    s, c = signal[order], chunk[order]
    ends = np.append((s[1:] != s[:-1]) | (c[1:] != c[:-1]), True)
    group = np.cumsum(np.append(True, ends[:-1])) - 1
    latest = made[order][ends][group]
    true = np.empty(len(made), np.bool_)
    true[order] = made[order] == latest
    return true
