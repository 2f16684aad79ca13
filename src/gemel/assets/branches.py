"""The hierarchy a piece at a time: what stands directly below a place, in pages, however many assets there are.

places (levels, and assets that others are part of) ─┐
                                                     ├► children of a path, in the order of the plant ─► a page of them
assets by the key of their parent's path ────────────┘
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets.fleet import Fleet
from gemel.assets.problem import ASSETS_LISTED
from gemel.assets.views import LEVELS
from gemel.errors import NotFoundError
from gemel.samples.batch import I32
from gemel.samples.pathindex import PathIndex

MOST: Final = 1000  # nodes in one answer
RECENT: Final = 32  # places whose children are remembered: one after another of their pages is asked for
Told = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Places:
    """All paths that something stands at or below.

    Args:
        index: the paths, to be found.
        first: first row of the fleet that stands at or below each; as many as there are assets where none does.
        row: row of the asset that it is; -1: a level.
        count: how many stand directly below it.
        within: how many assets stand below it, at any depth.
    """

    index: PathIndex
    first: I32
    row: I32
    count: I32
    within: I32

    @classmethod
    def of_fleet(cls, fleet: Fleet) -> Self:
        """Find the places of a fleet, by columns."""
        at = fleet.at.plain.dictionary_encode()
        codes, rows = at.indices.to_numpy(), np.arange(len(fleet), dtype=np.int32)
        below = pc.if_else(
            pc.equal(at.dictionary, ""),
            fleet.root,
            pc.binary_join_element_wise(fleet.root, at.dictionary, "/"),
        )
        least = _least(codes, rows, len(below), len(fleet))
        paths, first = _upwards(
            pa.concat_arrays([pa.array([fleet.root]), below]),
            np.append(np.int32(len(fleet)), least),
            len(fleet),
        )
        index = PathIndex.of(paths)
        row = fleet.found.numbers(paths)
        count = np.zeros(len(paths), np.int32)
        count[index.numbers(below)] = np.bincount(codes, minlength=len(below))
        within = _summed_upwards(index, count)
        levels = paths.filter(pa.array(row < 0))
        inner, _ = _parents(levels)
        np.add.at(count, index.numbers(inner), 1)
        return cls(index, first, row, count, within)


class Below(NamedTuple):
    """What stands directly below a place: rank (rising), row of the asset or -1, number of the place or -1."""

    rank: I32
    row: I32
    place: I32


class Branches:
    """The hierarchy of a plant, to be asked for in pieces.

    Args:
        fleet: the assets.
        title: of the site.
    """

    def __init__(self, fleet: Fleet, title: str) -> None:
        self._fleet, self._title = fleet, title

    @cached_property
    def places(self) -> Places:
        """All that something stands below."""
        return Places.of_fleet(self._fleet)

    @property
    def nodes(self) -> int:
        """How many nodes the whole tree has: assets, and levels."""
        return len(self._fleet) + int((self.places.row < 0).sum())

    def piece(self, under: str = "", *, depth: int = 1, after: int | None = None, limit: int = MOST) -> Told:
        """Give a node with what is below it, breadth first, at most `limit` nodes: ``{"path", "name", "title", "kind",
        "count", "assets", "children", "next"}``.

        `count` is how many stand directly below a node; where fewer are given, the rest is asked for under its path, from
        behind `next` (its `after`) where there is one. No child is left out or given twice on the way. `assets` is how many
        assets there are at and below it, at any depth.

        Args:
            under: path of an asset or a level, whole or below the site; empty: the enterprise.
            depth: how many levels below.
            after: the `next` of the answer before.
            limit: most nodes below.

        Raises NotFoundError.
        """
        told = self._told(*self._found(under))
        line, left = [(told, 0)], limit
        for node, level in line:  # grows while it is gone through
            if level == depth or not node["count"] or not left:
                continue
            below = self._below(node["path"])
            start = 0 if after is None or level else int(np.searchsorted(below.rank, after, "right"))
            page = slice(start, start + left)
            node["children"] = [
                self._child(node["path"], row, place)
                for row, place in zip(below.row[page].tolist(), below.place[page].tolist(), strict=True)
            ]
            left -= len(node["children"])
            if start + len(node["children"]) < len(below.rank) and node["children"]:
                node["next"] = int(below.rank[page][-1])
            line += [(child, level + 1) for child in node["children"]]
        return told

    def _found(self, under: str) -> tuple[str, int, int]:
        """Give path, row and place of a node."""
        root = self._fleet.root
        for path in (under, f"{root}/{under}") if under else (root.partition("/")[0],):
            place = next(iter(self.places.index.find(path)), -1)
            row = self._fleet.find(path)
            if place >= 0 or row is not None:
                return path, -1 if row is None else row, place
        raise NotFoundError(f"nothing is called {under[:200]!r}", remedy=ASSETS_LISTED)

    def _child(self, parent: str, row: int, place: int) -> Told:
        path = f"{parent}/{self._fleet.names[row]}" if row >= 0 else self.places.index.paths[place].as_py()
        return self._told(path, row, place)

    def _told(self, path: str, row: int, place: int) -> Told:
        if row >= 0:
            title, kind = self._fleet.titles[row], "asset"
        else:
            title = self._title if path == self._fleet.root else ""
            kind = LEVELS[min(path.count("/"), len(LEVELS) - 1)]
        count, within = (int(self.places.count[place]), int(self.places.within[place])) if place >= 0 else (0, 0)
        return {
            "path": path, "name": path.rpartition("/")[2], "title": title, "kind": kind, "count": count,
            "assets": within + (row >= 0), "children": [], "next": None,
        }  # fmt: skip

    @cached_property
    def _below(self) -> Callable[[str], Below]:
        return lru_cache(RECENT)(self._ordered)

    def _ordered(self, path: str) -> Below:
        """Give what stands directly below, in the order in which the plant file comes upon it."""
        places = self.places.index.children(path)
        own = self.places.row[places]
        alone = np.setdiff1d(self._fleet.found.children(path), own)
        rank = np.append(
            np.where(own < 0, self.places.first[places], np.minimum(own, self.places.first[places])), alone
        )
        order = np.argsort(rank, kind="stable")
        row, place = np.append(own, alone), np.append(places, np.full(len(alone), -1))
        return Below(rank[order].astype(np.int32), row[order].astype(np.int32), place[order].astype(np.int32))


def _upwards(paths: pa.Array, first: I32, most: int) -> tuple[pa.Array, I32]:
    """Give paths with all paths above them, each once, and the least of what is said of each and of what is below it."""
    found = [(paths, first)]
    while len(paths):
        above, inner = _parents(paths)
        encoded = above.dictionary_encode()
        first = _least(encoded.indices.to_numpy(), first[inner], len(encoded.dictionary), most)
        paths = encoded.dictionary
        found.append((paths, first))
    whole = pa.concat_arrays([p for p, _ in found]).dictionary_encode()
    least = np.concatenate([f for _, f in found])
    return whole.dictionary, _least(whole.indices.to_numpy(), least, len(whole.dictionary), most)


def _parents(paths: pa.Array) -> tuple[pa.Array, np.ndarray[Any, Any]]:
    """Give the paths one level above, and which paths have one."""
    inner = np.flatnonzero(np.asarray(pc.match_substring(paths, "/"), np.bool_))
    return pc.replace_substring_regex(paths.take(pa.array(inner)), "/[^/]*$", ""), inner


def _summed_upwards(index: PathIndex, own: I32) -> I32:
    """Give what is said of each path with what is said of all paths below it, level by level from the deepest."""
    total = own.copy()
    depth = np.asarray(pc.count_substring(index.paths, "/"))
    for level in range(int(depth.max(initial=0)), 0, -1):
        rows = np.flatnonzero(depth == level)
        above, _ = _parents(index.paths.take(pa.array(rows)))
        np.add.at(total, index.numbers(above), total[rows])
    return total


def _least(codes: np.ndarray[Any, Any], values: I32, n: int, most: int) -> I32:
    found = np.full(n, most, np.int32)
    np.minimum.at(found, codes, values)
    return found
