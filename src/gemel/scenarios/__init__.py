"""What if: many futures of a model from one beginning, compared with what would happen anyway. Pure.

Flow: `Question` (scenarios, uncertainty, horizon, figures) → draws, the same for all → machine code for this model,
or JAX → readings → the referee's figures → bands, paired differences, sensitivity (`Answer`).
"""

from gemel.scenarios.engine import Cancelled, engine_for
from gemel.scenarios.itinerary import Leaps
from gemel.scenarios.kpi import Kpi
from gemel.scenarios.scenario import Change, Question, Scenario, Start, Together, Uncertain, parse_change
from gemel.scenarios.variance import indices
from gemel.scenarios.whatif import Answer, Future, ask

__all__ = [
    "Answer", "Cancelled", "Change", "Future", "Kpi", "Leaps", "Question", "Scenario", "Start", "Together", "Uncertain", "ask",
    "engine_for", "indices", "parse_change",
]  # fmt: skip
