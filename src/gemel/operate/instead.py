"""What is believed instead of a reading, why, and since when: a fact when that changes, whoever put the sensor aside.

the filter stops listening (`Trusting`) ─┐
who is wrong was weighed (`blame`)       ├─► why, of each sensor ─► changed? ─► `Turn`: ResidualSubstituted, ResidualHeard
nothing is read any more (`missing`)     ┘
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.operate.estimates_kind import Kind
from gemel.operate.residual_turns import Turn
from gemel.operate.residuals_in import HEARD, SUBSTITUTED
from gemel.samples import Registry

Flags = npt.NDArray[np.bool_]
WHY: Final = ("", "aside", "blamed", "missing")
"""Why something else is believed: the filter put the sensor aside, it is to blame for a residual, it reads nothing."""


class Instead:
    """Which readings of machines of one kind are not believed just now.

    Args:
        shape: machines, outputs.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.why: npt.NDArray[np.int8] = np.zeros(shape, np.int8)
        self._since: npt.NDArray[np.int64] = np.zeros(shape, np.int64)

    def meet(self, at: int, aside: Flags, blamed: Flags, gone: tuple[Flags, npt.NDArray[np.int64]]) -> npt.NDArray[np.intp]:
        """Meet an instant; give the places (machine, output) of which something else is so than before.

        Args:
            at: number of the instant.
            aside: whom the filter listens to no more [machines, outputs].
            blamed: who is to blame [machines, outputs].
            gone: who reads nothing [machines, outputs], and the instants since each sensor read.
        """
        why = np.where(gone[0], 3, np.where(blamed, 2, np.where(aside, 1, 0))).astype(np.int8)
        changed = why != self.why
        self._since = np.where(changed, at - np.where(gone[0], gone[1], 0), self._since)
        self.why = why
        return np.argwhere(changed)

    def turn(self, kind: Kind, place: npt.NDArray[np.intp], at_ns: int, of: tuple[int, str, Registry]) -> Turn:
        """Say what became of a sensor; `of`: number of the instant, the life of who estimates, what numbers the signals."""
        (machine, output), (at, life, registry) = place.tolist(), of
        number = int(kind.wires.outputs[machine, output])
        path, why = registry.paths[number], WHY[self.why[machine, output]]
        body: dict[str, Any] = {"signal": path, "by": kind.version}
        if why:
            since = at_ns - round((at - int(self._since[machine, output])) * kind.problem.dt * 1e9)
            body |= {"why": why, "since": since}
        word = SUBSTITUTED if why else HEARD
        return Turn(f"residual-{life}-{number}-{at}-{word}", word, at_ns, path.rpartition("/")[0], body)

    # ---- what is kept

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Give all that is remembered, by name."""
        return {"why": self.why.copy(), "since": self._since.copy()}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what `state` gave."""
        self.why, self._since = arrays["why"].copy(), arrays["since"].copy()
