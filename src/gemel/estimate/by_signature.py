"""Who is wrong by signatures in the residuals of one filter, made white by how wrong the model usually is.

Every explanation (this sensor is off since then; this balance does not close since then; the model bends there) has its
signature in the residuals, and its likelihood, with the size of the fault integrated out, is its weight: the generalised likelihood
ratio of Willsky, A. S., Jones, H. L. (1976) with a prior in place of the maximum. The moment is unknown too: several are
tried and averaged. How wrong the model usually is (`usual_errors`) is learned from a long record of a time when all was right:
without it each of its small errors were overwhelming evidence of whatever resembles it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.estimate.accused import MOVES, Case, Suspect, Told, Try, strikes_of
from gemel.estimate.bank import Excerpt
from gemel.estimate.evidence import Evidence, Explanation, Weight
from gemel.estimate.residuals import LEFT_OUT, residuals
from gemel.estimate.signatures import Strike, signatures
from gemel.estimate.suspects import FAULT, placed, ways
from gemel.estimate.usual_errors import DRIFT, Errors, bends, errors

Vector = npt.NDArray[np.float64]
BEND: Final = 0.5
"""A wrong model is expected to be wrong by this share of a fault where the machine is unusually far out."""
CURVED: Final = 0.3  # of a bend, its square
SQUARED: Final = " squared"
DRIFTED: Final = 2.0  # of a fault, how far it has drifted evenly in the end
WALK: Final = 0.2  # of a fault, how far it walks from moment to moment
SEVERAL: Final = 0.02
"""So likely, next to one, is that several parameters of the process change at once."""
WEARS: Final = 0.1  # of a change of the process that would be a fault, it may have changed as usual
MOMENTS: Final = 12  # from which on faults are tried, beside those where the evidence began
COUNTS: Final = 0.9  # of its way in one direction: a counter
LEAPS: Final = 8  # moments besides, at which a residual leaps
READINGS: Final = 1200  # that are weighed at most: means of so many instants are taken that it is so


class _Sign(NamedTuple):
    suspect: Suspect
    how: str
    place: str
    onset: int
    signs: Explanation


def weighed(case: Case, record: Excerpt, onsets: list[int]) -> Told:
    """Weigh every explanation of a record."""
    those = _struck(case, record, sorted({*onsets, *_leaps(case, record)}))
    evidence = _evidence(case, record, those)
    tries = _tries(case, those)
    found = evidence.weighed([one.signs for one in tries])
    named = [_named(one, weight, evidence, those) for one, weight in zip(tries, found, strict=True)]
    several = [math.log(SEVERAL) if one.how == "together" else 0.0 for one in named]
    strikes = strikes_of(case, record.p)
    sizes = [_size(one, weight, strikes) for one, weight in zip(named, found, strict=True)]
    return Told([Try(*one[:4]) for one in named], np.array([w.score for w in found]) + several, sizes)


def _size(one: _Sign, weight: Weight, strikes: Mapping[str, float]) -> tuple[float, float]:
    if one.how not in MOVES:
        return math.nan, math.nan
    by = strikes[one.place]
    return float(weight.mean.sum()) * by, math.sqrt(max(float(weight.covariance.sum()), 0.0)) * by


def _struck(case: Case, record: Excerpt, onsets: list[int]) -> list[Strike]:
    """Give what is struck: each place that tells, evenly from several moments on, and as a bend of each way."""
    model, many = case.problem.model, len(record.y)
    known = [f"bias/{name}" for i, name in enumerate(model.outputs) if np.isfinite(record.y[:, i]).any()]
    told = [*known, *(f"source/{name}" for name in model.states), *case.process]
    apart = max((many - LEFT_OUT) // MOMENTS, 1)
    even = range(LEFT_OUT, many, apart)
    # what was so before all that is judged is not told from a law that bends: it was asked for when it began
    since = sorted({k for k in (*onsets, *even) if k >= LEFT_OUT})
    steps = [Strike(place, FAULT, k) for place in told for k in since]
    gains = [Strike(place, FAULT, k, gain=True) for place in known for k in since]
    growing = [Strike(place, FAULT, k, apart) for place in told for k in even] if apart > 1 else []
    drifting = [Strike(place, FAULT, k, many - k, True) for place in told for k in even[:-1]]
    before = [Strike(name, FAULT, 0) for name in case.process]
    return before + steps + gains + growing + drifting + [Strike(place, way, 0) for place in told for way in _moving(case)]


def _leaps(case: Case, record: Excerpt) -> list[int]:
    """Give the moments at which a residual leaps: a sensor that is suddenly off does, and then only."""
    off = np.abs(np.nan_to_num(residuals(case.problem, record).off[0]))
    off[:LEFT_OUT] = 0.0
    return [int(k) for k in np.argsort(-off.max(1), kind="stable")[:LEAPS]]


def _moving(case: Case) -> list[str]:
    """Give the ways in which a model may bend: by what moved to and fro in a good time, and is read.

    A state that no sensor shows moves with whatever is wrong, and what only grows (a counter) with the time: both would
    excuse everything.
    """
    model, usual, good, shown = case.problem.model, case.usual, case.day or case.good, _read(case)
    read = [name in shown for name in model.states]
    spread = np.concatenate((usual.states_spread * read, usual.inputs_spread * (_one_way(good.u) < COUNTS)))
    return [way for way, far in zip(ways(model), [*spread, *spread], strict=True) if far > 0]


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


def _tries(case: Case, those: Sequence[Strike]) -> list[_Sign]:
    """Give the explanations: a sensor, a balance or a parameter since a moment; all parameters since then; a bend."""
    steps, growing = dict[str, dict[int, int]](), dict[str, list[tuple[int, int]]]()
    bent, tries = dict[tuple[str, str], list[tuple[int, float]]](), list[_Sign]()
    for i, one in enumerate(those):
        if one.gain:
            tries.append(_Sign(_suspect(one.place), "gain", one.place, one.since, Explanation([i], [1.0])))
        elif one.way == FAULT and one.over == 1 and not one.gain:
            steps.setdefault(one.place, {})[one.since] = i
        elif one.way == FAULT and one.ends:
            tries.append(_Sign(_suspect(one.place), "drifting", one.place, one.since, Explanation([i], [DRIFTED])))
        elif one.way == FAULT and not one.gain:
            growing.setdefault(one.place, []).append((i, one.since + one.over))
        elif one.way != FAULT:
            size = BEND if not one.way.endswith(SQUARED) else BEND * CURVED
            bent.setdefault((one.place, one.way.removesuffix(SQUARED)), []).append((i, size))
    for since in sorted({k for mine in steps.values() for k in mine if k >= LEFT_OUT}):
        together: list[Explanation] = []
        for place, mine in steps.items():
            suspect, step = _suspect(place), mine[since]
            after = [i for i, ends in growing.get(place, []) if ends > since]
            walk = Explanation([step, *after], [1.0, *[WALK] * len(after)])
            tries += [_Sign(suspect, "off" if suspect.kind == "sensor" else "changed", place, since, Explanation([step], [1.0])),
                      _Sign(suspect, "drifting", place, since, walk)]  # fmt: skip
            if place.startswith("source/"):  # it befell the machine, and is over
                over = [i for k, i in mine.items() if k > since]
                tries += [_Sign(suspect, "changed", place, since, Explanation([step, end], [1.0, 1.0])) for end in over]
            together += [walk] if place in case.process else []
        if len(together) > 1:
            tries.append(_Sign(Suspect("process", ""), "changed", "", since, _joined(together)))
    alike = dict[str, list[Explanation]]()
    for (place, way), of in bent.items():
        signs = Explanation([i for i, _ in of], [size for _, size in of])
        tries.append(_Sign(Suspect("model", place), "bent", place, 0, signs))
        if place.startswith("bias/"):
            alike.setdefault(way, []).append(signs)
    return tries + [_Sign(Suspect("model", "dynamics"), "bent", "", 0, _joined(some)) for some in alike.values()]


def _joined(those: Sequence[Explanation]) -> Explanation:
    return Explanation([i for one in those for i in one.places], [size for one in those for size in one.sizes])


def _suspect(place: str) -> Suspect:
    return Suspect("sensor", place.removeprefix("bias/")) if place.startswith("bias/") else Suspect("process", place)


def _named(one: _Sign, weight: Weight, evidence: Evidence, those: Sequence[Strike]) -> _Sign:
    """Name what changed together by what did most of it."""
    if one.suspect != Suspect("process", ""):
        return one
    told = dict[str, float]()
    for i, size in zip(one.signs.places, weight.mean, strict=True):
        told[those[i].place] = told.get(those[i].place, 0.0) + float(size) ** 2 * float(evidence.products[i, i])
    return one._replace(suspect=Suspect("process", max(told, key=lambda place: told[place])), how="together")


def _evidence(case: Case, record: Excerpt, those: Sequence[Strike]) -> Evidence:
    """Make the residuals of a record white, and what each strike does to them."""
    problem, process = case.problem, tuple(case.process)
    strikes = strikes_of(case, record.p)
    known = [i for i in range(len(problem.model.outputs)) if np.isfinite(record.y[:, i]).any()]
    every = max(1, math.ceil((len(record.y) - LEFT_OUT) * len(known) / READINGS))

    def seen(one: Excerpt, struck: Sequence[Strike]) -> tuple[Vector, Vector]:
        placed_p = placed(problem.model, case.usual, one.p, process)
        off, signs = signatures(problem, process, replace(one, p=placed_p), strikes, struck)
        return _blocks(off[None, :, known], every)[0], _blocks(signs[:, :, known], every)

    at = {one: i for i, one in enumerate(those)}
    told = [*(f"bias/{problem.model.outputs[i]}" for i in known), *(f"source/{name}" for name in _read(case))]
    usual = [one for one in those if one.way != FAULT and one.place in told]
    own = np.array([told.index(one.place) for one in usual], np.intp)
    (off, signs), (then, bent) = seen(record, those), seen(case.day or case.good, usual)
    wrong, many = errors(then), len(off)
    signature = _columns(signs)
    expected, spread = _usual_bends(then, bent, own, wrong, many)
    bending = signature[:, [at[one] for one in usual]]
    wears = signature[:, [at[Strike(name, FAULT, 0)] for name in process]] * WEARS
    covariance = wrong.covariance(many, DRIFT) + bending @ spread @ bending.T + wears @ wears.T
    residual = np.nan_to_num(off - wrong.mean).reshape(-1) - bending @ expected
    return Evidence.of(residual, signature, covariance)


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


def _blocks(off: Vector, every: int) -> Vector:
    """Give means over so many instants, of what is left after the filter found its feet [..., instants, outputs]; 0 for what is none."""
    kept = off[:, LEFT_OUT:]
    many = kept.shape[1] // every
    cut = np.nan_to_num(kept[:, kept.shape[1] - many * every :])
    found: Vector = cut.reshape(len(off), many, every, -1).mean(2)
    return found


def _columns(signs: Vector) -> Vector:
    return signs.reshape(len(signs), -1).T
