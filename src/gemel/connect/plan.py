"""The compiled plan of a connection: which topic carries which signals, and where in its payload.

Sources (columns of the plant file) -> compile_plan -> Plan.find(topic) -> TopicPlan -> payload.Decoder
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from gemel.connect.jsonpath import Keys, parse_path
from gemel.connect.times import TimeReader, reader
from gemel.samples import Registry

REMEMBERED: Final = 10_000  # topics behind wildcards whose match is remembered; then forgotten and found anew


class Sources(Protocol):
    """What the plant file says of one connection, a row a signal (as `Plant.sources` gives it)."""

    @property
    def signal(self) -> npt.NDArray[np.int32]: ...
    @property
    def topic(self) -> Sequence[str]: ...
    @property
    def path(self) -> Sequence[str | None]: ...
    @property
    def time_path(self) -> Sequence[str | None]: ...
    @property
    def time_unit(self) -> Sequence[str | None]: ...


@dataclass(frozen=True, slots=True)
class Field:
    """One signal in a payload.

    Args:
        signal: its number in the registry.
        keys: where in the JSON document; none where the payload itself is the value.
        states: codes of a state's words, or none where the signal is a number.
        codes: how many states there are; a code beyond is refused (0: any).

    """

    signal: int
    keys: Keys | None
    states: Mapping[str, float] | None = None
    codes: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """The fields of a payload that share one time, and its status where the payload has one."""

    time: Keys | None
    read_time: TimeReader
    fields: tuple[Field, ...]
    status: Keys | None = None


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What to take from a payload of one topic: plain fields (the payload is the value) and JSON groups."""

    plain: tuple[Field, ...]
    groups: tuple[Group, ...]


class Plan:
    """Finds what to take from a topic; exact topics by a look-up, wildcards by matching once per topic."""

    def __init__(self, topics: Mapping[str, TopicPlan]) -> None:
        self.topics = tuple(topics)
        self.without_time = any(t.plain or any(g.time is None for g in t.groups) for t in topics.values())
        self._exact = {t: plan for t, plan in topics.items() if not is_wildcard(t)}
        self._wild = [(t.split("/"), plan) for t, plan in topics.items() if is_wildcard(t)]
        self._found: dict[str, TopicPlan | None] = {}

    def find(self, topic: str) -> TopicPlan | None:
        """Give the plan of a topic, or none if no signal comes from it."""
        if not self._wild:
            return self._exact.get(topic)
        try:
            return self._found[topic]
        except KeyError:
            return self._match(topic)

    def _match(self, topic: str) -> TopicPlan | None:
        levels = topic.split("/")
        plans = [plan for pattern, plan in self._wild if matches(pattern, levels)]
        if topic in self._exact:
            plans.insert(0, self._exact[topic])
        if len(self._found) >= REMEMBERED:
            self._found.clear()
        found = _together(plans) if plans else None
        self._found[topic] = found
        return found


def compile_plan(sources: Sources, registry: Registry) -> Plan:
    """Compile the sources of a connection; raises AssetError for a path that is none."""
    kinds = registry.table.column("kind").to_pylist()
    states = registry.table.column("states").to_pylist()
    status_path: Sequence[str | None] = getattr(sources, "status_path", None) or [None] * len(sources.topic)
    plain: dict[str, list[Field]] = {}
    grouped: dict[str, dict[tuple[str | None, str | None, str | None], list[Field]]] = {}
    rows = zip(
        sources.signal.tolist(), sources.topic, sources.path, sources.time_path, sources.time_unit, status_path,
        strict=True,
    )  # fmt: skip
    for signal, topic, path, time_path, time_unit, status in rows:
        words = states[signal] or [] if kinds[signal] == "state" else None
        field = Field(signal, None if path is None else parse_path(path), _codes(words), len(words or ()))
        if path is None:
            plain.setdefault(topic, []).append(field)
        else:
            key = (time_path, time_unit if time_path else None, status)
            grouped.setdefault(topic, {}).setdefault(key, []).append(field)
    topics = dict.fromkeys(sources.topic)  # in the order of the plant file
    return Plan(
        {
            t: TopicPlan(tuple(plain.get(t, ())), tuple(_group(k, f) for k, f in grouped.get(t, {}).items()))
            for t in topics
        }
    )


def is_wildcard(topic: str) -> bool:
    """Tell whether a topic is a filter with wildcards (MQTT 5, section 4.7.1)."""
    return "+" in topic or "#" in topic


def matches(pattern: Sequence[str], levels: Sequence[str]) -> bool:
    """Tell whether a topic matches a filter, both split at ``/`` (MQTT 5, section 4.7).

    >>> matches("plant/+/temp".split("/"), "plant/p1/temp".split("/"))
    True
    """
    if levels[0].startswith("$") and pattern[0] in ("+", "#"):  # section 4.7.2
        return False
    for at, level in enumerate(pattern):
        if level == "#":
            return True
        if at >= len(levels) or level not in ("+", levels[at]):
            return False
    return len(pattern) == len(levels)


def _codes(words: Sequence[str] | None) -> Mapping[str, float] | None:
    return None if words is None else {word: float(code) for code, word in enumerate(words)}


def _group(key: tuple[str | None, str | None, str | None], fields: Sequence[Field]) -> Group:
    time_path, time_unit, status = key
    return Group(
        time=parse_path(time_path) if time_path else None,
        read_time=reader(time_unit or None),
        fields=tuple(fields),
        status=parse_path(status) if status else None,
    )


def _together(plans: Sequence[TopicPlan]) -> TopicPlan:
    if len(plans) == 1:
        return plans[0]
    return TopicPlan(tuple(f for p in plans for f in p.plain), tuple(g for p in plans for g in p.groups))
