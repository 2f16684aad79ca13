"""Records of a machine for a fit: from a file of the past, or from its history.

columns of a file | rows of the history -> readings of each signal, SI, with statuses -> even records
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from gemel.assets import Plant
from gemel.connect.columns import match_columns
from gemel.connect.files import FileOptions, FileTable, read_file
from gemel.connect.files.sniff import dialect
from gemel.errors import ModelError
from gemel.estimate.record import Readings, Record, on_grid
from gemel.operate.machine import Line, Machine
from gemel.samples import status as codes
from gemel.samples.batch import F64, I64

HOLD: Final = 10  # steps that an input is held over, where its signal says nothing


@dataclass(frozen=True)
class _Named:
    """The signals of one asset, as sources of columns."""

    signal: npt.NDArray[np.int32]
    path: Sequence[str | None]
    topic: Sequence[str]
    time_path: Sequence[str | None]
    time_unit: Sequence[str | None]


def from_file(
    plant: Plant,
    machine: Machine,
    path: Path,
    options: FileOptions,
    mapping: Mapping[str, str],
    step_s: float | None = None,
) -> list[Record]:
    """Read a CSV or Parquet file as records of a machine; columns are matched with signals as for a replay.

    A value outside the range that its signal declares is Bad. Raises ModelError where a signal has no column, or a column
    a word that is no number.
    """
    lines = (*machine.inputs, *machine.outputs)
    columns = _columns(plant, lines, path, mapping)
    table = read_file(path, options)
    read = {line.path: _readings(line, table.times, _numbers(table, columns[line.path])) for line in lines}
    dt = step_s or _step(table.times)
    hold = HOLD * dt
    return on_grid(
        [read[line.path] for line in machine.inputs], [read[line.path] for line in machine.outputs], dt, hold
    )


def _columns(plant: Plant, lines: Sequence[Line], path: Path, mapping: Mapping[str, str]) -> dict[str, str]:
    registry = plant.registry()
    numbers = np.array([registry.index(line.path, line.spec.lane) for line in lines], np.int32)
    ways = [line.spec.source.path if line.spec.source else None for line in lines]
    nothing = [""] * len(lines)
    names = (
        dialect(path).names
        if path.suffix not in (".parquet", ".pq")
        else tuple(pa_parquet.read_schema(path).names)
    )
    matched = match_columns(
        names, _Named(numbers, ways, nothing, [None] * len(lines), [None] * len(lines)), registry, mapping
    )
    found = {lines[row].path: column for column, row in matched.row_of.items()}
    missing = [line.path for line in lines if line.path not in found]
    if missing:
        raise ModelError(
            f"{path.name} has no column for {missing[0]}", code="no-column",
            remedy=f"say which with --map COLUMN={missing[0].rpartition('/')[2]}; the columns are {', '.join(names)}",
        )  # fmt: skip
    return found


def _numbers(table: FileTable, name: str) -> F64:
    column = table.rows.column(name)
    try:
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowException:
        row, word = _first_word(table, column.to_pylist())
        raise ModelError(
            f"{table.path.name}: column {name}, row {row} under its head: {word!r} is no number", code="no-number",
            remedy="correct it, or leave the cell empty: then there is no reading; or name another column with --map COLUMN=SIGNAL",
        ) from None  # fmt: skip


def _first_word(table: FileTable, values: Sequence[object]) -> tuple[int, object]:
    """Give the first row of the file that holds no number, with what it holds; a decimal comma, which a word leaves as text, is none."""
    given = sorted(((table.in_file(at), v) for at, v in enumerate(values) if v is not None), key=lambda one: one[0])
    return next((one for one in given if not _is_number(one[1])), given[0])


def _is_number(value: object) -> bool:
    try:
        float(str(value).replace(",", "."))
    except ValueError:
        return False
    return True


def _readings(line: Line, times: I64, given: F64) -> Readings:
    known = np.isfinite(given)
    return Readings(times[known], line.si(given[known]), _judged(line, given[known]))


def _judged(line: Line, values: F64) -> npt.NDArray[np.uint32]:
    low = -np.inf if line.spec.low is None else line.spec.low
    high = np.inf if line.spec.high is None else line.spec.high
    return np.where((values < low) | (values > high), codes.BAD_OUT_OF_RANGE, codes.GOOD).astype(np.uint32)


def _step(times: I64) -> float:
    """Give the usual distance of rows [s]."""
    apart = np.diff(times)
    apart = apart[apart > 0]
    if not len(apart):
        raise ModelError(
            "fewer than two rows: there is nothing to fit", code="record", remedy="give a longer record"
        )
    return float(np.median(apart)) / 1e9
