"""The stated generator: 12-bit quantised random walks, 5 % of the readings with another status than Good.

``received`` is the frame's, as it is on a real way in. With ``jitter`` the times scatter by ±5 ms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gemel.samples import Batch
from gemel.samples.clock import MILLISECOND, SECOND

START: Final = 1_760_000_000 * SECOND
UNCERTAIN: Final = 0x40000000
BAD: Final = 0x80050000


@dataclass(frozen=True, slots=True)
class Load:
    """How much: `signals` at 1 Hz for `seconds`.

    Args:
        signals: number of signals.
        seconds: readings of each.
        jitter_ms: half-width of the scatter of the times [ms].
        resolution_us: of the source's clock, to which scattered times are rounded [µs].
        seed: of the generator.
    """

    signals: int = 10_000
    seconds: int = 500
    jitter_ms: float = 0.0
    resolution_us: int = 1000
    seed: int = 7

    @property
    def values(self) -> int:
        """How many values in all."""
        return self.signals * self.seconds


def frames(load: Load) -> Iterator[Batch]:
    """Give one batch a second, all signals in it, in arrival order."""
    rng = np.random.default_rng(load.seed)
    n = load.signals
    level = rng.integers(1000, 3000, n)
    status = np.zeros(n, np.uint32)
    signal = np.arange(n, dtype=np.int32)
    for second in range(load.seconds):
        level = np.clip(level + rng.integers(-3, 4, n), 0, 4095)
        turns = rng.random(n) < 0.05
        status = np.where(turns, rng.choice(np.array([0, 0, UNCERTAIN, BAD], np.uint32), n), status).astype(
            np.uint32
        )
        at = np.full(n, START + second * SECOND)
        if load.jitter_ms:
            step = load.resolution_us * 1000
            half = int(load.jitter_ms * MILLISECOND) // step
            at = at + rng.integers(-half, half + 1, n) * step
        received = np.full(n, START + second * SECOND + 20 * MILLISECOND)
        yield Batch(signal, at, received, level / 4095.0 * 100.0, status)
