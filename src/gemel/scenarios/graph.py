"""Straight-line arithmetic as a graph of scalars: what a traced model becomes before it is machine code.

Every node is made once (equal expressions are one node), constants are folded, and the identities that cost
nothing to know (x·1, x+0, x^½) are applied, so that what the four stages of a Runge–Kutta step share is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FOLDED: Final[dict[str, Callable[..., float]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "max": lambda a, b: math.nan if math.isnan(a + b) else max(a, b),
    "min": lambda a, b: math.nan if math.isnan(a + b) else min(a, b),
    "div": lambda a, b: a / b if b else math.copysign(math.inf, a) * math.copysign(1.0, b) if a else math.nan,
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "neg": lambda a: -a,
    "abs": abs,
    "lt": lambda a, b: float(a < b),
    "le": lambda a, b: float(a <= b),
    "gt": lambda a, b: float(a > b),
    "ge": lambda a, b: float(a >= b),
    "eq": lambda a, b: float(a == b),
    "ne": lambda a, b: float(a != b),
    "and": lambda a, b: float(a and b),
    "or": lambda a, b: float(a or b),
    "not": lambda a: float(not a),
}
FIXED, HELD, MOVING = range(3)
TRUTHS: Final = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"}


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One scalar: what is done, with which, and for a constant or a name its value.

    Args:
        op: a machine's operation, ``const`` or ``given``.
        args: what it is done with.
        value: of a constant.
        name: of what is given from outside.
        number: in the order of making; arguments come before what uses them.
        level: how often it changes: never in a run, from step to step, from stage to stage.
    """

    op: str
    args: tuple[Node, ...]
    value: float
    name: str
    number: int
    level: int

    @property
    def truth(self) -> bool:
        """Whether it is a truth value."""
        return self.op in TRUTHS or (self.op == "select" and self.args[1].truth)

    @property
    def steady(self) -> bool:
        """Whether it stays the same from one stage of a step to the next."""
        return self.level < MOVING


class Graph:
    """Makes nodes, each once."""

    def __init__(self) -> None:
        self._made: dict[object, Node] = {}
        self.nodes: list[Node] = []

    def const(self, value: float) -> Node:
        """Give a constant."""
        value = float(value)
        return self._node("const", (), value, "nan" if math.isnan(value) else "")

    def given(self, name: str, level: int) -> Node:
        """Give what comes from outside under a name."""
        return self._node("given", (), 0.0, name, level)

    def do(self, op: str, *args: Node) -> Node:
        """Give the node of an operation, folded and simplified where that changes no result."""
        folded = FOLDED.get(op)
        if folded and all(a.op == "const" for a in args):
            return self.const(folded(*(a.value for a in args)))
        return self._simple(op, args) or self._node(op, args, 0.0, "")

    def _simple(self, op: str, args: tuple[Node, ...]) -> Node | None:
        last = args[-1]
        if op == "mul" and args[0].op == "const":
            return self.do("mul", last, args[0])
        if op in ("mul", "div") and last.op == "const" and last.value == 1.0:
            return args[0]
        if op in ("add", "sub") and last.op == "const" and last.value == 0.0:
            return args[0]
        if op == "add" and args[0].op == "const" and args[0].value == 0.0:
            return last
        if op == "mul" and last.op == "const" and last.value == 0.0:
            return last  # a dead term of a model: what it multiplies is finite or the run has failed already
        if op == "div" and last.steady and not args[0].steady:
            return self.do(
                "mul", args[0], self.do("div", self.const(1.0), last)
            )  # divided once, not at every stage
        if op in ("and", "or") and "const" in (args[0].op, last.op):
            known, other = (args[0], last) if args[0].op == "const" else (last, args[0])
            return other if (known.value != 0.0) == (op == "and") else known
        if op == "select" and args[0].op == "const":
            return args[1] if args[0].value else args[2]
        if op == "select" and args[1] is args[2]:
            return args[1]
        return None

    def _node(self, op: str, args: tuple[Node, ...], value: float, name: str, level: int = FIXED) -> Node:
        numbers = sorted(a.number for a in args) if op in ("add", "mul") else [a.number for a in args]
        key = (op, *numbers, name or (value, math.copysign(1.0, value)))
        found = self._made.get(key)
        if found is None:
            level = max([level, *(a.level for a in args)])
            found = self._made[key] = Node(op, args, value, name, len(self.nodes), level)
            self.nodes.append(found)
        return found


def reachable(wanted: list[Node]) -> list[Node]:
    """Give everything that some nodes need, arguments first."""
    seen: dict[int, Node] = {}
    pending = list(wanted)
    while pending:
        node = pending.pop()
        if node.number not in seen:
            seen[node.number] = node
            pending.extend(node.args)
    return [seen[number] for number in sorted(seen)]
