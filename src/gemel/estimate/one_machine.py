"""Whether what a fit was made on is one machine: quarters of it, in the order of time, are fitted each by itself.

records, fitted and unseen ─► quarters ─► each its own fit ─► two that disagree beyond their intervals ─► also in the same regime? ─► not one machine

A fit over a machine that was overhauled half-way is of neither: its parameters are a mean of two, better than the champion's on what
came after, and confirmed by every sensor. That the parts of a sample have one set of coefficients is the question of Chow, G. C. (1960),
Tests of equality between sets of coefficients in two linear regressions, Econometrica 28(3); here the coefficients themselves are held
against each other, with intervals that are widened for what is left over not being white. A model that bends is another one in another regime, too; so
quarters that disagree are asked once more, with what hangs on the regime taken out (`gemel.estimate.same_regime`), and have to show that they agree then.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gemel.dynamics import Compiled
from gemel.errors import ModelError
from gemel.estimate.calibrate import Fit, fit
from gemel.estimate.record import SHORTEST, Record, side_by_side
from gemel.estimate.same_regime import Own, own
from gemel.samples.batch import F64

PARTS: Final = 4
FEWEST: Final = 50  # steps of a part: fewer tell of a moment
SURE: Final = 3.0  # standard deviations of a difference: of many pairs the furthest apart is looked at
SAME: Final = 0.25  # of what the fit changed: parts differ by no more, the standard deviations added, where the regime alone makes them disagree
APART: Final = 0.5  # of what the fit changed: parts that lie further apart than that are not two views of one change
TRIFLE: Final = 0.02  # of a parameter's usual size: what the model does not know of a machine makes parts differ by less, or as much
CANDIDATES: Final = 8  # starts tried of each part: the fit of the whole is near


@dataclass(frozen=True)
class Apart:
    """Two parts of a window that tell a parameter differently.

    Args:
        parameter: which.
        earlier, later: what the two say of it, SI.
        quarters: which of the window these are, from 0.
    """

    parameter: str
    earlier: float
    later: float
    quarters: tuple[int, int]


@dataclass(frozen=True, eq=False)
class _Part:
    quarter: int
    value: F64
    sd: F64
    x0: F64


def apart(
    model: Compiled, found: Fit, records: Sequence[Record], before: F64, ranges: tuple[F64, F64] | None = None, *,
    longest: int, on_step: Callable[[], None] | None = None,
) -> tuple[Apart, ...]:  # fmt: skip
    """Fit the quarters of a window each by itself, and give the two that lie furthest apart, of each parameter of which two do.

    Args:
        model: compiled.
        found: a fit that ended well.
        records: all of the window, what was fitted and what was kept unseen.
        before: all parameters that the fit is held against [parameters].
        ranges: as the fit had them.
        longest: steps of a piece with an initial state of its own.
        on_step: called at each linearisation; what it raises ends the search.

    Returns:
        Nothing where the quarters agree, do so once what hangs on the regime is taken out, or are too short to say anything.
    """
    cut = [side_by_side(some, longest) for some in quarters(records)]
    told = [part for i, some in enumerate(cut) if (part := _part(model, found, (i, some), ranges, on_step)) is not None]
    places = [model.place("parameters", name) for name in found.parameters]
    changed, trifles = np.abs(found.vector - before)[places], TRIFLE * model.scales("parameters")[places]
    answers = []
    for i, (name, least) in enumerate(zip(found.parameters, np.maximum(APART * changed, trifles), strict=True)):
        pairs = [(a, b) for a, b in itertools.combinations(told, 2) if abs(a.value[i] - b.value[i]) > max(SURE * np.hypot(a.sd[i], b.sd[i]), least)]
        if pairs:
            a, b = max(pairs, key=lambda pair: abs(pair[0].value[i] - pair[1].value[i]))
            answers.append(Apart(name, float(a.value[i]), float(b.value[i]), (a.quarter, b.quarter)))
    if not answers or len(told) < PARTS:
        return tuple(answers)
    within = own(model, found, cut, [part.x0 for part in told], on_step)
    return () if within and _agree(within, np.maximum(SAME * changed, trifles)) else tuple(answers)


def _agree(told: Own, most: F64) -> bool:
    """Tell whether parts are known to tell each parameter alike in the same regime, to `most` [m]."""
    every = ((told.apart(i, a, b), least) for i, least in enumerate(most) for a, b in itertools.combinations(range(len(told.values)), 2))
    return all(abs(by) + SURE * sd <= least for (by, sd), least in every)


def quarters(records: Sequence[Record]) -> list[list[Record]]:
    """Cut records, in the order of time, into parts of as many steps; none where these would be too short."""
    ordered = sorted(records, key=lambda r: r.start)
    ends = np.cumsum([len(r) for r in ordered])
    edges = np.linspace(0, ends[-1], PARTS + 1).astype(int) if len(ends) else np.zeros(1, int)
    if len(edges) < 2 or edges[1] < FEWEST:
        return []
    return [
        [r.part(max(a - (end - len(r)), 0), min(b - (end - len(r)), len(r))) for r, end in zip(ordered, ends.tolist(), strict=True)
         if a < end - SHORTEST and b > end - len(r) + SHORTEST]
        for a, b in itertools.pairwise(edges.tolist())
    ]  # fmt: skip


def _part(
    model: Compiled, found: Fit, of: tuple[int, list[Record]], ranges: tuple[F64, F64] | None, on_step: Callable[[], None] | None
) -> _Part | None:
    """Fit a part by itself; None where that does not end well, or nothing is read in it."""
    if not of[1]:
        return None
    sigma = np.array([max(found.rms[name], 1e-12) for name in model.outputs])
    how = replace(found.settings, starts=1, candidates=CANDIDATES)
    try:
        alone = fit(model, tuple(found.parameters), of[1], start=found.vector, ranges=ranges, sigma=sigma, settings=how, on_step=on_step)
    except ModelError:
        return None
    every = alone.parameters.values()
    sd = [e.sd if e.told and not e.at_bound else np.inf for e in every]
    return _Part(of[0], np.array([e.value for e in every]), np.array(sd), alone.x0) if alone.converged else None
