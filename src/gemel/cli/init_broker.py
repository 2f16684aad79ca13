"""`gemel init` at a broker: listen for a while, to everything or to some topics, then tell assets from topics.

`#` for some seconds -> Seen per topic -> Carried -> DraftAsset by the topic's levels
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import click
from paho.mqtt.client import MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gemel.assets.draft import DraftAsset, DraftSignal
from gemel.assets.guess import level_of, signal_of, unit_of
from gemel.cli.init_payload import Carried, Leaf, Seen, carried
from gemel.connect.jsonpath import format_path
from gemel.connect.mqtt import MqttSettings
from gemel.connect.mqtt.session import MqttSession
from gemel.errors import ConnectError

CONNECT_S: Final = 10.0
MOST_TOPICS: Final = 20_000
LARGEST: Final = 1 << 20  # bytes of a payload that is looked at
_VALUE: Final = frozenset({"value", "val", "v"})


def is_filter(topic: str) -> bool:
    """Tell whether a text is a topic filter (MQTT 5, 4.7.1): # only at the end, + and # only as whole levels.

    >>> is_filter("hall-1/+/flow"), is_filter("hall-1/#"), is_filter("hall#"), is_filter("#/flow")
    (True, True, False, False)
    """
    levels = topic.split("/")
    whole = all(level in {"+", "#"} or not set(level) & set("+#\0") for level in levels)
    return bool(topic) and whole and "#" not in levels[:-1]


@dataclass
class Ears:
    """Hears everything; remembers a little of each topic."""

    topics: dict[str, Seen] = field(default_factory=dict)
    messages: int = 0
    beyond: int = 0
    connected: asyncio.Event = field(default_factory=asyncio.Event)

    def on_connected(self, *, session_present: bool, properties: Properties | None) -> None:
        """The broker took us."""
        self.connected.set()

    def on_lost(self) -> None:
        """The line is gone; the session tries again."""

    def on_message(self, message: MQTTMessage) -> None:
        """Take a message in."""
        self.messages += 1
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # no plant file can name it
        if topic not in self.topics and len(self.topics) >= MOST_TOPICS:
            self.beyond += 1
        elif 0 < len(message.payload) <= LARGEST:
            seen = self.topics.setdefault(topic, Seen())
            seen.add(bytes(message.payload), time.time_ns(), retained=message.retain)

    def on_published(self, mid: int, reason: ReasonCode) -> None:
        """Never: we only listen."""


async def listen(settings: MqttSettings, seconds: float, topics: Sequence[str] = ("#",)) -> tuple[Ears, int]:
    """Listen to the topics that filters name; give what was heard and the protocol level that the broker speaks; raises ConnectError."""
    why = "no answer"
    for level in (5, 4):
        ears = Ears()
        session = MqttSession(replace(settings, level=level), ears, clean=True)
        await session.open()
        try:
            if await _taken(session, ears):
                for topic in topics:
                    session.client.subscribe(topic, 0)
                session.send()
                await _wait(seconds)
                if session.error is None:
                    return ears, level
            why = session.error or why
        finally:
            await session.close()
    raise ConnectError(
        f"the broker does not take us: {why}",
        remedy="look at the address, --user, and whether the broker runs",
    )


async def _taken(session: MqttSession, ears: Ears) -> bool:
    """Wait until the broker took us, or refused a first time."""
    ends = time.monotonic() + CONNECT_S
    while time.monotonic() < ends and session.error is None:
        try:
            await asyncio.wait_for(ears.connected.wait(), 0.1)
        except TimeoutError:
            continue
        return True
    return False


async def _wait(seconds: float) -> None:
    steps = max(1, round(seconds * 5))
    with click.progressbar(
        length=steps, label="listening", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for _ in range(steps):
            await asyncio.sleep(seconds / steps)
            bar.update(1)


@dataclass(frozen=True, slots=True)
class Found:
    """What topics make: assets, topics of which nothing can be made, and the newest time of a payload [ns]."""

    assets: tuple[DraftAsset, ...]
    left_out: tuple[str, ...]
    newest: int | None


def assets_of(topics: Mapping[str, Seen]) -> Found:
    """Tell assets from topics: the last level but one where a topic is a reading, the last where it carries several."""
    gathered: dict[tuple[str, str], dict[str, DraftSignal]] = {}
    left_out, newest = [], list[int]()
    for topic in sorted(topics):
        what = carried(topics[topic])
        left_out += [topic if place == "payload" else f"{topic} {place}" for place in what.words]
        newest += [] if what.newest is None else [what.newest]
        for at, asset, signal in _signals(topic, what):
            owned = gathered.setdefault((at, asset), {})
            owned[_unused(signal.name, owned)] = signal
    assets = tuple(
        DraftAsset(asset, at, tuple(replace(s, name=name) for name, s in signals.items()))
        for (at, asset), signals in gathered.items()
    )
    return Found(assets, tuple(left_out), max(newest, default=None))


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    names = (name if i == 1 else f"{name}_{i}" for i in range(1, len(taken) + 2))
    return next(n for n in names if n not in taken)


def _signals(topic: str, what: Carried) -> Sequence[tuple[str, str, DraftSignal]]:
    levels = topic.split("/")
    single = (
        len(what.leaves) == 1
        and (len(levels) > 1 or what.leaves[0].keys is None)
        and _is_value(what.leaves[0])
    )
    above = [level for level in levels[: -2 if single else -1] if level]
    asset = levels[-2] if single and len(levels) > 1 else "device" if single else levels[-1]
    at, name = "/".join(level_of(level) for level in above), level_of(asset)
    found = []
    for leaf in what.leaves:
        signal, unit = signal_of(levels[-1] if single else _words(leaf))
        unit = unit or unit_of(leaf.unit, signal)
        pattern = _pattern(topic, (at, name, signal), single=single)
        path = None if leaf.keys is None else format_path(leaf.keys)
        time_path = what.time if path is not None else None
        found.append(
            (
                at,
                name,
                DraftSignal(signal, pattern, unit, path, time_path, None, what.interval_s, leaf.states),
            )
        )
    return found


def _is_value(leaf: Leaf) -> bool:
    return leaf.keys is None or str(leaf.keys[-1]).lower() in _VALUE or len(leaf.keys) == 1


def _words(leaf: Leaf) -> str:
    """Name a reading by its keys; ``$.flow.value`` is the flow."""
    keys = [str(key) for key in leaf.keys or ("value",)]
    named = keys[:-1] if len(keys) > 1 and keys[-1].lower() in _VALUE else keys
    return " ".join(named)


def _pattern(topic: str, parts: tuple[str, str, str], *, single: bool) -> str:
    """Write a topic with a placeholder for each part that stands in it as it is; levels with braces as +."""
    at, asset, signal = parts
    levels = topic.split("/")
    said = ["+" if "{" in level or "}" in level else level for level in levels]
    if single and levels[-1] == signal:
        said[-1] = "{signal}"
    own = len(levels) - 2 if single else len(levels) - 1
    if own >= 0 and levels[own] == asset:
        said[own] = "{asset}"
        if at and "/".join(levels[:own]) == at:
            said[:own] = ["{at}"]
    return "/".join(said)
