"""What a correction answers, for arrays of JAX: whoever runs a hybrid inside of something compiled computes it here.

It is the answer of `gemel.estimate.hybrid.correct` (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning,
equations 2.25 and 2.26). How far a point is known is computed with the part of the kernel's matrix that says anything (its
eigenvectors, chapter 8.1), good to `LEFT_OUT`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.declare import Array
from gemel.estimate.hybrid import Correction
from gemel.samples.batch import F64

LEFT_OUT: Final = 1e-10  # of how far the points themselves are known: some 1e-5 of how far any point is


class Laid(NamedTuple):
    """A correction as plain arrays.

    Args:
        centre, pace: of the features, and one over their spread [features].
        points: trained on, standardised [points, features].
        weights: of the mean [points].
        root: R with near·inverse·near = |near·R|², but for `LEFT_OUT` [points, few].
        ends: length of the kernel, and the largest correction [2].
    """

    centre: Array
    pace: Array
    points: Array
    weights: Array
    root: Array
    ends: Array


def laid(c: Correction) -> Laid:
    """Lay a correction out; one that does not help has no points."""
    root = _root(c) if c.helps else np.zeros((0, 0))
    return Laid(c.centre, 1.0 / c.spread, c.points, c.weights, root, np.array([c.length, c.bound]))


def answer(features: Array, c: Laid) -> tuple[Array, Array]:
    """Give the correction at features [..., features], and how far it is known (0 to 1), both [...]."""
    jnp = maths.loaded()
    apart = ((((features - c.centre) * c.pace)[..., None, :] - c.points) ** 2).sum(axis=-1)
    near = jnp.exp(apart * (-0.5 / c.ends[0] ** 2))
    known = jnp.clip(((near @ c.root) ** 2).sum(axis=-1), 0.0, 1.0)
    return jnp.clip(near @ c.weights, -c.ends[1], c.ends[1]) * known, known


def _root(c: Correction) -> F64:
    values, vectors = np.linalg.eigh(c.inverse)
    sizes = 1.0 / values - c.noise  # of the kernel's own matrix, the largest first
    parts = (vectors * sizes) ** 2 * values  # what each says of how far the points themselves are known [points, points]
    left = np.cumsum(parts[:, ::-1], axis=1)[:, ::-1].max(axis=0)
    few = max(int((left > LEFT_OUT).sum()), 1)
    return np.asarray(vectors[:, :few] * np.sqrt(values[:few]), np.float64)
