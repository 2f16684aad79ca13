"""Which source times a clock may go by: one sensor with a wrong clock must not move the time of a plant that follows its data.

A reading more than a month ahead of plant time is believed once half of the signals said so, without one in between that
did not: a record may have gaps of years, and then all of it leaps. Until then, what is ahead is a reading of the future.
"""

from typing import Final

import numpy as np

from gemel.samples.batch import I32, I64
from gemel.samples.clock import DAY

LEAP: Final = 31 * DAY
MANY: Final = 50  # signals are enough, of however many


class Leaps:
    """Looks at what is about to be observed.

    Args:
        signals: how many there are.

    >>> leaps, at = Leaps(2), np.array([400 * DAY])
    >>> leaps.believed(np.array([0], np.int32), at, DAY), leaps.believed(np.array([1], np.int32), at, DAY) == 400 * DAY
    (None, True)
    """

    def __init__(self, signals: int) -> None:
        self._enough = min((signals + 1) // 2 + (signals == 2), MANY)  # of two, both
        self._ahead: set[int] = set()  # signals that leapt, since one last did not

    def believed(self, signal: I32, time: I64, now: int) -> int | None:
        """Give the newest time [ns] of some readings, in the order in which they came, that may be gone by; None: none.

        Args:
            signal: of each reading.
            time: of each, as its source said [ns].
            now: plant time [ns]; 0: none is known yet, and any is believed.
        """
        newest = int(time.max())
        if not now or newest - now <= LEAP:
            self._ahead.clear()
            return newest
        inside = np.flatnonzero(time - now <= LEAP)
        if len(inside):
            self._ahead.clear()
        self._ahead.update(np.unique(signal[inside[-1] + 1 :] if len(inside) else signal).tolist())
        if len(self._ahead) >= self._enough:
            self._ahead.clear()
            return newest
        return int(time[inside].max()) if len(inside) else None
