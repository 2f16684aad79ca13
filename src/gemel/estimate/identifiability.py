"""What these data can tell about which parameters, and what they cannot: asked before a fit is believed.

Brun, R., Reichert, P. and Künsch, H. R. (2001), Practical identifiability analysis of large environmental simulation
models, Water Resources Research 37(4): sensitivities scaled by the size of each parameter and by the noise, how much
each one matters (their delta-msqr), and the collinearity index gamma = 1/sqrt(smallest eigenvalue) of the normalised
sensitivities: how far a change of one parameter can be undone by the others. Initial states count among the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gemel.samples.batch import F64

CRITICAL: Final = 15.0  # Brun et al. 2001, section 3: above 10 to 15 a set is poorly identifiable
# a parameter that is told has a relative standard deviation of at most a fifth
CLEAR: Final = 5.0  # standard deviations that a change by its scale leaves when the others undo what they can
WITHIN: Final = (
    0.8  # |component| in the weakest direction that makes a parameter part of what cannot be told apart
)


@dataclass(frozen=True, eq=False)
class Identifiability:
    """What the data can tell.

    Args:
        names: of the parameters asked about.
        sensitivity: how much each moves the outputs, root mean square of standard deviations per relative change.
        collinearity: gamma of all of them together; 1 is orthogonal.
        relative_sd: standard deviation of each, relative to its scale, that these data would leave at best.
        told: those that can be told, most important first: the largest set in which each can be told beside the others.
        confused: for each that cannot be told, what the others in its weakest direction are.
        readings: how many count.
        unknowns, distinct: parameters and initial states to be found, and readings that say something of their own, where
            these are too few to tell anything; else 0.
    """

    names: tuple[str, ...]
    sensitivity: F64
    collinearity: float
    relative_sd: F64
    told: tuple[str, ...]
    confused: dict[str, tuple[str, ...]]
    readings: int
    unknowns: int = 0
    distinct: int = 0

    @property
    def all_told(self) -> bool:
        """Whether everything asked can be told."""
        return len(self.told) == len(self.names)

    def sentences(self) -> list[str]:
        """Say it in words."""
        if self.unknowns:
            found = f"{self.unknowns} numbers are to be found (parameters and initial states)"
            return [f"{self.readings} readings can tell nothing: {self.distinct} without repetition, and {found}"]
        said = [f"{self.readings} readings can tell {', '.join(self.told) or 'nothing'}"]
        if self.collinearity > CRITICAL:
            said.append(
                f"all together they are tied: collinearity index {self.collinearity:.0f}, critical above {CRITICAL:.0f}"
            )
        for name, others in self.confused.items():
            at = self.sensitivity[self.names.index(name)]
            if not others:
                said.append(
                    f"{name} cannot be told: it moves the outputs too little ({at:.2g} standard deviations of the noise)"
                )
            else:
                said.append(
                    f"{name} cannot be told apart from {', '.join(others)}: what one does the others can undo"
                )
        return said


def identifiability(
    information: F64, names: Sequence[str], scales: F64, readings: int, *, distinct: int | None = None, unknowns: int = 0
) -> Identifiability:  # fmt: skip
    """Ask what data can tell of parameters.

    Args:
        information: [m, m] reduced normal matrix over the variance of the noise (initial states already eliminated);
            the variance is larger for residuals that are not white.
        names: of the parameters.
        scales: their usual sizes, which make them comparable.
        readings: how many residuals stand behind it.
        distinct: how many of them do not just repeat another, at the same inputs; by default all.
        unknowns: parameters and initial states that were found by them; where these are as many, nothing is told.
    """
    few = (readings if distinct is None else distinct) <= unknowns
    scaled = information * np.outer(scales, scales)
    length = np.sqrt(np.maximum(np.diagonal(scaled), 0.0))
    told = [] if few else _told(scaled, length)
    confused = {
        names[j]: tuple(names[k] for k in _confused_with(scaled, length, j, told))
        for j in range(len(names))
        if j not in told
    }
    return Identifiability(
        tuple(names), length / np.sqrt(max(readings, 1)), collinearity(scaled, length), _relative_sd(scaled),
        tuple(names[j] for j in told), confused, readings, *((unknowns, distinct or 0) if few else ()),
    )  # fmt: skip


def collinearity(scaled: F64, length: F64) -> float:
    """Give the collinearity index of the columns whose Gram matrix is `scaled`; infinite where one is zero."""
    if not len(length):
        return 1.0
    if (length <= 0).any():
        return float("inf")
    smallest = float(np.linalg.eigvalsh(scaled / np.outer(length, length))[0])
    return float("inf") if smallest <= 1e-16 else 1 / float(np.sqrt(smallest))


def _told(scaled: F64, length: F64) -> list[int]:
    """Add one after the other, the one whose part that the others cannot undo is largest, while all stay clear."""
    told: list[int] = []
    candidates = [j for j in range(len(length)) if length[j] > CLEAR]
    while candidates:
        rest = {j: _own_part(scaled, told, j) for j in candidates}
        best = max(rest, key=lambda j: rest[j])
        chosen = [*told, best]
        if not all(_own_part(scaled, [k for k in chosen if k != j], j) > CLEAR for j in chosen):
            candidates.remove(best)
            continue
        told, candidates = chosen, [j for j in candidates if j != best]
    return told


def _own_part(scaled: F64, others: list[int], j: int) -> float:
    if not others:
        return float(np.sqrt(scaled[j, j]))
    among = scaled[np.ix_(others, others)]
    left = scaled[j, j] - scaled[j, others] @ np.linalg.pinv(among, hermitian=True) @ scaled[others, j]
    return float(np.sqrt(max(left, 0.0)))


def _confused_with(scaled: F64, length: F64, j: int, told: list[int]) -> list[int]:
    if length[j] <= CLEAR or not told:
        return []
    weights = np.linalg.pinv(scaled[np.ix_(told, told)], hermitian=True) @ scaled[told, j]
    shares = np.abs(weights) * length[told] / length[j]
    return [told[k] for k in np.argsort(-shares) if shares[k] >= (1 - WITHIN)]


def _relative_sd(scaled: F64) -> F64:
    values, vectors = np.linalg.eigh(scaled)
    inverse = np.where(values > 1e-12 * max(float(values.max(initial=0.0)), 1e-300), values, 0.0)
    variances = ((vectors**2) / np.where(inverse > 0, inverse, np.nan)).T
    return np.asarray(
        np.sqrt(
            np.where(
                np.isnan(variances).any(axis=0) & (vectors.T[inverse <= 0] ** 2 > 1e-6).any(axis=0),
                np.inf,
                np.nansum(variances, axis=0),
            )
        )
    )
