"""From bytes to rows, by media type. A row that cannot be read is refused alone; a body that cannot, as a whole."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from gemel.connect.http import arrow, line
from gemel.connect.http.rows import Given, Refusal, refusal
from gemel.errors import GemelError

MOST_ROWS: Final = 100_000
_MOST_COMMAS: Final = 6 * MOST_ROWS  # a row has at most five keys: bounds what decoding can make of a body

Decoded = tuple[list[Given], list[Refusal]]


class UnreadableBodyError(GemelError):
    """The whole body cannot be read; the sender acts."""

    code = "unreadable-body"
    status = 422


class TooManyRowsError(UnreadableBodyError):
    """More rows than one request may carry."""

    code = "too-many-rows"
    status = 413


def decode(media_type: str, body: bytes) -> Decoded:
    """Give the rows of a body and the refusals; raises UnreadableBodyError, KeyError for an unknown media type."""
    given, refusals = _DECODERS[media_type](body)
    if len(given) + len(refusals) > MOST_ROWS:
        raise _too_many()
    return given, refusals


def _too_many() -> TooManyRowsError:
    return TooManyRowsError(f"more than {MOST_ROWS} rows", remedy="send them in several requests")


def _json(body: bytes) -> Decoded:
    if body.count(b",") > _MOST_COMMAS:
        raise _too_many()
    try:
        rows = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as e:
        raise UnreadableBodyError(
            f"the body is not JSON: {e}", remedy="send an array of rows; NaN and Infinity are not JSON"
        ) from None
    if not isinstance(rows, list):
        raise UnreadableBodyError(
            "the body is not an array of rows", remedy='send [{"path": …, "time": …, "value": …}]'
        )
    return _objects(list(enumerate(rows)))


def _ndjson(body: bytes) -> Decoded:
    if body.count(b"\n") > MOST_ROWS or body.count(b",") > _MOST_COMMAS:
        raise _too_many()
    rows: list[tuple[int, Any]] = []
    refusals: list[Refusal] = []
    for i, text in enumerate(body.split(b"\n")):
        if not text.strip():
            continue
        try:
            rows.append((i, msgspec.json.decode(text)))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            refusals.append(refusal(i, "not_json"))
    given, wrong = _objects(rows)
    return given, sorted([*refusals, *wrong], key=lambda r: r.row)


def _objects(rows: list[tuple[int, Any]]) -> Decoded:
    given: list[Given] = []
    refusals: list[Refusal] = []
    for i, row in rows:
        path = row.get("path", row.get("signal")) if isinstance(row, dict) else None
        if path is None or "value" not in row:
            refusals.append(refusal(i, "wrong_row"))
        else:
            given.append(Given(i, path, row.get("time"), row["value"], row.get("status"), row.get("sigma")))
    return given, refusals


def _line(body: bytes) -> Decoded:
    if body.count(b"\n") + body.count(b",") > 3 * MOST_ROWS:
        raise _too_many()
    return line.decode(body)


def _arrow(body: bytes) -> Decoded:
    try:
        return arrow.decode(body, MOST_ROWS), []
    except arrow.TooManyError:
        raise _too_many() from None
    except ValueError as e:
        raise UnreadableBodyError(
            f"the Arrow stream cannot be taken: {e}",
            remedy="columns path, value, time, status and sigma, uncompressed",
        ) from None


_DECODERS: Final[dict[str, Callable[[bytes], Decoded]]] = {
    "application/json": _json,
    "application/x-ndjson": _ndjson,
    "application/jsonl": _ndjson,
    "text/plain": _line,
    "application/vnd.apache.arrow.stream": _arrow,
}
MEDIA_TYPES: Final = tuple(_DECODERS)
