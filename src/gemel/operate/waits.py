"""How long readings wait from receipt to state: what is live, and what is of the past, each for itself."""

from collections import deque
from typing import Final

import numpy as np

from gemel.samples.clock import MILLISECOND

KEPT: Final = 10_000  # of the newest frames


class Waits:
    """Waits of the newest frames [ms]; a frame's first row stands for it."""

    def __init__(self) -> None:
        self.live: deque[float] = deque(maxlen=KEPT)
        self.past: deque[float] = deque(maxlen=KEPT)
        self._received: list[tuple[int, deque[float]]] = []

    def read(self, received: int, past: bool) -> None:
        """A frame was read, received at [ns]; `past`: all of it is older than the window."""
        self._received.append((received, self.past if past else self.live))

    def folded(self, now: int) -> None:
        """All frames that were read are in the state at [ns]."""
        for received, waits in self._received:
            waits.append((now - received) / MILLISECOND)
        self._received.clear()

    def p50_p99_ms(self) -> tuple[float, float]:
        """Give median and 99th percentile of what is live; 0 where nothing was."""
        return _percentiles(self.live)

    def taken(self) -> dict[str, float]:
        """Give them of both, and begin anew."""
        (p50, p99), (past_p50, past_p99) = _percentiles(self.live), _percentiles(self.past)
        told = {"p50_ms": p50, "p99_ms": p99, "frames": len(self.live),
                "past_p50_ms": past_p50, "past_p99_ms": past_p99, "past_frames": len(self.past)}  # fmt: skip
        self.live.clear()
        self.past.clear()
        return {name: round(float(ms), 2) for name, ms in told.items()}


def _percentiles(waits: deque[float]) -> tuple[float, float]:
    p50, p99 = np.percentile(np.array(waits or [0.0]), [50, 99])
    return float(p50), float(p99)
