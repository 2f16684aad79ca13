"""Readings on their way through the checks: columns that `Batch` does not have beside those it has."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gemel.samples import Batch
from gemel.samples.batch import I64, U32, Index

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.integer[Any]] | Mask


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Readings in declared units, with their status after the checks that need no memory.

    Args:
        batch: the rows.
        source: the status that the source gave.
        sound: whether the reading may be compared with others: finite, in range, not Bad, of a possible time.
        reason: why it is not sound, an index of REASONS; 0 where it is.
        position: row number in the batch that came in.

    """

    batch: Batch
    source: U32
    sound: Mask
    reason: npt.NDArray[np.uint8]
    position: Index

    def __len__(self) -> int:
        return len(self.position)

    @classmethod
    def concat(cls, parts: Iterable["Readings"]) -> "Readings":
        """Put readings one after another."""
        given = list(parts)
        columns = (
            np.concatenate([getattr(p, name) for p in given])
            for name in ("source", "sound", "reason", "position")
        )
        return cls(Batch.concat(p.batch for p in given), *columns)

    def take(self, rows: Rows) -> Self:
        """Give some of the readings."""
        return type(self)(
            self.batch.take(rows), self.source[rows], self.sound[rows], self.reason[rows], self.position[rows]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Emitted:
    """Rows that leave the checks, with what the window must know of them.

    Args:
        batch: the rows, judged.
        source: the status that the source gave.
        came: when the reading itself was received [ns]; a row judged again has a later `received` than that.
        position: row number of what caused it in the batch that came in.
        news: it is the newest of its signal.
        again: it was stored before, and has another status now.
        aside: it takes no part in judging others: an impossible time, or older than the window.

    """

    batch: Batch
    source: U32
    came: I64
    position: Index
    news: Mask
    again: Mask
    aside: Mask

    @classmethod
    def of(
        cls, batch: Batch, source: U32, position: Index, *, came: I64 | None = None, news: bool = False,
        again: bool = False, aside: bool = False,
    ) -> Self:  # fmt: skip
        """Make rows that are all of one sort."""
        flags = (np.full(len(batch), flag) for flag in (news, again, aside))
        return cls(batch, source, batch.received if came is None else came, position, *flags)

    @classmethod
    def merge(cls, parts: Iterable["Emitted"]) -> "Emitted":
        """Put rows in order of what caused them; a reading stands before what was judged again because of it."""
        kept = [p for p in parts if len(p.batch)]
        if len(kept) == 1 and (np.diff(kept[0].position) > 0).all():
            return kept[0]
        batch = Batch.concat(p.batch for p in kept)
        if not kept:
            return cls.of(batch, batch.status, np.zeros(0, np.intp))
        columns = [
            np.concatenate([getattr(p, name) for p in kept])
            for name in ("source", "came", "position", "news", "again", "aside")
        ]
        order = np.lexsort((batch.time, columns[4], columns[2]))
        return cls(batch.take(order), *(c[order] for c in columns))

    def take(self, rows: Rows) -> Self:
        """Give some of the rows."""
        return type(self)(
            self.batch.take(rows), self.source[rows], self.came[rows], self.position[rows], self.news[rows],
            self.again[rows], self.aside[rows],
        )  # fmt: skip
