"""Who is wrong in recent readings, by a long record of a time when all was right: the one procedure of whoever asks.

a long good record ─► noises, band, where the machine usually works, how wrong the model usually is
    recent readings ─► a residual leaves its band, or a sensor shows a symptom? ─► every explanation is weighed (`blame`)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled, compile_model
from gemel.dynamics.reduced import Reduced
from gemel.estimate.bank import Excerpt
from gemel.estimate.blame import Case, Verdict, blame
from gemel.estimate.problem import Problem
from gemel.estimate.residuals import LEFT_OUT, Band, Raised, band, fitted, raised, residuals
from gemel.estimate.stable_steps import steps_of
from gemel.estimate.suspects import Usual
from gemel.estimate.symptoms import noticed

Vector = npt.NDArray[np.float64]


class Readings(NamedTuple):
    """Inputs [instants, inputs] and readings [instants, outputs], NaN where there is none, one `dt` after the other."""

    u: Vector
    y: Vector


@dataclass(frozen=True, eq=False)
class Asked:
    """Who is wrong in recent readings?

    Args:
        problem: with a first guess of the noises, which are fitted to the good time.
        p: parameters [parameters], SI.
        good: a long time when all was right.
        recent: what is judged, and before it `residuals.LEFT_OUT` instants in which the filter finds its feet.
        process: parameters that change where the process does, with the change to be expected.
    """

    problem: Problem
    p: Vector
    good: Readings
    recent: Readings
    process: Mapping[str, float]


class Known(NamedTuple):
    """What a long good time leaves: the case, the band of the residuals, and what is believed at its end."""

    case: Case
    band: Band
    last: Vector


def attributed(asked: Asked, since: int = -1) -> Verdict | None:
    """Ask; None: no residual leaves its band, and no sensor shows a symptom.

    Args:
        asked: what.
        since: the instant of `recent` from which on somebody else saw a residual out of its band; -1: nobody did. Suspects
            are weighed then too, but nobody is to blame (`against` is 0) for what is usual over hours.
    """
    asked = _heard(asked)
    known = learned(asked)
    record = Excerpt(asked.recent.u, asked.recent.y, asked.p, known.last)
    off = residuals(known.case.problem, record).off[0]
    found = noticed(record.y, known.case.good.y, raised(off, known.band))
    if found.at >= 0:
        return blame(known.case, record, found)
    return None if since < 0 else replace(blame(known.case, record, Raised(len(record.y) - 1, since, found.sums)), against=0.0)


def _heard(asked: Asked) -> Asked:
    """Leave out the outputs that nobody reads, or not any more: they tell nothing, and cost as much as the others."""
    problem, read = asked.problem, np.flatnonzero(np.isfinite(asked.good.y).any(0) & np.isfinite(asked.recent.y).any(0))
    model = _reduced(problem.model, tuple(problem.model.outputs[i] for i in read))
    noise = replace(problem.noise, sensor=problem.noise.sensor[read])
    good, recent = (Readings(one.u, one.y[:, read]) for one in (asked.good, asked.recent))
    return replace(asked, problem=replace(problem, model=model, noise=noise), good=good, recent=recent)


@lru_cache(32)
def _reduced(model: Compiled, outputs: tuple[str, ...]) -> Compiled:
    return model if outputs == model.outputs else compile_model(Reduced(model.model, model.states, (), outputs))


def learned(asked: Asked) -> Known:
    """Learn what is usual from the long good time."""
    (u, y), model = asked.good, asked.problem.model
    day = Excerpt(u, y, asked.p, asked.problem.start[0])
    problem = fitted(asked.problem, day)
    met = residuals(problem, day)
    x, last = met.mean[0], max(len(y) - len(asked.recent.y), 1)
    states = x[LEFT_OUT:, : len(model.states)]
    usual = Usual(u.mean(0), u.std(0), states.mean(0), states.std(0))
    heard = np.isfinite(y).any(0)
    size = np.where(heard, np.nanmean(np.where(heard, np.abs(y), 0.0), 0), model.scales("outputs"))
    before = Excerpt(u[last:], y[last:], asked.p, x[last - 1])
    return Known(Case(problem, usual, size, before, asked.process, day), band(met.off[0]), x[-1])


def slower(problem: Problem, p: Vector, dt: float) -> Problem:
    """Give the problem with longer steps, in as many of the solver as keep the fastest mode at the start stable."""
    return replace(problem, dt=dt, substeps=steps_of(problem.model, p, dt))
