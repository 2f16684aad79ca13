"""End of life of lithium-ion cells from their discharges: exposure is the charge passed, rests give some back.

The law of a kind is learned on a cell that lived to its end (`learn_cell`), and followed on another. A full discharge
passes what the cell can hold, so a fading cell is exposed to less; after rests of a day and more a cell shows more than
before (Saha and Goebel, 2009, Modeling Li-ion battery capacity depletion in a particle filtering framework, describe
that recovery in these data).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.estimate.degradation import Law, Record, evidence, learn, rest_step, rested

Array = npt.NDArray[np.float64]

USUAL_PAUSE_H: Final = 5.0  # between discharges: the charge itself
TIMES_H: Final = (8.0, 24.0, 72.0)
USES: Final = (3.0, 5.0, 8.0, 12.0)


@dataclass(frozen=True, slots=True)
class CellLaw:
    """How cells of a kind fade, and how rests give back."""

    law: Law
    time_h: float
    uses: float

    def record(self, capacity: Array, hours: Array) -> Record:
        """Give the record of a cell of this kind; arguments as for `learn_cell`."""
        return _record(capacity, hours, self.time_h, self.uses)


@dataclass(frozen=True, slots=True)
class Discharges:
    """Full discharges go on as before, with pauses like those so far.

    Args:
        cell: the kind.
        hours: the pauses seen so far [h], from which future ones are drawn.
        load: charge passed per discharge, relative to a full one.
    """

    cell: CellLaw
    hours: Array
    load: float = 1.0

    def exposure(self, use: int, level: Array) -> Array:
        """Give the charge of a discharge [Ah]."""
        return self.load * np.maximum(level, 0.0)

    def rested(self, use: int, now: Array, rng: np.random.Generator) -> Array:
        """Give how rested each member is after one more pause."""
        return rest_step(
            now, rng.choice(self.hours, len(now)), USUAL_PAUSE_H, self.cell.time_h, self.cell.uses
        )


def learn_cell(capacity: Array, hours: Array) -> CellLaw:
    """Learn how a kind of cell fades from one that lived to its end.

    Args:
        capacity: of each discharge [Ah]; NaN where it was not measured.
        hours: from the start of the discharge before to that of this one [h].
    """

    def tried(time_h: float, uses: float) -> tuple[float, CellLaw]:
        record = _record(capacity, hours, time_h, uses)
        law = learn(record)
        return evidence(law, record), CellLaw(law, time_h, uses)

    found = [tried(time_h, 5.0) for time_h in TIMES_H]
    best = max(found, key=lambda pair: pair[0])
    found += [tried(best[1].time_h, uses) for uses in USES if uses != best[1].uses]
    return max(found, key=lambda pair: pair[0])[1]


def _record(capacity: Array, hours: Array, time_h: float, uses: float) -> Record:
    filled = np.where(np.isfinite(capacity), capacity, np.nanmean(capacity))
    return Record(capacity, filled, rested(hours, free=USUAL_PAUSE_H, time=time_h, uses=uses))
