"""The rate of a degradation that is a state of a model: its derivative at each load, the fast states where they settle.

    part `state` of a spec ─► model at levels × loads ─► rate of each bin, and how the rate bends with its own level

A spalled raceway spalls faster. Where the rate is a function of the level times one of the load, r = h(ξ) g(u) with ξ from
0 (new) to 1 (failed), y = ∫dξ/h goes on as straight as the load lets it (separation of variables): that is what is followed
and foretold, and values are turned back. How far the two are from being apart is told as ``apart``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel.errors import ModelError
from gemel.samples.batch import F64

POINTS: Final = 16  # of the level, each in the middle of its part: a rate may vanish, or have no bound, at the ends
LEAST: Final = 1e-3  # of the usual rate: a level that is never left


@dataclass(frozen=True, slots=True)
class Bend:
    """How a rate changes with its own level.

    Args:
        slowness: 1/h in each part of the way [POINTS]; their mean is 1.
    """

    slowness: F64

    def straight(self, part: F64 | float) -> F64:
        """Turn parts of the way from new (0) to failed (1) into parts of its time at one load."""
        return self._through(np.asarray(part, np.float64), *self._edges)

    def back(self, time: F64 | float) -> F64:
        """Turn parts of the time into parts of the way."""
        return self._through(np.asarray(time, np.float64), *self._edges[::-1])

    @property
    def _edges(self) -> tuple[F64, F64]:
        n = len(self.slowness)
        return np.linspace(0.0, 1.0, n + 1), np.concatenate([[0.0], np.cumsum(self.slowness) / n])

    @staticmethod
    def _through(x: F64, a: F64, b: F64) -> F64:
        """Go along the lines between edges; before and after them as along the first and the last."""
        slope = np.diff(b) / np.diff(a)
        i = np.clip(np.searchsorted(a, x, "right") - 1, 0, len(slope) - 1)
        found: F64 = np.where(np.isfinite(x), b[i] + (x - a[i]) * slope[i], np.nan)
        return found


STRAIGHT: Final = Bend(np.ones(1))


@dataclass(frozen=True, eq=False)
class Ruled:
    """What a law makes of a record.

    Args:
        rates: in the unit of the degradation per second, straightened [bins]: as it was, and under each change.
        bend: that they were straightened by.
        told: of the model, for who asks; empty where an expression is the law.
    """

    rates: list[F64]
    bend: Bend
    told: dict[str, Any]


def ruled(spec: Mapping[str, Any]) -> Ruled:
    """Give the rates that a prognosis follows from; runs the model where it is one. Raises ModelError."""
    if not spec.get("state"):
        return Ruled([np.array(f["rate"], np.float64) for f in (spec, *spec["futures"])], STRAIGHT, {})
    part, way = spec["state"], float(spec["threshold"]) - float(spec["new"])
    levels = float(spec["new"]) + way * (np.arange(POINTS) + 0.5) / POINTS
    tables, held = _tables(part, levels, [f["loads"] for f in (part, *spec["futures"])])
    tables = [np.maximum(t * (part["rate_scale"] * np.sign(way)), 0.0) for t in tables]
    weight = _weight(part["bins"], tables[0].shape[1])
    bend, apart = _bend(tables[0], weight)
    straight = [(t * bend.slowness[:, None]).mean(axis=0) for t in tables]
    told = {"model": part["model"] if isinstance(part["model"], str) else "system", "name": part["name"],
            "held": held, "bends": float(bend.slowness.max() / bend.slowness.min()), "apart": apart}  # fmt: skip
    return Ruled([_by_bin(part["bins"], rate) for rate in straight], bend, told)


def _tables(part: Mapping[str, Any], levels: F64, loads: list[Any]) -> tuple[list[F64], list[str]]:
    """Give the state's derivative, SI, at each level and load [levels, loads], of each future; and what was held."""
    from gemel.estimate.slow import Scales, rates, restless
    from gemel.operate.estimates_whole import whole_of
    from gemel.operate.life_whole import whole_tables
    from gemel.operate.models import compiled

    model = compiled(part["model"])
    x, u, p = (np.array([float(part[k][n]) for n in names]) for k, names in
               (("x", model.states), ("u", model.inputs), ("p", model.parameters)))  # fmt: skip
    fed, own = [model.place("inputs", n) for n in part["fed"]], model.place("states", part["name"])
    wanted = [np.array(some, np.float64).reshape(-1, len(fed)) for some in loads]
    if not len(wanted[0]):
        return [np.empty((len(levels), 0)) for _ in wanted], []
    scale, offset = part["to_si"]
    at = np.tile(x, (len(levels), 1))
    at[:, own] = levels * scale + offset
    if whole_of(model) is not None:
        return whole_tables(model, own, at, [_fed(u, fed, some) for some in wanted], p), []
    usual = u.copy()
    usual[fed] = wanted[0].mean(axis=0)
    held = tuple(n for n in restless(model, at[0], usual, p) if n != part["name"])
    scales = Scales((part["name"],), held)

    def table(some: F64) -> F64:
        inputs = np.tile(u, (1 << max(len(some) - 1, 7).bit_length(), 1))  # few shapes, so that little is compiled
        inputs[: len(some), fed], inputs[len(some) :, fed] = some, some[0]
        return rates(model, scales, at, inputs, p)[:, : len(some), 0]

    found = [table(some) for some in wanted]
    if np.isnan(found[0]).all():
        raise ModelError(
            f"{part['model']} does not come to rest under any load of the record",
            code="no-rest", remedy="a model whose fast states never settle has no rate of wear: write rate: instead",
        )  # fmt: skip
    return found, list(held)


def _fed(u: F64, fed: list[int], some: F64) -> F64:
    inputs = np.tile(u, (len(some), 1))
    inputs[:, fed] = some
    return inputs


def _weight(bins: list[Any], cells: int) -> F64:
    weight = np.zeros(cells)
    for one in bins:
        if one is not None:
            weight[one[0]] += one[1]
    return weight


def _bend(table: F64, weight: F64) -> tuple[Bend, float]:
    """Give how the rate bends with the level, and how far level and load are from being apart, relative."""
    good = np.isfinite(table).all(axis=0) & (weight > 0)
    if not good.any():
        return Bend(np.ones(POINTS)), 0.0
    share = weight[good] / weight[good].sum()
    mean = table[:, good] @ share
    if mean.max() <= 0.0:
        return Bend(np.ones(POINTS)), 0.0
    slow = 1.0 / np.maximum(mean, LEAST * np.median(mean[mean > 0.0]))
    bend = Bend(slow / slow.mean())
    straight = table[:, good] * bend.slowness[:, None]
    usual = straight.mean(axis=0)
    return bend, float((np.abs(straight - usual) @ share).max() / max(usual @ share, 1e-300))


def _by_bin(bins: list[Any], rate: F64) -> F64:
    """Give the mean rate of each bin; NaN where too little is known, or less than half of it settles."""
    found = np.full(len(bins), np.nan)
    for i, one in enumerate(bins):
        if one is not None:
            values, count = rate[one[0]], np.array(one[1], np.float64)
            good = np.isfinite(values)
            if count[good].sum() >= 0.5 * count.sum():
                found[i] = values[good] @ count[good] / count[good].sum()
    return found
