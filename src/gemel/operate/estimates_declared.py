"""What a plant file says is to be estimated, as far as it can be told without loading a dynamic model."""

from typing import Final

import numpy as np

from gemel.assets import Plant
from gemel.samples import Registry
from gemel.samples.batch import I32

PRODUCER: Final = "estimates-"
"""The beginning of the name under which estimates stand in the log."""
TOGETHER: Final = "reason.together"
"""What who estimates is asked by: how what it believes of some assets goes together (`estimates_together`)."""


def declares_estimates(plant: Plant) -> bool:
    """Tell whether a plant declares anything that is to be estimated."""
    return any(lane.modelled for t in plant.templates for s in t.signals for lane in s.lanes)


def estimated_signals(plant: Plant, registry: Registry) -> I32:
    """Give the numbers of the signals that dynamic models give; who estimates may speak of nothing else."""
    positions = plant.layout.where(lambda s: s.modelled)
    return np.asarray(plant.numbers(registry)[positions], np.int32)
