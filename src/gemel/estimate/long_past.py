"""A long past of many machines, a reading a minute: the last hours, which are judged, and a day before in which all was right.

readings of each instant -> the last of a minute -> the hours judged -> when they are over, and nobody was to blame: the good past

A band and a quick verdict need minutes; how wrong a model usually is shows over a day with its loads and its weather. Memory is
bounded: a number is kept with seven digits, and of very many machines the good past is shorter, or not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.attribution import Readings
from gemel.estimate.residuals import LEFT_OUT

Vector = npt.NDArray[np.float64]
STEP_S: Final = 60.0  # from row to row, at least
JUDGED: Final = 240  # rows: four hours
LEAD: Final = LEFT_OUT  # rows before these: a filter finds its feet in them, so that what jumps when the judged begin is seen
LAST: Final = LEAD + JUDGED
LENGTHS: Final = (1440, 720)  # rows of a good past, the longest that there is: each length is compiled anew
BYTES: Final = 1 << 27  # of all good pasts together, at most
_KEPT: Final = ("u", "y", "fine", "read", "at", "row", "now.u", "now.y", "good.u", "good.y", "good.many")


class LongPast:
    """Readings of machines of one kind, thinned.

    Args:
        shape: machines, inputs, outputs.
        every: instants that make one row.
    """

    def __init__(self, shape: tuple[int, int, int], every: int) -> None:
        machines, inputs, outputs = shape
        self.every = every
        rows = min(LENGTHS[0], BYTES // max(4 * machines * (inputs + outputs), 1))
        self._rows = rows if rows >= LENGTHS[-1] else 0

        def readings(many: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
            return np.zeros((machines, many, inputs), np.float32), np.full((machines, many, outputs), np.nan, np.float32)

        (now_u, now_y), (u, y), (good_u, good_y) = readings(1), readings(LAST), readings(self._rows)
        self._of: dict[str, npt.NDArray[Any]] = {
            "now.u": now_u[:, 0], "now.y": now_y[:, 0], "u": u, "y": y, "good.u": good_u, "good.y": good_y,
            "good.many": np.zeros(machines, np.int64), "fine": np.zeros((machines, LAST), np.bool_),
            "read": np.zeros((machines, LAST), np.bool_),
            "at": np.full(LAST, -1, np.int64), "row": np.array([-1], np.int64),
        }  # fmt: skip

    @property
    def row(self) -> int:
        """Number of the row that is being filled."""
        return int(self._of["row"][0])

    def meet(self, at: int, u: Vector, y: Vector, fine: npt.NDArray[np.bool_]) -> bool:
        """Meet an instant: inputs and readings [machines, ...], and of which machines no residual is out; tell whether a row began."""
        of, row = self._of, at // self.every
        if began := (row != self.row):
            for over in range(self.row, min(row, self.row + 1 + LAST)) if self.row >= 0 else ():
                self._close(over, fine)  # of rows in which nothing came, nothing is kept
                of["now.y"][:] = np.nan
            of["row"][0] = row
        there = np.isfinite(y)
        of["now.u"][there.any(1)] = u[there.any(1)]
        of["now.y"][there] = y[there]
        return began

    def doubt(self, m: int, onset: int) -> None:
        """Take none of a machine's readings from an instant on for good ones."""
        self._of["fine"][m, self._of["at"] >= onset // self.every] = False

    def trust(self, m: int) -> None:
        """Take a machine's readings of the last hours for good ones: nobody was to blame."""
        self._of["fine"][m] = self._of["read"][m]

    def good(self, m: int) -> Readings | None:
        """Give the good past of a machine, the newest of it; None where it is too short."""
        of, many = self._of, int(self._of["good.many"][m])
        length = next((n for n in LENGTHS if n <= min(many, self._rows)), 0)
        if not length:
            return None
        rows = np.arange(many - length, many) % self._rows
        return Readings(of["good.u"][m, rows].astype(np.float64), of["good.y"][m, rows].astype(np.float64))

    def judged(self, m: int) -> Readings:
        """Give the last hours of a machine with their lead: whole rows, and the one that is being filled."""
        of, start = self._of, self._of["row"][0] % LAST
        rows = (start + np.arange(1, LAST)) % LAST
        u, y = (np.vstack((of[n][m, rows], of[f"now.{n}"][m][None])).astype(np.float64) for n in ("u", "y"))
        return Readings(u, y)

    def _close(self, row: int, fine: npt.NDArray[np.bool_]) -> None:
        """Put a row that is over where the oldest one was, and that one, where it is good, to the good past."""
        of, place = self._of, row % LAST
        keep = np.flatnonzero(of["fine"][:, place]) if self._rows else np.zeros(0, np.intp)
        at = of["good.many"][keep] % max(self._rows, 1)
        for name in ("u", "y"):
            of[f"good.{name}"][keep, at] = of[name][keep, place]
            of[name][:, place] = of[f"now.{name}"]
        of["good.many"][keep] += 1
        of["at"][place], of["read"][:, place] = row, np.isfinite(of["now.y"]).any(1)
        of["fine"][:, place] = of["read"][:, place] & fine

    # ---- what is kept

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name."""
        return {name: self._of[name].copy() for name in _KEPT}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what `state` gave; rows of another length are no use, and begun anew."""
        if all(arrays[name].shape == self._of[name].shape for name in _KEPT):
            self._of = {name: arrays[name].copy() for name in _KEPT}
