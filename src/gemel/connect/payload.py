"""Payloads to columns: the decoder that every message-wise protocol shares. Pure; no clock, no socket.

    [(topic, payload, received)] -> Decoder.decode -> Batch + Refusals

One pass, no object per value: columns are built as lists and turned into arrays once per batch.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from gemel.connect.jsonpath import Keys
from gemel.connect.plan import Field, Group, Plan, TopicPlan
from gemel.connect.refusals import Refusals
from gemel.connect.times import TimeRefusedError
from gemel.samples import Batch
from gemel.samples.status import BAD, GOOD, UNCERTAIN

Message = tuple[
    str, bytes | bytearray | None, int
]  # topic, payload (none: larger than allowed), received [ns]
LARGEST: Final = 1 << 20  # bytes of a payload
EXACT: Final = 2**53  # a float64 holds every integer up to here
BEYOND_JSON: Final = 2.0**63  # orjson gives a longer integer as a float: look again
PLAIN_CHARACTERS: Final = 64  # no number needs more
WORDS: Final = {"good": GOOD, "uncertain": UNCERTAIN, "bad": BAD}
_MISSING: Final = object()


class _RefusedError(ValueError):
    """A value cannot be used; the argument is the reason's word."""


@dataclass(slots=True)
class _Columns:
    signal: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    status: list[int] = field(default_factory=list)

    def batch(self) -> Batch:
        return Batch.of(
            signal=self.signal, time=self.time, received=self.received, value=self.value, status=self.status
        )


class Decoder:
    """Decodes payloads by a compiled plan.

    Args:
        plan: what to take from which topic.
        largest: payloads above this many bytes are refused as too_big.

    """

    def __init__(self, plan: Plan, largest: int = LARGEST) -> None:
        self.plan = plan
        self.largest = largest

    def decode(self, messages: Iterable[Message]) -> tuple[Batch, Refusals]:
        """Decode messages in order; what cannot be used is refused, never raised."""
        columns, refused = _Columns(), Refusals()
        find, largest = self.plan.find, self.largest
        for topic, payload, received in messages:
            plan = find(topic)
            if plan is None:
                refused.add("unknown_topic", topic, payload or b"")
            elif payload is None or len(payload) > largest:
                refused.add(
                    "too_big",
                    topic,
                    f"more than {largest} bytes" if payload is None else f"{len(payload)} bytes",
                )
            else:
                _decode_one(plan, (topic, payload, received), columns, refused)
        return columns.batch(), refused


def _decode_one(
    plan: TopicPlan, message: tuple[str, bytes | bytearray, int], columns: _Columns, refused: Refusals
) -> None:
    topic, payload, received = message
    for item in plan.plain:
        try:
            value = _plain(payload, item)
        except _RefusedError as why:
            refused.add(str(why), topic, payload)
        else:
            _append(columns, item.signal, received, received, value, GOOD)
    if not plan.groups:
        return
    try:
        document = orjson.loads(payload)
    except ValueError:
        document = _second_look(payload)
        if document is _MISSING:
            refused.add("not_json", topic, payload)
            return
    for group in plan.groups:
        _decode_group(group, document, message, columns, refused)


def _decode_group(
    group: Group,
    document: Any,
    message: tuple[str, bytes | bytearray, int],
    columns: _Columns,
    refused: Refusals,
) -> None:
    topic, payload, received = message
    try:
        time = received if group.time is None else group.read_time(_walk(document, group.time))
        status = GOOD if group.status is None else _status(_walk(document, group.status))
    except (_RefusedError, TimeRefusedError) as why:
        refused.add(str(why), topic, payload)
        return
    signals, times, receipts, values, statuses = (
        columns.signal, columns.time, columns.received, columns.value, columns.status
    )  # fmt: skip
    for item in group.fields:
        found = document
        try:
            for key in item.keys or ():
                found = found[key]
        except (KeyError, IndexError, TypeError):
            refused.add("missing_path", topic, payload)
            continue
        if type(found) is not float or item.states is not None or not -BEYOND_JSON < found < BEYOND_JSON:
            try:
                found = _value(found, item, payload)
            except _RefusedError as why:
                refused.add(str(why), topic, found)
                continue
        signals.append(item.signal)
        times.append(time)
        receipts.append(received)
        values.append(found)
        statuses.append(status)


def _append(columns: _Columns, signal: int, time: int, received: int, value: float, status: int) -> None:
    columns.signal.append(signal)
    columns.time.append(time)
    columns.received.append(received)
    columns.value.append(value)
    columns.status.append(status)


def _walk(document: Any, keys: Keys) -> Any:
    try:
        for key in keys:
            document = document[key]
    except (KeyError, IndexError, TypeError):
        raise _RefusedError("missing_path") from None
    return document


def _value(found: Any, item: Field, payload: bytes | bytearray) -> float:
    """Give the number of what stands at a path: the way for all that is no plain float."""
    kind = type(found)
    if item.states is not None:
        return _state(found, item)
    if kind is int:
        if -EXACT <= found <= EXACT:
            return float(found)
        raise _RefusedError("integer_too_large")
    if kind is bool:
        return float(found)
    if kind is not float:
        raise _RefusedError("wrong_type")
    if not -float("inf") < found < float("inf"):
        raise _RefusedError("not_finite")
    if _was_integer(payload, item.keys):
        raise _RefusedError("integer_too_large")
    return float(found)


def _state(found: Any, item: Field) -> float:
    states = item.states or {}
    kind = type(found)
    if kind is str:
        if found in states:
            return states[found]
        raise _RefusedError("unknown_state")
    if kind is bool:
        word = "true" if found else "false"
        return states.get(word, float(found))
    if kind not in (int, float):
        raise _RefusedError("wrong_type")
    if found != found or found in (float("inf"), -float("inf")):  # noqa: PLR0124 - NaN is not itself
        raise _RefusedError("not_finite")
    if found % 1 or not 0 <= found < (item.codes or EXACT):
        raise _RefusedError("unknown_state")
    return float(found)


def _status(found: Any) -> int:
    if type(found) is int and 0 <= found < 1 << 32:
        return found
    if type(found) is str and found.lower() in WORDS:
        return WORDS[found.lower()]
    if type(found) is bool:
        return GOOD if found else BAD
    raise _RefusedError("wrong_type")


def _plain(payload: bytes | bytearray, item: Field) -> float:
    """Read a payload that is nothing but a number, a boolean or a state word."""
    if len(payload) > PLAIN_CHARACTERS:
        raise _RefusedError("wrong_type")
    try:
        text = payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise _RefusedError("wrong_type") from None
    if item.states is not None and text in item.states:
        return item.states[text]
    if text.lower() in ("true", "false"):
        return _value(text.lower() == "true", item, payload)
    try:
        number: float | int = int(text) if text.lstrip("+-").isdigit() and text.isascii() else float(text)
    except ValueError:
        raise _RefusedError("unknown_state" if item.states is not None else "wrong_type") from None
    if "_" in text:  # Python's float takes 1_000; no device means it
        raise _RefusedError("wrong_type")
    return _value(number, item, b"")


def _second_look(payload: bytes | bytearray) -> Any:
    """Read what only Python's own reader takes: NaN, Infinity, 1e999, endless integers; or give that it is not JSON.

    Python sources write NaN where JSON has no word for it; the other values of the payload are good.
    """
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return _MISSING


def _was_integer(payload: bytes | bytearray, keys: Keys | None) -> bool:
    """Tell whether a number beyond 2^63 was written as an integer, which orjson gives as a float."""
    if keys is None or not payload:
        return False
    try:
        return type(_walk(json.loads(payload), keys)) is int
    except ValueError:  # an integer of more than 4,300 digits, or a path that is gone
        return True
