"""The decoder backwards: rows of a table into the payloads that the plant file's JSON paths expect. Pure.

Sources + matched columns -> shapes -> compose(shape, chunk) -> one payload a row and topic
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from gemel.connect.jsonpath import Keys, parse_path, place
from gemel.connect.plan import Sources, is_wildcard
from gemel.connect.times import NS_PER
from gemel.errors import AssetError
from gemel.samples.batch import I64

TimeWriter = Callable[[I64], list[Any]]
_LONGEST_INDEX: Final = 10_000  # of a list in a payload


@dataclass(frozen=True, slots=True)
class Shape:
    """The payload of one topic.

    Args:
        topic: where it is sent.
        times: where the time stands, and how it is written.
        fields: where each column's value stands; no keys means that the payload is the value.
    """

    topic: str
    times: tuple[tuple[Keys, TimeWriter], ...]
    fields: tuple[tuple[Keys | None, str], ...]


def shapes(sources: Sources, row_of: Mapping[str, int]) -> list[Shape]:
    """Give the payloads that carry these columns; raises AssetError where a topic cannot be sent to."""
    by_topic: dict[tuple[str, bool], list[tuple[str, int]]] = {}
    for column, row in row_of.items():
        topic = sources.topic[row]
        if is_wildcard(topic):
            raise AssetError(
                f"{topic!r} has wildcards: nothing can be sent to it",
                code="topic",
                remedy="leave its columns out",
            )
        by_topic.setdefault((topic, sources.path[row] is None), []).append((column, row))
    return [_shape(topic, columns, sources) for (topic, _), columns in by_topic.items()]


def compose(shape: Shape, chunk: pa.Table, times: I64) -> list[bytes | None]:
    """Give a payload for each row; none where a row has no value for this topic."""
    columns = [
        (keys, chunk.column(name).to_pylist()) for keys, name in shape.fields if name in chunk.column_names
    ]
    if shape.fields and shape.fields[0][0] is None:
        return [_plain(row) for row in columns[0][1]] if columns else [None] * len(times)
    written = [(keys, write(times)) for keys, write in shape.times]
    return [_document(columns, written, at) for at in range(len(times))]


def _shape(topic: str, columns: Sequence[tuple[str, int]], sources: Sources) -> Shape:
    fields: list[tuple[Keys | None, str]] = []
    times: dict[tuple[str, str | None], None] = {}
    for column, row in columns:
        path, time_path = sources.path[row], sources.time_path[row]
        fields.append((None if path is None else _keys(path), column))
        if path is not None and time_path:
            times[time_path, sources.time_unit[row]] = None
    return Shape(topic, tuple((_keys(path), _writer(unit)) for path, unit in times), tuple(fields))


def _keys(path: str) -> Keys:
    keys = parse_path(path)
    if (
        not keys
        or isinstance(keys[0], int)
        or any(isinstance(k, int) and not 0 <= k < _LONGEST_INDEX for k in keys)
    ):
        raise AssetError(
            f"no payload can be made for {path!r}",
            code="json-path",
            remedy="it needs a name first, as in $.value",
        )
    return keys


def _writer(unit: str | None) -> TimeWriter:
    if unit not in NS_PER:
        return lambda times: [f"{t}Z" for t in np.datetime_as_string(times.astype("datetime64[ns]"))]
    per = NS_PER[unit]
    return lambda times: [t // per if t % per == 0 else t / per for t in times.tolist()]


def _document(
    columns: Sequence[tuple[Keys | None, list[Any]]], times: Sequence[tuple[Keys, list[Any]]], at: int
) -> bytes | None:
    document: dict[str, Any] = {}
    for keys, values in columns:
        value = values[at]
        if keys is not None and not _absent(value):
            place(document, keys, value)
    if not document:
        return None
    for keys, written in times:
        place(document, keys, written[at])
    return orjson.dumps(document)


def _plain(value: Any) -> bytes | None:
    if _absent(value):
        return None
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))
