"""The stored form of samples: one Parquet file of rows sorted by (signal, time, received), within one span of days.

    signal INT, ms BIGINT + ns INT    time = ms * 1_000_000 + ns     (a source's clock mostly counts in ms)
    received BIGINT                   [ns]
    q INT, factor, divisor, base, residual DOUBLE
                                      value = base + q * factor / divisor + residual   where it lies on a grid
    value DOUBLE                      the value itself               where it does not
    status UINT                       OPC UA StatusCode
    late BOOL                         may supersede, or be superseded by, a row of the same (signal, time)
    sigma FLOAT                       standard uncertainty of the value; NULL, or no such column: not known

Any engine that reads Parquet can read it; docs/decisions/history-in-ducklake.md has what was measured.
"""

import hashlib
import time as wall
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gemel import sealing
from gemel.durable import sync
from gemel.history import sealed
from gemel.history.quantise import Grids, Mask
from gemel.samples import Batch
from gemel.samples.batch import I64, Index
from gemel.samples.clock import DAY

MS: Final = 1_000_000
SCHEMA: Final = pa.schema(
    [
        ("signal", pa.int32()),
        ("ms", pa.int64()),
        ("ns", pa.int32()),
        ("received", pa.int64()),
        ("q", pa.int32()),
        ("factor", pa.float64()),
        ("divisor", pa.float64()),
        ("base", pa.float64()),
        ("residual", pa.float64()),
        ("value", pa.float64()),
        ("status", pa.uint32()),
        ("late", pa.bool_()),
        ("sigma", pa.float32()),
    ]
)
PLAIN: Final = pa.schema([f for f in SCHEMA if f.name != "sigma"])
"""Of a file in which no value's uncertainty is known: it costs nothing there."""
COLUMNS: Final = "signal INTEGER, ms BIGINT, ns INTEGER, received BIGINT, q INTEGER, factor DOUBLE, divisor DOUBLE, base DOUBLE, residual DOUBLE, value DOUBLE, status UINTEGER, late BOOLEAN, sigma FLOAT"
# How SQL gets the samples' own columns back.
TIME: Final = f"(ms * {MS} + ns)"
VALUE: Final = "coalesce(base + q * factor / divisor + residual, value)"
ROW_GROUP: Final = 65_536
CONSTANT: Final = ("ns", "residual", "late")  # columns left unread where they are nought throughout
NOUGHT: Final = "gemel.nought"  # in a sealed file's footer: what its statistics leave unsaid
SAMPLED: Final = 8_192  # rows looked at to choose encodings
FEW: Final = 256
SOME: Final = 2_048
DICTIONARY_BYTES: Final = 1 << 22
MANY_DAYS: Final = (
    8  # a commit over more days than this is cut by 32-day spans, lest it become hundreds of files
)
LONG_SPAN: Final = 32


@dataclass(frozen=True)
class Written:
    """A file that is on the disk but not yet in the catalogue."""

    table: str
    path: Path
    rows: int
    size: int


def spans(time: I64) -> I64:
    """Give the span of days each row belongs to: files never cross one, so that retention drops whole files."""
    day = time // DAY
    many = not _one(day) and len(np.unique(day)) > MANY_DAYS
    return day // LONG_SPAN * LONG_SPAN if many else day


def groups(batch: Batch, classes: npt.NDArray[Any]) -> Iterator[tuple[Any, Index]]:
    """Cut a sorted batch by retention class (an array indexed by row) and span; rows keep their order."""
    span = spans(batch.time)
    if _one(span) and _one(classes):
        yield classes[0], np.arange(len(batch))
        return
    for retention in np.unique(classes):
        mine = classes == retention
        for one in np.unique(span[mine]):
            yield retention, np.flatnonzero(mine & (span == one))


def _one(column: npt.NDArray[Any]) -> bool:
    """Tell whether all rows are alike, much quicker than by sorting them."""
    return bool((column == column[0]).all())


def to_table(batch: Batch, late: Mask, grids: Grids) -> pa.Table:
    """Give the stored columns of a sorted batch."""
    on = grids.quantise(batch.signal, batch.value)
    off = ~on.exact
    ms = batch.time // MS
    columns = [
        pa.array(batch.signal),
        pa.array(ms),
        pa.array((batch.time - ms * MS).astype(np.int32)),
        pa.array(batch.received),
        pa.array(on.q, mask=off),
        pa.array(on.grid.factor, mask=off),
        pa.array(on.grid.divisor, mask=off),
        pa.array(on.grid.base, mask=off),
        pa.array(on.residual, mask=off),
        pa.array(batch.value, mask=on.exact),
        pa.array(batch.status),
        pa.array(late),
    ]
    sigma = batch.plain().sigma
    if sigma is None:
        return pa.Table.from_arrays(columns, schema=PLAIN)
    return pa.Table.from_arrays([*columns, pa.array(sigma, from_pandas=True)], schema=SCHEMA)


def whole(table: pa.Table) -> pa.Table:
    """Give stored columns with one for uncertainties, also where none is known: in one file all parts are of one form."""
    if "sigma" in table.column_names:
        return table
    return table.append_column(SCHEMA.field("sigma"), pa.nulls(len(table), pa.float32()))


class FileWriter:
    """Write sorted stored columns into one file, durable when `finish` returns."""

    def __init__(
        self, folder: Path, first: pa.Table, options: Mapping[str, Any] | None = None, group: int = ROW_GROUP
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{wall.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet"
        self.rows = 0
        self._group = group
        self._nought = {n for n in first.column_names if n not in sealed.TOLD or n in CONSTANT}
        told = {"write_statistics": sealed.statistics(first.column_names, folder)}
        self._sink = None if sealing.seal_of(folder) is None else sealing.create(self.path)
        self._writer = pq.ParquetWriter(
            self._sink or self.path, first.schema, **{**(_options(first) if options is None else options), **told}
        )

    def write(self, table: pa.Table) -> None:
        """Append rows; they must not sort before the ones already there."""
        self._writer.write_table(table, row_group_size=self._group)
        if self._sink is not None:
            self._nought = {n for n in self._nought if nought(table.column(n), n)}
        self.rows += table.num_rows

    def finish(self, table: str) -> Written:
        """Close the file, name it by its digest, and put it on the disk."""
        if self._sink is not None:
            self._writer.add_key_value_metadata({NOUGHT: " ".join(sorted(self._nought))})
        self._writer.close()
        if self._sink is not None:
            self._sink.close()
        named = self.path.with_name(f"{self.path.stem.split('-')[0]}-{digest(self.path)}.parquet")
        self.path = self.path.rename(named)
        sync(self.path, self.path.parent, self.path.parent.parent)  # a new table's folder has a name too
        return Written(table, self.path, self.rows, self.path.stat().st_size)

    def discard(self) -> None:
        """Leave nothing behind."""
        try:
            self._writer.close()
            if self._sink is not None:
                self._sink.close()
        finally:
            self.path.unlink(missing_ok=True)


def nought(column: pa.ChunkedArray, name: str) -> bool:
    """Tell whether a column says nothing: NULL throughout, or 0 where that is as good."""
    if column.null_count == len(column):
        return True
    return name in CONSTANT and not column.null_count and not pc.any(pc.cast(column, pa.bool_())).as_py()


def digest(path: Path) -> str:
    """Give the first 16 digits of the SHA-256 of what a file holds: with it in the name, a changed bit anywhere is found."""
    with sealing.opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]  # type: ignore[arg-type]


def write(folder: Path, table: str, rows: pa.Table) -> Written:
    """Write one file under `folder`/`table`; on an error nothing is left behind."""
    writer = FileWriter(folder / table, rows)
    try:
        writer.write(rows)
        return writer.finish(table)
    except BaseException:
        writer.discard()
        raise


def _options(first: pa.Table) -> dict[str, Any]:
    """Choose encodings: deltas where numbers climb, a dictionary where few recur, plain where some do.

    `received` recurs in every signal of a frame. While its numbers are few, indices into a dictionary pack best;
    when they are more, the packed indices of two signals no longer fall on the same bits, and zstd misses them,
    but it finds them among plain numbers. (DuckDB reads BYTE_STREAM_SPLIT, which would pack best, for floats only.)
    """
    dictionary, delta, plain = (
        ["status", "factor", "divisor", "base", "residual"],
        ["signal", "ms", "q"],
        ["value"],
    )
    for name, recurring in (("received", plain), ("ns", dictionary)):
        distinct = len(first.column(name).slice(0, SAMPLED).unique())
        (dictionary if distinct <= FEW else recurring if distinct <= SOME else delta).append(name)
    if "sigma" in first.column_names:
        dictionary.append("sigma")  # of a filter that runs for long it hardly changes
    encodings = {"DELTA_BINARY_PACKED": delta, "PLAIN": plain}
    return packed(dictionary, encodings, {name: 3 if name == "received" else 1 for name in first.column_names})


def packed(
    dictionary: list[str], encodings: Mapping[str, list[str]], level: int | Mapping[str, int]
) -> dict[str, Any]:
    """Give the writer's options: which columns have a dictionary, and how the others are encoded."""
    return {
        "compression": "zstd",
        "compression_level": level,
        "use_dictionary": dictionary,
        "column_encoding": {name: encoding for encoding, names in encodings.items() for name in names},
        "dictionary_pagesize_limit": DICTIONARY_BYTES,
        "write_statistics": True,
        "write_page_checksum": True,  # a flipped bit in a page is not always an error of the decoder: `damage` finds it
    }
