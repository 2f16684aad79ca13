"""History as CSV, streamed: one row a reading, time in ISO 8601 to the nanosecond, UTC."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TextIO

import numpy as np

from gemel.history.reader import Reader
from gemel.samples import Batch
from gemel.samples import status as statuses

HEADER: Final = ("signal", "unit", "time", "value", "status")
ROWS: Final = 100_000  # in one piece


@dataclass(frozen=True)
class Exported:
    """A signal to export: its number, and what to call it."""

    signal: int
    path: str
    unit: str = ""


def export_csv(
    reader: Reader,
    signals: Sequence[Exported],
    start: int,
    end: int,
    out: TextIO,
    *,
    tail: Batch | None = None,
) -> int:
    """Write the rows with start <= time < end [ns] of some signals, one after another; gives how many.

    For one (signal, time) the latest received is written. A NaN is an empty field. Memory stays bounded.
    """
    out.write(",".join(HEADER) + "\n")
    written = 0
    for one in signals:
        lead = _line([one.path, one.unit])
        at = start
        while at < end:
            rows = reader.raw([one.signal], at, end, limit=ROWS, tail=tail)
            out.write(_text(lead, rows))
            written += len(rows)
            if len(rows) < ROWS:
                break
            at = int(rows.time[-1]) + 1
    return written


def _line(fields: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _text(lead: str, rows: Batch) -> str:
    times = np.datetime_as_string(rows.time.astype("datetime64[ns]"), unit="ns").tolist()
    words = {int(s): _line([statuses.name(int(s))]) for s in np.unique(rows.status)}
    values = ("" if v != v else repr(v) for v in rows.value.tolist())  # noqa: PLR0124 - NaN is not itself
    return "".join(
        f"{lead},{t}Z,{v},{words[s]}\n" for t, v, s in zip(times, values, rows.status.tolist(), strict=True)
    )
