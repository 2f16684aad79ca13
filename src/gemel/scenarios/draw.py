"""Drawing what is not known: low-discrepancy points, the same for every scenario (common random numbers).

Scrambled Sobol points (Owen 1995, Randomly permuted (t,m,s)-nets) turned into the wanted laws by their inverse
distributions, so that a thousand members say as much as many thousand random ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gemel.dynamics import Compiled
from gemel.errors import ModelError
from gemel.scenarios.scenario import Start, Together, Uncertain

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was drawn.

    Args:
        names: what each column is about.
        unit: the points themselves in (0, 1) [members, columns].
        x0: states at the beginning [members, states].
        gain, bias: of inputs and parameters [members, inputs + parameters].
    """

    names: tuple[str, ...]
    unit: Array
    x0: Array
    gain: Array
    bias: Array


def points(members: int, columns: int, seed: int) -> Array:
    """Give scrambled Sobol points in (0, 1) [members, columns]."""
    from scipy.stats import qmc

    if not columns:
        return np.zeros((members, 0))
    power = max(0, math.ceil(math.log2(members)))
    found: Array = qmc.Sobol(columns, seed=np.random.default_rng(seed)).random_base2(power)[:members]
    return np.clip(found, 1e-9, 1 - 1e-9)


def columns_of(model: Compiled, start: Start, uncertain: Sequence[Uncertain]) -> tuple[str, ...]:
    """Give what is drawn, one name a column."""
    correlated = model.states if start.covariance is not None else ()
    return (*(f"{u.of}" for u in uncertain), *(f"{name} at the beginning" for name in correlated))


def drawn(
    model: Compiled, start: Start, uncertain: Sequence[Uncertain], unit: Array, together: Sequence[Together] = ()
) -> Drawn:
    """Turn points in (0, 1) [members, columns] into members.

    The order of columns is that of `columns_of`; a state's covariance enters by a factor of it.
    """
    from scipy.special import ndtri

    unit = correlated([u.of for u in uncertain], unit, together)
    members, held = len(unit), (*model.inputs, *model.parameters)
    x0 = np.tile(start.x, (members, 1))
    gain, bias = np.ones((members, len(held))), np.zeros((members, len(held)))
    if start.covariance is not None:
        x0 = x0 + ndtri(unit[:, len(uncertain) :]) @ _factor(start.covariance).T
    values = dict(zip((*model.states, *held), (*start.x, *start.u, *start.p), strict=True))
    bounds = _bounds(model)
    for column, one in zip(unit.T, uncertain, strict=False):
        value = values[_known(model, one.of)]
        deviation = _law(one, column, value, bounds[one.of])
        if one.of in model.states:
            x0[:, model.states.index(one.of)] += deviation * (value if one.relative else 1.0)
        elif one.relative:
            gain[:, held.index(one.of)] += deviation
        else:
            bias[:, held.index(one.of)] += deviation
    low, high = model.bounds("states")
    return Drawn(columns_of(model, start, uncertain), unit, np.clip(x0, low, high), gain, bias)


def correlated(names: Sequence[str], unit: Array, together: Sequence[Together]) -> Array:
    """Have points vary together through normal variables, whatever their laws are.

    Liu & Der Kiureghian (1986), Multivariate distribution models with prescribed marginals and covariances,
    Probabilistic Engineering Mechanics 1.
    """
    from scipy.special import ndtr, ndtri

    found = unit.copy() if together else unit
    for group in together:
        if unknown := set(group.names) - set(names):
            raise ModelError(
                f"{min(unknown)!r} is not among what is uncertain", code="bad-scenario", remedy="name it there too"
            )
        columns = [names.index(n) for n in group.names]
        made = ndtr(ndtri(unit[:, columns]) @ _factor(np.array(group.correlation)).T)
        found[:, columns] = np.clip(made, 1e-9, 1 - 1e-9)
    return found


def _law(one: Uncertain, unit: Array, value: float, bounds: tuple[float, float]) -> Array:
    """Give deviations, of the value or relative to it, such that the value stays in its range."""
    from scipy.special import ndtr, ndtri

    scale = abs(value) if one.relative else 1.0
    low, high = ((b - value) / scale if scale else math.copysign(math.inf, b - value) for b in bounds)
    if one.relative and value < 0:
        low, high = -high, -low
    if one.law == "uniform":
        low, high = max(low, -one.spread), min(high, one.spread)
        return low + unit * (high - low)
    if not one.spread:
        return np.zeros(len(unit))
    a, b = (
        float(ndtr(edge / one.spread)) if math.isfinite(edge) else float(edge > 0) for edge in (low, high)
    )
    found: Array = one.spread * ndtri(np.clip(a + unit * (b - a), 1e-12, 1 - 1e-12))
    return found


def _bounds(model: Compiled) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for kind in ("states", "inputs", "parameters"):
        low, high = model.bounds(kind)
        found |= dict(zip(getattr(model, kind), zip(low, high, strict=True), strict=True))
    return found


def _known(model: Compiled, name: str) -> str:
    for kind in ("states", "inputs", "parameters"):
        if name in getattr(model, kind):
            return name
    model.place("parameters", name)  # says what there is
    raise AssertionError


def _factor(covariance: Array) -> Array:
    """Give L with L·Lᵀ = covariance, also where it is only semi-definite."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    found: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return found
