"""In what order derived signals are evaluated, and whether they rest on each other in a circle: then they are refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gemel.assets.derivations import NONE, Derivations
from gemel.assets.spec import Signal
from gemel.errors import AssetError
from gemel.samples.batch import I32, I64

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

Refuse = Callable[[str, Signal, AssetError], None]


def in_order(plant: "Plant", found: Derivations, refuse: Refuse | None) -> Derivations:
    """Give derived signals their levels; roll-ups count among what rests on others."""
    targets = np.concatenate([found.target, *(p.target for r in found.rollups for p in r.programs)]).astype(
        np.int32
    )
    signals, readers = _edges(found)
    by_signal = np.full(len(plant.layout) + 1, -1, np.int64)
    by_signal[targets] = np.arange(len(targets))
    needs = by_signal[signals]
    readers, needs = readers[needs >= 0], needs[needs >= 0]
    level = levels(readers, needs, len(targets))
    stuck = np.flatnonzero(level < 0)
    if len(stuck):
        _refuse_circle(plant, targets[_circle(readers, needs, stuck)], refuse)
    return replace(found, level=level[: len(found.target)])


def _edges(found: Derivations) -> tuple[I32, I64]:
    signals, readers = found.edges()
    reading, read = [readers], [signals]
    start = len(found.target)
    for plan in found.rollups:
        for program in plan.programs:
            places = np.repeat(np.arange(len(program.target)), program.counts) + start
            for cells in program.cells.values():
                reading.append(places)
                read.append(plan.cells.signal[cells])
            start += len(program.target)
    return np.concatenate([NONE, *read]).astype(np.int32), np.concatenate(reading).astype(np.int64)


def levels(readers: I64, needs: I64, n: int) -> I32:
    """Give the level of each of `n`: one more than the greatest of what it needs, 0 where that is nothing, -1 in a circle.

    Those of which nothing is left to wait for come next (A. B. Kahn, CACM 5(11), 1962).
    """
    waiting = np.bincount(readers, minlength=n)
    order = np.argsort(needs, kind="stable")
    follows, start = readers[order], np.searchsorted(needs[order], np.arange(n + 1))
    level = np.full(n, -1, np.int32)
    front, at = np.flatnonzero(waiting == 0), 0
    while len(front):
        level[front] = at
        lengths = start[front + 1] - start[front]
        ends = np.cumsum(lengths)
        freed = follows[np.arange(int(ends[-1])) + np.repeat(start[front] - ends + lengths, lengths)]
        np.subtract.at(waiting, freed, 1)
        front, at = np.unique(freed[waiting[freed] == 0]), at + 1
    return level


def _circle(readers: I64, needs: I64, stuck: npt.NDArray[np.intp]) -> list[int]:
    inside = set(stuck.tolist())
    way = [int(stuck[0])]
    while way[-1] not in way[:-1]:
        way.append(next(int(i) for i in needs[readers == way[-1]] if int(i) in inside))
    return way[way.index(way[-1]) :]


def _refuse_circle(plant: "Plant", circle: I32, refuse: Refuse | None) -> None:
    head, paths = plant.root + "/", plant.layout.paths(plant.assets)
    shown = " ← ".join(paths[s].removeprefix(head) for s in circle.tolist())
    error = AssetError(
        f"derived signals rest on each other in a circle: {shown}", code="circle",
        remedy="let one of them rest on what is measured only",
    )  # fmt: skip
    if refuse is None:
        raise error
    first = int(circle.min())
    signal = plant.layout.specs[int(plant.layout.spec[first])]
    refuse(plant.template(int(plant.layout.asset[first])).type, signal, error)
