"""Finding rows by path without a dictionary: 64-bit keys of all paths, sorted; what is found is compared in full.

    key = 32 bits of the hash of the parent's path · 32 bits of the hash of the whole path

so that equal paths (lanes of one property) stand together, and all children of one parent do. Twelve bytes a row
instead of some two hundred, made by array operations, and the same bytes in every process that maps them.

The hash is multilinear: h(s) = Σ w[i]·(s[i]+1) mod 2⁶⁴ with random odd weights, its upper half taken
(Lemire and Kaser 2014, "Strongly universal string hashing is fast", Comput. J. 57, eq. 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gemel.samples.texts import Texts

U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]
SEED: Final = 20_140_601  # of the weights: keys are kept on disk, so it is part of their format
LONGEST: Final = 4096  # bytes of a path that have a weight of their own; after them the weights repeat
BLOCK: Final = 32_768  # rows hashed together: their columns stay in the cache
SLASH: Final = ord("/")
_WEIGHTS: Final[U64] = np.random.Generator(np.random.PCG64(SEED)).integers(
    0, 2**63, LONGEST, dtype=np.uint64
) * np.uint64(2) + np.uint64(1)
_HALF: Final = np.uint64(32)
_UPPER: Final = np.uint64(0xFFFFFFFF00000000)


def keys_of(paths: pa.Array) -> U64:
    """Give the key of each path of an Arrow string column."""
    n = len(paths)
    keys = np.empty(n, np.uint64)
    if not n:
        return keys
    offsets = np.frombuffer(paths.buffers()[1], np.int32, n + 1, paths.offset * 4)
    data = np.frombuffer(paths.buffers()[2] or b"", np.uint8)
    for start in range(0, n, BLOCK):
        ends = offsets[start : start + BLOCK + 1]
        keys[start : start + BLOCK] = _keys(data, ends[:-1].astype(np.int64), np.diff(ends))
    return keys


def _keys(data: npt.NDArray[np.uint8], first: npt.NDArray[np.int64], length: I32) -> U64:
    whole, parent = np.zeros(len(first), np.uint64), np.zeros(len(first), np.uint64)
    rows: Any = slice(None)
    shortest = int(length.min())
    for i in range(int(length.max())):
        if i >= shortest:
            rows = np.flatnonzero(length > i)
        byte = data[first[rows] + i]
        before = whole[rows]
        parent[rows] = np.where(byte == SLASH, before, parent[rows])
        whole[rows] = before + (byte.astype(np.uint64) + np.uint64(1)) * _WEIGHTS[i % LONGEST]
    return _joined(parent, whole)


def _joined(parent: U64, whole: U64) -> U64:
    key: U64 = (parent & _UPPER) | (whole >> _HALF)
    return key


def _hash(path: bytes) -> U64:
    own = np.frombuffer(path, np.uint8).astype(np.uint64) + np.uint64(1)
    weights = _WEIGHTS[: len(own)] if len(own) <= LONGEST else np.resize(_WEIGHTS, len(own))
    told: U64 = np.asarray(own @ weights)
    return told


def key_of(path: str) -> np.uint64:
    """Give the key of one path: the same as that of a column with it.

    >>> bool(key_of("a/b/c") == keys_of(pa.array(["a/b/c"]))[0])
    True
    """
    told = path.encode()
    return np.uint64(_joined(_hash(told.rpartition(b"/")[0]), _hash(told)))


@dataclass(frozen=True, eq=False)
class PathIndex:
    """Rows by path.

    Args:
        paths: the column that is looked up.
        keys: keys of all paths, sorted.
        order: row of each key, uint64 and int32; equal keys in the order that `of` was given, then of their rows.

    >>> index = PathIndex.of(pa.array(["p/a/x", "p/b/x", "p/a/y"]))
    >>> index.find("p/a/y"), index.children("p/a").tolist(), index.numbers(["p/b/x", "?"]).tolist()
    ([2], [0, 2], [1, -1])
    """

    paths: pa.Array
    keys: U64
    order: I32

    @classmethod
    def of(cls, paths: pa.Array, rank: npt.NDArray[Any] | None = None) -> Self:
        """Make the index of a column; of rows with one path that of the least rank is found first."""
        keys = keys_of(paths)
        by = np.argsort(keys, kind="stable") if rank is None else np.lexsort((rank, keys))
        order = by.astype(np.int32)
        return cls(paths, keys[order], order)

    def __len__(self) -> int:
        return len(self.order)

    def find(self, path: str) -> list[int]:
        """Give the rows with this path, the first first."""
        key = key_of(path)
        at = int(self.keys.searchsorted(key))
        found = []
        while at < len(self.keys) and self.keys[at] == key:
            row = int(self.order[at])
            if self.paths[row].as_py() == path:
                found.append(row)
            at += 1
        return found

    def children(self, parent: str) -> I32:
        """Give the rows whose path is one level below this one, the first first."""
        low = _hash(parent.encode()) & _UPPER
        first = int(self.keys.searchsorted(low))
        last = int(self.keys.searchsorted(low | np.uint64(0xFFFFFFFF), "right"))
        rows = np.sort(self.order[first:last])
        below = self.paths.take(pa.array(rows))
        head = parent + "/" if parent else ""
        depth = pc.equal(pc.count_substring(below, "/"), head.count("/"))
        mine = pc.and_(pc.starts_with(below, head), depth)
        kept: I32 = rows[np.asarray(mine, np.bool_)]
        return kept

    def numbers(self, paths: Sequence[str] | pa.Array, wanted: npt.NDArray[np.bool_] | None = None) -> I32:
        """Give the first row of each of many paths at once, -1 where there is none.

        Args:
            paths: what is looked up.
            wanted: which rows may be found; None: all.
        """
        asked = paths if isinstance(paths, pa.Array) else Texts.of(paths).plain
        found = np.full(len(asked), -1, np.int32)
        keys = keys_of(asked)
        at = self.keys.searchsorted(keys)
        rest = np.arange(len(asked))
        while len(rest):  # once for nearly all; again for what stands behind a row that is not meant
            rest = rest[at[rest] < len(self.keys)]
            rest = rest[self.keys[at[rest]] == keys[rest]]
            rows = self.order[at[rest]]
            mine = np.asarray(pc.equal(self.paths.take(pa.array(rows)), asked.take(pa.array(rest))), np.bool_)
            if wanted is not None:
                mine &= wanted[rows]
            found[rest[mine]] = rows[mine]
            rest = rest[~mine]
            at[rest] += 1
        return found
