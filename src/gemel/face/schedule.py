"""Schedules and orders: a table of what will be when, as the changes of a what-if.

    after,demand [m3/h],ambient [degC]           start,end,load,speed [rpm]
    0h,310,18                                    2026-11-23T06:00Z,2026-11-23T14:00Z,+15%,
    8h,340,24                                    2026-11-23T14:00Z,2026-11-23T20:00Z,,1450

With a column ``after`` (a span) or ``time`` (ISO 8601) it is a schedule: a value holds until the next, an empty cell
leaves it. With ``start`` and ``end`` (either way of writing) it is a list of orders: each cell holds from start until
end, written as a change is (``+15%``, ``*1.1``, ``+3``, ``12``), an empty one changes nothing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from gemel.errors import GemelError, ModelError
from gemel.samples.clock import SECOND
from gemel.scenarios import parse_change
from gemel.serve import spans, times

_COLUMN: Final = re.compile(r"(?P<name>[^\[\]]+?)\s*(?:\[(?P<unit>[^\[\]]+)\])?\s*")
Row = tuple[int, dict[str, str]]  # line of the file, cells by column


def read(path: Path, begins: str) -> list[dict[str, Any]]:
    """Read a table (CSV, UTF-8) as changes of a scenario that begins at a time (ISO 8601).

    What was over before it begins changes nothing. Raises ModelError with the line, and for a file that is not there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, skipinitialspace=True)
            table = [(rows.line_num, {str(k).strip(): str(v or "").strip() for k, v in row.items()}) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise ModelError(f"{path} cannot be read: {e}", code="bad-scenario", remedy="give a CSV file in UTF-8") from e
    given = set(table[0][1]) if table else set()
    begin = times.read(begins)
    try:
        if {"start", "end"} <= given:
            return list(_orders(table, begin))
        if when := next((w for w in ("after", "time") if w in given), ""):
            return list(_schedule(table, when, begin))
    except _LineError as e:
        raise ModelError(f"{path}, line {e.line}: {e}", code="bad-scenario", remedy="see docs/whatif.md") from e
    raise ModelError(
        f"{path} is no schedule", code="bad-scenario", remedy="begin it with a line of columns: after or time, or start and end"
    )


class _LineError(ValueError):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _schedule(table: Sequence[Row], when: str, begin: int) -> Iterator[dict[str, Any]]:
    instants = [_seconds(line, cells[when], begin) for line, cells in table]
    for (line, _), former, at in zip(table[1:], instants, instants[1:], strict=False):
        if at <= former:
            raise _LineError(line, "its time is not after that of the line before")
    for column in table[0][1]:
        if column == when:
            continue
        profile = [(at, _number(line, cells[column])) for (line, cells), at in zip(table, instants, strict=True) if cells[column]]
        past = [pair for pair in profile if pair[0] <= 0]
        profile = [(0.0, value) for _, value in past[-1:]] + profile[len(past) :]
        if profile:
            name, unit = _named(table[0][0] - 1, column)
            yield {"of": name, "how": "set", "profile": profile, "start_s": profile[0][0], "unit": unit}


def _orders(table: Sequence[Row], begin: int) -> Iterator[dict[str, Any]]:
    for line, cells in table:
        start, end = (_seconds(line, cells[side], begin) for side in ("start", "end"))
        if end <= start:
            raise _LineError(line, "it ends before it starts")
        if end <= 0:
            continue
        for column, cell in cells.items():
            if cell and column not in ("start", "end"):
                name, unit = _named(line, column)
                yield _change(line, name, cell, unit) | {"start_s": max(start, 0.0), "end_s": end}


def _change(line: int, name: str, cell: str, unit: str | None) -> dict[str, Any]:
    try:
        change, told = parse_change(f"{name}={cell}")
    except GemelError as e:
        raise _LineError(line, e.message) from e
    return {"of": name, "how": change.how, "value": change.value, "unit": told or unit}


def _seconds(line: int, text: str, begin: int) -> float:
    """Give a time or a span as seconds from the beginning."""
    if re.fullmatch(r"0 ?[a-z]*", text):
        return 0.0
    try:
        ns = spans.read(text.replace(" ", "")) if not re.match(r"\d{4}-", text) else times.read(text) - begin
    except (ValueError, GemelError) as e:
        raise _LineError(line, f"{text!r} is no time: write 8h, or 2026-11-23T06:00Z") from e
    return ns / SECOND


def _number(line: int, cell: str) -> float:
    try:
        return float(cell)
    except ValueError as e:
        raise _LineError(line, f"{cell!r} is no number") from e


def _named(line: int, column: str) -> tuple[str, str | None]:
    found = _COLUMN.fullmatch(column)
    if found is None:
        raise _LineError(line, f"{column!r} is no column: write a name, or name [unit]")
    return found["name"], found["unit"]
