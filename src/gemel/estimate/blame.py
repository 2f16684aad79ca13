"""Who is wrong: sensor, process or dynamic model, by how well each explains what was read.

Every explanation (this sensor is off since then; this balance does not close since then; the model bends there) is a
filter of its own, and its likelihood, with the size of the fault integrated out, is its weight: the generalised likelihood
ratio of Willsky, A. S., Jones, H. L. (1976) with a prior in place of the maximum, over a bank as Magill, D. T. (1965)
has it. The moment is unknown too: several are tried and averaged. A stuck sensor tells nothing but that it repeats itself.
What a sensor's own readings say of it (`symptoms`) counts before all of them: no machine does that to one sensor alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gemel.dynamics import maths
from gemel.estimate.bank import Excerpt, Explanations, Weighed, explain
from gemel.estimate.fired import Fired, fired
from gemel.estimate.problem import Noise, Problem
from gemel.estimate.residuals import Raised, alone
from gemel.estimate.structure import structure
from gemel.estimate.suspects import FAULT, Usual, placed, places, suspected, ways
from gemel.estimate.symptoms import symptoms

Vector = npt.NDArray[np.float64]
KINDS: Final[Mapping[str, float]] = {"sensor": 0.45, "process": 0.35, "model": 0.2}
"""How often each kind is to blame before anything is looked at."""
ONSETS: Final = 6
SHARE: Final = 0.1
"""A fault is expected to be of this share of what it strikes."""
BEND: Final = 0.3
"""A wrong model is expected to be wrong by this share of a fault where the machine is unusually far out."""
MOVES: Final = frozenset({"off", "drifting", "changed"})
DOUBT: Final = 0.1
"""So much less likely is who cannot have made a residual fire that did, for each such residual."""
LOUD: Final = 5.0
STILL: Final = 0.02  # a stuck sensor moves by no more than this share of its noise


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
    """

    problem: Problem
    usual: Usual
    readings: Vector
    good: Excerpt
    process: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Who is wrong, how probably, and why.

    Args:
        suspects: with their probabilities, most probable first.
        how: in which manner the first is wrong (`off`, `drifting`, `noisy`, `stuck`, `slow`, `changed`, `bent`, `loose`).
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


def blame(case: Case, record: Excerpt, found: Raised) -> Verdict:
    """Weigh every explanation of a record whose residuals left their band."""
    onsets = _onsets(found, len(record.y))
    tries, scores, sizes = _weighed(case, record, onsets)
    usual = _weighed(case, case.good, onsets)[1]
    shape = structure(case.problem.model, case.usual, record.p, tuple(case.process))
    silent = fired(case.problem, shape, record, case.good)
    scores = scores - np.maximum(usual - usual[0], 0.0) + [_doubt(one, silent) for one in tries]
    return _verdict(*_symptomatic(case, record, tries, scores, sizes), silent)


def _symptomatic(
    case: Case, record: Excerpt, tries: list[_Try], scores: Vector, sizes: list[tuple[float, float]]
) -> tuple[list[_Try], Vector, list[tuple[float, float]]]:
    """Give what is tried with what the readings themselves say: the better of all else, and that evidence more."""
    outputs, top = case.problem.model.outputs, float(np.max(scores, initial=-1e9, where=np.isfinite(scores)))
    found = symptoms(record.y, case.good.y)
    more = [_Try(Suspect("sensor", outputs[one.output]), one.how, "", one.onset) for one in found]
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


def _weighed(
    case: Case, record: Excerpt, onsets: list[int]
) -> tuple[list[_Try], Vector, list[tuple[float, float]]]:
    """Give all that is tried, its likelihood and the size of the fault; the first is that nothing is wrong."""
    tries, strikes = _tries(case, onsets), _strikes(case, record.p)
    scores, sizes = np.empty(len(tries)), [(math.nan, math.nan)] * len(tries)
    for bent in (False, True):  # whose places bend has many more numbers to be filtered
        some = [i for i, one in enumerate(tries) if (one.how == "bent") == bent]
        mine = [tries[i] for i in some]
        scores[some], found = _filtered(case, record, mine, strikes, bent)
        for i, size in zip(some, found, strict=True):
            sizes[i] = size
    return tries, scores, sizes


def _filtered(
    case: Case, record: Excerpt, tries: list[_Try], strikes: Mapping[str, float], bent: bool
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


def _tries(case: Case, onsets: list[int]) -> list[_Try]:
    model = case.problem.model
    tries = [
        _Try(Suspect("nothing", ""), "nothing", "", 0),
        _Try(Suspect("model", "dynamics"), "loose", "", 0),
    ]
    for onset in onsets:
        for name in model.outputs:
            tries += [
                _Try(Suspect("sensor", name), how, f"bias/{name}", onset)
                for how in ("off", "drifting", "noisy", "stuck")
            ]
        for place in (*(f"source/{n}" for n in model.states), *case.process):
            tries += [_Try(Suspect("process", place), how, place, onset) for how in ("changed", "drifting")]
    return tries + [
        _Try(Suspect("model", place), "bent", place, 0) for place in places(model, tuple(case.process))
    ]


def _explanations(
    problem: Problem, tries: list[_Try], strikes: Mapping[str, float], record: Excerpt
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
    suspects = list(dict.fromkeys(one.suspect for one in tries if one.suspect.kind != "nothing"))
    logs = []
    for suspect in suspects:
        mine = [s for one, s in zip(tries, scores, strict=True) if one.suspect == suspect]
        kind = sum(other.kind == suspect.kind for other in suspects)
        logs.append(_logmeanexp(mine) + math.log(KINDS[suspect.kind] / kind))
    weights = np.exp(np.array(logs) - max(logs))
    order = np.argsort(-weights)
    ranked = tuple((suspects[i], float(weights[i] / weights.sum())) for i in order)
    best = max((i for i, one in enumerate(tries) if one.suspect == ranked[0][0]), key=lambda i: scores[i])
    nothing = next(s for one, s in zip(tries, scores, strict=True) if one.suspect.kind == "nothing")
    against = float(scores[best] - nothing) / math.log(10)
    return Verdict(ranked, tries[best].how, tries[best].onset, sizes[best], against, found)


def _logmeanexp(values: list[Any]) -> float:
    top = max(values)
    return (
        top + math.log(sum(math.exp(v - top) for v in values) / len(values)) if math.isfinite(top) else -1e300
    )
