"""What a plant file says of a derived signal, as far as it can be read without knowing the other assets."""

from collections.abc import Mapping
from dataclasses import replace

from gemel.assets.grammar import WHERE
from gemel.assets.node import Node
from gemel.assets.problem import Problems
from gemel.assets.spec import Signal
from gemel.errors import ExpressionError
from gemel.samples.expression import names, parse


def read_derived(name: str, node: Node, problems: Problems) -> str:
    """Give the expression of a derived signal; empty where it has none, or where it cannot be read."""
    given = node.get("derived")
    if given is None:
        if (examples := node.get("examples")) is not None and node.get("rollup") is None:
            problems.error(
                examples, f"{name!r} has examples and no expression", "add derived: and the expression"
            )
        return ""
    text = str(given.value)
    if any(key in node.fields for key in (*WHERE, "source")):
        problems.error(given, f"{name!r} is derived, and has a source too", "keep one of them")
    if node.plain("kind") == "total":
        problems.error(node.fields["kind"], f"{name!r} is derived, and no counter", "leave kind out")
    try:
        parse(text)
    except ExpressionError as e:
        problems.error(given, f"{name!r}: {e.message}", e.remedy)
    return text


def with_rhythm(signals: Mapping[str, Signal], node: Node | None) -> dict[str, Signal]:
    """Give derived signals the rhythm of what they read, where they do not say: as often, and as soon stale."""
    done = dict(signals)
    for signal in signals.values():
        said = node.get(signal.name) if node is not None else None
        if signal.derived and said is not None:
            done[signal.name] = _paced(signal, said, done)
    return done


def _paced(signal: Signal, said: Node, signals: Mapping[str, Signal]) -> Signal:
    try:
        read = [signals[n.path[0]] for n in names(parse(signal.derived)) if n.path[0] in signals]
    except ExpressionError:
        return signal
    if not read:
        return signal
    interval = min((s.interval_ns for s in read if s.interval_ns), default=0)
    return replace(
        signal,
        interval_ns=signal.interval_ns if said.get("interval") else interval,
        stale_after_ns=signal.stale_after_ns
        if said.get("stale_after")
        else max(s.stale_after_ns for s in read),
    )
