"""`gemel init` on files: their columns become the signals of one asset, sent as one JSON object a row.

files -> columns (numbers, words), time column, interval -> DraftAsset that `gemel replay` feeds
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets.draft import DraftAsset, DraftSignal
from gemel.assets.guess import level_of, signal_of
from gemel.cli.init_broker import Found
from gemel.connect.files import TIME, read_file
from gemel.connect.jsonpath import format_path

MOST_STATES: Final = 10


def assets_in(files: Sequence[Path]) -> Found:
    """Look at files; raises ConnectError where one cannot be read or has no time."""
    signals: dict[str, DraftSignal] = {}
    columns: dict[str, str] = {}
    left_out: list[str] = []
    newest = None
    asset = level_of(_common_name(files))
    for file in files:
        table = read_file(file)
        interval = _interval(table.times)
        newest = max(filter(None, (newest, int(table.times[-1]) if len(table.times) else None)), default=None)
        for column in table.rows.column_names:
            if column == TIME or column in columns:
                continue
            found = _signal(column, table.rows.column(column), asset, interval)
            if found is None:
                left_out.append(column)
                continue
            name = next(
                n
                for i in range(1, len(signals) + 2)
                if (n := found.name if i == 1 else f"{found.name}_{i}") not in signals
            )
            columns[column], signals[name] = name, found
    named = tuple(replace(signal, name=name) for name, signal in signals.items())
    unheard = tuple(dict.fromkeys(c for c in left_out if c not in columns))
    return Found((DraftAsset(asset, "", named),) if named else (), unheard, newest)


def _common_name(files: Sequence[Path]) -> str:
    """Name what files are of: their folder; a single one by itself, where it has more of a name than a number."""
    stem, folder = files[0].name.split(".")[0], files[0].absolute().parent.name
    return stem if len(files) == 1 and stem[:1].isalpha() else folder


def _signal(column: str, values: pa.ChunkedArray, asset: str, interval_s: float | None) -> DraftSignal | None:
    if '"' in column:
        return None  # no JSON path can name it
    states = _states(values)
    if states is None:
        return None
    name, unit = signal_of(column)
    place: dict[str, Any] = {"path": format_path((column,)), "time": "$.time", "time_unit": "iso"}
    return DraftSignal(
        name,
        f"files/{asset}",
        unit,
        interval_s=interval_s,
        states=states,
        **place,
    )


def _states(values: pa.ChunkedArray) -> tuple[str, ...] | None:
    """Give the words of a state, none of a number; None for what is neither."""
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return ()
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return None
    words = [w for w in pc.unique(values).to_pylist() if w]
    return tuple(words) if 2 <= len(words) <= MOST_STATES and len(words) < len(values) else None


def _interval(times: np.ndarray[Any, np.dtype[np.int64]]) -> float | None:
    steps = np.diff(times)
    steps = steps[steps > 0]
    return float(np.median(steps)) / 1e9 if len(steps) > 1 else None
