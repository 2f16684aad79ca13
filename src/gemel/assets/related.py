"""Which assets an expression means by `upstream`, `downstream`, `parts`, `whole`, or by the word of a relation."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.assets.graph import FEEDS, PARTS, Adjacency, Direction, Graph
from gemel.assets.problem import did_you_mean
from gemel.errors import AssetError
from gemel.samples.batch import I32, I64

STEPS: Final[dict[str, tuple[str, Direction]]] = {
    "upstream": (FEEDS, "in"), "downstream": (FEEDS, "out"), "parts": (PARTS, "out"), "whole": (PARTS, "in"),
}  # fmt: skip


def related(graph: Graph, rows: npt.NDArray[np.integer], way: tuple[str, ...]) -> tuple[I64, I32]:
    """Give how many assets each row leads to along a way, and their rows, one row's after another's, each once.

    Raises AssetError for a step that is no relation of the plant.
    """
    counts, found = np.ones(len(rows), np.int64), np.asarray(rows, np.int32)
    for step in way:
        table = _table(graph, step)
        lengths = table.first[found + 1] - table.first[found]
        owner = np.repeat(np.repeat(np.arange(len(rows)), counts), lengths)
        found = table.neighbours(found)
        key = np.unique(owner * np.int64(len(table.first)) + found)
        counts = np.bincount(key // len(table.first), minlength=len(rows)).astype(np.int64)
        found = (key % len(table.first)).astype(np.int32)
    return counts, found


def is_step(graph: Graph, word: str) -> bool:
    """Tell whether a word leads to related assets."""
    return word in STEPS or word in graph.words


def _table(graph: Graph, step: str) -> Adjacency:
    if not is_step(graph, step):
        raise AssetError(f"{step!r} is no relation", remedy=did_you_mean(step, [*STEPS, *graph.words]))
    word, direction = STEPS.get(step, (step, "out"))
    return graph.along(word, direction)
