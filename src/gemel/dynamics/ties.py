"""Which parameter of a model is one number with a state: whatever the one does, the other does too, and no data tell them apart.

slopes of all rates and outputs at some points ─► columns that are the same but for a factor
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gemel.dynamics.check import looked_at
from gemel.dynamics.declare import DynamicModel

SAME: Final = 1e-7  # of the slopes; the arithmetic is exact to 1e-15


def ties(model: DynamicModel) -> list[tuple[str, str]]:
    """Give (parameter, state) wherever a parameter does what a state does, as in ``p.wear + x.worn``; asks for a model that is sound."""
    _, _, slopes = looked_at(model)
    n, m = len(model.states), len(model.states) + len(model.inputs)
    columns = np.where(np.isfinite(slopes), slopes, 0.0).reshape(-1, slopes.shape[-1]).T
    return [
        (name, state)
        for name, one in zip(model.parameters, columns[m:], strict=True)
        for state, other in zip(model.states, columns[:n], strict=True)
        if _same(one, other)
    ]


def _same(one: Any, other: Any) -> bool:
    size = float(other @ other)
    if size <= 0 or not one.any():
        return False
    left = one - (one @ other) / size * other
    return bool(left @ left <= SAME**2 * (one @ one))
