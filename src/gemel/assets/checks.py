"""What `condition` needs to judge readings: constants by kind of signal, and the kind of each signal.

A million assets of one type have the constants of one: eight columns of five numbers stay in the processor's cache
where eight of five million would be 320 MB that every value has to be fetched from.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from gemel.samples.batch import F64, I32, I64, Index

Signals = npt.NDArray[np.integer[Any]]

SECOND: Final = 1_000_000_000
LATENESS: Final = 5 * SECOND  # how long the stream is given to bring late readings
FUTURE: Final = 2 * SECOND  # how far ahead of the plant's clock a source's clock may be
JITTER: Final = 50_000_000  # how far from its rhythm a reading may come
STALE: Final = 30 * SECOND


@dataclass(frozen=True, slots=True, eq=False)
class Checks:
    """Constants of each kind of signal; ``column[checks.at(signal)]``.

    Args:
        scale, offset: declared = source * scale + offset.
        low, high: what the sensor can say, declared unit; NaN: not checked.
        max_rate: per second, declared unit; NaN: not checked.
        stuck_after: [ns]; 0: not checked.
        interval: expected distance of readings [ns]; 0: unknown.
        stale_after: [ns].
        lateness, future_tolerance, jitter_tolerance: [ns], of the whole plant.
        kind: row of each signal in the columns; None: each has a row of its own.
    """

    scale: F64
    offset: F64
    low: F64
    high: F64
    max_rate: F64
    stuck_after: I64
    interval: I64
    stale_after: I64
    lateness: int = LATENESS
    future_tolerance: int = FUTURE
    jitter_tolerance: int = JITTER
    kind: I32 | None = None

    def __len__(self) -> int:
        return len(self.scale if self.kind is None else self.kind)

    def at(self, signal: Signals) -> Index:
        """Give the rows of some signals in the columns."""
        rows: Any = signal if self.kind is None else self.kind.take(signal)
        return np.asarray(rows, np.intp)

    def each(self, name: str) -> npt.NDArray[Any]:
        """Give a column by signal."""
        column: npt.NDArray[Any] = getattr(self, name)
        return column if self.kind is None else column[self.kind]

    @classmethod
    def plain(cls, n: int) -> Self:
        """Give checks that believe everything, for `n` signals."""
        nan = np.full(n, np.nan)
        none = np.zeros(n, np.int64)
        return cls(
            np.ones(n),
            np.zeros(n),
            nan,
            nan.copy(),
            nan.copy(),
            none,
            none.copy(),
            np.full(n, STALE, np.int64),
        )
