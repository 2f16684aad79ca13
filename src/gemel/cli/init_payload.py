"""What a topic carries, out of a few of its messages: numbers, words, a time; where each stands, and how often it comes."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import orjson

from gemel.connect.files.sniff import TIME_NAMES
from gemel.connect.jsonpath import Keys, format_path
from gemel.connect.times import TimeReader, reader
from gemel.samples.clock import EARLIEST, LATEST

KEPT: Final = 30  # messages of a topic
LEAVES: Final = 200  # of a payload
DEEPEST: Final = 6
MOST_STATES: Final = 10
_STATE: Final = re.compile(r"[A-Za-z][\w-]{0,30}$")
_TIMED: Final = frozenset({*TIME_NAMES, "datetime", "sourcetime", "source_time", "source_timestamp"})


@dataclass(slots=True)
class Seen:
    """Messages of one topic: payload and time of receipt [ns]; how many came in all."""

    payloads: list[bytes] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    count: int = 0

    def add(self, payload: bytes, received: int, *, retained: bool) -> None:
        """Take a message; a retained one is old, so its receipt tells no rhythm."""
        self.count += 1
        if len(self.payloads) < KEPT:
            self.payloads.append(payload)
        if not retained and len(self.received) < KEPT:
            self.received.append(received)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A reading within a payload: keys (none: the payload itself) of a state its words, and the unit beside it."""

    keys: Keys | None
    states: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a topic carries.

    Args:
        leaves: its readings.
        time: JSON path of their time, or None.
        newest: that of the newest message [ns], or None.
        interval_s: between messages [s], or None.
        words: places that hold texts of which nothing can be made.
    """

    leaves: tuple[Leaf, ...]
    time: str | None = None
    newest: int | None = None
    interval_s: float | None = None
    words: tuple[str, ...] = ()


def carried(seen: Seen) -> Carried:
    """Find out what a topic carries."""
    documents = [d for d in map(_document, seen.payloads) if d is not None]
    plain = [d for d in documents if not isinstance(d, dict | list)]
    if not documents:
        return Carried((), words=("payload",))
    if len(plain) == len(documents):
        leaf = _leaf(None, plain)
        found = () if leaf is None else (leaf,)
        return Carried(found, interval_s=_beat(seen.received), words=() if found else ("payload",))
    columns = _columns([d for d in documents if isinstance(d, dict | list)])
    timed = next((keys for keys, values in columns.items() if _is_time(keys, values)), None)
    read = [_time(v) for v in columns.pop(timed)] if timed is not None else []
    times = sorted({t for t in read if t is not None})
    told = {keys[:-1]: values[0] for keys, values in columns.items() if _is_unit(keys, values)}
    leaves = {
        keys: _leaf(keys, v, told.get(keys[:-1], "")) for keys, v in columns.items() if not _is_unit(keys, v)
    }
    return Carried(
        leaves=tuple(leaf for leaf in leaves.values() if leaf is not None),
        time=format_path(timed) if timed is not None else None, newest=times[-1] if times else None,
        interval_s=_beat(times) or _beat(seen.received),
        words=tuple(format_path(keys) for keys, leaf in leaves.items() if leaf is None),
    )  # fmt: skip


def _document(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except ValueError:
        text = payload.decode("utf-8", "replace").strip()
        return text if text and len(text) <= 40 and text.isprintable() else None


def _columns(documents: Sequence[Any]) -> dict[Keys, list[Any]]:
    columns: dict[Keys, list[Any]] = {}
    for document in documents:
        for keys, value in _walk(document, ()):
            if len(columns) < LEAVES or keys in columns:
                columns.setdefault(keys, []).append(value)
    return columns


def _walk(value: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    if len(keys) > DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if '"' not in key:  # no JSON path can name it
                yield from _walk(inner, (*keys, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value[:LEAVES]):
            yield from _walk(inner, (*keys, at))
    elif value is not None:
        yield keys, value


def _leaf(keys: Keys | None, values: Sequence[Any], unit: str = "") -> Leaf | None:
    """Give a reading, where the values are numbers or a few words that come again."""
    if all(isinstance(v, int | float) and math.isfinite(v) for v in values):
        return Leaf(keys, unit=unit)
    words = tuple(dict.fromkeys(str(v) for v in values))
    if keys is None and all(_is_number(w) for w in words):
        return Leaf(keys)
    few = 2 <= len(words) <= MOST_STATES and 2 * len(words) <= len(values)
    return Leaf(keys, words) if few and all(_STATE.match(w) for w in words) else None


def _is_unit(keys: Keys, values: Sequence[Any]) -> bool:
    one = len({str(v) for v in values}) == 1 and isinstance(values[0], str)
    return one and str(keys[-1]).lower() in {"unit", "units", "uom"}


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _is_time(keys: Keys, values: Sequence[Any]) -> bool:
    """Tell whether values are times: all of them read as one, and their name or their looks (ISO 8601) say so."""
    named = bool(keys) and str(keys[-1]).lower() in _TIMED
    texts = all(isinstance(v, str) for v in values)
    return (named or texts) and all(_time(v) is not None for v in values)


_READ: Final[TimeReader] = reader(None)


def _time(value: Any) -> int | None:
    if isinstance(value, bool) or (isinstance(value, str) and len(value) < len("2020-01-01")):
        return None
    try:
        time = _READ(value)
    except ValueError:
        return None
    return time if EARLIEST <= time <= LATEST else None


def _beat(times: Sequence[int]) -> float | None:
    """Give the usual distance of times [ns] in seconds; None where there are too few to tell."""
    steps = sorted(b - a for a, b in pairwise(times) if b > a)
    return steps[len(steps) // 2] / 1e9 if len(steps) >= 2 else None
