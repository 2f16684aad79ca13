"""What assets can be told: read into `CommandSpec`, wired on demand for one asset."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gemel.assets.dimension import amount, breaks_promise, duration_ns, pair, rate
from gemel.assets.node import Node
from gemel.assets.problem import did_you_mean
from gemel.assets.signals import Scope, known_connection
from gemel.assets.spec import CommandSpec, Signal
from gemel.samples import units

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
TOLERANCE: Final = 0.01  # of the range, where the file says none


def read_command(name: str, node: Node, signals: Mapping[str, Signal], scope: Scope) -> CommandSpec | None:
    """Read a command; None where it cannot be one."""
    problems = scope.problems
    sets, read_back = (_known(node.get(key), signals, name, scope) for key in ("sets", "read_back"))
    rests_on = [_known(n, signals, name, scope) for n in node.items_of("rests_on")]
    unit = _unit(name, node, [s for s in (sets, read_back) if s], scope)
    if unit is None:
        return None
    span = pair(node.get("range"), unit, f"range of {name!r}", problems)
    if (
        span is None
        and node.get("range") is None
        and sets is not None
        and sets.low is not None
        and sets.high is not None
    ):
        span = (sets.low, sets.high)
    if span is None and node.get("range") is None:
        problems.warn(
            node, f"command {name!r} has no range: any number may be asked for", "add range: [low, high]"
        )
    low, high = span or (None, None)
    tolerance = amount(node.get("tolerance"), unit, problems, difference=True)
    to = node.get("to")
    resting = tuple(s.name for s in rests_on if s)
    return CommandSpec(
        asset="", name=name, unit=unit, low=low, high=high,
        max_rate_per_s=rate(node.get("max_rate"), unit, problems), approval=node.plain("approval"),
        sets=sets.name if sets else None, read_back=read_back.name if read_back else None,
        tolerance=tolerance if tolerance is not None else TOLERANCE * (span[1] - span[0]) if span else 0.0,
        timeout_ns=duration_ns(node.get("timeout"), 60_000_000_000),
        rests_on=resting or ((read_back.name,) if read_back else ()),
        connection=known_connection(to, scope) if to is not None else None,
        topic=node.plain("topic"), payload=node.plain("payload", "{value}"), description=node.plain("description", ""),
    )  # fmt: skip


def _known(node: Node | None, signals: Mapping[str, Signal], name: str, scope: Scope) -> Signal | None:
    if node is None:
        return None
    word = str(node.value)
    if word not in signals and word not in scope.broken:
        scope.problems.error(
            node, f"command {name!r} speaks of an unknown signal {word!r}", did_you_mean(word, signals)
        )
    return signals.get(word)


def _unit(name: str, node: Node, touched: list[Signal], scope: Scope) -> str | None:
    given = node.get("unit")
    if given is None:
        if touched:
            return touched[0].unit
        if {"unit", "sets", "read_back"} & (node.fields.keys() | node.lost):
            return None  # what it names is wrong, and that has been said
        scope.problems.error(
            node, f"command {name!r} has no unit", "add unit: rpm (or whatever its value is in; 1 for none)"
        )
        return None
    unit = str(given.value)
    wrong = next((w for signal in touched if (w := _mismatch(name, unit, signal)) is not None), None)
    if wrong is None and not touched and (promised := breaks_promise(name, unit)):
        wrong = f"{name!r} in {unit!r}: the dimension is wrong", f"write a unit like {promised}"
    if wrong is not None:
        scope.problems.error(given, *wrong)
        return None  # what else it says cannot be judged in this unit
    return unit


def _mismatch(name: str, unit: str, signal: Signal) -> tuple[str, str] | None:
    if not units.fits(unit, signal.unit):
        words = f"command {name!r} in {unit!r}: the dimension is wrong, {signal.name!r} is in {signal.unit!r}"
        return words, f"write {signal.unit}"
    if units.conversion(unit, signal.unit) != (1.0, 0.0):
        words = f"command {name!r} is in {unit!r}, but {signal.name!r} in {signal.unit!r}"
        return words, f"write both in the same unit, such as {signal.unit}"
    return None


@lru_cache(4096)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(PLACEHOLDER.split(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Fill the placeholders of a topic or payload; one that has no value stays as it is.

    >>> filled("station/{asset}/{value}", {"asset": "pump-1"})
    'station/pump-1/{value}'
    """
    parts = _parts(text)
    if len(parts) == 1:
        return text
    return "".join(values.get(p, f"{{{p}}}") if i % 2 else p for i, p in enumerate(parts))


class Commands:
    """The commands of a plant: a view, made for one asset at a time."""

    def __init__(self, plant: "Plant") -> None:
        self._plant = plant

    def get(self, asset: str, name: str) -> CommandSpec | None:
        """Give a command of an asset, wired; None where there is none."""
        return next((c for c in self.of(asset) if c.name == name), None)

    def of(self, asset: str) -> list[CommandSpec]:
        """Give the commands of an asset; none of an asset that is unknown."""
        at = self._plant.assets.find(asset)
        return [] if at is None else [self._wired(at, c) for c in self._plant.template(at).commands]

    def __iter__(self) -> Iterator[CommandSpec]:
        for at in range(len(self._plant.assets)):
            for command in self._plant.template(at).commands:
                yield self._wired(at, command)

    def __len__(self) -> int:
        return sum(len(self._plant.template(at).commands) for at in range(len(self._plant.assets)))

    def _wired(self, at: int, command: CommandSpec) -> CommandSpec:
        values = {**self._plant.assets.values(at), "command": command.name}
        topic = None if command.topic is None else filled(command.topic, values)
        return replace(
            command, asset=self._plant.assets.paths[at], topic=topic, payload=filled(command.payload, values)
        )
