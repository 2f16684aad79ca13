"""What a text file does not say of itself: its delimiter, decimal mark, encoding, and which column is the time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from gemel.connect.times import reader

DELIMITERS: Final = (";", ",", "\t", "|")
TIME_NAMES: Final = (
    "time",
    "timestamp",
    "datetime",
    "date_time",
    "date/time",
    "date",
    "ts",
    "zeit",
    "zeitstempel",
    "t",
)
_UNIT: Final = re.compile(r"(?:_| ?[\[(])(?:s|ms|us|ns|sec|seconds)[\])]?$")  # time_s, time [ms]
LOOK: Final = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is written."""

    delimiter: str
    decimal: str
    encoding: str
    names: tuple[str, ...]
    example: tuple[str, ...]  # cells of the first row


def dialect(path: Path) -> Dialect:
    """Look at the beginning of a delimited text (also .gz).

    The delimiter is the mark that splits header and first row into the same number of cells, most of them; a
    comma within numbers counts as decimal mark only where it is not the delimiter.
    """
    with pa.input_stream(str(path)) as stream:
        head = stream.read(LOOK)
    text, encoding = _text(head)
    lines = [line for line in text.splitlines()[:3] if line.strip()]
    delimiter = max(DELIMITERS, key=lambda mark: _fit(lines, mark))
    cells = [tuple(cell.strip().strip('"') for cell in line.split(delimiter)) for line in lines]
    example = cells[1] if len(cells) > 1 else ()
    comma = delimiter != "," and any(re.fullmatch(r"-?\d+,\d+", cell) for cell in example)
    return Dialect(delimiter, "," if comma else ".", encoding, cells[0] if cells else (), example)


def time_column(names: Sequence[str], example: Sequence[str]) -> str | None:
    """Find the time: by its name, also with a unit behind (``time_s``), else the first column whose cell reads as ISO 8601; none where neither is there.

    >>> time_column(["flow", "Timestamp"], ["1", "2020-03-09 10:14:33"])
    'Timestamp'
    """
    by_name = {name.lower(): name for name in reversed(names)}
    for word in TIME_NAMES:
        if word in by_name:
            return by_name[word]
    for name in names:
        if _UNIT.sub("", name.lower()) in TIME_NAMES:
            return name
    read = reader("iso")
    for name, cell in zip(names, example, strict=False):
        try:
            read(cell)
        except ValueError:
            continue
        return name
    return None


def _fit(lines: Sequence[str], mark: str) -> int:
    counts = [line.count(mark) for line in lines]
    return 0 if not counts or len(set(counts[:2])) > 1 else counts[0]


def _text(head: bytes) -> tuple[str, str]:
    cut = head[: head.rfind(b"\n") + 1] or head
    try:
        return cut.decode("utf-8-sig"), "utf8"
    except UnicodeDecodeError:
        return cut.decode("latin-1"), "latin1"
