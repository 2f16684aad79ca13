"""The types that all rooms share, without I/O: samples in columns, facts, the registry, units, the clock."""

from gemel.samples.batch import Batch
from gemel.samples.clock import Clock, DataClock, WallClock, plant_clock
from gemel.samples.fact import Draft, Fact
from gemel.samples.registry import LANES, Registry
from gemel.samples.snapshot import Snapshot

__all__ = [
    "LANES",
    "Batch",
    "Clock",
    "DataClock",
    "Draft",
    "Fact",
    "Registry",
    "Snapshot",
    "WallClock",
    "plant_clock",
]
