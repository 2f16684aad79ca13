"""A fixed lag: what comes late is put where it belongs, and the filter goes on from there again.

Kept are, for the last so many instants, the belief before each and what was met then. A late reading changes what was
met; from that instant on every step is made again by the same compiled function, so that the outcome is, bit for bit,
that of a reading in time. What is later than the lag is refused, not bent in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gemel.estimate.problem import Instant

Vector = npt.NDArray[np.float64]
Step = Callable[[Any, Instant], tuple[Any, Any]]
"""`step` of a problem and a method, compiled, of one asset or of many."""


@dataclass(slots=True)
class Met:
    """An instant: its number, the belief before it, inputs and readings."""

    at: int
    belief: Any
    u: Vector
    y: Vector


@dataclass(slots=True)
class Lag:
    """A filter that can go back.

    Args:
        step: the compiled step.
        belief: before instant number `at`.
        parameters: as the step takes them.
        length: how many instants can be gone back.
        at: number of the next instant.
        kept: what can be gone back to, the oldest first.
    """

    step: Step
    belief: Any
    parameters: Vector
    length: int
    at: int = 0
    kept: deque[Met] = field(default_factory=deque)

    def meet(self, u: Vector, y: Vector) -> Any:
        """Meet the next instant; give its estimate."""
        self.kept.append(Met(self.at, self.belief, np.array(u), np.array(y)))
        while len(self.kept) > self.length:
            self.kept.popleft()
        return self._go(self.kept[-1])

    def late(self, at: int, place: tuple[int, ...], value: float) -> bool:
        """Put a reading where it belongs (`place` in y); tell whether it was not too late. `again` must follow."""
        for met in self.kept:
            if met.at == at:
                met.y[place] = value
                return True
        return False

    def again(self, since: int) -> list[Any]:
        """Make the steps from instant `since` on again; give their estimates, oldest first."""
        redone = [met for met in self.kept if met.at >= since]
        if redone:
            self.belief, self.at = redone[0].belief, redone[0].at
        found = []
        for met in redone:
            met.belief = self.belief
            found.append(self._go(met))
        return found

    def _go(self, met: Met) -> Any:
        self.belief, estimate = self.step(
            self.belief, Instant(np.int64(met.at), met.u, met.y, self.parameters)
        )
        self.at = met.at + 1
        return estimate
