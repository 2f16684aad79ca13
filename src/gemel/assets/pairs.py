"""Which lanes of a property are to agree, within what, and for how long they may not.

Two values differ where their distance is more than the declared `tolerance`, else more than twice their combined
standard uncertainty (JCGM 100:2008, 6.2, k = 2, the uncertainties independent: 5.1.2). Where neither is known,
nothing says that they differ.
"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from gemel.assets.spec import Signal
from gemel.samples import Registry
from gemel.samples.batch import F64, I32, I64

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

COVERAGE: Final = 2.0
DELAY_NS: Final = 30_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of lanes of one property, a row each.

    Args:
        first: signal of the lane that comes first in order of precedence.
        other: signal of the other lane.
        tolerance: how far they may be apart, in the property's unit.
        delay: how long they may be [ns].
    """

    first: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    other: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    tolerance: F64 = field(default_factory=lambda: np.zeros(0))
    delay: I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.first)


def pairs_of(plant: "Plant", registry: Registry) -> Pairs:
    """Give the pairs of lanes that a plant declares, numbered by a registry."""
    layout = plant.layout
    found: list[tuple[I64, I64, float, int]] = []
    for number, spec in enumerate(layout.specs):
        if not spec.others:
            continue
        places = np.flatnonzero(layout.spec == number)
        for step, other in enumerate(spec.others, 1):  # laid out behind it
            if (within := tolerance(spec, other)) is not None:
                found.append((places, places + step, within, other.delay_ns or DELAY_NS))
    if not found:
        return Pairs()
    numbers, sizes = plant.numbers(registry), [len(first) for first, *_ in found]
    return Pairs(
        numbers[np.concatenate([f for f, *_ in found])], numbers[np.concatenate([o for _, o, *_ in found])],
        np.repeat([t for *_, t, _ in found], sizes), np.repeat(np.array([d for *_, d in found], np.int64), sizes),
    )  # fmt: skip


def tolerance(first: Signal, other: Signal) -> float | None:
    """Give how far two lanes may be apart; None where nothing tells."""
    if other.tolerance is not None:
        return other.tolerance
    known = [s.accuracy for s in (first, other) if s.accuracy is not None]
    return COVERAGE * math.hypot(*known) if known else None
