"""The stated generator in blocks, for histories too long to be made second by second: 12-bit quantised random walks.

As `generator.frames`: steps of up to ±3 of 4096, 5 % of the readings with another status; a walk is turned back at
the ends instead of held there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gemel.bench.generator import BAD, START, UNCERTAIN
from gemel.samples import Batch
from gemel.samples.clock import MILLISECOND, SECOND

FULL: Final = 4095
DELAY: Final = 20 * MILLISECOND
ROWS: Final = 16_384  # of a frame, at most


@dataclass(frozen=True, slots=True)
class Walks:
    """How much: `signals`, a reading each `interval_s` [s], for `readings` readings, from `start` [ns]."""

    signals: int
    readings: int
    interval_s: int = 1
    start: int = START
    seed: int = 7

    @property
    def values(self) -> int:
        """How many values in all."""
        return self.signals * self.readings

    @property
    def end(self) -> int:
        """The time after the last reading [ns]."""
        return self.start + self.readings * self.interval_s * SECOND


def blocks(walks: Walks) -> Iterator[Batch]:
    """Give the readings in arrival order, as many a batch as a frame takes."""
    rng = np.random.default_rng(walks.seed)
    n = walks.signals
    level, status = rng.integers(1000, 3000, n), np.zeros(n, np.uint32)
    steps = max(ROWS // n, 1)
    for first in range(0, walks.readings, steps):
        count = min(steps, walks.readings - first)
        level = level + np.cumsum(rng.integers(-3, 4, (count, n), dtype=np.int8), axis=0, dtype=np.int64)
        turned = np.abs((level + FULL) % (2 * FULL) - FULL)
        at = np.arange(count)[:, None]
        last = np.maximum.accumulate(np.where(rng.random((count, n), np.float32) < 0.05, at, -1), axis=0)
        drawn = rng.choice(np.array([0, 0, UNCERTAIN, BAD], np.uint32), (count, n))
        statuses = np.where(last >= 0, np.take_along_axis(drawn, np.maximum(last, 0), axis=0), status)
        time = walks.start + (first + np.repeat(np.arange(count), n)) * (walks.interval_s * SECOND)
        yield Batch(
            np.tile(np.arange(n, dtype=np.int32), count), time, time + DELAY, turned.ravel() / FULL * 100.0,
            statuses.ravel().astype(np.uint32),
        )  # fmt: skip
        level, status = level[-1], statuses[-1]
