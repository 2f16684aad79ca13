"""Many signals as one wide table, a piece at a time: which rows each piece needs, and the piece made of them. Pure.

Alignment -> chunks (times, and the range that must be read for them) -> `piece` -> an Arrow record batch
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa

from gemel.errors import AssetError
from gemel.history.align import HOW, Column, Grid, How, align, split
from gemel.samples import Batch
from gemel.samples.batch import I32, I64
from gemel.samples.clock import MILLISECOND, SECOND

MOST_TIMES: Final = 5_000_000
CELLS: Final = 400_000  # values in a piece
ROWS: Final = 2_000_000  # readings that a piece is expected to need
APART: Final = 3600 * SECOND  # times further apart are read for separately
COARSE: Final = 60 * SECOND  # means of longer intervals are asked of the store, which need not read every row
TIME: Final = pa.timestamp("ns", "UTC")


@dataclass(frozen=True, slots=True)
class Aligned:
    """A signal to align.

    Args:
        signal: its number.
        name: of its column; its status is in ``NAME.status``.
        path, unit: what it is; kept in the column's metadata.
        tolerance: how long one of its readings holds [ns].
        interval: expected distance of its readings [ns]; 0: unknown.
        stepped: whether it has no values in between (a state): always as ``last``.
    """

    signal: int
    name: str
    path: str
    unit: str
    tolerance: int
    interval: int = 0
    stepped: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Times of a piece (None: those of a signal's readings with start <= time < end), and what must be read for them."""

    times: I64 | None
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Alignment:
    """Signals at common times: each `every` from `start` to before `end`, or `at` given times, or `on` a signal's own.

    Args:
        signals: what to align.
        start, end: start <= time < end [ns].
        how: see `align`.
        every: distance of the times [ns].
        at: given times [ns].
        on: number of the signal whose readings set the times.
    """

    signals: Sequence[Aligned]
    start: int
    end: int
    how: How = "last"
    every: int | None = None
    at: Sequence[int] | None = None
    on: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be; raises AssetError."""
        if sum(x is not None for x in (self.every, self.at, self.on)) != 1:
            raise _wrong("times come from one of `every`, `at` and `on`", "give exactly one of them")
        if self.how not in HOW:
            raise _wrong(f"no alignment {self.how!r}", f"one of {', '.join(HOW)}")
        if self.how == "mean" and not self.every:
            raise _wrong("a mean needs intervals", "give `every`")
        if self.every is not None and (
            self.every <= 0 or (self.end - self.start) // self.every >= MOST_TIMES
        ):
            raise _wrong(
                f"{self.every} ns apart makes no times, or too many",
                "ask for longer intervals or a shorter range",
            )

    @property
    def numbers(self) -> I32:
        """The signals whose rows a chunk needs, sorted."""
        own = [s.signal for s in self.signals]
        return np.unique(np.array(own if self.on is None else [*own, self.on], np.int32))

    @property
    def by_means(self) -> bool:
        """Whether the store makes the means, signal by signal, of start, end and `every`."""
        return self.how == "mean" and (self.every or 0) >= COARSE and not any(s.stepped for s in self.signals)

    @property
    def schema(self) -> pa.Schema:
        """The columns of the table."""
        fields = [pa.field("time", TIME)]
        for s in self.signals:
            told = {"path": s.path, "unit": s.unit}
            fields += [
                pa.field(s.name, pa.float64(), metadata=told),
                pa.field(f"{s.name}.status", pa.uint32()),
            ]
        return pa.schema(fields)

    def chunks(self) -> Iterator[Chunk]:
        """Give the pieces in the order of time."""
        if self.on is not None:
            for start in range(self.start, self.end, width := self._width()):
                yield self._around(None, start, min(start + width, self.end))
            return
        times, width = self._times(), self._width()
        most = max(CELLS // max(len(self.signals), 1), 1)
        apart = np.flatnonzero(np.diff(times) > max(APART, self.every or 0)) + 1
        edges = [0, *apart.tolist(), len(times)]
        for begin, stop in pairwise(edges):
            first = begin
            while first < stop:
                near = int(np.searchsorted(times, times[first] + width))
                last = min(first + most, max(near, first + 1), stop)
                yield self._around(
                    times[first:last], int(times[first]), int(times[last - 1]) + (self.every or 1)
                )
                first = last

    def piece(self, chunk: Chunk, rows: Batch) -> pa.RecordBatch:
        """Make a piece of the rows of its range, sorted by (signal, time)."""
        by = dict(zip(self.numbers.tolist(), split(rows, self.numbers), strict=True))
        times = chunk.times
        if times is None:
            assert self.on is not None
            own = by[self.on].time
            first, last = np.searchsorted(own, [chunk.start + self._before(), chunk.end - self._after()])
            times = own[first:last]
        grid = Grid(times, self.every or 0)
        return self.table(
            times,
            [align(by[s.signal], grid, "last" if s.stepped else self.how, s.tolerance) for s in self.signals],
        )

    def table(self, times: I64, columns: Sequence[Column]) -> pa.RecordBatch:
        """Make a piece of its columns, one a signal."""
        arrays = [pa.array(times.view("datetime64[ns]"), TIME)]
        for column in columns:
            arrays += [pa.array(column.value, from_pandas=True), pa.array(column.status)]
        return pa.record_batch(arrays, schema=self.schema)

    def _times(self) -> I64:
        if self.every is not None:
            return np.arange(self.start, self.end, self.every, dtype=np.int64)
        return np.unique(np.array(self.at, np.int64))

    def _width(self) -> int:
        """Give how much time [ns] may be read at once."""
        per_ns = sum(1 / max(s.interval or SECOND, MILLISECOND) for s in self.signals)
        return max(int(ROWS / max(per_ns, 1e-18)), SECOND)

    def _around(self, times: I64 | None, start: int, end: int) -> Chunk:
        if self.how == "mean":
            before = max((s.tolerance for s in self.signals if s.stepped), default=0)
            return Chunk(times, start - before, min(end, self.end))
        return Chunk(times, start - self._before(), end + self._after())

    def _before(self) -> int:
        return max((s.tolerance for s in self.signals), default=0)

    def _after(self) -> int:
        return self._before() if self.how == "linear" else 0


def _wrong(words: str, remedy: str) -> AssetError:
    return AssetError(words, code="alignment", remedy=remedy)
