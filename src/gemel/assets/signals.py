"""From a signal's nodes to its `Signal`: units, limits, alarms and source, each wrong one said with its line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from gemel.assets.checks import STALE
from gemel.assets.derived import read_derived
from gemel.assets.dimension import amount, breaks_promise, duration_ns, duration_s, pair, rate
from gemel.assets.fmus import Fmus
from gemel.assets.grammar import LEVELS, WHERE
from gemel.assets.modelled import read_modelled
from gemel.assets.node import Node, merged
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.rollups import read_rollup
from gemel.assets.spec import Alarm, Connection, Level, Signal, Source
from gemel.errors import AssetError
from gemel.samples import units

PRIORITIES: Final[dict[Level, int]] = {"high_high": 1, "low_low": 1, "high": 2, "low": 2}


@dataclass(frozen=True)
class Scope:
    """What a name may refer to while the file is read."""

    connections: Mapping[str, Connection]
    retention: Mapping[str, float]
    problems: Problems
    untimed: dict[tuple[str, int], None] = field(default_factory=dict)
    broken: set[str] = field(
        default_factory=set
    )  # signals refused already: whoever names one is not wrong as well
    fmus: Fmus = field(default_factory=Fmus)
    balanced: frozenset[str] = frozenset()  # names of signals that balances give


def read_signal(name: str, node: Node, sources: Iterable[Node | None], scope: Scope) -> Signal | None:
    """Read a signal; None where it cannot be one.

    Args:
        name: of the signal.
        node: what is said of it, layers merged.
        sources: layers that say where it comes from, the strongest last.
        scope: what it may refer to.
    """
    problems = scope.problems
    states = tuple(str(n.value) for n in node.items_of("states"))
    kind = node.plain("kind", "state" if states else "analog")
    unit = _unit(name, node, kind, problems)
    if unit is None:
        return None
    _check_states(name, node, kind, states, problems)
    low, high = pair(node.get("range"), unit, f"range of {name!r}", problems) or (None, None)
    if kind == "state" and states:
        low, high = 0.0, float(len(states) - 1)
    derived = read_derived(name, node, problems)
    rollup = read_rollup(name, node)
    prognosis = str(node.plain("prognosis", ""))
    modelled = read_modelled(name, node, problems)
    computed = bool(derived) or rollup is not None or bool(prognosis) or modelled
    source, scale, offset = (None, 1.0, 0.0) if computed else read_source(name, unit, sources, scope)
    interval = duration_ns(node.get("interval")) if rollup is None else rollup.width_ns
    return Signal(
        name=name, unit=unit, kind=kind, states=states, scale=scale, offset=offset, low=low, high=high,
        normal=pair(node.get("normal"), unit, f"normal of {name!r}", problems),
        max_rate=rate(node.get("max_rate"), unit, problems),
        interval_ns=interval,
        stale_after_ns=duration_ns(node.get("stale_after")) or (5 if rollup is None else 2) * interval or STALE,
        stuck_after_ns=duration_ns(node.get("stuck_after")),
        deadband=amount(node.get("deadband"), unit, problems, difference=True),
        resolution=amount(node.get("resolution"), unit, problems, difference=True),
        retention=_retention(node, scope), description=node.plain("description", ""),
        alarm=_alarm(name, node.get("alarm"), unit, (low, high), problems), source=source,
        formerly=str(node.plain("formerly", "")), derived=derived, examples=len(node.items_of("examples")), rollup=rollup, lane="estimated" if computed else "measured",
        accuracy=amount(node.get("accuracy"), unit, problems, difference=True), prognosis=prognosis, modelled=modelled,
    )  # fmt: skip


def _unit(name: str, node: Node, kind: str, problems: Problems) -> str | None:
    given = node.get("unit")
    if given is None:
        if kind == "state":
            return "1"
        if "unit" in node.lost:
            return None
        problems.error(
            node, f"signal {name!r} has no unit", "add unit: m3/h (or whatever it is kept in; 1 for none)"
        )
        return None
    unit = str(given.value)
    promised = breaks_promise(name, unit) if kind == "analog" else None
    if promised is not None:
        problems.error(
            given,
            f"{name!r} in {unit!r}: the dimension is wrong",
            f"write a unit like {promised}, or give the signal a name that says what it is",
        )
        return None
    return unit


def _check_states(name: str, node: Node, kind: str, states: tuple[str, ...], problems: Problems) -> None:
    if kind == "state" and not states:
        problems.error(node, f"state {name!r} has no states", "add states: [stopped, running]")
    elif kind != "state" and states:
        problems.error(node, f"{name!r} is {kind} and has states", "write kind: state, or drop the states")
    if len(set(states)) < len(states):
        problems.error(node.get("states") or node, f"{name!r} has a state twice", "each word once")


def _retention(node: Node, scope: Scope) -> str:
    given = node.get("retention")
    if given is None:
        return "default"
    word = str(given.value)
    if word not in scope.retention:
        scope.problems.error(given, f"unknown retention class {word!r}", did_you_mean(word, scope.retention))
        return "default"
    return word


def _alarm(
    name: str, node: Node | None, unit: str, span: tuple[float | None, float | None], problems: Problems
) -> Alarm | None:
    if node is None:
        return None
    limits: dict[Level, float] = {}
    for level in LEVELS:
        limit = amount(node.get(level), unit, problems)
        if limit is not None:
            limits[level] = limit
    if not limits:
        if not any(node.get(level) for level in LEVELS):
            problems.error(
                node, f"the alarm of {name!r} has no limit", "add high:, high_high:, low: or low_low:"
            )
        return None
    _check_order(name, node, limits, problems)
    for level, limit in limits.items():
        if (span[0] is not None and limit < span[0]) or (span[1] is not None and limit > span[1]):
            problems.warn(
                node.get(level) or node,
                f"{level} of {name!r} ({limit:g}) lies outside its range and can never be reached",
                "change the limit or the range",
            )
    return Alarm(
        limits=limits, delay_ns=duration_ns(node.get("delay")),
        deadband=amount(node.get("deadband"), unit, problems, difference=True) or 0.0,
        priorities={level: _priority(node, level) for level in limits},
        cause=node.plain("cause", ""), consequence=node.plain("consequence", ""), response=node.plain("response", ""),
        respond_within_s=duration_s(node.get("respond_within")),
    )  # fmt: skip


def _check_order(name: str, node: Node, limits: Mapping[Level, float], problems: Problems) -> None:
    given: list[Level] = [level for level in LEVELS if level in limits]
    for lower, upper in pairwise(given):
        if limits[lower] >= limits[upper]:
            problems.error(
                node.get(upper) or node, f"alarm limits of {name!r} are out of order: {lower} {limits[lower]:g} is not below {upper} {limits[upper]:g}",
                "low_low < low < high < high_high",
            )  # fmt: skip


def _priority(node: Node, level: Level) -> int:
    given = node.plain("priority")
    if isinstance(given, dict):
        return int(given.get(level, PRIORITIES[level]))
    return int(given) if given is not None else PRIORITIES[level]


def read_source(
    name: str, unit: str, layers: Iterable[Node | None], scope: Scope
) -> tuple[Source | None, float, float]:
    """Give where a signal comes from, and how its number becomes the declared unit."""
    node: Node | None = None
    for layer in layers:
        if layer is not None and layer.fields:
            node = layer if node is None else merged(node, layer)
    if node is None or node.get("topic") is None:
        return None, 1.0, 0.0
    connection = _connection(name, node, scope)
    scale, offset = _scaling(node.get("unit"), unit, scope.problems)
    topic = node.fields["topic"]
    _check_topic(topic, scope.problems)
    if connection is None:
        return None, scale, offset
    if node.get("time") is None:
        scope.untimed[topic.file, topic.line] = None
    given: dict[str, Any] = {
        key: node.plain(key) for key in ("topic", "path", "time", "time_unit", "status", "unit")
    }
    return Source(connection=connection, **given), scale, offset


def where(node: Node, unit_key: str = "") -> Node:
    """Give the layer of a source that a signal says flatly (`from`, `topic` … beside its limits)."""
    said = {k: v for k, v in node.fields.items() if k in WHERE}
    if unit_key and (unit := node.get(unit_key)) is not None:
        said["unit"] = unit
    return Node(said, node.file, node.line)


def _connection(name: str, node: Node, scope: Scope) -> str | None:
    given = node.get("from")
    if given is None:
        if len(scope.connections) == 1:
            return next(iter(scope.connections))
        scope.problems.error(
            node,
            f"the source of {name!r} does not say from which connection",
            did_you_mean("", scope.connections, "add from: and the name of a connection"),
        )
        return None
    return known_connection(given, scope)


def known_connection(given: Node, scope: Scope) -> str | None:
    """Give the name of a connection, where there is one of that name."""
    word = str(given.value)
    if word in scope.connections:
        return word
    scope.problems.error(
        given,
        f"unknown connection {word!r}",
        did_you_mean(
            word,
            scope.connections,
            "" if scope.connections else f'add connections: {{{word}: {{mqtt: "mqtt://host:1883"}}}}',
        ),
    )
    return None


def _scaling(given: Node | None, unit: str, problems: Problems) -> tuple[float, float]:
    if given is None:
        return 1.0, 0.0
    try:
        return units.conversion(str(given.value), unit)
    except AssetError as e:
        problems.error(given, e.message, e.remedy)
        return 1.0, 0.0


def _check_topic(node: Node, problems: Problems) -> None:
    levels = str(node.value).split("/")
    for at, level in enumerate(levels):
        if ("+" in level and level != "+") or ("#" in level and (level != "#" or at < len(levels) - 1)):
            problems.error(
                node,
                f"{node.value!r} is no topic: {level!r}",
                "+ stands for a whole level, # for the rest (MQTT 5, section 4.7.1)",
            )
