"""History as a file: CSV, Parquet or Arrow, streamed: one row a reading, any length, in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

import pyarrow as pa

from gemel.history import walk
from gemel.history.formats import SCHEMA, Long, encoded
from gemel.history.reader import Reader
from gemel.samples import Batch

CSV = pa.schema([f for f in SCHEMA if f.name != "received"])


@dataclass(frozen=True)
class Exported:
    """A signal to export: its number, and what to call it."""

    signal: int
    path: str
    unit: str = ""


def export(
    ask: Callable[[walk.Question], Batch], signals: Sequence[Exported], start: int, end: int, form: str
) -> Iterator[tuple[int, bytes]]:
    """Give the rows with start <= time < end [ns] as a file in pieces: how many rows so far, and bytes.

    The rows come by signal and time; for one (signal, time) the latest received. A value that is no number is empty in
    CSV and null elsewhere.

    Args:
        ask: gives rows; see `walk.Question`.
        signals: whose rows, and what to call them.
        start: first time [ns].
        end: the time after the last [ns].
        form: ``csv``, ``parquet`` or ``arrow``.
    """
    table = Long([s.signal for s in signals], [s.path for s in signals], [s.unit for s in signals])
    written = 0

    def pieces() -> Iterator[pa.RecordBatch]:
        nonlocal written
        for rows in walk.walked(ask, walk.Walk([s.signal for s in signals], start, end, walk.ROWS)):
            written += len(rows)
            yield table(rows)

    for piece in encoded(form, CSV if form == "csv" else SCHEMA, pieces()):
        yield written, piece


def asking(reader: Reader, tail: Batch | None = None) -> Callable[[walk.Question], Batch]:
    """Give what answers a walk's questions from a lake, and from rows that may not be there yet."""
    return lambda q: reader.raw(q.signals, q.start, q.end, limit=q.limit, tail=tail)


def export_csv(
    reader: Reader,
    signals: Sequence[Exported],
    start: int,
    end: int,
    out: TextIO,
    *,
    tail: Batch | None = None,
) -> int:
    """Write the rows with start <= time < end [ns] of some signals as CSV; gives how many."""
    written = 0
    for written, piece in export(asking(reader, tail), signals, start, end, "csv"):  # noqa: B007 - the last counts
        out.write(piece.decode())
    return written
