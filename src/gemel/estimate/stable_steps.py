"""How many steps the solver takes from one instant to the next: as many as keep the model's fastest mode stable."""

from __future__ import annotations

from typing import Final

import numpy as np

from gemel.dynamics import Compiled
from gemel.dynamics.stiffness import slopes
from gemel.samples.batch import F64

STEPS: Final = 200  # of the solver in one estimate, at most
STABLE: Final = 2.0  # Runge–Kutta of fourth order is stable up to 2.78 time constants a step (Hairer, Wanner 1996, IV.2)


def steps_of(model: Compiled, p: F64, dt: float) -> int:
    """Give the steps in one `dt` [s], by the fastest mode of a model with equations, at its start with parameters p [parameters].

    One where the model says that it is stiff: it is solved by as many as it needs then (`gemel.dynamics.rodas`).
    """
    if model.stiff:
        return 1
    slope = slopes(model, model.x0, model.u0, p)
    fastest = float(np.abs(np.linalg.eigvals(slope)).max(initial=0.0)) if np.isfinite(slope).all() else 0.0
    return int(np.clip(np.ceil(dt * fastest / STABLE), 1, STEPS))
