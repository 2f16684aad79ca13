"""A CSV or Parquet file as a table with one int64 time column, sorted by it.

path -> (sniff) -> Arrow columns -> time in ns -> rows without a usable time set apart -> sorted
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from gemel.connect.files.sniff import dialect, time_column
from gemel.connect.times import NS_PER, TimeRefusedError, reader
from gemel.errors import ConnectError
from gemel.samples.batch import I64
from gemel.samples.clock import EARLIEST, LATEST

TIME: Final = "\0time"  # name of the time column: no file has it
PARQUET: Final = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What the files do not say of themselves.

    Args:
        time: name of the time column; none looks for it.
        unit: s, ms, us, ns or iso; none goes by the looks of the numbers.
        format: of a time text that is not ISO 8601, as strptime takes it.
    """

    time: str | None = None
    unit: str | None = None
    format: str | None = None


_PLAIN: Final = FileOptions()


@dataclass(frozen=True, slots=True)
class FileTable:
    """Rows of a file.

    Args:
        path: of the file.
        rows: its columns, and `TIME` (int64 ns), sorted by time.
        timeless: rows left out because their time cannot be read or is absurd.
        came_from: place in the file of each row [rows], where the rows are not those of the file in their order.
    """

    path: Path
    rows: pa.Table
    timeless: int
    came_from: I64 | None = None

    @property
    def times(self) -> I64:
        """Times of the rows [ns]."""
        return np.asarray(self.rows.column(TIME).to_numpy(), dtype=np.int64)

    def in_file(self, row: int) -> int:
        """Give which row of the file a row is; the one under the head is 1."""
        return 1 + (row if self.came_from is None else int(self.came_from[row]))


def read_file(path: Path, options: FileOptions = _PLAIN, columns: Sequence[str] | None = None) -> FileTable:
    """Read a file, or only some columns and the time; raises ConnectError with what to do."""
    try:
        table, time = (
            _parquet(path, options, columns) if path.suffix in PARQUET else _csv(path, options, columns)
        )
    except (OSError, pa.ArrowInvalid) as why:
        raise ConnectError(
            f"{path} cannot be read: {why}", code="file", remedy="give CSV (any delimiter, .gz) or Parquet"
        ) from why
    found = _nanoseconds(table.column(time), options)
    usable = (found >= EARLIEST) & (found <= LATEST)
    table = table.append_column(TIME, pa.array(found)).filter(pa.array(usable))
    kept = table.column_names if columns is None else [c for c in columns if c in table.column_names]
    table = table.select([TIME, *(c for c in kept if c not in (TIME, time))])
    came_from = None if usable.all() else np.flatnonzero(usable)
    if not _sorted(found[usable]):
        order = np.argsort(found[usable], kind="stable")
        table, came_from = table.take(pa.array(order)), order if came_from is None else came_from[order]
    return FileTable(path, table, int((~usable).sum()), came_from)


def _csv(path: Path, options: FileOptions, columns: Sequence[str] | None) -> tuple[pa.Table, str]:
    looks = dialect(path)
    time = _time_of(path, looks.names, looks.example, options)
    wanted = None if columns is None else [c for c in looks.names if c == time or c in columns]
    parsers = [options.format] if options.format else [pa_csv.ISO8601]
    table = pa_csv.read_csv(
        str(path),
        read_options=pa_csv.ReadOptions(encoding=looks.encoding),
        parse_options=pa_csv.ParseOptions(delimiter=looks.delimiter),
        convert_options=pa_csv.ConvertOptions(
            decimal_point=looks.decimal, include_columns=wanted, null_values=[""], strings_can_be_null=True,
            timestamp_parsers=parsers,
        ),
    )  # fmt: skip
    return table, time


def _parquet(path: Path, options: FileOptions, columns: Sequence[str] | None) -> tuple[pa.Table, str]:
    schema = pa_parquet.read_schema(path)
    stamped = next((f.name for f in schema if pa.types.is_timestamp(f.type)), None)
    time = options.time or stamped or _time_of(path, tuple(schema.names), (), options)
    wanted = None if columns is None else [c for c in schema.names if c == time or c in columns]
    return pa_parquet.read_table(path, columns=wanted), time


def _time_of(path: Path, names: Sequence[str], example: Sequence[str], options: FileOptions) -> str:
    time = options.time or time_column(names, example)
    if time is None or time not in names:
        raise ConnectError(
            f"{path} has no column {time!r}" if time else f"{path} has no column that looks like a time", code="file",
            remedy=f"name it with --time; its columns are {', '.join(names[:20])}",
        )  # fmt: skip
    return time


def _nanoseconds(column: pa.ChunkedArray, options: FileOptions) -> I64:
    """Give times in ns, -1 where there is none or it cannot be read."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        stamps = column.cast(pa.timestamp("ns", tz=getattr(kind, "tz", None))).cast(pa.int64())
        return np.asarray(pc.fill_null(stamps, -1).to_numpy(), dtype=np.int64)
    if pa.types.is_integer(kind):
        whole = pc.fill_null(column.cast(pa.int64()), -1).to_numpy()
        per = NS_PER[_unit(options, int(np.abs(whole).max(initial=0)))]
        return np.where((whole >= 0) & (whole <= LATEST // per), whole * per, -1)
    read = reader(None if pa.types.is_floating(kind) else options.unit)
    if pa.types.is_floating(kind) and options.unit in NS_PER:
        read = reader(options.unit)
    return np.array([_read_one(read, value) for value in column.to_pylist()], dtype=np.int64)


def _read_one(read: Any, value: Any) -> int:
    if value is None:
        return -1
    try:
        return int(read(value))
    except TimeRefusedError:
        return -1


def _unit(options: FileOptions, largest: int) -> str:
    if options.unit in NS_PER:
        return str(options.unit)
    return "s" if largest < 10**11 else "ms" if largest < 10**14 else "us" if largest < 10**17 else "ns"


def _sorted(times: I64) -> bool:
    return bool((np.diff(times) >= 0).all())
