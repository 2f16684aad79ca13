"""Which residuals of the structural matrix fired: each is a filter that knows only its own equations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.bank import Excerpt, Explanations, explain
from gemel.estimate.problem import Problem
from gemel.estimate.residuals import alone, band, raised
from gemel.estimate.structure import Structure

Vector = npt.NDArray[np.float64]
FREE: Final = 100.0
"""A balance that a residual does not use is let walk so many times as far as its own noise."""


@dataclass(frozen=True, eq=False)
class Fired:
    """The residuals of a structure against the readings.

    Args:
        structure: what they are made of.
        fired: which left their band [residuals].
    """

    structure: Structure
    fired: npt.NDArray[np.bool_]

    def contradicted(self, place: str) -> int:
        """Give how many fired residuals know nothing of a place: were it alone to blame, they would be silent."""
        known = self.structure.signatures[:, self.structure.places.index(place)]
        return int(np.sum(self.fired & ~known))


def fired(problem: Problem, structure: Structure, record: Excerpt, good: Excerpt) -> Fired:
    """Tell which residuals of a record left the band that they keep in a time when all was right."""
    those = _each(problem, structure, record)
    now, then = (explain(problem, those, r).off for r in (record, good))
    told = [raised(mine, band(usual)).at >= 0 for mine, usual in (_there(*pair) for pair in zip(now, then, strict=True))]
    return Fired(structure, np.array(told, bool))


def nothing_fired() -> Fired:
    """Give what fired where no residuals can be formed: nothing."""
    nothing = np.zeros((0, 0), np.bool_)
    return Fired(Structure((), nothing, (), nothing), np.zeros(0, np.bool_))


def _each(problem: Problem, structure: Structure, record: Excerpt) -> Explanations:
    states = len(problem.model.states)
    many = Explanations(*(np.repeat(part, len(structure.residuals), 0) for part in alone(problem, record.p)))
    many.seen[:] = structure.residuals[:, states:]
    many.walk[:, :states] *= np.where(structure.residuals[:, :states], 1.0, FREE)
    return many._replace(onset=np.zeros(len(many.seen), np.int64))


def _there(now: Vector, then: Vector) -> tuple[Vector, Vector]:
    """Give, of the innovations of a residual, those of the outputs that both times have readings of."""
    both = np.isfinite(now).any(0) & np.isfinite(then).any(0)
    return now[:, both], then[:, both]
