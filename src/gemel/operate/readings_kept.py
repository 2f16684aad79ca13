"""Readings of a machine as bytes, beside a job: what it was fitted to can be named by its digest, and fitted again.

rows of the history ─► one table, by signal and time, plant's units ─► bytes ─► readings in SI
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from gemel.estimate.record import Readings
from gemel.operate.machine import Line
from gemel.samples.batch import F64, I64, U32, Batch

SCHEMA: Final = pa.schema([("line", pa.int16()), ("time", pa.int64()), ("value", pa.float64()), ("status", pa.uint32())])


def packed(columns: Sequence[tuple[I64, F64, U32]]) -> bytes:
    """Pack readings, a triple (times, values, statuses) a line, in the plant file's units."""
    line = np.repeat(np.arange(len(columns), dtype=np.int16), [len(c[0]) for c in columns])
    parts = [np.concatenate([c[i] for c in columns]) for i in range(3)]
    batch = pa.record_batch([pa.array(a) for a in (line, *parts)], schema=SCHEMA)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA, options=pa.ipc.IpcWriteOptions(compression="zstd")) as out:
        out.write_batch(batch)
    return bytes(sink.getvalue())


def of_rows(rows: Batch, signals: Sequence[int]) -> list[tuple[I64, F64, U32]]:
    """Give the readings of each signal in the order of time; of one time the newest counts."""
    found = []
    for signal in signals:
        mine = rows.take(rows.signal == signal)
        mine = mine.take(np.lexsort((mine.received, mine.time)))
        last = np.append(mine.time[1:] != mine.time[:-1], True)[: len(mine)]
        found.append((mine.time[last], mine.value[last], mine.status[last]))
    return found


def unpacked(data: bytes, lines: Sequence[Line]) -> list[Readings]:
    """Give the readings of each line in SI."""
    table = pa.ipc.open_stream(pa.py_buffer(data)).read_all()
    line, time, value, status = (np.asarray(table[name].to_numpy()) for name in SCHEMA.names)
    ends = np.searchsorted(line, np.arange(len(lines) + 1))
    return [
        Readings(time[a:b], one.si(value[a:b]), status[a:b]) for one, a, b in zip(lines, ends[:-1], ends[1:], strict=True)
    ]
