"""Which signals are silent for longer than they may be: looked at in turns, so that a tick costs the same with millions.

Up to `SLICE` signals are judged at every tick. Of more, each tick judges the next slice, and where the turn stands is
part of the state; so what is stale is a function of log and snapshot, and at most a few ticks late.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import Checks
from gemel.samples.batch import I32, I64

NEVER: Final = np.iinfo(np.int64).min
SLICE: Final = 500_000  # signals judged at one tick: about a millisecond

Mask = npt.NDArray[np.bool_]


class Staleness:
    """Staleness of every signal.

    Args:
        checks: tell how long each may be silent.

    """

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self.stale: Mask = np.ones(len(checks), np.bool_)
        self._turn = 0  # first signal of the next slice

    def heard(self, signals: I32) -> None:
        """Take note that signals sent something; when it was said is judged at their next turn."""
        self.stale[signals] = False

    def tick(self, now: int, last: I64) -> I32:
        """Judge the next slice.

        Args:
            now: plant time [ns].
            last: time of each signal's newest reading [ns]; `NEVER` where there is none.

        Returns:
            The signals that are judged otherwise than before.

        """
        n = len(self.stale)
        first, end = self._turn, min(self._turn + SLICE, n)
        self._turn = 0 if end == n else end
        silent = self._silent(slice(first, end), now, last)
        turned = np.flatnonzero(silent != self.stale[first:end]) + first
        self.stale[first:end] = silent
        return turned.astype(np.int32)

    def _silent(self, rows: slice, now: int, last: I64) -> Mask:
        heard, checks = last[rows], self._checks
        allowed = checks.stale_after[rows] if checks.kind is None else checks.stale_after[checks.kind[rows]]
        silent: Mask = (heard == NEVER) | (now - heard > allowed)
        return silent

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the state as columns."""
        return {"stale": np.packbits(self.stale), "turn": np.array([self._turn, len(self.stale)])}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], now: int, last: I64) -> None:
        """Take the state of a snapshot; signals added since were never heard. Without one all is judged anew."""
        self.stale = self._silent(slice(None), now, last)
        self._turn = 0
        if arrays:
            turn, n = arrays["turn"].tolist()
            self.stale[:n] = np.unpackbits(arrays["stale"], count=n).astype(np.bool_)
            self._turn = turn
