"""Whether a reading is believed.

Pure: arrays in, values out. No clock, no files, no sockets; all that is remembered is explicit and can be kept.

    source numbers → Conditioner.process → rows with their status → stored, folded
    ticks → Conditioner.advance
"""

from gemel.condition.aside import Existing
from gemel.condition.conditioner import Conditioned, Conditioner
from gemel.condition.reasons import REASONS

__all__ = ["REASONS", "Conditioned", "Conditioner", "Existing"]
