"""Looking at whole columns of a fleet's table: which cells are wrong is told by a few array operations.

A million names are checked in a tenth of a second; only those that are wrong, or that Arrow's regular expressions
judge otherwise than Python's, are looked at one by one.
"""

import re
from bisect import bisect_right
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gemel.assets.node import Node
from gemel.assets.spec import Parameter
from gemel.assets.table import Table
from gemel.samples.batch import F64
from gemel.samples.pathindex import PathIndex
from gemel.samples.texts import Texts

Rows = npt.NDArray[np.intp]
NUMBER: Final = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


def unfit(cells: Texts, pattern: str, *, alike: bool = False) -> Rows:
    """Give the rows whose cells do not match a pattern; `alike`: few different ones, each is looked at once."""
    if alike:
        codes = cells.plain.dictionary_encode()
        wrong = np.zeros(len(codes.dictionary), np.bool_)
        wrong[unfit(Texts(codes.dictionary), pattern)] = True
        code = codes.indices.to_numpy(zero_copy_only=False)
        return np.flatnonzero(wrong[code]) if len(code) else np.zeros(0, np.intp)
    column = cells.plain
    sure = pc.and_(pc.string_is_ascii(column), pc.match_substring_regex(column, pattern))
    good = re.compile(pattern).match  # blanks beyond ASCII are known to Python only
    doubtful = np.flatnonzero(~np.asarray(sure, np.bool_))
    return np.array([row for row in doubtful.tolist() if not good(cells[row])], np.intp)


def plain_numbers(cells: Texts, parameter: Parameter, numbers: F64) -> Rows:
    """Take the cells that are plain numbers within a parameter's range; give the rows of all others that say something."""
    column = cells.plain
    plain = np.asarray(pc.match_substring_regex(column, NUMBER), np.bool_)
    rows = np.flatnonzero(plain)
    values = np.asarray(column.take(pa.array(rows)).cast(pa.float64()))
    low = -np.inf if parameter.low is None else parameter.low
    high = np.inf if parameter.high is None else parameter.high
    fits = np.isfinite(values) & (values >= low) & (values <= high)
    numbers[rows[fits]] = values[fits]
    plain[rows[~fits]] = False
    return np.flatnonzero(~plain & np.asarray(pc.not_equal(column, ""), np.bool_))


def doubled(found: PathIndex) -> Rows:
    """Give the rows whose path another row before them has."""
    alike = found.keys[1:] == found.keys[:-1]
    suspects = np.unique(np.append(found.order[1:][alike], found.order[:-1][alike]))
    paths: Any = found.paths
    seen: set[str] = set()
    rows = []
    for row in suspects.tolist():
        path = paths[row].as_py()
        if path in seen:
            rows.append(row)
        seen.add(path)
    return np.array(rows, np.intp)


class Places:
    """Where each asset stands in the plant file: a node for a single one, a table for its rows."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._blocks: list[Node | Table] = []
        self._length = 0

    def single(self, node: Node) -> None:
        """Note an asset with an entry of its own."""
        self._note(node, 1)

    def rows(self, table: Table) -> None:
        """Note the assets of a table."""
        self._note(table, len(table))

    def _note(self, block: Node | Table, length: int) -> None:
        self._starts.append(self._length)
        self._blocks.append(block)
        self._length += length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row: int) -> Node:
        at = bisect_right(self._starts, row) - 1
        block = self._blocks[at]
        return block if isinstance(block, Node) else block.row(row - self._starts[at])
