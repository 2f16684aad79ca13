"""The recent past, as long as late readings may still come: what left the checks, in order of arrival.

It is kept in generations, one from tick to tick. A generation knows, for each signal that it has a reading of, what
was remembered just before: the state from which that signal can be judged again. Dropping the oldest generation is
then all that ageing needs, and a late reading looks no further back than it must. Rows share their memory with
what was handed on to be stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.condition.arrange import ranges, sorted_order
from gemel.condition.memory import NEVER, TIME, WIDTH, Memory
from gemel.condition.readings import Emitted, Mask, Rows
from gemel.samples import Batch
from gemel.samples.batch import I32, I64, U32, Index
from gemel.samples.snapshot import Column, Pieces

PREFIX: Final = "window."
_COLUMNS: Final = ("signal", "time", "received", "value", "status")


@dataclass(slots=True, eq=False)
class Chunk:
    """Rows that left the checks together.

    Args:
        batch: the rows as they were handed on.
        source: the status that the source gave.
        came: when the reading itself was received [ns].

    """

    batch: Batch
    source: U32
    came: I64
    _index: tuple[Index, I32] | None = None

    def rows_of(self, signals: I32) -> Index:
        """Give the rows of some signals (sorted, each once)."""
        if self._index is None:
            order = sorted_order(self.batch.signal)
            self._index = order, self.batch.signal[order]
        order, ordered = self._index
        first = np.searchsorted(ordered, signals, "left")
        return order[ranges(first, np.searchsorted(ordered, signals, "right") - first)]

    def take(self, rows: Rows) -> Self:
        """Give some rows."""
        return type(self)(self.batch.take(rows), self.source[rows], self.came[rows])

    @classmethod
    def concat(cls, chunks: "list[Chunk]") -> "Chunk":
        """Put chunks one after another."""
        if len(chunks) == 1:
            return chunks[0]
        if not chunks:
            return cls(Batch.empty(), np.zeros(0, np.uint32), np.zeros(0, np.int64))
        return cls(
            Batch.concat(c.batch for c in chunks),
            np.concatenate([c.source for c in chunks]),
            np.concatenate([c.came for c in chunks]),
        )


@dataclass(slots=True, eq=False)
class Generation:
    """What came between two ticks.

    Args:
        closed: time of the tick that ended it [ns].
        newest: greatest time of its rows [ns].
        chunks: its rows.
        signals: those that it has rows of, sorted.
        before: what was remembered of each before its first row here.

    """

    closed: int = 0
    newest: int = NEVER
    chunks: list[Chunk] = field(default_factory=list)
    signals: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    before: Memory = field(default_factory=lambda: np.zeros((0, WIDTH), np.int64))

    def find(self, signals: I32) -> tuple[Mask, Index]:
        """Tell which of some signals it has rows of, and where their `before` stands."""
        if not len(self.signals):
            return np.zeros(len(signals), np.bool_), np.zeros(0, np.intp)
        at = np.minimum(np.searchsorted(self.signals, signals), len(self.signals) - 1)
        has = self.signals[at] == signals
        return has, at[has]

    def rows_of(self, signals: I32) -> Chunk:
        """Give the rows of some signals (sorted, each once), in order of arrival."""
        return Chunk.concat([part for c in self.chunks if len((part := c.take(c.rows_of(signals))).source)])

    def merge(self) -> None:
        """Make one chunk of many."""
        if len(self.chunks) > 1:
            self.chunks = [Chunk.concat(self.chunks)]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Rows of some signals since a moment before their earliest late reading.

    Args:
        chunk: the rows, in order of arrival for each signal.
        generation: number of the generation that each row is of.
        base: what was remembered of each signal before those rows.

    """

    chunk: Chunk
    generation: Index
    base: Memory


class Window:
    """Generations, oldest first; the last one is open."""

    def __init__(self, n: int) -> None:
        self._touched = np.zeros(n, np.bool_)
        self._fresh: list[tuple[I32, Memory]] = []  # `before` of the open generation, not yet sorted in
        self._generations = [Generation()]
        self._aside: list[Chunk] = []  # rows since the last tick that judge no others
        self._any_disturbed = False
        self.disturbed = np.zeros(
            n, np.int32
        )  # readings of each signal that came out of order since the last tick

    @property
    def last(self) -> int:
        """Number of the open generation."""
        return len(self._generations) - 1

    @property
    def rows(self) -> int:
        """Number of rows held."""
        return sum(len(c.source) for g in self._generations for c in g.chunks)

    def touch(self, signals: I32, memory: Memory) -> None:
        """Note what is remembered of signals (each once) before their next row."""
        fresh = ~self._touched.take(signals)
        if fresh.all():
            self._fresh.append((signals, memory))
        elif fresh.any():
            self._fresh.append((signals[fresh], memory[fresh]))
        self._touched[signals] = True

    def disturb(self, signals: I32) -> None:
        """Note one reading out of order for each of these signals; a signal may stand there many times."""
        np.add.at(self.disturbed, signals, 1)
        self._any_disturbed = self._any_disturbed or bool(len(signals))

    def append(self, emitted: Emitted) -> None:
        """Take rows in that left the checks."""
        if emitted.aside.any():
            apart = emitted.take(emitted.aside)
            self._aside.append(Chunk(apart.batch, apart.source, apart.came))
            emitted = emitted.take(~emitted.aside)
        if len(emitted.batch):
            open_ = self._generations[-1]
            open_.newest = max(open_.newest, int(emitted.batch.time.max()))
            open_.chunks.append(Chunk(emitted.batch, emitted.source, emitted.came))
            if len(open_.chunks) > 64:
                open_.merge()

    def _open(self) -> Generation:
        """Give the open generation with all its `before` sorted in."""
        open_ = self._generations[-1]
        if self._fresh:
            signals = np.concatenate([open_.signals, *(s for s, _ in self._fresh)])
            before = np.concatenate([open_.before, *(m for _, m in self._fresh)])
            order = sorted_order(signals)
            open_.signals, open_.before = signals[order], before[order]
            self._fresh.clear()
        return open_

    def close(self, time: int, watermark: int, patience: int) -> None:
        """End the open generation at a tick, and drop what no late reading can concern any more.

        That is what is older than the watermark, or arrived longer than `patience` [ns] before it: a source whose
        clock runs ahead must not hold everything back.
        """
        open_ = self._open()
        open_.closed = time
        if sum(len(c.source) for c in open_.chunks) < 65_536:
            open_.merge()
        self._aside.clear()
        if self._any_disturbed:
            self.disturbed.fill(0)
            self._any_disturbed = False
        if len(open_.signals):
            self._touched[open_.signals] = False
            self._generations.append(Generation())
        keep = 0
        for g in self._generations[:-1]:
            if g.newest > watermark and g.closed > watermark - patience:
                break
            keep += 1
        del self._generations[:keep]

    def floor(self, signals: I32, newest: I64) -> I64:
        """Give the time [ns] of each signal's last reading before the window; `newest` where it has none in it."""
        self._open()
        floor = newest.copy()
        for g in reversed(self._generations):
            has, at = g.find(signals)
            floor[has] = g.before[at, TIME]
        return floor

    def gather(self, signals: I32, earliest: I64, memory: Memory) -> Gathered:
        """Give each signal's rows from some state before `earliest` on, which lies above its `floor`.

        `memory` is what is remembered now of each: the state before signals that have no rows in the window.
        """
        self._open()
        base = memory.copy()
        waiting = np.ones(len(signals), np.bool_)
        chunks: list[Chunk] = []
        numbers: list[Index] = []
        for number in range(self.last, -1, -1):
            g = self._generations[number]
            chunk = g.rows_of(signals[waiting])
            chunks.append(chunk)
            numbers.append(np.full(len(chunk.source), number))
            has, at = g.find(signals)
            has_waiting = has & waiting
            base[has_waiting] = g.before[at[waiting[has]]]
            waiting &= ~(has & (base[:, TIME] < earliest))
            if not waiting.any():
                break
        return Gathered(
            Chunk.concat([c for c in reversed(chunks) if len(c.source)]), np.concatenate(numbers[::-1]), base
        )

    def since_tick(self, signals: I32) -> Chunk:
        """Give the rows of some signals (sorted, each once) that came since the last tick, those set aside too."""
        parts = [self._generations[-1].rows_of(signals), *(c.take(c.rows_of(signals)) for c in self._aside)]
        return Chunk.concat([p for p in parts if len(p.source)])

    def amend(self, number: int, signals: I32, memory: Memory) -> None:
        """Replace what was remembered of some signals before a generation, where it has rows of them."""
        g = self._generations[number] if number < self.last else self._open()
        has, at = g.find(signals)
        g.before[at] = memory[has]

    def state(self, copied: bool = True) -> dict[str, Column]:
        """Give the window by name; equal for equal streams, however they were cut."""
        self._open()
        chunks = [c for g in self._generations for c in g.chunks if len(c.source)]
        disturbed = np.flatnonzero(self.disturbed)
        out: dict[str, Column] = {
            **_columns(chunks, ""), **_columns(self._aside, "aside."),
            "sizes": np.array([(sum(len(c.source) for c in g.chunks), len(g.signals)) for g in self._generations]),
            "ends": np.array([(g.closed, g.newest) for g in self._generations]),
            "known": Pieces([g.signals for g in self._generations]),
            "disturbed": disturbed, "disturbances": self.disturbed[disturbed],
            "before": Pieces([g.before for g in self._generations]),
        }  # fmt: skip
        return {PREFIX + k: v.whole() if copied and isinstance(v, Pieces) else v for k, v in out.items()}

    @classmethod
    def restore(cls, n: int, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take a window by name."""

        def get(name: str) -> npt.NDArray[Any]:
            return arrays[PREFIX + name]

        window = cls(n)
        window._generations.clear()
        chunk, aside = _chunk(arrays, ""), _chunk(arrays, "aside.")
        row = known = 0
        for (rows, signals), (closed, newest) in zip(
            get("sizes").tolist(), get("ends").tolist(), strict=True
        ):
            part = Chunk(
                chunk.batch[row : row + rows], chunk.source[row : row + rows], chunk.came[row : row + rows]
            )
            span = slice(known, known + signals)
            generation = Generation(
                closed, newest, [part] if rows else [], get("known")[span], get("before")[span].copy()
            )
            window._generations.append(generation)
            row, known = row + rows, known + signals
        window._aside = [aside] if len(aside.source) else []
        window.disturbed[get("disturbed")] = get("disturbances")
        window._any_disturbed = bool(len(get("disturbed")))
        window._touched[window._generations[-1].signals] = True
        return window


def _columns(chunks: "list[Chunk]", prefix: str) -> dict[str, Column]:
    chunks = chunks or [Chunk.concat([])]
    moved = [np.flatnonzero(c.came != c.batch.received) for c in chunks]  # few: the rest need not be said twice
    first = np.cumsum([0, *(len(c.source) for c in chunks)])
    told = any(c.batch.plain().sigma is not None for c in chunks)
    return {
        **{prefix + name: Pieces([getattr(c.batch, name) for c in chunks]) for name in _COLUMNS},
        **({prefix + "sigma": Pieces([c.batch.uncertainty() for c in chunks])} if told else {}),
        prefix + "source": Pieces([c.source for c in chunks]),
        prefix + "moved": np.concatenate([rows + start for rows, start in zip(moved, first, strict=False)]),
        prefix + "came": np.concatenate([c.came[rows] for c, rows in zip(chunks, moved, strict=True)]),
    }


def _chunk(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> Chunk:

    def get(name: str) -> npt.NDArray[Any]:
        return arrays[PREFIX + prefix + name]

    batch = Batch(*(get(name) for name in _COLUMNS), sigma=arrays.get(PREFIX + prefix + "sigma"))
    came = batch.received
    if len(get("moved")):
        came = came.copy()
        came[get("moved")] = get("came")
    return Chunk(batch, get("source"), came)
