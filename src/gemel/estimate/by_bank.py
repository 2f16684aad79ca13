"""Who is wrong by a bank of filters: one for each explanation, each with the size of its fault as one more number.

The likelihood of a record by a filter is how well its explanation does (Magill, D. T. (1965), Optimal adaptive estimation of
sampled stochastic processes); what explains a time when all was right as well explains nothing. It needs no more of that
time than a record as long as the one to be judged, and takes what sensors share at an instant as the filter does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.accused import MOVES, Case, Suspect, Told, Try, strikes_of
from gemel.estimate.bank import Excerpt, Explanations, explain
from gemel.estimate.problem import Noise, Problem
from gemel.estimate.residuals import alone
from gemel.estimate.suspects import FAULT, placed, places, suspected, ways

Vector = npt.NDArray[np.float64]
BEND: Final = 0.3
"""A wrong model is expected to be wrong by this share of a fault where the machine is unusually far out."""
LOUD: Final = 5.0
STILL: Final = 0.02  # a stuck sensor moves by no more than this share of its noise


def weighed(case: Case, record: Excerpt, onsets: list[int]) -> Told:
    """Weigh every explanation of a record."""
    tries, scores, sizes = _weighed(case, record, onsets)
    usual = _weighed(case, case.good, onsets)[1]
    better = scores - scores[0] - np.maximum(usual - usual[0], 0.0)
    return Told(tries[1:], better[1:], sizes[1:])


def _weighed(
    case: Case, record: Excerpt, onsets: list[int]
) -> tuple[list[Try], Vector, list[tuple[float, float]]]:
    """Give all that is tried, its likelihood and the size of the fault; the first is that nothing is wrong."""
    tries, strikes = _tries(case, onsets), strikes_of(case, record.p)
    scores, sizes = np.empty(len(tries)), [(math.nan, math.nan)] * len(tries)
    for bent in (False, True):  # whose places bend has many more numbers to be filtered
        some = [i for i, one in enumerate(tries) if (one.how == "bent") == bent]
        mine = [tries[i] for i in some]
        scores[some], found = _filtered(case, record, mine, strikes, bent)
        for i, size in zip(some, found, strict=True):
            sizes[i] = size
    return tries, scores, sizes


def _filtered(
    case: Case, record: Excerpt, tries: list[Try], strikes: Mapping[str, float], bent: bool
) -> tuple[Vector, list[tuple[float, float]]]:
    base, outputs = case.problem, case.problem.model.outputs
    problem = _joint(case, bent)
    p = placed(base.model, case.usual, record.p, tuple(case.process))
    those = _explanations(problem, tries, strikes, replace(record, p=p))
    nothing = np.zeros(problem.size - base.size)
    found = explain(problem, those, replace(record, mean=np.concatenate((record.mean, nothing))))
    scores, at = np.nansum(found.likelihood, 1), problem.names.index(FAULT)
    for i, one in enumerate(tries):
        if one.how == "stuck":
            place = outputs.index(one.suspect.name)
            scores[i] += _still(record.y[:, place], one.onset, float(base.noise.sensor[place]))
    sizes = [(found.mean[i, -1, at] * strikes[one.place], found.sd[i, -1, at] * strikes[one.place]) if one.how in MOVES
             else (math.nan, math.nan) for i, one in enumerate(tries)]  # fmt: skip
    return scores, [(float(size), float(sd)) for size, sd in sizes]


def _joint(case: Case, bent: bool) -> Problem:
    base = case.problem
    model, terms = suspected(base.model, tuple(case.process)), (FAULT, *(ways(base.model) if bent else ()))
    nothing, n = np.zeros(len(terms)), base.noise
    noise = Noise(n.state, np.concatenate((n.parameter, nothing)), n.sensor, n.state_start,
                  np.concatenate((n.parameter_start, nothing)))  # fmt: skip
    return Problem(model, base.estimated + terms, noise, base.dt, base.substeps)


def _tries(case: Case, onsets: list[int]) -> list[Try]:
    model = case.problem.model
    tries = [
        Try(Suspect("nothing", ""), "nothing", "", 0),
        Try(Suspect("model", "dynamics"), "loose", "", 0),
    ]
    for onset in onsets:
        for name in model.outputs:
            tries += [
                Try(Suspect("sensor", name), how, f"bias/{name}", onset)
                for how in ("off", "drifting", "noisy", "stuck")
            ]
        for place in (*(f"source/{n}" for n in model.states), *case.process):
            tries += [Try(Suspect("process", place), how, place, onset) for how in ("changed", "drifting")]
    return tries + [
        Try(Suspect("model", place), "bent", place, 0) for place in places(model, tuple(case.process))
    ]


def _explanations(
    problem: Problem, tries: list[Try], strikes: Mapping[str, float], record: Excerpt
) -> Explanations:
    model, span_s = problem.model, len(record.y) * problem.dt
    many = Explanations(*(np.repeat(part, len(tries), 0) for part in alone(problem, record.p)))
    fault, bends = (
        problem.names.index(FAULT),
        [i for i, n in enumerate(problem.names) if n.startswith("bend/")],
    )
    many.late[:, fault] = True
    for i, one in enumerate(tries):
        many.onset[i] = one.onset
        output = model.outputs.index(one.suspect.name) if one.suspect.kind == "sensor" else -1
        if one.place:
            many.p[i, model.place("parameters", f"strike/{one.place}")] = strikes[one.place]
        if one.how == "drifting":
            many.walk[i, fault] = 1 / math.sqrt(2 * span_s)
        elif one.how in {"off", "changed"}:
            many.jump[i, fault] = 1.0
        elif one.how == "noisy":
            many.loud[i, output] = LOUD
        elif one.how == "stuck":
            many.seen[i, output] = False
        elif one.how == "loose":
            many.walk[i, : len(model.states)] *= LOUD
        elif one.how == "bent":
            many.start[i, bends] = BEND
    return many


def _still(y: Vector, onset: int, sensor: float) -> float:
    """Give the logarithm of the density of readings that repeat the one before."""
    moved = np.diff(y[max(onset - 1, 0) :])
    moved, width = moved[np.isfinite(moved)], STILL * sensor
    return float(np.sum(-0.5 * (moved / width) ** 2) - len(moved) * math.log(width * math.sqrt(2 * math.pi)))
