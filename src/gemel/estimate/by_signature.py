"""Who is wrong by signatures in the residuals of one filter, made white by how wrong the model usually is.

Every explanation (this sensor is off since then; this balance does not close since then; the model bends there) has its
signature in the residuals, and its likelihood, with the size of the fault integrated out, is its weight: the generalised likelihood
ratio of Willsky, A. S., Jones, H. L. (1976) with a prior in place of the maximum. The moment is unknown too: several are
tried and averaged (`explanations`). How wrong the model usually is (`usual_errors`) is learned from a long record of a time when all was right:
without it each of its small errors were overwhelming evidence of whatever resembles it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.accused import MOVES, Case, Told, Try, strikes_of
from gemel.estimate.bank import Excerpt
from gemel.estimate.courses import LAGS, Should, Way, answers, strikes
from gemel.estimate.evidence import Evidence, Weight
from gemel.estimate.explanations import Explanations, Sign, even
from gemel.estimate.residuals import LEFT_OUT, residuals
from gemel.estimate.signatures import Strike, signatures
from gemel.estimate.suspects import FAULT, placed
from gemel.estimate.usual_errors import DRIFT, Errors, bends, errors

Vector = npt.NDArray[np.float64]
SEVERAL: Final = 0.02
"""So likely, next to one, is that several parameters of the process change at once, zero and span of a sensor, or that it goes with an input."""
WEARS: Final = 0.1  # of a change of the process that would be a fault, it may have changed as usual
FARTHER: Final = 0.03  # of a strike, per usual spread beyond what was seen: so wrong may a balance or a sensor be as usual
COUNTS: Final = 0.9  # of its way in one direction: a counter
LEAPS: Final = 8  # moments besides, at which a residual leaps
READINGS: Final = 1200  # that are weighed at most: means of so many instants are taken that it is so


def weighed(case: Case, record: Excerpt, onsets: list[int]) -> Told:
    """Weigh every explanation of a record."""
    met = residuals(case.problem, record)
    mean = met.mean[0][:, : len(case.problem.model.states)]
    moments, by = _moments(record, onsets, met.off[0]), strikes_of(case, record.p)
    tried, evidence = _evidence(case, record, mean, moments, by)
    found = evidence.weighed([one.signs for one in tried.tries])
    named = [tried.named(one, weight, evidence) for one, weight in zip(tried.tries, found, strict=True)]
    rare = [_rare(one, len(moments)) for one in named]
    sizes = [_size(one, weight, by) for one, weight in zip(named, found, strict=True)]
    return Told([Try(*one[:4]) for one in named], np.array([w.score for w in found]) + rare, sizes)


def _rare(one: Sign, moments: int) -> float:
    """Give the logarithm of how likely an explanation is before it is looked at, next to others of the same suspect."""
    if one.how in ("together", "span", "influenced"):
        return math.log(SEVERAL)
    return -math.log(moments) if one.how == "bent" and one.onset else 0.0  # it may have begun at any of them; one is tried


def _size(one: Sign, weight: Weight, strikes: Mapping[str, float]) -> tuple[float, float]:
    if one.how not in MOVES:
        return math.nan, math.nan
    by = strikes[one.place]
    return float(weight.mean.sum()) * by, math.sqrt(max(float(weight.covariance.sum()), 0.0)) * by


def _moments(record: Excerpt, onsets: list[int], off: Vector) -> list[int]:
    """Give from when on faults are tried: what was so before all that is judged is not told from a law that bends."""
    sure = np.abs(np.nan_to_num(off))
    sure[:LEFT_OUT] = 0.0
    leaps = np.argsort(-sure.max(1), kind="stable")[:LEAPS]  # a sensor that is suddenly off leaps, and then only
    return sorted({k for k in (*onsets, *even(len(record.y)), *map(int, leaps)) if k >= LEFT_OUT})


def _moving(case: Case) -> list[str]:
    """Give what a model may bend with: what moved to and fro in a good time, and is read.

    A state that no sensor shows moves with whatever is wrong, and what only grows (a counter) with the time: both would
    excuse everything.
    """
    model, usual, good, shown = case.problem.model, case.usual, case.day or case.good, _read(case)
    read = [name in shown for name in model.states]
    spread = np.concatenate((usual.states_spread * read, usual.inputs_spread * (_one_way(good.u) < COUNTS)))
    return [name for name, far in zip((*model.states, *model.inputs), spread, strict=True) if far > 0]


def _read(case: Case) -> list[str]:
    """Give the states that a sensor shows."""
    outputs, y = case.problem.model.outputs, (case.day or case.good).y
    return [name for name in case.problem.model.states if name in outputs and bool(np.isfinite(y[:, outputs.index(name)]).any())]


def _one_way(u: Vector) -> Vector:
    """Give how much of all that inputs moved they moved in one direction, 0 to 1 [inputs]."""
    each = np.diff(u, axis=0)
    whole = np.abs(each).sum(0)
    found: Vector = np.divide(np.abs(each.sum(0)), whole, out=np.zeros_like(whole), where=whole > 0)
    return found


def _evidence(case: Case, record: Excerpt, mean: Vector, moments: list[int], by: Mapping[str, float]) -> tuple[Explanations, Evidence]:
    """Say what is tried of a record, and make its residuals and what each strike does to them white."""
    problem, process = case.problem, tuple(case.process)
    model, many = problem.model, len(record.y)
    known = [i for i in range(len(model.outputs)) if np.isfinite(record.y[:, i]).any()]
    every = max(1, math.ceil((many - LEFT_OUT) * len(known) / READINGS))

    def seen(one: Excerpt, struck: Sequence[Strike]) -> tuple[Vector, Vector]:
        placed_p = placed(model, case.usual, one.p, process)
        off, signs = signatures(problem, process, replace(one, p=placed_p), by, struck)
        return _blocks(off[None, :, known], every)[0], _blocks(signs[:, :, known], every)

    biases = [f"bias/{model.outputs[i]}" for i in known]
    places = [*biases, *(f"source/{name}" for name in model.states), *process]
    pieces = [one for place in places for one in strikes(place, many, every)]
    moving = {name: Way.of(name, case, record, mean) for name in _moving(case)}
    wearing = [Strike(name, FAULT, 0) for name in process]
    told = [*biases, *(f"source/{name}" for name in _read(case))]
    usual = [Strike(place, f"bend/{name}{more}", 0) for place in told for name in moving for more in ("", " squared")]  # by turns
    own = np.array([told.index(one.place) for one in usual], np.intp)
    those = [*pieces, *usual, *wearing]
    (off, signs), (then, bent_then) = seen(record, those), seen(case.day or case.good, usual)
    signature = dict(zip(those, signs.reshape(len(signs), -1), strict=True))
    answer = answers(signature, places, many, every)
    wrong = errors(then)
    expected, spread = _usual_bends(then, bent_then, own, wrong, len(off))
    ways = [(place, name) for place in told for name in moving]
    farther = _stacked([answer.to(place, moving[name].beyond) for place, name in ways], off.size)
    curved = _stacked([answer.to(place, moving[name].squared_beyond) for place, name in ways], off.size)
    bend = _stacked([signature[one] for one in usual], off.size)
    bend[:, 0::2] -= farther  # as far as it was seen
    bend[:, 1::2] -= curved
    struck = dict(zip(ways, zip(bend.T[0::2], bend.T[1::2], farther.T, strict=True), strict=True))
    wears = _stacked([signature[one] for one in wearing], off.size)
    covariance = wrong.covariance(len(off), DRIFT) + bend @ spread @ bend.T + WEARS**2 * (wears @ wears.T) + FARTHER**2 * (farther @ farther.T)
    residual = np.nan_to_num(off - wrong.mean).reshape(-1) - bend @ expected
    tried = Explanations(answer, moments, process)
    should = Should.of(case, record, known)
    for place in places:
        tried.place(place)
        for name, way in moving.items():
            tried.bend(place, name, way, struck.get((place, name), ()))
            tried.beyond(place, name, way, (other.seen for of, other in moving.items() if of != name))
            if place in biases and name in model.inputs:
                tried.influenced(place, way)
    for place, output in zip(biases, known, strict=True):
        # of a state, a slow sensor is not told from a balance that is slower than the model has it
        tried.sensor(place, output, should, by[place], () if model.outputs[output] in model.states else LAGS)
    tried.together()
    tried.all_bend()
    return tried, Evidence.of(residual, tried.signatures, covariance)


def _usual_bends(off: Vector, bent: Vector, own: npt.NDArray[np.intp], wrong: Errors, many: int) -> tuple[Vector, Vector]:
    """Learn how the model usually bends, of a good time cut into pieces as long as what is judged."""
    from scipy.linalg import solve_triangular

    length = min(many, len(off))
    root = np.linalg.cholesky(wrong.covariance(length))
    pieces = [slice(end - length, end) for end in range(len(off), length - 1, -length)]
    left = [np.nan_to_num(off[one] - wrong.mean).reshape(-1) for one in pieces]
    white = [solve_triangular(root, np.column_stack((r, _columns(bent[:, one]))), lower=True)
             for r, one in zip(left, pieces, strict=True)]  # fmt: skip
    both = np.concatenate(white)
    return bends(both[:, 0], both[:, 1:], own)


def _stacked(columns: Sequence[Vector], many: int) -> Vector:
    return np.stack(columns, 1) if columns else np.zeros((many, 0))


def _blocks(off: Vector, every: int) -> Vector:
    """Give means over so many instants, of what is left after the filter found its feet [..., instants, outputs]; 0 for what is none."""
    kept = off[:, LEFT_OUT:]
    many = kept.shape[1] // every
    cut = np.nan_to_num(kept[:, kept.shape[1] - many * every :])
    found: Vector = cut.reshape(len(off), many, every, -1).mean(2)
    return found


def _columns(signs: Vector) -> Vector:
    return signs.reshape(len(signs), -1).T
