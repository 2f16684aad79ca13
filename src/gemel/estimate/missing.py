"""Sensors that read nothing any more, of many machines at once: the others are watched on, and it is said which are gone.

readings of an instant ─► instants since each sensor read ─► gone, beyond its patience ─► back, when it has read for a while

The residuals of those that remain are others than before: what the sensor that is gone had bent them by is missing too. So
their means are learned anew, over `SETTLED` instants behind such a change, by how far they are from those of the good
time; how wide they are, and when one leaves its band, stays as it was learned. With all sensors there it is as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.intp]
GONE: Final = 30  # instants without a reading, at least
BACK: Final = 10  # readings, none of them that far apart, after which it is there again
SETTLED: Final = 60  # instants over which the others' means are learned anew
FARTHEST: Final = 3.0  # standard deviations that such a mean may have moved: farther it was not bent by one that is gone
_KEPT: Final = ("away", "returned", "gone", "moved", "settled")


class Missing:
    """Which sensors are gone.

    Args:
        read: which outputs are measured [machines, outputs].
        patience: instants that each may be silent for [machines, outputs], `GONE` at least; None: so many.
    """

    def __init__(self, read: Flags, patience: npt.NDArray[np.int64] | None = None) -> None:
        self._read, self._patience = read, np.maximum(GONE, 0 if patience is None else patience)
        self._of: dict[str, npt.NDArray[Any]] = {
            "away": np.zeros(read.shape, np.int64), "returned": np.zeros(read.shape, np.int64), "gone": np.zeros(read.shape, np.bool_),
            "moved": np.zeros(read.shape), "settled": np.zeros(len(read), np.int64),
        }  # fmt: skip

    @property
    def gone(self) -> Flags:
        """Which are gone [machines, outputs]."""
        found: Flags = self._of["gone"]
        return found

    @property
    def away(self) -> npt.NDArray[np.int64]:
        """Instants since each read [machines, outputs]."""
        return self._of["away"]

    def meet(self, known: Flags) -> Flags:
        """Meet an instant: which readings there are [machines, outputs]; give the machines of which others are gone than before."""
        of = self._of
        of["away"] = np.where(known | ~self._read, 0, of["away"] + 1)
        lost = of["away"] > self._patience
        of["returned"] = np.where(of["gone"] & ~lost, of["returned"] + known, 0)
        gone = lost | (of["gone"] & (of["returned"] < BACK))
        changed: Flags = (gone != of["gone"]).any(1)
        of["gone"] = gone
        of["moved"][changed], of["settled"][changed] = 0.0, 0
        return changed

    def shifted(self, rows: I64, off: Vector, calm: Flags) -> tuple[Vector, Flags]:
        """Give residuals [some machines, outputs] off the means that they have without those that are gone.

        Args:
            rows: the machines.
            off: their residuals off the means of the good time, in standard deviations; NaN where there is none.
            calm: of which no residual is out: only then something is learned.

        Returns:
            The residuals, and which machines have found their means.
        """
        of = self._of
        some = np.any(of["gone"][rows], axis=1, keepdims=True)[:, 0]
        learns = some & calm & (of["settled"][rows] < SETTLED)
        at, new = rows[learns], off[learns]
        of["settled"][at] += 1
        of["moved"][at] += np.where(np.isfinite(new), new - of["moved"][at], 0.0) / of["settled"][at][:, None]
        moved = np.where(some[:, None], np.clip(of["moved"][rows], -FARTHEST, FARTHEST), 0.0)
        return off - moved, ~learns

    # ---- what is kept

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name."""
        return {name: self._of[name].copy() for name in _KEPT}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what `state` gave."""
        self._of = {name: arrays[name].copy() for name in _KEPT}
