"""Where what drives a run repeats: the periods of a horizon that are as the one before, or drift evenly from one to the next.

what moves over time ─► a period (a day, a week, a profile's own) ─► segments of periods that are alike
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.scenarios.scenario import DAY_S

Array = npt.NDArray[np.float64]
Moving = Callable[[Array], Array]
"""Gives all that moves at some times [times] as [times, columns]."""

LEAST: Final = 16  # periods alike, from which on a leap is worth while
USUAL: Final = 12  # periods that a segment usually takes, however long it is
SAME: Final = 1e-9  # of a column's size


@dataclass(frozen=True, slots=True)
class Segment:
    """Periods that are alike.

    Args:
        first: the first of them, counted from the beginning.
        count: how many.
    """

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Periods:
    """A horizon as whole periods and what is left.

    Args:
        length_s: of a period.
        steps: of the solver in it.
        count: whole periods.
        tail: steps after the last whole one.
        segments: all of the periods, in order.
    """

    length_s: float
    steps: int
    count: int
    tail: int
    segments: tuple[Segment, ...]

    @property
    def dt(self) -> float:
        """From step to step [s]."""
        return self.length_s / self.steps

    @property
    def horizon_s(self) -> float:
        """How far they reach."""
        return self.count * self.length_s + self.tail * self.dt

    @property
    def cost(self) -> float:
        """Seconds that must be solved, as far as one can tell beforehand."""
        solved = sum(min(s.count, USUAL) if s.count >= LEAST else s.count for s in self.segments)
        return solved * self.length_s


def periods(moving: Moving, horizon_s: float, step_s: float, own: Iterable[float] = ()) -> Periods | None:
    """Divide a horizon into periods that are as alike as can be; None where it is too short for any leap.

    Args:
        moving: all that moves over time.
        horizon_s: how far ahead.
        step_s: of the solver, at most.
        own: periods that profiles have themselves [s].
    """
    lengths = sorted({DAY_S, 7 * DAY_S, *(o for o in own if o >= step_s)})
    found = [_divided(moving, horizon_s, step_s, p) for p in lengths if horizon_s >= LEAST * p]
    worth = [p for p in found if any(s.count >= LEAST for s in p.segments)]
    return min(worth, key=lambda p: p.cost, default=None)


def _divided(moving: Moving, horizon_s: float, step_s: float, length_s: float) -> Periods:
    steps = int(np.ceil(length_s / step_s - 1e-9))
    count = int(horizon_s / length_s + 1e-9)
    tail = round((horizon_s - count * length_s) / (length_s / steps))
    return Periods(length_s, steps, count, tail, tuple(_segments(moving, count, length_s, steps)))


def _segments(moving: Moving, count: int, length_s: float, steps: int) -> list[Segment]:
    """Give the longest runs of periods in which each column is what it was a period before, plus the same at every turn."""
    within = np.arange(steps, dtype=np.float64) * (length_s / steps)
    if not moving(within[:1]).shape[1]:
        return [Segment(0, count)]
    found: list[Segment] = []
    first, before, more = 0, moving(within), None
    for i in range(1, count):
        now = moving(i * length_s + within)
        if more is None:
            more = now - before
        elif not _same(now - before, more, now):
            found.append(Segment(first, i - first))
            first, more = i, None
        before = now
    return [*found, Segment(first, count - first)]


def _same(a: Array, b: Array, of: Array) -> bool:
    size = np.abs(of).max(axis=0, initial=0.0) + 1e-300
    return bool((np.abs(a - b) <= SAME * size).all())
