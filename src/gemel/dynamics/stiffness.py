"""How fast a model's fastest mode fades, beside the steps that an explicit method can be stable with."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.check import looked_at
from gemel.dynamics.compiled import Compiled
from gemel.dynamics.declare import DynamicModel

STABLE: Final = 2.78  # time constants a step of the classical Runge–Kutta method (Hairer, Wanner 1996, IV.2)
REMEDY: Final = "say stiff = True in the model's class, or give what is so fast no state of its own"


def slopes(model: Compiled, x: Any, u: Any, p: Any) -> Any:
    """Give the Jacobian of the rates by the states at a point [states, states]."""
    maths.loaded()  # says what is missing
    import jax

    # compiled as a whole: one operation after the other it would be compiled for each of them
    return np.asarray(jax.jit(jax.jacfwd(lambda x: model.rate(0.0, x, u, p)))(np.asarray(x, np.float64))).reshape(len(x), -1)


def fading(jacobians: Any) -> float:
    """Give how fast the fastest mode fades [1/s], of Jacobians [..., states, states]; those that are no number do not count."""
    found = np.asarray(jacobians).reshape(-1, *np.shape(jacobians)[-2:])
    found = found[np.isfinite(found).all((1, 2))]
    return max(0.0, -float(np.linalg.eigvals(found).real.min())) if found.size else 0.0


def fastest(model: DynamicModel) -> float:
    """Give how fast the fastest mode of a model fades anywhere it is looked at, over its declared ranges [1/s]; 0 where it says that it is stiff."""
    n = len(model.states)
    return 0.0 if not n or getattr(model, "stiff", False) else fading(looked_at(model)[2][:, :n, :n])


def too_stiff(model: Compiled, x: Any, u: Any, p: Any, step_s: float) -> str:
    """Say that a model's fastest mode at a point is too fast for an explicit step; nothing where it is not, or the model says that it is stiff."""
    if model.stiff or not getattr(model.model, "traceable", True):
        return ""
    rate = fading(slopes(model, x, u, p))
    return f"{stiff_words(rate)}, and the step is {step_s:.3g} s: {REMEDY}" if rate * step_s > STABLE else ""


def stiff_words(rate: float) -> str:
    """Give in words how fast the fastest mode of a model fades [1/s]."""
    return f"the model is stiff: its fastest time constant is {1 / rate:.2g} s"
