"""Who is wrong: sensor, process or dynamic model, by how well each explains what was read.

    a record whose residuals left their band ─► every explanation weighed ─► what the readings themselves say ─► verdict

Where a long record of a time when all was right is given (`Case.day`), explanations are weighed by their signatures
(`by_signature`); else by a filter each (`by_bank`), which needs no more than a record as long as the one that is judged.
Of a model that is run as a whole each is weighed by members that it moves itself (`by_members`).
What a sensor's own readings say of it (`symptoms`) counts before all of them: no machine does that to one sensor alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel.estimate import by_bank, by_members, by_signature
from gemel.estimate.accused import Case, Suspect, Told, Try
from gemel.estimate.bank import Excerpt
from gemel.estimate.fired import Fired, fired, nothing_fired
from gemel.estimate.particles import Whole
from gemel.estimate.residuals import Raised
from gemel.estimate.structure import structure
from gemel.estimate.symptoms import symptoms

__all__ = ["SURE", "Case", "Suspect", "Verdict", "blame"]
KINDS: Final[Mapping[str, float]] = {"sensor": 0.45, "process": 0.35, "model": 0.2}
"""How often each kind is to blame before anything is looked at."""
ONSETS: Final = 6
SURE: Final = 4.0
"""Powers of ten by which somebody must explain the readings better than "nothing is wrong", to be blamed at all."""
DOUBT: Final = 0.1
"""So much less likely is who cannot have made a residual fire that did, for each such residual."""


@dataclass(frozen=True)
class Verdict:
    """Who is wrong, how probably, and why.

    Args:
        suspects: with their probabilities, most probable first.
        how: in which manner the first is wrong (`off`, `drifting`, `noisy`, `stuck`, `slow`, `gain`, `span`, `influenced`, `erratic`, `changed`, `unsteady`, `together` with others, `bent`, `loose`).
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


def blame(case: Case, record: Excerpt, found: Raised) -> Verdict:
    """Weigh every explanation of a record whose residuals left their band."""
    onsets = _onsets(found, len(record.y))
    if isinstance(case.problem, Whole):  # nobody has equations from which residuals of fewer of them could be formed
        return _verdict(_symptomatic(case, record, by_members.weighed(case, record, onsets)), nothing_fired())
    way = by_bank if case.day is None else by_signature
    told = way.weighed(case, record, onsets)
    shape = structure(case.problem.model, case.usual, record.p, tuple(case.process))
    silent = fired(case.problem, shape, record, case.day or case.good)
    told = told._replace(scores=told.scores + [_doubt(one, silent) for one in told.tries])
    return _verdict(_symptomatic(case, record, told), silent)


def _symptomatic(case: Case, record: Excerpt, told: Told) -> Told:
    """Give what is tried with what the readings themselves say: the better of all else, and that evidence more."""
    outputs, top = case.problem.model.outputs, float(np.max(told.scores, initial=0.0, where=np.isfinite(told.scores)))
    found = symptoms(record.y, case.good.y)
    more = [Try(Suspect("sensor", outputs[one.output]), one.how, "", one.onset) for one in found]
    scores = np.append(told.scores, [top + one.sum for one in found])
    return Told([*told.tries, *more], scores, told.sizes + [(math.nan, math.nan)] * len(more))


def _doubt(one: Try, found: Fired) -> float:
    place = one.place or (f"bias/{one.suspect.name}" if one.suspect.kind == "sensor" else "")
    return math.log(DOUBT) * found.contradicted(place) if place else 0.0


def _onsets(found: Raised, instants: int) -> list[int]:
    """Give moments to be tried, around where the sum of evidence began to grow."""
    end = found.at if found.at >= 0 else instants - 1
    begin = max(2, min(found.onset, end) - max(10, (end - found.onset) // 2))
    return [int(k) for k in np.linspace(begin, max(begin + ONSETS, end - 3), ONSETS)]


# ---- weighing


def _verdict(told: Told, found: Fired) -> Verdict:
    tries, scores = told.tries, np.where(np.isfinite(told.scores), told.scores, -np.inf)
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
    return Verdict(ranked, tries[best].how, tries[best].onset, told.sizes[best], against, found)


def _logmeanexp(values: list[Any]) -> float:
    top = max(values)
    return (
        top + math.log(sum(math.exp(v - top) for v in values) / len(values)) if math.isfinite(top) else -1e300
    )
