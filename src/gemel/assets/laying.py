"""What a type says in a section of its own, laid among its signals: each entry a node with its own line."""

from collections.abc import Callable, Mapping

from gemel.assets.node import Node
from gemel.assets.problem import Problems

Make = Callable[[str, Node, Mapping[str, Node]], Node | None]


def laid_among_signals(node: Node, section: str, what: str, make: Make, problems: Problems) -> Node:
    """Give a type's node with the entries of a section among its signals.

    Args:
        node: of the type.
        section: its section.
        what: why a name that a signal has too is refused: ``is a signal and a rule``.
        make: gives the signal of an entry, from its name and the signals so far; None: it said why there is none.
        problems: where what is wrong is told.
    """
    said = node.get(section)
    if said is None or not said.fields:
        return node
    signals = node.get("signals") or Node({}, node.file, node.line)
    laid = dict(signals.fields)
    for name, entry in said.fields.items():
        if name in laid:
            problems.error(entry, f"{name!r} {what}", "rename one of them")
        elif (made := make(name, entry, laid)) is not None:
            laid[name] = made
    fields = {**node.fields, "signals": Node(laid, signals.file, signals.line, signals.lost)}
    return Node(fields, node.file, node.line, node.lost)
