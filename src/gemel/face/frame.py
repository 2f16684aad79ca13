"""A data frame as samples: whatever has columns, a row a reading or a column a signal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gemel.errors import AssetError, NotFoundError
from gemel.samples import Batch, Registry
from gemel.samples.batch import I64
from gemel.samples.clock import SECOND
from gemel.samples.select import select

TIMES: Final = ("time", "timestamp", "datetime", "date", "ts")
LONG: Final = {"signal", "value"}


def samples(frame: Any, registry: Registry, columns: Mapping[str, str] | None = None) -> Batch:
    """Give a frame's readings, in the order of their receipt; raises AssetError and NotFoundError in words.

    Args:
        frame: a pandas or polars data frame, an Arrow table, a `Table`, or a mapping of columns. Either long (``signal``,
            ``time``, ``value`` and, where there are any, ``status`` and ``received``) or wide (``time``, and a column a
            signal). Numbers are the source's, in the unit that the plant file says it sends. What is null is no reading.
        registry: the signals there are.
        columns: which column of a wide frame is which signal; others are left out. None: every column is a signal, by
            path or its last parts.
    """
    table = arrow(frame)
    long = set(table.column_names) >= LONG
    batch = _long(table, registry) if long else _wide(table, registry, columns)
    return batch.take(np.lexsort((batch.time, batch.received)))


def arrow(frame: Any) -> pa.Table:
    """Give whatever has columns as an Arrow table."""
    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if hasattr(frame, "__arrow_c_stream__"):
        return pa.table(_with_index(frame))
    if isinstance(frame, Mapping):
        return pa.table(
            {
                name: pa.array(np.asarray(c) if not isinstance(c, pa.Array | pa.ChunkedArray) else c)
                for name, c in frame.items()
            }
        )
    raise AssetError(
        f"a {type(frame).__name__} is no data frame", code="frame",
        remedy="give a pandas or polars data frame, an Arrow table, or a mapping of columns",
    )  # fmt: skip


def _with_index(frame: Any) -> Any:
    """Make the index of times, as pandas likes to have it, a column."""
    index = getattr(frame, "index", None)
    if not str(getattr(index, "dtype", "")).startswith("datetime64"):
        return frame
    return frame.reset_index(names="time")


def _long(table: pa.Table, registry: Registry) -> Batch:
    words = (
        table["signal"].combine_chunks().dictionary_encode()
        if not pa.types.is_dictionary(table["signal"].type)
        else table["signal"].combine_chunks()
    )
    numbers = _numbers(words.dictionary.to_pylist(), registry)
    table = table.set_column(
        table.column_names.index("signal"), "signal", pa.array(numbers[words.indices.to_numpy()])
    )
    table = table.filter(table["value"].is_valid())
    time = instants(table["time"] if "time" in table.column_names else table[_time_of(table)])
    return Batch.of(
        signal=table["signal"].to_numpy(), time=time, value=table["value"].cast(pa.float64()).to_numpy(),
        received=instants(table["received"]) if "received" in table.column_names else time,
        status=table["status"].cast(pa.uint32()).to_numpy() if "status" in table.column_names else np.zeros(len(time), np.uint32),
        sigma=table["sigma"].cast(pa.float32()).to_numpy() if "sigma" in table.column_names else None,
    ).plain()  # fmt: skip


def _wide(table: pa.Table, registry: Registry, columns: Mapping[str, str] | None) -> Batch:
    at = _time_of(table)
    named = columns or {name: name for name in table.column_names if name != at}
    unknown = [name for name in named if name not in table.column_names]
    if unknown:
        raise NotFoundError(
            f"the frame has no column {unknown[0]!r}",
            code="frame",
            remedy=f"it has {', '.join(table.column_names)}",
        )
    numbers = _numbers(list(named.values()), registry)
    times = instants(table[at])
    parts = []
    for name, number in zip(named, numbers.tolist(), strict=True):
        column = table[name]
        there = column.is_valid().to_numpy()
        time = times[there]
        value = column.filter(column.is_valid()).cast(pa.float64()).to_numpy()
        n = len(time)
        parts.append(
            Batch.of(
                signal=np.full(n, number),
                time=time,
                received=time,
                value=value,
                status=np.zeros(n, np.uint32),
            )
        )
    return Batch.concat(parts)


def _numbers(names: Sequence[str], registry: Registry) -> npt.NDArray[np.int32]:
    found = []
    for name in names:
        meant = select(registry, [name]) if "*" not in name else []
        if len(meant) != 1:
            word = f"{len(meant)} signals are called so" if meant else "no signal is called so"
            raise NotFoundError(
                f"{name!r}: {word}",
                code="frame",
                remedy="say which is which: columns={'column': 'pump-1/flow'}",
            )
        found.append(meant[0].signal)
    return np.array(found, np.int32)


def _time_of(table: pa.Table) -> str:
    by_type = [f.name for f in table.schema if pa.types.is_timestamp(f.type)]
    by_name = [name for name in table.column_names if name.lower() in TIMES]
    found = by_name or by_type
    if not found:
        raise AssetError("the frame has no column of times", code="frame", remedy=f"call it {TIMES[0]!r}")
    return str(found[0])


def instants(column: pa.ChunkedArray) -> I64:
    """Give a column of times as [ns] since 1970 UTC: timestamps, ISO 8601 texts, whole [ns] or broken [s]."""
    if column.null_count:
        raise AssetError("some rows have no time", code="frame", remedy="leave them out")
    if pa.types.is_floating(column.type):
        return np.asarray(np.rint(column.to_numpy() * SECOND), np.int64)
    if pa.types.is_integer(column.type):
        return np.asarray(column.cast(pa.int64()).to_numpy(), np.int64)
    zone = getattr(column.type, "tz", None)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        stamped = column.cast(pa.timestamp("ns", zone))
    else:
        stamped = _read(column)
    return np.asarray(stamped.cast(pa.int64()).to_numpy(), np.int64)


def _read(column: pa.ChunkedArray) -> pa.ChunkedArray:
    for kind in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    raise AssetError(
        f"{column[0].as_py()!r} is no time", code="frame", remedy="write times as 2026-11-21T08:00:00Z"
    )
