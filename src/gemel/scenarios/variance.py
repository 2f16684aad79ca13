"""Sobol indices of figures: of a figure's variance, what goes with each uncertain quantity, also where some vary together.

    points a, b ─► together ─┬─► a figure over a, over b
                             ├─► `first`: a, but for one quantity as in b, and its company as it then is  ─► alone
                             └─► `total`: a, but for one quantity drawn anew as its company has it         ─► in all

Kucherenko, Tarantola & Annoni (2012), Estimation of global sensitivity indices for models with dependent variables,
Computer Physics Communications 183. Alone is by how much the variance would shrink on average if the quantity were known, with
what that tells of those that vary with it; in all is what would be left if all others were known. Of what varies by
itself these are Sobol's own; of what varies together, in all may be less than alone: others tell it already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.scenarios.draw import columns_of, correlated, drawn, points
from gemel.scenarios.engine import Told
from gemel.scenarios.ready import prepare
from gemel.scenarios.road import road
from gemel.scenarios.scenario import Question, Start, Together

Array = npt.NDArray[np.float64]
MOST_FINITE: Final = 0.9  # of the members, where indices are to be told


def indices(
    model: Compiled, start: Start, question: Question, scenario: str, told: Told = lambda done: True
) -> dict[str, dict[str, tuple[float, float]]]:
    """Give indices of every KPI of a scenario: by KPI and by what is uncertain, (alone, in all), shares of its variance.

    Members in which a figure has no value (an event never comes) are left out; where they are many, the figure has no indices.
    Takes `members`·(uncertain + 2) runs, and as many again for each that varies together with others.
    """
    ready = prepare(model, start, question)
    names = columns_of(model, start, question.uncertain)
    chosen = next(s for s in ready.wanted if s.name == scenario)
    parts, first, total = _designed(names, points(question.members, 2 * len(names), question.seed), question.together)
    draws = drawn(model, start, question.uncertain, np.vstack(parts))
    way = road(ready, draws, told)
    figures = way.ready.referee.figures(way.run(chosen, draws, told))
    found = {}
    for kpi, row in zip(question.kpis, figures, strict=True):
        read = row.reshape(len(parts), -1)
        there = np.isfinite(read).all(axis=0)
        if there.mean() < MOST_FINITE:
            continue
        alone, whole = sobol(read[0, there], read[1, there], read[first][:, there], read[total][:, there])
        found[kpi.name] = {n: (float(f), float(t)) for n, f, t in zip(names, alone, whole, strict=True)}
    return found


def sobol(a: Array, b: Array, first: Array, total: Array) -> tuple[Array, Array]:
    """Give first-order and total indices (Jansen 1999, Computer Physics Communications 117; Kucherenko et al. 2012, eqs. 5.3, 5.4).

    Args:
        a: a figure over some draws [members].
        b: the figure over draws independent of them [members].
        first: over draws that have one quantity as in `b`, and all else independent of `b` given that [quantities, members].
        total: over draws that have all as in `a` but one quantity, which is independent of `a` given those [quantities, members].
    """
    variance = np.var(np.concatenate([a, b])) or 1.0
    return 1 - np.mean((b - first) ** 2, axis=1) / (2 * variance), np.mean((a - total) ** 2, axis=1) / (2 * variance)


def _designed(names: Sequence[str], unit: Array, together: Sequence[Together]) -> tuple[list[Array], list[int], list[int]]:
    """Give the blocks of points to run, the two independent ones before the mixed, and which of them are each quantity's."""
    n = len(names)
    a, b = (correlated(names, some, together) for some in (unit[:, :n], unit[:, n:]))
    parts: list[Any] = [a, b]
    first, total = [], []
    for j, name in enumerate(names):
        company = next((t for t in together if name in t.names), None)
        mixed = np.where(np.arange(n) == j, b, a)
        parts.append(mixed if company is None else _known(names, (a, b), name, company))
        first.append(len(parts) - 1)
        if company is not None:
            parts.append(_anew(names, (a, b), name, company))
        total.append(len(parts) - 1)
    return parts, first, total


def _known(names: Sequence[str], blocks: tuple[Array, Array], name: str, company: Together) -> Array:
    """Give `a` with one quantity as in `b`, and its company as that makes likely: z + cov(z, zᵢ)·(zᵢ' - zᵢ), exact for normal variables."""
    from scipy.special import ndtr, ndtri

    found, columns, i = blocks[0].copy(), [names.index(n) for n in company.names], company.names.index(name)
    a, b = (ndtri(block[:, columns]) for block in blocks)
    moved = ndtr(a + np.outer(b[:, i] - a[:, i], np.array(company.correlation)[i]))
    found[:, columns] = np.clip(moved, 1e-9, 1 - 1e-9)
    return found


def _anew(names: Sequence[str], blocks: tuple[Array, Array], name: str, company: Together) -> Array:
    """Give `a` with one quantity drawn anew given its company: what that says of it, and of `b` what no company says."""
    from scipy.special import ndtr, ndtri

    found, i = blocks[0].copy(), company.names.index(name)
    others = [j for j in range(len(company.names)) if j != i]
    r = np.array(company.correlation)
    by = np.linalg.pinv(r[np.ix_(others, others)], hermitian=True) @ r[others, i]
    a, b = (ndtri(block[:, [names.index(n) for n in company.names]]) for block in blocks)
    made = ndtr(a[:, others] @ by + b[:, i] - b[:, others] @ by)
    found[:, names.index(name)] = np.clip(made, 1e-9, 1 - 1e-9)
    return found
