"""What `condition` needs to judge readings: arrays indexed by the registry's number, one look-up a value."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from gemel.samples.batch import F64, I64

SECOND: Final = 1_000_000_000
LATENESS: Final = 5 * SECOND  # how long the stream is given to bring late readings
FUTURE: Final = 2 * SECOND  # how far ahead of the plant's clock a source's clock may be
JITTER: Final = 50_000_000  # how far from its rhythm a reading may come
STALE: Final = 30 * SECOND


@dataclass(frozen=True, slots=True, eq=False)
class Checks:
    """Constants of each signal, indexed by `signal`.

    Args:
        scale, offset: declared = source * scale + offset.
        low, high: what the sensor can say, declared unit; NaN: not checked.
        max_rate: per second, declared unit; NaN: not checked.
        stuck_after: [ns]; 0: not checked.
        interval: expected distance of readings [ns]; 0: unknown.
        stale_after: [ns].
        lateness, future_tolerance, jitter_tolerance: [ns], of the whole plant.
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

    def __len__(self) -> int:
        return len(self.scale)

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
