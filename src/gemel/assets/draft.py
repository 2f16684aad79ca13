"""A first plant file from what was seen: assets that look alike share a type, what they share is said once.

Seen readings -> Draft -> text of plant.yaml
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gemel.assets.guess import type_of

_PLAIN: Final = re.compile(r"^[A-Za-z][\w./-]*$")
FLEET: Final = 50  # assets of one type above which they stand in a table
_WORDS: Final = frozenset(
    {"true", "false", "null", "yes", "no", "on", "off"}
)  # quoted, whatever a reader's YAML


@dataclass(frozen=True, slots=True)
class DraftSignal:
    """A signal as it was seen.

    Args:
        name: for the plant file.
        topic: with placeholders where it is like that of others.
        unit: None where nothing tells.
        path, time, time_unit: where in a JSON payload; None: not there.
        interval_s: between readings [s], or None.
        states: the words it was seen to take; none for a number.
    """

    name: str
    topic: str
    unit: str | None = None
    path: str | None = None
    time: str | None = None
    time_unit: str | None = None
    interval_s: float | None = None
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftAsset:
    """An asset as it was seen: name, place and signals."""

    name: str
    at: str
    signals: tuple[DraftSignal, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A plant as it was seen.

    Args:
        root: enterprise/site.
        origin: what was looked at, for the head of the file.
        clock: ``wall`` or ``data``.
        connection: the entries of the connection ``field``.
        assets: in the order they were seen.
    """

    root: str
    origin: str
    clock: str
    connection: Mapping[str, Any]
    assets: Sequence[DraftAsset]


def written(draft: Draft) -> dict[str, str]:
    """Give the text of each file: plant.yaml, and a table for each large fleet."""
    lines = [
        f"# A first plant file, written by gemel init from {draft.origin}.",
        "# A unit that nothing told is 1: put the right one in before history fills. Then add range, max_rate, alarm.",
        f"plant: {_scalar(draft.root)}",
    ]
    if draft.clock == "data":
        lines.append("clock: data # the times seen are of the past: plant time follows the newest reading")
    lines += ["connections:", f"  field: {_flow(draft.connection)}", "types:"]
    types = _types(draft.assets)
    for name, alike in types.items():
        lines += _type(name, alike[0].signals)
    lines.append("assets:")
    files: dict[str, str] = {}
    taken: set[str] = set()
    for name, alike in types.items():
        names = [asset.name for asset in alike]
        if len(alike) > FLEET or len(set(names)) < len(names) or taken & set(names):
            table = f"{name}.csv"
            files[table] = "name,at\n" + "".join(f"{asset.name},{asset.at}\n" for asset in alike)
            key = _free(f"{name}-fleet", taken)
            lines.append(f"  {_scalar(key)}: {_flow({'type': name, 'table': table})}")
            taken.add(key)
            continue
        taken.update(names)
        lines += [
            f"  {_scalar(a.name)}: {_flow({'type': name, **({'at': a.at} if a.at else {})})}" for a in alike
        ]
    return {"plant.yaml": "\n".join(lines) + "\n", **files}


def _free(name: str, taken: set[str]) -> str:
    return next(n for i in range(1, len(taken) + 2) if (n := name if i == 1 else f"{name}-{i}") not in taken)


def _types(assets: Iterable[DraftAsset]) -> dict[str, list[DraftAsset]]:
    alike: dict[tuple[Any, ...], list[DraftAsset]] = {}
    for asset in assets:
        look = tuple(
            (s.name, s.topic, s.unit, s.path, s.time, s.time_unit, bool(s.states)) for s in asset.signals
        )
        alike.setdefault(look, []).append(asset)
    named: dict[str, list[DraftAsset]] = {}
    for group in alike.values():
        named[_free(type_of(group[0].name), set(named))] = group
    return named


def _type(name: str, signals: Sequence[DraftSignal]) -> list[str]:
    shared = _shared(signals)
    lines = [f"  {_scalar(name)}:", f"    source: {_flow({'from': 'field', **shared})}", "    signals:"]
    for s in signals:
        own = {k: v for k, v in _where(s).items() if k not in shared}
        kind = {"states": list(s.states)} if s.states else {"unit": s.unit or "1"}
        beat = {"interval": _duration(s.interval_s)} if s.interval_s else {}
        lines.append(f"      {_scalar(s.name)}: {_flow({**kind, **own, **beat})}")
    return lines


def _where(signal: DraftSignal) -> dict[str, str]:
    said = {"topic": signal.topic, "path": signal.path, "time": signal.time, "time_unit": signal.time_unit}
    return {key: value for key, value in said.items() if value is not None}


def _shared(signals: Sequence[DraftSignal]) -> dict[str, str]:
    """Give what all signals say alike of their source: a signal cannot take back what its type says."""
    said = [_where(s) for s in signals]
    return {key: value for key, value in said[0].items() if all(w.get(key) == value for w in said)}


def _duration(seconds: float) -> str:
    """Give a duration in two digits: what was measured is not more exact.

    >>> _duration(0.4987), _duration(1.002), _duration(61)
    ('500 ms', '1 s', '61 s')
    """
    rounded = float(f"{seconds:.2g}")
    return f"{rounded * 1000:g} ms" if rounded < 1 else f"{rounded:g} s"


def _flow(entries: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{_scalar(k)}: {_value(v)}" for k, v in entries.items()) + "}"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _flow(value)
    if isinstance(value, list):
        return "[" + ", ".join(_scalar(v) for v in value) + "]"
    return _scalar(value) if isinstance(value, str) and not value[:1].isdigit() else _quoted_number(value)


def _quoted_number(value: Any) -> str:
    """Leave a duration plain (it is a text to every reader); quote what would be read as a number."""
    text = str(value)
    return text if re.fullmatch(r"[\d.]+ m?s", text) or isinstance(value, int) else json.dumps(text)


def _scalar(text: str) -> str:
    plain = bool(_PLAIN.match(text)) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
