"""Which assets an expression means by `upstream`, `downstream`, `parts`, `whole`, or by a word of a relation; what a relation carries.

A relation without a declared type carries everything. With one it has names for both ends, and may carry less.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.assets.graph import FEEDS, PARTS, Adjacency, Direction, Graph, canonical
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.errors import AssetError
from gemel.samples.batch import I32, I64

Way = tuple[str, Direction]
STEPS: Final[dict[str, Way]] = {
    "upstream": (FEEDS, "in"), "downstream": (FEEDS, "out"), "parts": (PARTS, "out"), "whole": (PARTS, "in"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RelationType:
    """What relations of a word are.

    Args:
        word: as it stands in the relations.
        forward, backward: what an expression calls the right side, seen from the left one, and the left side, seen
            from the right one; empty: nothing but the word itself, for the right side.
        carries: names of signals and rules that may be read over it; None: all.
        description: in words.
        joins: the ports that it joins, of its left and right side, where both have a dynamic model; None: none.
    """

    word: str
    forward: str = ""
    backward: str = ""
    carries: tuple[str, ...] | None = None
    description: str = ""
    joins: tuple[str, str] | None = None


def read_relation_types(section: Node | None, problems: Problems) -> dict[str, RelationType]:
    """Read the relation types of a plant file."""
    found: dict[str, RelationType] = {}
    taken = dict.fromkeys(STEPS, "built in")
    for word, node in (section.fields if section is not None else {}).items():
        ends = {side: str(node.plain(side, "")) for side in ("forward", "backward")}
        for side, name in ends.items():
            if name in taken:
                problems.error(node.fields[side], f"{name!r} is a way already ({taken[name]})", "write another name")
            elif name:
                taken[name] = f"of {word}"
        carries = tuple(str(n.value) for n in node.items_of("carries")) if node.get("carries") is not None else None
        joins = [str(n.value) for n in node.items_of("joins")]
        found[word] = RelationType(
            word, **ends, carries=carries, description=str(node.plain("description", "")),
            joins=(joins[0], joins[1]) if joins else None,
        )  # fmt: skip
    return found


@dataclass(frozen=True, eq=False)
class Ways:
    """The ways from an asset to others that expressions may take.

    Args:
        graph: the relations.
        types: relation types by word.
    """

    graph: Graph
    types: Mapping[str, RelationType] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """The names of all ways."""
        ends = [name for t in self.types.values() for name in (t.forward, t.backward) if name]
        return [*STEPS, *ends, *self.types, *self.graph.words]

    def follow(self, rows: npt.NDArray[np.integer], steps: tuple[str, ...]) -> tuple[I64, I32]:
        """Give how many assets each row leads to, and their rows, one row's after another's, each once.

        Raises AssetError for a step that is no way of the plant.
        """
        counts, found = np.ones(len(rows), np.int64), np.asarray(rows, np.int32)
        for step in steps:
            table = self._table(step)
            lengths = table.first[found + 1] - table.first[found]
            owner = np.repeat(np.repeat(np.arange(len(rows)), counts), lengths)
            key = np.unique(owner * np.int64(len(table.first)) + table.neighbours(found))
            counts = np.bincount(key // len(table.first), minlength=len(rows)).astype(np.int64)
            found = (key % len(table.first)).astype(np.int32)
        return counts, found

    def check(self, steps: tuple[str, ...], name: str) -> None:
        """Refuse a step that is no way, and a name that the last one does not carry."""
        for step in steps:
            if step not in self.words:
                raise AssetError(f"{step!r} is no relation", remedy=did_you_mean(step, self.words))
        word, _ = self._way(steps[-1])
        kind = next((t for t in self.types.values() if canonical(t.word, "out")[0] == word), None)
        if kind is not None and kind.carries is not None and name not in kind.carries:
            raise AssetError(
                f"{kind.word!r} does not carry {name!r}", remedy=f"add it to carries: of the relation type {kind.word}"
            )

    def _way(self, step: str) -> Way:
        for kind in self.types.values():
            if step and step in {kind.forward, kind.backward}:
                return canonical(kind.word, "out" if step == kind.forward else "in")
        return STEPS.get(step) or canonical(step, "out")

    def _table(self, step: str) -> Adjacency:
        if step not in self.words:
            raise AssetError(f"{step!r} is no relation", remedy=did_you_mean(step, self.words))
        way = self._way(step)
        if way[0] not in self.graph.words:  # declared, and nothing is related so yet
            none = np.empty(0, np.int32)
            return Adjacency.of(none, none, self.graph.rows)
        return self.graph.along(*way)
