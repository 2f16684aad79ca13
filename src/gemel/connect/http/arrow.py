"""An Arrow IPC stream: columns ``path`` (text, dictionary or not), ``value``, and perhaps ``time``, ``status`` and ``sigma``.

What a foreign stream could make of memory is bounded before anything is decoded: rows by the header of each
message, and compressed buffers are not taken, for their size says nothing.
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from gemel.connect.http.rows import Given

_RECORD_BATCH: Final = "record batch"
_DICTIONARY: Final = "dictionary"


class TooManyError(ValueError):
    """More rows than allowed."""


def decode(body: bytes, most_rows: int) -> list[Given]:
    """Give the rows of a stream; raises ValueError for what cannot be taken, TooManyError for too much."""
    try:
        _inspect(body, most_rows)
        with pa.ipc.open_stream(body) as stream:
            rows: list[Given] = []
            for batch in stream:
                batch.validate(full=True)
                rows += _rows(batch, len(rows))
            return rows
    except (pa.ArrowException, struct.error, IndexError, OSError) as e:
        raise ValueError(str(e).split("\n")[0][:200]) from None


def _inspect(body: bytes, most_rows: int) -> None:
    rows = 0
    reader = pa.ipc.MessageReader.open_stream(pa.py_buffer(body))
    for message in _messages(reader):
        if message.type not in (_RECORD_BATCH, _DICTIONARY):
            continue
        length, compressed = _header(bytes(message.metadata), dictionary=message.type == _DICTIONARY)
        rows += length
        if compressed:
            raise ValueError("compressed buffers are not taken")
        if not 0 <= rows <= most_rows:
            raise TooManyError(str(rows))


def _messages(reader: Any) -> Iterator[Any]:
    while True:
        try:
            yield reader.read_next_message()
        except StopIteration:
            return


def _header(metadata: bytes, *, dictionary: bool) -> tuple[int, bool]:
    """Read (length, compressed) of a record batch out of its flatbuffer (Arrow format, Message.fbs)."""
    table = _table(metadata, 0)
    batch = _table(metadata, _field(metadata, table, 2))  # Message.header
    if dictionary:
        batch = _table(metadata, _field(metadata, batch, 1))  # DictionaryBatch.data
    length = _field(metadata, batch, 0)
    return (struct.unpack_from("<q", metadata, length)[0] if length else 0), bool(_field(metadata, batch, 3))


def _table(data: bytes, at: int) -> int:
    return int(at + struct.unpack_from("<I", data, at)[0])


def _field(data: bytes, table: int, index: int) -> int:
    """Give where a field of a flatbuffer table lies, 0 where it is left out."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * index >= struct.unpack_from("<H", data, vtable)[0]:
        return 0
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * index)[0]
    return table + offset if offset else 0


def _rows(batch: pa.RecordBatch, first: int) -> list[Given]:
    names = batch.schema.names
    path = "path" if "path" in names else "signal"
    if path not in names or "value" not in names:
        raise ValueError("there is no column path or no column value")
    paths, values = _texts(batch.column(path)), _numbers(batch.column("value"))
    none = [None] * batch.num_rows
    times = _times(batch.column("time")) if "time" in names else none
    statuses = _integers(batch.column("status")) if "status" in names else none
    sigmas = _numbers(batch.column("sigma")) if "sigma" in names else none
    columns = zip(paths, times, values, statuses, sigmas, strict=True)
    return [Given(first + i, *row, ns=True) for i, row in enumerate(columns)]


def _texts(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):  # one Python string a word, not one a row
        words = _texts(column.dictionary)
        return [None if i is None else words[i] for i in column.indices.to_pylist()]
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise ValueError(f"the column path is {column.type}, not text")
    return list(column.to_pylist())


def _numbers(column: pa.Array) -> list[Any]:
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts(column)
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise ValueError(f"the column value is {kind}, not a number")
    return list(column.to_pylist())


def _times(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return list(column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64()).to_pylist())
    return _integers(column)


def _integers(column: pa.Array) -> list[Any]:
    if not pa.types.is_integer(column.type):
        raise ValueError(f"{column.type} where integers are expected")
    return list(column.to_pylist())
