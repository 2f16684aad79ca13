"""Which inputs of what is followed are beyond the range that the model declares: there it was never said to hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from gemel.operate.estimates_kind import Kind
from gemel.operate.estimating import Estimating
from gemel.samples import Registry
from gemel.samples.units import after

SLACK: Final = 0.01  # of an input's usual magnitude: what a gauge may be off by at the end of a range


def beyond(kind: Kind, loop: Estimating, registry: Registry) -> Iterator[str]:
    """Say of each input of each machine how far it was beyond, and at how many of the newest instants."""
    model, u = kind.problem.model, loop.inputs
    slack = SLACK * model.scales("inputs")
    for sign, ends in zip((-1.0, 1.0), model.bounds("inputs"), strict=True):
        over = sign * (u - ends)
        for m, i in np.argwhere((over > slack).any(0)):
            number = int(kind.wires.inputs[m, i])
            if number < 0:
                continue  # held where the model itself begins, or given by hand
            scale, offset = kind.wires.scale[number], kind.wires.offset[number]
            furthest, end = ((si - offset) / scale for si in (ends[i] + sign * over[:, m, i].max(), ends[i]))
            yield (
                f"{registry.paths[number]} comes to {furthest:.5g}{after(registry.row(number)['unit'])}, beyond {end:.5g}, where the range that its model declares ends, "
                f"at {(over[:, m, i] > slack[i]).sum()} of the newest {len(u)} estimates"
            )
