"""Which inputs and states of a what-if left the range that the model declares, how far, and in how many members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.scenarios.draw import Drawn
from gemel.scenarios.plan import Plan, Raw
from gemel.scenarios.ready import Ready
from gemel.scenarios.scenario import Scenario

Array = npt.NDArray[np.float64]
SLACK: Final = 1e-5  # of a quantity's size: what rounding takes a member over an end by


@dataclass(frozen=True, slots=True)
class Beyond:
    """An end of a declared range that was passed.

    Args:
        of: an input or a state.
        end: of its range, SI.
        furthest: value beyond it, SI.
        share: of the members that stayed finite.
        times: share of the instants shown at which any of them was beyond.
    """

    of: str
    end: float
    furthest: float
    share: float
    times: float


def beyond(ready: Ready, scenario: Scenario, draws: Drawn, raw: Raw, times: Array) -> tuple[Beyond, ...]:
    """Give which ends were passed at the instants shown; states only that are watched, as they are where nothing else is asked."""
    good, model = ~raw.failed, ready.model
    if not good.any():
        return ()
    given, found = ready.held(scenario, times, list(model.inputs)), list[Beyond]()
    for kind in ("inputs", "states"):
        for i, (name, low, high) in enumerate(zip(getattr(model, kind), *model.bounds(kind), strict=True)):
            if kind == "states" and _shown(ready.plan, name):
                values = np.asarray(raw.kept[:, ready.plan.watch.index(name)], np.float64)[:, good]
            elif kind == "inputs":
                values = given[name][:, None] * draws.gain[good, i] + draws.bias[good, i]
            else:
                continue
            slack = SLACK * np.maximum(np.abs(values).max(initial=0.0), model.scales(kind)[i])
            found += [_passed(name, end, sign, values) for end, sign in ((low, -1.0), (high, 1.0)) if (sign * (values - end) > slack).any()]
    return tuple(found)


def _shown(plan: Plan, name: str) -> bool:
    return name in plan.watch and name not in plan.model.outputs


def _passed(name: str, end: float, sign: float, values: Array) -> Beyond:
    over = sign * (values - end)
    there = over > 0
    return Beyond(name, float(end), float(end + sign * over.max()), float(there.any(0).mean()), float(there.any(1).mean()))
