"""A learned correction as plain values, small enough for the record of versions, and again from them.

What can be computed again (the inverse of the kernel's matrix) is left out.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gemel.estimate.hybrid import Correction, inverse_of


def kept(correction: Correction) -> dict[str, Any]:
    """Give a correction as plain JSON, with its version."""
    c = correction
    return {
        "output": c.output, "with_inputs": c.with_inputs, "centre": c.centre.tolist(), "spread": c.spread.tolist(),
        "points": c.points.tolist(), "weights": c.weights.tolist(), "length": c.length, "noise": c.noise, "bound": c.bound,
        "trained_rmse": c.trained_rmse, "physics_rmse": c.physics_rmse, "version": c.version,
    }  # fmt: skip


def again(told: Mapping[str, Any]) -> Correction:
    """Give the correction that `kept` told of: the same version, the same answers."""
    centre, spread, points, weights = (np.array(told[name], np.float64) for name in ("centre", "spread", "points", "weights"))
    points = points.reshape(len(weights), len(centre))
    return Correction(
        told["output"], told["with_inputs"], centre, spread, points, weights, inverse_of(points, told["length"], told["noise"]),
        told["length"], told["bound"], told["trained_rmse"], told["physics_rmse"], told["noise"],
    )  # fmt: skip
