"""A frame is how samples travel and rest: a header, a checksum, and an Arrow record batch.

    magic "GMF1" | CRC-32 of the rest, u32 | length of the header, u32 | header, JSON | Arrow stream

A column that holds one value throughout (often `received` and `status`) is left out of the Arrow part and
stands in the header. Where values come with their uncertainty there is a column `sigma` (float32, NaN: not known); a
frame without one has the very bytes that it had before there was such a column. A tick is a frame without samples: the
plant's time, and how far the record had grown.
"""

import zlib
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from gemel.errors import StorageError
from gemel.samples.batch import DTYPES, SIGMA, Batch

MAGIC: Final = b"GMF1"
MAX_BYTES: Final = 4 << 20  # well under the server's max_payload of 8 MB
ROWS: Final = 8192  # 256 KB of full rows


class FrameHeader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader must know before it looks at the samples.

    Args:
        kind: ``samples`` or ``tick``.
        registry: digest of the registry that numbers the signals.
        partition: which log it belongs to.
        producer: who cut the frame; a new one for every start of a process.
        version: version of the producer's software.
        sequence: the producer's own count, from 1, without gaps.
        conditioner: version of the conditioner where the samples are conditioned already.
        rows: number of samples.
        constant: columns that hold one value throughout.
        time: a tick's plant time [ns].
        facts: a tick's position in the record.
        stored: whether the history has the rows: they are conditioned, and only the state lacks them.
        trace: ``traceparent`` of a frame that is traced (W3C Trace Context, 3.2).
    """

    kind: str
    partition: int
    producer: str
    sequence: int
    version: str = ""
    registry: str = ""
    conditioner: str = ""
    rows: int = 0
    constant: Mapping[str, int | float] = {}
    time: int = 0
    facts: int = 0
    stored: bool = False
    trace: str = ""


class Frame(msgspec.Struct, frozen=True):
    """A decoded frame."""

    header: FrameHeader
    batch: Batch


def encode_frame(header: FrameHeader, batch: Batch) -> bytes:
    """Give the bytes of a frame; `rows` and `constant` of the header are filled in."""
    constant: dict[str, int | float] = {}
    columns: dict[str, pa.Array] = {}
    for name in DTYPES:
        column = getattr(batch, name)
        if name != "value" and len(column) and (column == column[0]).all():
            constant[name] = column[0].item()
        else:
            columns[name] = pa.array(column)
    if (told := batch.plain()).sigma is not None:
        columns["sigma"] = pa.array(told.sigma)
    record = pa.record_batch(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, record.schema) as writer:
        writer.write_batch(record)
    full = msgspec.structs.replace(header, rows=len(batch), constant=constant)
    return _seal(full, memoryview(sink.getvalue()))


def encode_tick(header: FrameHeader) -> bytes:
    """Give the bytes of a tick."""
    return _seal(header, memoryview(b""))


def _seal(header: FrameHeader, body: memoryview) -> bytes:
    head = msgspec.json.encode(header)
    rest = b"".join((len(head).to_bytes(4, "little"), head, body))
    return MAGIC + zlib.crc32(rest).to_bytes(4, "little") + rest


_HEADER: Final = msgspec.json.Decoder(FrameHeader)


def decode_frame(stored: bytes) -> Frame:
    """Read a frame; one that is changed, torn or of another form raises StorageError."""
    rest = memoryview(stored)[8:]
    if len(stored) < 12 or stored[:4] != MAGIC or zlib.crc32(rest) != int.from_bytes(stored[4:8], "little"):
        raise broken("its checksum differs")
    try:
        return _read(rest)
    except Exception as e:  # whole but not of this form: whoever wrote it, the reader must get past it
        raise broken(f"it is not of the form that is known here ({type(e).__name__}: {e})") from e


def broken(why: str) -> StorageError:
    """Give the error that says why a frame cannot be used."""
    return StorageError(
        f"a frame of the log is broken: {why}", code="frame-broken",
        remedy="its samples are lost; the hole is in the record. Check the disk",
    )  # fmt: skip


def _read(rest: memoryview) -> Frame:
    size = int.from_bytes(rest[:4], "little")
    header = _HEADER.decode(rest[4 : 4 + size])
    if header.kind == "tick":
        return Frame(header, Batch.empty())
    if header.kind != "samples":
        raise ValueError(f"a frame of the kind {header.kind!r}")
    table = pa.ipc.open_stream(pa.py_buffer(rest[4 + size :])).read_next_batch()
    columns = {
        name: np.full(header.rows, header.constant[name], dtype)
        if name in header.constant
        else table.column(name).to_numpy()
        for name, dtype in DTYPES.items()
    }
    sigma = table.column("sigma").to_numpy().astype(SIGMA) if "sigma" in table.schema.names else None
    return Frame(header, Batch.of(**columns, sigma=sigma))
