"""How what is estimated of an asset goes with the rest of it: correlations of what is believed now, for whoever goes on from there.

    belief of each machine (covariance, or members) ─► of what is told on the estimated lane ─► by path of the signal

A level and a flow that one filter follows are not unsure by themselves: together they are surer than each alone. The lane tells
each value's `sigma`; this tells the rest, of the moment in which it is asked for, and is not kept: of the past nobody knows it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

import numpy as np

from gemel.estimate.trusting import Trust
from gemel.estimate.unscented import Belief
from gemel.operate.estimates_kind import Kind
from gemel.samples import Registry
from gemel.samples.batch import F64

DIGITS: Final = 6
Group = dict[str, Any]
"""``paths`` of signals on the estimated lane, and their ``correlation``."""


def groups(kind: Kind, belief: Any, registry: Registry, assets: Collection[str]) -> Iterator[Group]:
    """Give what goes together of each machine of a kind that has signals of some assets.

    Args:
        kind: the machines.
        belief: what is believed of them, side by side.
        registry: numbers the signals.
        assets: their paths.
    """
    mine = [(m, some) for m in range(len(kind.assets)) if len(some := _told(kind, m, registry, assets)) > 1]
    found = covariances(belief) if mine else None
    for m, some in mine if found is not None else ():
        at = list(some)
        covariance: F64 = found[m][np.ix_(at, at)]  # type: ignore[index]
        sd = np.sqrt(np.diagonal(covariance))
        if np.isfinite(covariance).all() and (sd > 0).all():
            correlation = np.round(np.clip(covariance / np.outer(sd, sd), -1.0, 1.0), DIGITS)
            np.fill_diagonal(correlation, 1.0)
            yield {"paths": list(some.values()), "correlation": correlation.tolist()}


def covariances(belief: Any) -> F64 | None:
    """Give the covariance of the joint vector of each machine [machines, n, n]; None of who knows none (members of an FMU)."""
    if isinstance(belief, Trust):
        belief = belief.belief
    if isinstance(belief, Belief):
        root = np.asarray(belief.root, np.float64)
        return np.asarray(root @ root.swapaxes(1, 2), np.float64)
    if hasattr(belief, "ndim") and belief.ndim == 3:  # an ensemble's members
        off = np.asarray(belief, np.float64)
        off = off - off.mean(1, keepdims=True)
        return np.asarray(off.swapaxes(1, 2) @ off / (off.shape[1] - 1), np.float64)
    return None


def _told(kind: Kind, m: int, registry: Registry, assets: Collection[str]) -> dict[int, str]:
    """Give the places in the joint vector that are told of a machine, with the signals' paths; of these assets."""
    model, told = kind.predicts.model, kind.wires.told[m]
    states, walking = len(model.states), len(kind.predicts.estimated)
    number = {name: int(told[states + walking + k]) for k, name in enumerate(model.outputs)}
    at = {i: number.get(name, -1) for i, name in enumerate(model.states)} | {states + k: int(told[states + k]) for k in range(walking)}
    paths = {i: registry.paths[n] for i, n in at.items() if n >= 0}
    return {i: path for i, path in paths.items() if path.rpartition("/")[0] in assets}
