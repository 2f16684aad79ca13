"""The demo's own plant file over a month of readings: the running twin's machines, noises, filter and step, without its processes.

readings, one a minute -> checks of the plant file -> SI -> the step that `operate.estimating` compiles, every instant -> estimates

What the running loop does besides is not here: it asks who is wrong where a residual leaves its band, and a sensor that
is blamed is not listened to. `tests/bench/test_shipped.py` holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gemel.assets import Plant, load
from gemel.bench.month_plant import READ_S, Life
from gemel.condition import Conditioner
from gemel.dynamics import maths
from gemel.estimate import Instant
from gemel.operate.estimates_kind import Kind
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimating import started, stepping
from gemel.samples import Batch, Registry
from gemel.samples import status as codes
from gemel.samples.clock import SECOND
from gemel.testing.station import PLANT

Vector = npt.NDArray[np.float64]
BEGAN: Final = 1_700_000_000 // 60 * 60 * SECOND


@dataclass(frozen=True, eq=False)
class Shipped:
    """A plant file, and the machines that the running twin follows by it.

    Args:
        plant: as read.
        registry: numbers its signals.
        kinds: the machines, by the path of the first.
    """

    plant: Plant
    registry: Registry
    kinds: Mapping[str, Kind]


def shipped(folder: str | Path = PLANT) -> Shipped:
    """Read a plant file, by default that of `gemel demo`, as the running twin does."""
    plant = load(folder)
    registry = plant.registry()
    return Shipped(plant, registry, {kind.assets[0]: kind for kind in kinds_of(plant, registry)})


def believed(of: Shipped, life: Life) -> dict[int, Vector]:
    """Give by number of a signal what the checks of the plant file leave of its readings, NaN where nothing is left."""
    paths = {tuple(path.split("/")[-2:]): path for path in of.registry.paths}
    signals = [s for s in life.readings if s in paths]
    numbers = np.asarray(of.registry.numbers([paths[s] for s in signals], "measured"), np.int32)
    columns = np.stack([life.readings[s] for s in signals], 1)
    conditioner, found = Conditioner(of.plant.checks(of.registry)), np.full(columns.shape, np.nan)
    place = np.full(len(of.registry), -1)
    place[numbers] = np.arange(len(numbers))
    for k in range(len(columns)):
        there = np.isfinite(columns[k])
        at, many = BEGAN + k * round(READ_S * SECOND), int(there.sum())
        batch = Batch.of(signal=numbers[there], time=np.full(many, at), received=np.full(many, at), value=columns[k, there], status=np.zeros(many))
        rows = conditioner.process(batch).rows
        good = codes.is_evidence(rows.status) & np.isfinite(rows.value)
        when = (rows.time[good] - BEGAN) // round(READ_S * SECOND)
        found[when, place[rows.signal[good]]] = rows.value[good]
        conditioner.advance(at)
    return dict(zip(numbers.tolist(), found.T, strict=True))


def records(kind: Kind, readings: Mapping[int, Vector]) -> tuple[Vector, Vector]:
    """Give inputs, held from reading to reading, and outputs in SI [readings, machines, ...]."""
    many = len(next(iter(readings.values())))
    wires = kind.wires
    u, y = (np.full((many, *numbers.shape), np.nan) for numbers in (wires.inputs, wires.outputs))
    for column, numbers in ((u, wires.inputs), (y, wires.outputs)):
        for place, number in np.ndenumerate(numbers):
            if number >= 0:
                column[(slice(None), *place)] = readings[int(number)] * wires.scale[number] + wires.offset[number]
    for place, first in np.ndenumerate(kind.held):
        one = u[(slice(None), *place)]
        last = np.maximum.accumulate(np.where(np.isfinite(one), np.arange(many), -1))
        u[(slice(None), *place)] = np.where(last >= 0, one[np.maximum(last, 0)], first)
    return u, y


def followed(kind: Kind, lives: Sequence[Mapping[int, Vector]]) -> tuple[Vector, Vector, Vector, Vector]:
    """Follow machines through lives side by side; give mean, sd, output, output_sd at each reading [lives * machines, readings, ...].

    The filter steps every `dt` of the plant file; where no reading is there, it predicts.
    """
    import jax

    jnp, each = maths.loaded(), round(READ_S / kind.predicts.dt)
    parts = [records(kind, life) for life in lives]
    u, y = (np.concatenate([part[i] for part in parts], 1) for i in (0, 1))
    p, begin = (np.tile(one, (len(lives), 1)) for one in (kind.given, kind.begin))
    step, nothing = stepping(kind.predicts, kind.method), np.full(y.shape[1:], np.nan)

    def minute(belief: Any, now: Any) -> Any:
        k, u, y = now
        belief, met = step(belief, Instant(k * each, u, y, p))
        belief, _ = jax.lax.scan(lambda b, n: (step(b, Instant(k * each + n, u, nothing, p))[0], None), belief, jnp.arange(1, each))
        return belief, (met.mean, met.sd, met.output, met.output_sd)

    run = jax.jit(lambda belief, u, y: jax.lax.scan(minute, belief, (jnp.arange(len(y)), u, y))[1])
    found = run(started(kind.predicts, kind.method, begin), u, y)
    return tuple(np.asarray(part).swapaxes(0, 1) for part in found)  # type: ignore[return-value]
