"""Reads rows straight out of Parquet files: those row groups, and those columns, that can matter.

Files never change under their name, so what their footers say is kept. In a file rows are sorted by signal.
"""

import errno
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gemel import sealing
from gemel.history.catalogue import Stored
from gemel.history.files import CONSTANT, MS, NOUGHT
from gemel.samples import Batch
from gemel.samples.batch import I32, I64

FOOTERS: Final = 512
SLICE: Final = 1_000_000  # rows in memory at a time, about


class UnreadableError(OSError):
    """A file of the lake could not be read, which may be damage; `filename` names it."""

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(errno.EIO, str(error).splitlines()[0] if str(error) else type(error).__name__, str(path))


# what the decoders raise over bits that changed
BROKEN: Final = (OSError, pa.ArrowException, ValueError, LookupError, AttributeError, TypeError)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Have whatever goes wrong name the file that it went wrong with."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "the file is gone", str(path)) from error
    except BROKEN as error:
        raise UnreadableError(path, error) from error


@dataclass(frozen=True, slots=True, eq=False)
class Footer:
    """What a file says of itself; low and high: signals of each row group."""

    metadata: pq.FileMetaData
    places: dict[str, int]
    low: I32
    high: I32
    nought: frozenset[str] = frozenset()

    def statistics(self, group: int, column: str) -> Any:
        return self.metadata.row_group(group).column(self.places[column]).statistics

    def outside(self, group: int, first: int, last: int) -> bool:
        """Tell whether a group has no row within a range of ms."""
        s = self.statistics(group, "ms")
        return bool(s.max < first or s.min > last)

    def needed(self, groups: Sequence[int], columns: Iterable[str]) -> list[str]:
        """Leave out the columns that are nought, or nothing, in all of these groups."""
        return [c for c in columns if c in self.places and not all(self._nought(g, c) for g in groups)]

    def _nought(self, group: int, column: str) -> bool:
        if column in self.nought:
            return True
        s = self.statistics(group, column)
        if s is None:
            return False
        if s.null_count == self.metadata.row_group(group).num_rows:
            return True
        return column in CONSTANT and s.has_min_max and not s.min and not s.max


class Footers:
    """Keeps the footers of the files read last. Safe to use from any thread."""

    def __init__(self, most: int = FOOTERS) -> None:
        self._most = most
        self._kept: OrderedDict[Path, Footer] = OrderedDict()
        self._turn = threading.Lock()

    def of(self, path: Path) -> Footer:
        """Give a file's footer; raises FileNotFoundError where it went away."""
        with self._turn:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        with reading(path):
            read = _footer(path)
        with self._turn:
            self._kept[path] = read
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return read


def _footer(path: Path) -> Footer:
    with sealing.opened(path) as file:
        metadata = pq.read_metadata(file)
    places = {metadata.schema.column(i).name: i for i in range(metadata.num_columns)}
    at = places["signal"]
    bounds = [metadata.row_group(g).column(at).statistics for g in range(metadata.num_row_groups)]
    low, high = (np.array([getattr(s, n) for s in bounds], np.int32) for n in ("min", "max"))
    said = (metadata.metadata or {}).get(NOUGHT.encode(), b"").decode()
    return Footer(metadata, places, low, high, frozenset(said.split()))


def longest(footers: Sequence[Footer]) -> int:
    """Give how many rows a signal has in row groups of its own, at most."""
    rows: dict[int, int] = {}
    for footer in footers:
        for group in np.flatnonzero(footer.low == footer.high).tolist():
            signal = int(footer.low[group])
            rows[signal] = rows.get(signal, 0) + footer.metadata.row_group(group).num_rows
    return max(rows.values(), default=0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: signals low to high, ms first to last, both ends in."""

    low: int
    high: int
    first: int
    last: int


def tables(
    stored: Sequence[Stored], wanted: Wanted, columns: Sequence[str], footers: Footers
) -> Iterator[pa.Table]:
    """Give the row groups of some files that may hold wanted rows, cut to the wanted signals."""
    for file in stored:
        footer = footers.of(file.path)
        groups = _groups(footer, wanted)
        if groups:
            yield _cut(_read(file.path, footer, groups, columns), wanted)


def sliced(
    stored: Sequence[Stored], wanted: Wanted, columns: Sequence[str], footers: Footers
) -> Iterator[list[pa.Table]]:
    """Give all wanted rows, some signals at a time: each row group is read once, each signal is whole.

    Tables follow each other as the files were written, mostly as time goes: what is sorted is then sorted soon.
    """
    groups = [
        (int(footer.low[g]), file.path, footer, g)
        for file in stored
        for footer in [footers.of(file.path)]
        for g in _groups(footer, wanted)
    ]
    groups.sort(key=lambda one: (one[0], one[1], one[3]))
    held: list[tuple[Path, int, pa.Table]] = []
    rows = 0
    for i, (_, path, footer, group) in enumerate(groups):
        table = _cut(_read(path, footer, [group], columns), wanted)
        held.append((path, group, table))
        rows += table.num_rows
        beyond = groups[i + 1][0] if i + 1 < len(groups) else wanted.high + 1
        if rows < SLICE and i + 1 < len(groups):
            continue
        held.sort(key=lambda one: one[:2])
        ready = [_below(t, beyond) for _, _, t in held]
        if any(t.num_rows for t in ready):
            yield [t for t in ready if t.num_rows]
            over = zip(held, ready, strict=True)
            held = [(p, g, t.slice(r.num_rows)) for (p, g, t), r in over if t.num_rows > r.num_rows]
            rows = sum(t.num_rows for _, _, t in held)


def _groups(footer: Footer, wanted: Wanted) -> list[int]:
    met = np.flatnonzero((footer.low <= wanted.high) & (footer.high >= wanted.low))
    return [g for g in met.tolist() if not footer.outside(g, wanted.first, wanted.last)]


def _read(path: Path, footer: Footer, groups: Sequence[int], columns: Sequence[str]) -> pa.Table:
    with (
        reading(path),
        _opened(path) as stored,
        pq.ParquetFile(stored, metadata=footer.metadata, page_checksum_verification=True) as file,
    ):
        return file.read_row_groups(list(groups), columns=footer.needed(groups, columns), use_threads=False)


def _opened(path: Path) -> Any:
    return sealing.opened(path) if sealing.sealed_file(path) else pa.memory_map(str(path))


def _cut(table: pa.Table, wanted: Wanted) -> pa.Table:
    signal = column(table, "signal")
    if (np.diff(signal) < 0).any():  # several parts of a roll-up follow each other in one file, each with all its signals
        return table.filter(pa.array((signal >= wanted.low) & (signal <= wanted.high)))
    low, high = np.searchsorted(signal, [wanted.low, wanted.high + 1])
    return table.slice(low, high - low)


def _below(table: pa.Table, signal: int) -> pa.Table:
    return table.slice(0, int(np.searchsorted(column(table, "signal"), signal)))


def column(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """Give a column as an array; a NULL is NaN."""
    found = table.column(name)
    chunk = found.chunk(0) if found.num_chunks == 1 else found.combine_chunks()
    if isinstance(chunk, pa.ChunkedArray):
        chunk = pa.concat_arrays(chunk.chunks) if chunk.num_chunks else pa.array([], found.type)
    return np.asarray(chunk.to_numpy(zero_copy_only=False))


def optional(table: pa.Table, name: str) -> npt.NDArray[Any] | None:
    """Give a column, None where it was left unread."""
    return column(table, name) if name in table.column_names else None


def times(table: pa.Table) -> I64:
    """Give the time of rows [ns]."""
    ms = column(table, "ms") * MS
    ns = optional(table, "ns")
    return ms if ns is None else ms + ns


def values(table: pa.Table) -> npt.NDArray[np.float64]:
    """Give the value of rows, bit for bit as `files.VALUE` does."""
    plain, q = optional(table, "value"), optional(table, "q")
    if q is None:
        assert plain is not None
        return plain
    step = q * column(table, "factor") / column(table, "divisor")
    value = column(table, "base") + step
    residual = optional(table, "residual")
    if residual is not None:
        value = value + residual
    return value if plain is None else np.where(np.isnan(q), plain, value)


def batch(table: pa.Table) -> Batch:
    """Give rows of readings as samples."""
    time = times(table)
    received = optional(table, "received")
    if received is None:
        received = time + column(table, "delay")
    sigma = optional(table, "sigma")
    return Batch(column(table, "signal"), time, received, values(table), column(table, "status"), sigma=sigma)
