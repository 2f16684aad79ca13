"""Where a sample came from: the frame's position in the log, and who made it, in one number a sample.

    origin = position in the log · 4096 + code of (producer, its version); 0: unknown

Twelve bits name the producer, so a table of them goes with it; a process gets a new name at every start, and those
that no sample in memory comes from are forgotten when the table is full.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel.samples import Batch
from gemel.samples.batch import I64
from gemel.twin.disturbed import bits

BITS: Final = 12
MOST: Final = 1 << BITS
UNKNOWN: Final = 0
Producer = tuple[str, str]  # who, and of which version
NOBODY: Final[Producer] = ("", "")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sample came from; a position of 0 is unknown."""

    position: int
    producer: str
    version: str


class Origins:
    """The producers that samples in memory come from; code 0 is nobody."""

    def __init__(self) -> None:
        self._producers: list[Producer] = [NOBODY]
        self._codes: dict[Producer, int] = {NOBODY: 0}

    def code(self, producer: str, version: str) -> int:
        """Give the code of a producer, a new one where it is new; 0 where the table is full."""
        key = (producer, version)
        if (known := self._codes.get(key)) is not None:
            return known
        free = next((i for i, p in enumerate(self._producers) if i and p == NOBODY), len(self._producers))
        if free == MOST:
            return 0
        self._producers[free : free + 1] = [key]
        self._codes[key] = free
        return free

    def tidy(self, used: Iterable[I64]) -> None:
        """Forget who made nothing that is in memory, where the table is half full.

        Args:
            used: columns of origins in memory; nothing may be on its way into them.
        """
        if len(self._codes) < MOST // 2:
            return
        alive = np.zeros(MOST, np.bool_)
        alive[0] = True
        for column in used:
            alive[column & (MOST - 1)] = True
        for code, producer in enumerate(self._producers):
            if not alive[code] and producer != NOBODY:
                del self._codes[producer]
                self._producers[code] = NOBODY

    def read(self, origin: int) -> Origin:
        """Read an origin."""
        return Origin(origin >> BITS, *self._producers[origin & (MOST - 1)])

    def to_notes(self) -> list[list[str]]:
        """Give the table as plain values."""
        return [list(p) for p in self._producers]

    def from_notes(self, notes: Sequence[Sequence[str]]) -> None:
        """Take the table that `to_notes` gave."""
        self._producers = [(p[0], p[1]) for p in notes] or [NOBODY]
        self._codes = {p: i for i, p in enumerate(self._producers) if not i or p != NOBODY}


def packed(position: int, code: int) -> int:
    """Give one number for both."""
    return position << BITS | code


def of_rows(wanted: Batch, rows: Batch, origins: I64) -> I64:
    """Find the origin of samples among rows that may hold them, the earliest of equal ones; `UNKNOWN` where none does."""
    both = Batch.concat([wanted, rows])
    origin = np.concatenate([np.full(len(wanted), -1), origins])
    keys: tuple[Any, ...] = (both.status, bits(both.value), both.received, both.time, both.signal)
    order = np.lexsort((origin, *keys))
    columns = [np.asarray(key)[order] for key in keys]
    same = (
        np.logical_and.reduce([c[1:] == c[:-1] for c in columns]) if len(order) > 1 else np.zeros(0, np.bool_)
    )
    asked = np.flatnonzero(origin[order] == -1)
    found = np.full(len(wanted), UNKNOWN, np.int64)
    has = asked[(asked < len(order) - 1) & np.append(same, False)[asked]]
    found[order[has]] = origin[order[has + 1]]
    return found


__all__ = ["MOST", "UNKNOWN", "Origin", "Origins", "of_rows", "packed"]
