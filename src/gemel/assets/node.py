"""A value of a plant file that remembers its place: what every message about it needs."""

from dataclasses import dataclass
from typing import Any, Self

Scalar = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Node:
    """A value and where it stands.

    Args:
        value: a mapping of nodes, a list of nodes, or a plain value.
        file: path of the file.
        line: line of the key that introduces it, from 1.
        lost: keys that were there and were refused: their lack need not be said again.
        refused: whether the value itself was refused already, and is not to be looked at.
    """

    value: "dict[str, Node] | list[Node] | Scalar"
    file: str
    line: int
    lost: frozenset[str] = frozenset()
    refused: bool = False

    @property
    def fields(self) -> "dict[str, Node]":
        """Its entries, where it is a mapping; none otherwise."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> "list[Node]":
        """Its members, where it is a list; none otherwise."""
        return self.value if isinstance(self.value, list) else []

    def get(self, key: str) -> "Node | None":
        """Give an entry, if it is there."""
        return self.fields.get(key)

    def items_of(self, key: str) -> "list[Node]":
        """Give the members of an entry that is a list; none otherwise."""
        found = self.fields.get(key)
        return [] if found is None else found.items

    def plain(self, key: str, default: Any = None) -> Any:
        """Give the plain value of an entry, or the default."""
        found = self.fields.get(key)
        return default if found is None else plain(found)

    def at(self, line: int) -> Self:
        """Give the same value at another line: what an alias does."""
        return type(self)(self.value, self.file, line, self.lost)


def plain(node: Node) -> Any:
    """Give the value without its places."""
    if isinstance(node.value, dict):
        return {k: plain(v) for k, v in node.value.items()}
    if isinstance(node.value, list):
        return [plain(v) for v in node.value]
    return node.value


def merged(lower: Node, upper: Node) -> Node:
    """Lay one value over another: mappings are merged key by key, anything else is replaced."""
    if not isinstance(lower.value, dict) or not isinstance(upper.value, dict):
        return upper
    both = dict(lower.value)
    for key, value in upper.value.items():
        both[key] = merged(both[key], value) if key in both else value
    return Node(both, upper.file, upper.line, lower.lost | upper.lost)
