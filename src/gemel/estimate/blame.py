"""Who is wrong: sensor, process or dynamic model, by how well each explains what was read.

Every explanation (this sensor is off since then; this balance does not close since then; the model bends there) has its
signature in the residuals, and its likelihood, with the size of the fault integrated out, is its weight: the generalised likelihood
ratio of Willsky, A. S., Jones, H. L. (1976) with a prior in place of the maximum. The moment is unknown too: several are
tried and averaged. The residuals are made white first by how wrong the model usually is (`usual_errors`), or each of its
small errors were overwhelming evidence of whatever resembles it.
What a sensor's own readings say of it (`symptoms`) counts before all of them: no machine does that to one sensor alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.dynamics import maths
from gemel.estimate.bank import Excerpt, Weighed, explain
from gemel.estimate.evidence import Evidence, Explanation, Weight
from gemel.estimate.fired import Fired, fired
from gemel.estimate.problem import Problem
from gemel.estimate.residuals import LEFT_OUT, Raised, alone
from gemel.estimate.signatures import Strike, signatures
from gemel.estimate.structure import structure
from gemel.estimate.suspects import FAULT, Usual, placed, ways
from gemel.estimate.symptoms import symptoms
from gemel.estimate.usual_errors import DRIFT, Errors, bends, errors

Vector = npt.NDArray[np.float64]
KINDS: Final[Mapping[str, float]] = {"sensor": 0.45, "process": 0.35, "model": 0.2}
"""How often each kind is to blame before anything is looked at."""
ONSETS: Final = 6
SHARE: Final = 0.1
"""A fault is expected to be of this share of what it strikes."""
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
READINGS: Final = 1200  # that are weighed at most: means of so many instants are taken that it is so
SURE: Final = 4.0
"""Powers of ten by which somebody must explain the readings better than "nothing is wrong", to be blamed at all."""
MOVES: Final = frozenset({"off", "drifting", "changed"})
DOUBT: Final = 0.1
"""So much less likely is who cannot have made a residual fire that did, for each such residual."""


class Suspect(NamedTuple):
    """Who may be wrong: the kind (`sensor`, `process`, `model`) and which one."""

    kind: str
    name: str


@dataclass(frozen=True, eq=False)
class Case:
    """What is known where somebody may be wrong.

    Args:
        problem: with noises fitted to a time when all was right.
        usual: where the machine worked then.
        readings: means of the outputs then [outputs].
        good: a record of that time, as long as those to be judged: what explains it too explains nothing.
        process: parameters that change where the process does (leak, wear), with the change to be expected.
        day: a longer record of such a time, where there is one: how wrong the model usually is, is learned from it.
    """

    problem: Problem
    usual: Usual
    readings: Vector
    good: Excerpt
    process: Mapping[str, float] = field(default_factory=dict)
    day: Excerpt | None = None


@dataclass(frozen=True)
class Verdict:
    """Who is wrong, how probably, and why.

    Args:
        suspects: with their probabilities, most probable first.
        how: in which manner the first is wrong (`off`, `drifting`, `noisy`, `stuck`, `slow`, `changed`, `together` with others, `bent`).
        onset: number of the instant since when.
        size: of the fault at the end and its standard deviation, in the unit of what it strikes; NaN where it has none.
        against: logarithm (base 10) of how many times better than "nothing is wrong" the first explains the readings.
        fired: which residuals of the structural matrix left their band.
    """

    suspects: tuple[tuple[Suspect, float], ...]
    how: str
    onset: int
    size: tuple[float, float]
    against: float
    fired: Fired

    @property
    def first(self) -> Suspect:
        """The most probable."""
        return self.suspects[0][0]

    def of_kind(self, kind: str) -> float:
        """Give the probability of a kind."""
        return sum(p for suspect, p in self.suspects if suspect.kind == kind)


class _Try(NamedTuple):
    suspect: Suspect
    how: str
    place: str  # what is struck, or ""
    onset: int
    signs: Explanation


def blame(case: Case, record: Excerpt, found: Raised) -> Verdict:
    """Weigh every explanation of a record whose residuals left their band."""
    tries, weights = weighed(case, record, _onsets(found, len(record.y)))
    shape = structure(case.problem.model, case.usual, record.p, tuple(case.process))
    silent = fired(case.problem, shape, record, case.good)
    scores = np.array([one.score for one in weights]) + [_doubt(one, silent) for one in tries]
    scores += [math.log(SEVERAL) if one.how == "together" else 0.0 for one in tries]
    strikes = _strikes(case, record.p)
    sizes = [_size(one, weight, strikes) for one, weight in zip(tries, weights, strict=True)]
    return _verdict(*_symptomatic(case, record, tries, scores, sizes), silent)


def _size(one: _Try, weight: Weight, strikes: Mapping[str, float]) -> tuple[float, float]:
    if one.how not in MOVES:
        return math.nan, math.nan
    by = strikes[one.place]
    return float(weight.mean.sum()) * by, math.sqrt(max(float(weight.covariance.sum()), 0.0)) * by


def _symptomatic(
    case: Case, record: Excerpt, tries: list[_Try], scores: Vector, sizes: list[tuple[float, float]]
) -> tuple[list[_Try], Vector, list[tuple[float, float]]]:
    """Give what is tried with what the readings themselves say: the better of all else, and that evidence more."""
    outputs, top = case.problem.model.outputs, float(np.max(scores, initial=-1e9, where=np.isfinite(scores)))
    found = symptoms(record.y, case.good.y)
    more = [_Try(Suspect("sensor", outputs[one.output]), one.how, "", one.onset, Explanation((), ())) for one in found]
    return [*tries, *more], np.append(scores, [top + one.sum for one in found]), sizes + [(math.nan, math.nan)] * len(more)


def _doubt(one: _Try, found: Fired) -> float:
    place = one.place or (f"bias/{one.suspect.name}" if one.suspect.kind == "sensor" else "")
    return math.log(DOUBT) * found.contradicted(place) if place else 0.0


def substituted(problem: Problem, record: Excerpt, output: int, since: int) -> Weighed:
    """Filter a record without listening to an output from an instant on: what is believed meanwhile."""
    one = alone(problem, record.p)
    one.seen[0, output] = False
    return explain(problem, one._replace(onset=np.array([since])), record)


def _onsets(found: Raised, instants: int) -> list[int]:
    """Give moments to be tried, around where the sum of evidence began to grow."""
    end = found.at if found.at >= 0 else instants - 1
    begin = max(2, min(found.onset, end) - max(10, (end - found.onset) // 2))
    return [int(k) for k in np.linspace(begin, max(begin + ONSETS, end - 3), ONSETS)]


# ---- what is tried


def weighed(case: Case, record: Excerpt, onsets: list[int]) -> tuple[list[_Try], list[Weight]]:
    """Give all that is tried, and how well it explains a record."""
    those = _struck(case, record, onsets)
    evidence = _evidence(case, record, those)
    tries = _tries(case, those)
    found = evidence.weighed([one.signs for one in tries])
    return [_named(one, weight, evidence, those) for one, weight in zip(tries, found, strict=True)], found


def _struck(case: Case, record: Excerpt, onsets: list[int]) -> list[Strike]:
    """Give what is struck: each place that tells, evenly from several moments on, and as a bend of each way."""
    model, many = case.problem.model, len(record.y)
    known = [f"bias/{name}" for i, name in enumerate(model.outputs) if np.isfinite(record.y[:, i]).any()]
    told = [*known, *(f"source/{name}" for name in model.states), *case.process]
    apart = max((many - LEFT_OUT) // MOMENTS, 1)
    even = range(LEFT_OUT, many, apart)
    steps = [Strike(place, FAULT, k) for place in told for k in sorted({0, *onsets, *even})]
    growing = [Strike(place, FAULT, k, apart) for place in told for k in even] if apart > 1 else []
    drifting = [Strike(place, FAULT, k, many - k, True) for place in told for k in even[:-1]]
    return steps + growing + drifting + [Strike(place, way, 0) for place in told for way in _moving(case)]


def _moving(case: Case) -> list[str]:
    """Give the ways in which a model may bend: by what moved in a good time."""
    model, usual = case.problem.model, case.usual
    spread = [*usual.states_spread.tolist(), *usual.inputs_spread.tolist()]
    return [way for way, far in zip(ways(model), spread + spread, strict=True) if far > 0]


def _tries(case: Case, those: Sequence[Strike]) -> list[_Try]:
    """Give the explanations: a sensor, a balance or a parameter since a moment; all parameters since then; a bend."""
    steps, growing = dict[str, dict[int, int]](), dict[str, list[tuple[int, int]]]()
    bent, tries = dict[tuple[str, str], list[tuple[int, float]]](), list[_Try]()
    for i, one in enumerate(those):
        if one.way == FAULT and one.over == 1:
            steps.setdefault(one.place, {})[one.since] = i
        elif one.way == FAULT and one.ends:
            tries.append(_Try(_suspect(one.place), "drifting", one.place, one.since, Explanation([i], [DRIFTED])))
        elif one.way == FAULT:
            growing.setdefault(one.place, []).append((i, one.since + one.over))
        else:
            size = BEND if not one.way.endswith(SQUARED) else BEND * CURVED
            bent.setdefault((one.place, one.way.removesuffix(SQUARED)), []).append((i, size))
    for since in sorted({k for mine in steps.values() for k in mine if k >= LEFT_OUT or not k}):
        together: list[Explanation] = []
        for place, mine in steps.items():
            suspect, step = _suspect(place), mine[since]
            after = [i for i, ends in growing.get(place, []) if ends > since]
            walk = Explanation([step, *after], [1.0, *[WALK] * len(after)])
            tries += [_Try(suspect, "off" if suspect.kind == "sensor" else "changed", place, since, Explanation([step], [1.0])),
                      _Try(suspect, "drifting", place, since, walk)]  # fmt: skip
            together += [walk] if place in case.process else []
        if len(together) > 1:
            tries.append(_Try(Suspect("process", ""), "changed", "", since, _joined(together)))
    alike = dict[str, list[Explanation]]()
    for (place, way), of in bent.items():
        signs = Explanation([i for i, _ in of], [size for _, size in of])
        tries.append(_Try(Suspect("model", place), "bent", place, 0, signs))
        if place.startswith("bias/"):
            alike.setdefault(way, []).append(signs)
    return tries + [_Try(Suspect("model", "dynamics"), "bent", "", 0, _joined(some)) for some in alike.values()]


def _joined(those: Sequence[Explanation]) -> Explanation:
    return Explanation([i for one in those for i in one.places], [size for one in those for size in one.sizes])


def _suspect(place: str) -> Suspect:
    return Suspect("sensor", place.removeprefix("bias/")) if place.startswith("bias/") else Suspect("process", place)


def _named(one: _Try, weight: Weight, evidence: Evidence, those: Sequence[Strike]) -> _Try:
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
    strikes = _strikes(case, record.p)
    every = max(1, math.ceil((len(record.y) - LEFT_OUT) * len(problem.model.outputs) / READINGS))

    def seen(one: Excerpt, struck: Sequence[Strike]) -> tuple[Vector, Vector]:
        placed_p = placed(problem.model, case.usual, one.p, process)
        off, signs = signatures(problem, process, replace(one, p=placed_p), strikes, struck)
        return _blocks(off[None], every)[0], _blocks(signs, every)

    at = {one: i for i, one in enumerate(those)}
    usual = [one for one in those if one.way != FAULT and one.place.startswith("bias/")]
    own = np.array([problem.model.outputs.index(one.place.removeprefix("bias/")) for one in usual], np.intp)
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


def _strikes(case: Case, p: Vector) -> dict[str, float]:
    """Give the magnitude that is expected of a fault of each place, in the unit of the place."""
    model, sensor = case.problem.model, case.problem.noise.sensor
    biases = zip(model.outputs, np.abs(case.readings), sensor, strict=True)
    sources = zip(model.states, throughput(case, p), strict=True)
    return {
        **{f"bias/{name}": float(SHARE * scale + 4 * noise) for name, scale, noise in biases},
        **{f"source/{name}": float(SHARE * scale) for name, scale in sources},
        **case.process,
    }


# ---- magnitudes


def throughput(case: Case, p: Vector) -> Any:
    """Give how much goes through each balance per second where the machine usually works [states]."""
    import jax

    maths.loaded()
    model, usual = case.problem.model, case.usual
    by_x, by_u = jax.jacfwd(lambda x, u: model.rate(0.0, x, u, p), (0, 1))(usual.states, usual.inputs)
    through = np.abs(by_x) @ np.abs(usual.states) + np.abs(by_u) @ np.abs(usual.inputs)
    own = np.abs(np.diagonal(by_x)) * np.abs(
        usual.states
    )  # where large terms cancel, what the state itself lets through
    return np.maximum(np.where(own > 0, np.minimum(own, through), through), case.problem.noise.state)


# ---- weighing


def _verdict(
    tries: list[_Try], likelihoods: Vector, sizes: list[tuple[float, float]], found: Fired
) -> Verdict:
    scores = np.where(np.isfinite(likelihoods), likelihoods, -np.inf)
    suspects = list(dict.fromkeys(one.suspect for one in tries))
    logs = []
    for suspect in suspects:
        mine = [s for one, s in zip(tries, scores, strict=True) if one.suspect == suspect]
        kind = sum(other.kind == suspect.kind for other in suspects)
        logs.append(_logmeanexp(mine) + math.log(KINDS[suspect.kind] / kind))
    weights = np.exp(np.array(logs) - max(logs))
    order = np.argsort(-weights)
    ranked = tuple((suspects[i], float(weights[i] / weights.sum())) for i in order)
    best = max((i for i, one in enumerate(tries) if one.suspect == ranked[0][0]), key=lambda i: scores[i])
    against = float(scores[best]) / math.log(10)
    return Verdict(ranked, tries[best].how, tries[best].onset, sizes[best], against, found)


def _logmeanexp(values: list[Any]) -> float:
    top = max(values)
    return (
        top + math.log(sum(math.exp(v - top) for v in values) / len(values)) if math.isfinite(top) else -1e300
    )
