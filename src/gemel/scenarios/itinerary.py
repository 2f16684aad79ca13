"""Which periods of a horizon are solved: until what is fast repeats, then ever nearer to each other until it no longer matters.

Periods ─► march until each state repeats or moves evenly ─► leaps ─► halved until halving changes nothing ─► stops, errors
Where that never comes, or leaps would save nothing, all periods are marched through, and it is said why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.scenarios.draw import Drawn
from gemel.scenarios.engine import Told
from gemel.scenarios.leaping import Course, Stop, Way, run
from gemel.scenarios.plan import Raw
from gemel.scenarios.ready import AGREED, asking, first_of
from gemel.scenarios.repeats import LEAST, Segment

Array = npt.NDArray[np.float64]
LEAPS: Final = 4  # over a whole horizon, to begin with
FEW: Final = 16  # members that the leaps are judged by: a whole vector of lanes
PATIENCE: Final = 30  # periods in which what is fast must have settled
STEADY: Final = 0.05  # of a move: how much it may differ from that of the period before
AT_REST: Final = 1e-4  # of a state's size: how far a slow one would come over the horizon, a fast one in a period
WORTH: Final = 0.7  # of the periods; where more would be solved, all are
SHOWN: Final = 5e-3  # of what was watched: between stops it is read off straight lines, for charts
SURE: Final = 2.0  # times what halving the leaps changed: what is said of their error
ROUNDED: Final = 1e-6  # of a figure: what the numbers themselves are good for
COUNTED: Final = ("integral", "mean", "min", "max", "last", "life", "ratio", "missing")  # figures that leaps must agree on


@dataclass(frozen=True)
class Leaps:
    """How a long horizon was solved.

    Args:
        period_s: the stretch that is solved step by step at each stop.
        solved_s: of each future, step by step.
        longest_s: the longest leap; 0 where there is none.
        moved: states that were carried over the leaps by their mean rates.
        errors: of each figure, by its name: twice what it still changed by when leaps were halved, in the figure's unit.
        bands: the same of what was watched.
        reason: why there are no leaps; empty where there are.
    """

    period_s: float
    solved_s: float
    longest_s: float
    moved: tuple[str, ...]
    errors: dict[str, float]
    bands: dict[str, float]
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Trip:
    """The stops that will do, and what is said of them."""

    stops: tuple[Stop, ...]
    told: Leaps


def itinerary(way: Way, draws: Drawn, told: Told) -> Trip | Leaps:
    """Find the periods to solve, by the first members of all scenarios; or say why all must be."""
    few, going = first_of(draws, FEW), asking(told)
    first = _settled(way, few, going)
    if isinstance(first, str):
        return _whole(way, first)
    stops, coarse = first, [run(way, first, s, few, going) for s in way.ready.wanted]
    while True:
        stops = tuple(_halved(stops))
        if len(stops) > WORTH * way.periods.count:
            return _whole(way, "shorter leaps still changed the result")
        fine = [run(way, stops, s, few, going) for s in way.ready.wanted]
        errors = _errors(way, coarse, fine)
        if _agreed(way, few, coarse, fine):
            return Trip(stops, _told(way, stops, errors))
        coarse = fine


def _settled(way: Way, few: Drawn, told: Told) -> tuple[Stop, ...] | str:
    """March into each segment until what is fast repeats, then leap through it in a few; or say what never does."""
    courses = [Course(way, s, few) for s in way.ready.wanted]
    stops: list[Stop] = []
    none = np.zeros(len(way.ready.model.states), bool)
    farthest = max(way.periods.count // LEAPS, 2)

    def on(stop: Stop) -> None:
        for course in courses:
            course.go(stop, told)
        stops.append(stop)

    for segment in way.periods.segments:
        slow, until, end = none, segment.first, segment.first + segment.count
        settled = False
        while until < end and not settled:
            before = [c.last.moved for c in courses]
            on(Stop(until, none))
            until += 1
            if segment.count < LEAST or until < segment.first + 2:
                continue
            if until == segment.first + 2:
                slow = ~np.all([c.forgets(told) for c in courses], axis=0)
            restless = _restless(way.ready.model, courses, before, np.where(slow, segment.count, 1))
            settled = not restless
            if restless and until - segment.first >= PATIENCE:
                return f"{restless} neither repeats nor moves evenly within {PATIENCE} periods"
        for period in _spread(until, segment, farthest):
            on(Stop(period, slow, last=period == end - 1))
    return tuple(stops)


def _restless(
    model: Compiled, courses: Sequence[Course], before: Sequence[Array], often: npt.NDArray[np.integer]
) -> str:
    """Name a state that neither moves evenly from period to period nor rests; none where all do.

    A move of a slow state would count as `often` as there are periods; one of a fast state is only what is left of its beginning.
    """
    now, then = (np.concatenate(some) for some in ([c.last.moved for c in courses], before))
    with np.errstate(invalid="ignore"):
        steady = np.abs(now - then) <= STEADY * np.abs(now)
        resting = np.abs(now) * often <= AT_REST * model.scales("states")
    restless = ~(steady | resting)[np.isfinite(now).all(axis=1)].all(axis=0)
    return model.states[int(np.argmax(restless))] if restless.any() else ""


def _spread(until: int, segment: Segment, farthest: int) -> Iterator[int]:
    """Give the periods of the rest of a segment at which to stop: its last, and others evenly between."""
    last = segment.first + segment.count - 1
    gaps = max(-(-(last - until + 1) // farthest), 1)
    found = {round(until - 1 + (last - until + 1) * (i + 1) / gaps) for i in range(gaps)}
    yield from sorted(p for p in found if p >= until)


def _halved(stops: Sequence[Stop]) -> Iterator[Stop]:
    yield stops[0]
    for a, b in pairwise(stops):
        if b.period - a.period > 1:
            yield Stop((a.period + b.period) // 2, b.slow)
        yield b


def _agreed(way: Way, few: Drawn, coarse: Sequence[Raw], fine: Sequence[Raw]) -> bool:
    """Whether halving the leaps changed nothing: of how far states went, of what was watched, of the figures."""
    for a, b in zip(coarse, fine, strict=True):
        good = ~(a.failed | b.failed)
        if (a.failed != b.failed).any():
            return False
        gone = np.abs(b.end - few.x0)[good].max(axis=0, initial=0.0)
        size = ROUNDED * (np.abs(b.end)[good].max(axis=0, initial=0.0) + way.ready.model.scales("states"))
        if (np.abs(a.end - b.end)[good].max(axis=0, initial=0.0) > AGREED * gone + size).any():
            return False
        scale = np.abs(b.kept[..., good]).max((0, 2), initial=0.0) + 1e-30
        if (np.abs(a.kept - b.kept)[..., good].max((0, 2), initial=0.0) > SHOWN * scale).any():
            return False
        for kpi, x, y in zip(way.ready.question.kpis, way.ready.referee.figures(a), way.ready.referee.figures(b), strict=True):
            if all(one.statistic in COUNTED for one in kpi.leaves) and _apart(x[good], y[good]) > AGREED * _size(y[good]):
                return False
    return True


def _errors(way: Way, coarse: Sequence[Raw], fine: Sequence[Raw]) -> tuple[dict[str, float], dict[str, float]]:
    """Give how far figures and what was watched are from those of leaps twice as long, the worst of all futures."""
    figures, bands = dict.fromkeys((k.name for k in way.ready.question.kpis), 0.0), dict.fromkeys(way.ready.plan.watch, 0.0)
    for a, b in zip(coarse, fine, strict=True):
        good = ~(a.failed | b.failed)
        read = zip(figures, way.ready.referee.figures(a), way.ready.referee.figures(b), strict=True)
        for name, x, y in read:
            figures[name] = max(figures[name], SURE * _apart(x[good], y[good]) + ROUNDED * _size(y[good]))
        for i, name in enumerate(bands):
            x, y = np.asarray(a.kept[:, i, good], float), np.asarray(b.kept[:, i, good], float)
            bands[name] = max(bands[name], SURE * _apart(x, y) + ROUNDED * _size(y))
    return figures, bands


def _apart(a: Array, b: Array) -> float:
    """Give how far figures are apart at most; infinite where an event comes in one and not in the other."""
    both = np.isfinite(a) & np.isfinite(b)
    if (np.isfinite(a) != np.isfinite(b)).any():
        return float("inf")
    return float(np.abs(a[both] - b[both]).max(initial=0.0))


def _size(a: Array) -> float:
    return float(np.abs(a[np.isfinite(a)]).max(initial=0.0))


def _told(way: Way, stops: Sequence[Stop], errors: tuple[dict[str, float], dict[str, float]]) -> Leaps:
    p, names = way.periods, way.ready.model.states
    over = max(b.period - a.period - 1 for a, b in pairwise(stops))
    moved = np.any([s.slow for s in stops], axis=0)
    solved = len(stops) * p.length_s + p.tail * p.dt
    return Leaps(
        p.length_s, solved, over * p.length_s, tuple(n for n, m in zip(names, moved, strict=True) if m), *errors
    )


def _whole(way: Way, reason: str) -> Leaps:
    return Leaps(way.periods.length_s, way.periods.horizon_s, 0.0, (), {}, {}, reason)
