"""What belongs to what, as arrays: containment and relations, in both directions, walked a whole front at a time.

plant file -> (from row, word, to row) -> per word a compressed sparse row table a direction -> the rows that are reached
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, Self

import numpy as np
import numpy.typing as npt

from gemel.assets.fleet import Fleet
from gemel.assets.hierarchy import Hierarchy
from gemel.assets.problem import ASSETS_LISTED, did_you_mean
from gemel.assets.relations import CONTAINS, PART_OF, Relation
from gemel.errors import NotFoundError
from gemel.samples.batch import I32, I64

Direction = Literal["out", "in", "both"]
PARTS: Final = "contains"
FEEDS: Final = "feeds"
# Brick 1.3 names both ends of a relation: feeds / isFedBy, hasPart / isPartOf
SAME: Final = {
    **dict.fromkeys(CONTAINS, PARTS),
    **dict.fromkeys(("feeds", "supplies", "flows_to", "flows-to"), FEEDS),
}
INVERSE: Final = {
    **dict.fromkeys(PART_OF, PARTS),
    **dict.fromkeys(("fed_by", "fed-by", "is_fed_by", "is-fed-by", "supplied_by", "supplied-by"), FEEDS),
}


@dataclass(frozen=True, eq=False)
class Adjacency:
    """Directed edges between rows as a compressed sparse row table.

    Args:
        first: where the neighbours of each row begin, [rows + 1].
        to: neighbours, row after row.

    >>> Adjacency.of(np.array([0, 0, 1]), np.array([1, 2, 2]), 3).reached(np.array([0]), depth=1).tolist()
    [1, 2]
    """

    first: I64
    to: I32

    @classmethod
    def of(cls, sources: npt.NDArray[np.integer], targets: npt.NDArray[np.integer], rows: int) -> Self:
        """Make the table of edges from `sources` to `targets`."""
        order = np.argsort(sources, kind="stable")
        first = np.zeros(rows + 1, np.int64)
        np.cumsum(np.bincount(sources, minlength=rows), out=first[1:])
        return cls(first, np.asarray(targets, np.int32)[order])

    def neighbours(self, rows: npt.NDArray[np.integer]) -> I32:
        """Give the neighbours of some rows, one row's after another's."""
        lengths = self.first[rows + 1] - self.first[rows]
        before = np.cumsum(lengths) - lengths
        found: I32 = self.to[np.arange(int(lengths.sum())) + np.repeat(self.first[rows] - before, lengths)]
        return found

    def reached(self, seeds: npt.NDArray[np.integer], depth: int | None = None) -> I32:
        """Give the rows that can be reached from some rows in at most `depth` steps, sorted, without those rows.

        Breadth first, a front of rows at a time (E. F. Moore, "The shortest path through a maze", 1959).
        """
        known = np.zeros(len(self.first) - 1, np.bool_)
        known[seeds] = True
        front: npt.NDArray[np.integer] = np.asarray(seeds, np.int64)
        step = 0
        while len(front) and (depth is None or step < depth):
            found = self.neighbours(front)
            front = np.unique(found[~known[found]])
            known[front] = True
            step += 1
        known[seeds] = False
        return np.flatnonzero(known).astype(np.int32)


class Graph:
    """The relations of a plant by word, and what is part of what.

    `contains` holds both what stands in the hierarchy (an asset whose `at` is another's path) and what relations say;
    `feeds` also holds what is written from the other end (`tank-1 fed_by pump-1`).
    """

    def __init__(self, fleet: Fleet, relations: Iterable[Relation]) -> None:
        self._fleet = fleet
        self._edges = _by_word(fleet, relations)
        self._tables: dict[tuple[str, Direction], Adjacency] = {}

    @property
    def rows(self) -> int:
        """How many assets there are."""
        return len(self._fleet)

    @property
    def words(self) -> list[str]:
        """The words of its relations, as they are asked for."""
        return sorted({PARTS, FEEDS, *self._edges})

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """Where each asset stands."""
        return Hierarchy.of_fleet(self._fleet)

    def parts(self, path: str, depth: int | None = None) -> I32:
        """Give the rows of what is part of an asset or of a level of the hierarchy; parts of parts too."""
        row = self._fleet.find(path)
        if row is not None:
            return self.along(PARTS).reached(np.array([row]), depth)
        within = np.flatnonzero(self.hierarchy.under(path))
        if not len(within):
            raise NotFoundError(f"nothing is called {path[:200]!r}", remedy=ASSETS_LISTED)
        return np.union1d(within, self.along(PARTS).reached(within, depth)).astype(np.int32)

    def along(self, word: str, direction: Direction = "out") -> Adjacency:
        """Give the edges of a word; `in` is against it. Raises NotFoundError for a word that no relation has."""
        word, direction = canonical(word, direction)
        if word not in self.words:
            raise NotFoundError(
                f"no relation is called {word[:100]!r}", code="relation",
                remedy=did_you_mean(word, self.words) or f"there are: {', '.join(self.words)}",
            )  # fmt: skip
        if (word, direction) not in self._tables:
            self._tables[word, direction] = self._table(word, direction)
        return self._tables[word, direction]

    def _table(self, word: str, direction: Direction) -> Adjacency:
        source, target = self._edges.get(word, (np.empty(0, np.int32), np.empty(0, np.int32)))
        if word == PARTS:
            whole = self.hierarchy.whole
            parts = np.flatnonzero(whole >= 0).astype(np.int32)
            source, target = np.append(source, whole[parts]), np.append(target, parts)
        ends = {"out": (source, target), "in": (target, source)}
        ends["both"] = np.append(source, target), np.append(target, source)
        return Adjacency.of(*ends[direction], len(self._fleet))


def canonical(word: str, direction: Direction) -> tuple[str, Direction]:
    """Give the word that a relation is kept under, and the direction along it.

    >>> canonical("fed_by", "out"), canonical("drives", "in")
    (('feeds', 'in'), ('drives', 'in'))
    """
    if word in INVERSE:
        other: dict[Direction, Direction] = {"out": "in", "in": "out", "both": "both"}
        return INVERSE[word], other[direction]
    return SAME.get(word, word), direction


def _by_word(fleet: Fleet, relations: Iterable[Relation]) -> dict[str, tuple[I32, I32]]:
    found: dict[str, tuple[list[int], list[int]]] = {}
    for left, word, right in relations:
        kept, direction = canonical(word, "out")
        ends = fleet.find(left), fleet.find(right)
        if ends[0] is None or ends[1] is None:
            continue  # an asset that the file has no more: the reader of the file has told it
        columns = found.setdefault(kept, ([], []))
        columns[0].append(ends[direction == "in"])  # type: ignore[arg-type]
        columns[1].append(ends[direction == "out"])  # type: ignore[arg-type]
    return {word: (np.array(a, np.int32), np.array(b, np.int32)) for word, (a, b) in found.items()}
