"""Tables as CSV, Parquet or an Arrow stream, a piece at a time: bytes out as soon as they are made."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gemel.errors import ConfigError
from gemel.samples import Batch
from gemel.samples import status as statuses

TIME: Final = pa.timestamp("ns", "UTC")
WORDS: Final = pa.dictionary(pa.int32(), pa.string())
SCHEMA: Final = pa.schema(
    [("signal", WORDS), ("unit", WORDS), ("time", TIME), ("value", pa.float64()), ("status", pa.uint32()), ("received", TIME),
     ("sigma", pa.float32())]
)  # fmt: skip
MEDIA: Final = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",  # registered with IANA
}


class Encoder(Protocol):
    """Makes a file of tables of one schema."""

    def add(self, table: pa.Table | pa.RecordBatch) -> bytes:
        """Give what a piece adds to the file."""

    def end(self) -> bytes:
        """Give what ends it."""


class _Sink(io.RawIOBase):
    """Takes what a writer writes, until it is fetched."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def tell(self) -> int:
        return self._at

    def fetched(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class _Binary:
    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._sink = _Sink()
        self._writer = make(self._sink)

    def add(self, table: pa.Table | pa.RecordBatch) -> bytes:
        (self._writer.write_table if isinstance(table, pa.Table) else self._writer.write_batch)(table)
        return self._sink.fetched()

    def end(self) -> bytes:
        self._writer.close()
        return self._sink.fetched()


class _Csv:
    """Times in ISO 8601 to the nanosecond, numbers to the last bit, statuses by name; what is not known is empty."""

    def __init__(self, schema: pa.Schema) -> None:
        self._names = schema.names
        self._begun = False

    def add(self, table: pa.Table | pa.RecordBatch) -> bytes:
        columns = [_texts(name, table.column(name)) for name in self._names]
        return (self._head() + "".join(f"{','.join(row)}\n" for row in zip(*columns, strict=True))).encode()

    def end(self) -> bytes:
        return self._head().encode()

    def _head(self) -> str:
        begun, self._begun = self._begun, True
        return "" if begun else ",".join(quoted(n) for n in self._names) + "\n"


def encoder(form: str, schema: pa.Schema) -> Encoder:
    """Give what makes a file of a format: csv, parquet or arrow; raises ConfigError."""
    if form == "csv":
        return _Csv(schema)
    if form == "parquet":
        return _Binary(lambda sink: pq.ParquetWriter(sink, schema, compression="zstd", version="2.6"))
    if form == "arrow":
        return _Binary(lambda sink: pa.ipc.new_stream(sink, schema))
    raise ConfigError(f"no format {form!r}", remedy=f"one of {', '.join(MEDIA)}")


def encoded(form: str, schema: pa.Schema, tables: Iterable[pa.Table | pa.RecordBatch]) -> Iterator[bytes]:
    """Give a file in pieces."""
    file = encoder(form, schema)
    for table in tables:
        if piece := file.add(table):
            yield piece
    yield file.end()


class Long:
    """Rows of signals as a table, a row a reading: signal, unit, time, value, status, received, sigma (its standard uncertainty)."""

    def __init__(self, signals: Sequence[int], paths: Sequence[str], units: Sequence[str]) -> None:
        order = np.argsort(np.asarray(signals, np.int64), kind="stable")
        self._signals = np.asarray(signals, np.int64)[order]
        kinds = sorted(set(units))
        self._paths = pa.array([paths[i] for i in order], pa.string())
        self._kinds = pa.array(kinds, pa.string())
        number = {unit: i for i, unit in enumerate(kinds)}
        self._unit = np.array([number[units[i]] for i in order], np.int32)

    def __call__(self, rows: Batch) -> pa.RecordBatch:
        """Give rows as a piece of the table; a value that is no number is null, and so is an uncertainty not known."""
        at = np.searchsorted(self._signals, rows.signal).astype(np.int32)
        columns = [
            pa.DictionaryArray.from_arrays(pa.array(at), self._paths),
            pa.DictionaryArray.from_arrays(pa.array(self._unit[at]), self._kinds),
            pa.array(rows.time.view("datetime64[ns]"), TIME), pa.array(rows.value, from_pandas=True), pa.array(rows.status),
            pa.array(rows.received.view("datetime64[ns]"), TIME), pa.array(rows.uncertainty(), from_pandas=True),
        ]  # fmt: skip
        return pa.record_batch(columns, schema=SCHEMA)


def quoted(text: str) -> str:
    """Give a text as a field of CSV (RFC 4180)."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text])
    return line.getvalue()


def numbers(values: npt.NDArray[np.floating[Any]]) -> list[str]:
    """Write numbers with as many digits as their own precision needs, and none for NaN.

    >>> numbers(np.array([0.1, np.nan], np.float32)), numbers(np.array([0.1 + 0.2]))
    (['0.1', ''], ['0.30000000000000004'])
    """
    if values.dtype == np.float64:
        return ["" if v != v else repr(v) for v in values.tolist()]  # noqa: PLR0124 - NaN is not itself
    told = np.full(len(values), "", object)
    known = ~np.isnan(values)
    told[known] = values[known].astype(str)
    return [str(text) for text in told]


def _texts(name: str, column: pa.Array | pa.ChunkedArray) -> list[str]:
    if pa.types.is_dictionary(column.type):
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        words = [quoted(w) for w in column.dictionary.to_pylist()]
        return [words[i] for i in column.indices.to_pylist()]
    if pa.types.is_timestamp(column.type):
        times = column.cast(pa.int64()).to_numpy(zero_copy_only=False).view("datetime64[ns]")
        return [f"{t}Z" for t in np.datetime_as_string(times, unit="ns").tolist()]
    if name == "status" or name.endswith(".status"):
        codes = column.to_numpy(zero_copy_only=False)
        words_of = {int(s): quoted(statuses.name(int(s))) for s in np.unique(codes)}
        return [words_of[s] for s in codes.tolist()]
    if pa.types.is_floating(column.type):
        return numbers(column.to_numpy(zero_copy_only=False))
    return [quoted("" if v is None else str(v)) for v in column.to_pylist()]
