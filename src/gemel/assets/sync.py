"""How what a connection brings is kept: as a time series, by event, or both.

series   every reading goes into history                                       (the default)
event    a change of value becomes a fact, `PropertyChanged`; nothing in history
both     history, and the facts
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gemel.assets.grammar_connection import SYNC
from gemel.samples import Registry
from gemel.samples.batch import F64, I32

if TYPE_CHECKING:
    from gemel.assets.plant import Plant

SERIES, EVENT, BOTH = SYNC


@dataclass(frozen=True, slots=True, eq=False)
class Sync:
    """The signals whose changes become facts, a row each, sorted by their number.

    Args:
        signal: number in the registry.
        deadband: changes not greater than this are none.
        stored: whether the readings go into history as well.
    """

    signal: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    deadband: F64 = field(default_factory=lambda: np.zeros(0))
    stored: np.ndarray[tuple[int], np.dtype[np.bool_]] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __len__(self) -> int:
        return len(self.signal)


def sync_of(plant: "Plant", registry: Registry) -> Sync:
    """Give the signals of a plant whose changes become facts, numbered by a registry."""
    how = {name: str(c.options.get("sync", SERIES)) for name, c in plant.connections.items()}
    if all(word == SERIES for word in how.values()):
        return Sync()
    layout = plant.layout
    of_spec = [how.get(s.source.connection, SERIES) if s.source is not None else SERIES for s in layout.specs]
    found = np.flatnonzero(np.array([word != SERIES for word in of_spec], np.bool_)[layout.spec])
    signal = plant.numbers(registry)[found]
    spec = layout.spec[found]
    order = np.argsort(signal)
    deadband = np.array([s.deadband or 0.0 for s in layout.specs])[spec]
    stored = np.array([word != EVENT for word in of_spec], np.bool_)[spec]
    return Sync(signal[order], deadband[order], stored[order])


def by_event_only(plant: "Plant", registry: Registry) -> I32:
    """Give the signals of which history holds nothing, because they are kept by event."""
    sync = sync_of(plant, registry)
    return sync.signal[~sync.stored]
