"""Minimal structurally overdetermined sets: the smallest sets of equations that hold fewer unknowns than they are.

Krysander, M., Åslund, J., Nyberg, M. (2008), An efficient algorithm for finding minimal overconstrained subsystems for
model-based diagnosis. What is special here makes it short: each unknown has a balance that holds it, so that a set with
k sensors lacks the balances of exactly k - 1 of its unknowns. Of some sensors and all balances but those, the
overdetermined part (Dulmage, A. L., Mendelsohn, N. S. (1958)) has one equation more than unknowns, and is the set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
import numpy.typing as npt

TRIALS: Final = 20_000
"""Parts that are looked at, at most: sets of so many sensors that more would be, are left out (of 40 states and 20 sensors, of three)."""


def minimal_sets(holds: npt.NDArray[np.bool_], most: int) -> list[tuple[int, ...]]:
    """Give the minimal sets of equations, those of the fewest first.

    Args:
        holds: which unknown stands in which equation [unknowns + sensors, unknowns]; equation i is the balance that holds unknown i.
        most: sets that are given.
    """
    unknowns = holds.shape[1]
    stands = [np.flatnonzero(row).tolist() for row in holds]
    found = {_part(stands, unknowns, sensors, without) for sensors, without in _choices(unknowns, len(holds) - unknowns)}
    return sorted(found - {()}, key=lambda one: (len(one), one))[:most]


def _choices(unknowns: int, sensors: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Give which sensors are taken, and which balances are not."""
    trials = 0
    for k in range(1, min(sensors, unknowns + 1) + 1):
        trials += comb(sensors, k) * comb(unknowns, k - 1)
        if k > 1 and trials > TRIALS:
            return
        for chosen in combinations(range(unknowns, unknowns + sensors), k):
            for without in combinations(range(unknowns), k - 1):
                yield chosen, without


def _part(stands: Sequence[Sequence[int]], unknowns: int, sensors: Sequence[int], without: Sequence[int]) -> tuple[int, ...]:
    """Give the overdetermined part of some sensors and all balances but some; nothing where fewer sensors have it too."""
    owner = {unknown: unknown for unknown in range(unknowns) if unknown not in without}
    left = [sensor for sensor in sensors if not _placed(stands, sensor, owner, set())]
    if len(left) != 1:
        return ()
    part, front = {left[0]}, [left[0]]
    while front:
        for unknown in stands[front.pop()]:
            if (equation := owner[unknown]) not in part:
                part.add(equation)
                front.append(equation)
    return tuple(sorted(part)) if part.issuperset(sensors) else ()


def _placed(stands: Sequence[Sequence[int]], equation: int, owner: dict[int, int], tried: set[int]) -> bool:
    """Give an equation an unknown of its own, by an augmenting path (Kuhn, H. W. (1955)); tell whether there is one."""
    for unknown in stands[equation]:
        if unknown not in tried:
            tried.add(unknown)
            if unknown not in owner or _placed(stands, owner[unknown], owner, tried):
                owner[unknown] = equation
                return True
    return False
