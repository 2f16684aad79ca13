"""When a row of a replay is due on the wall: its time over the speed, with long pauses cut short. Pure."""

from dataclasses import dataclass

import numpy as np

from gemel.samples.batch import F64, I64
from gemel.samples.clock import SECOND


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a replay runs.

    Args:
        speed: times real time; infinity is as fast as it goes.
        longest_pause_s: pauses between two rows last at most so long on the wall [s].
    """

    speed: float
    longest_pause_s: float = 5.0

    def waits(self, times: I64, before: int | None) -> F64:
        """Give the wait on the wall before each row [s]; `before` is the time of the row before the first."""
        if not len(times):
            return np.empty(0)
        gaps = np.diff(times, prepend=times[0] if before is None else before) / SECOND / self.speed
        return np.clip(gaps, 0.0, self.longest_pause_s)
