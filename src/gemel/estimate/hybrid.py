"""Physics plus a learned correction: what the model keeps missing, learned from what a fit left over.

free run of the physics -> its states and inputs -> Gaussian process on measured minus run -> bounded, gated correction

The correction is a Gaussian process (Rasmussen, C. E. and Williams, C. K. I. (2006), Gaussian Processes for Machine
Learning, equations 2.25 and 2.26) over the states of the physics' own free run: no reading is fed back. Where the point is
far from all that it was trained on, its predictive variance returns to the prior and the answer is physics alone. It is
chosen by blocks of the training record left out one after the other, and where it does not help there, it stays out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

import numpy as np

from gemel.samples.batch import F64

LENGTHS: Final = (0.5, 1.0, 2.0, 4.0)  # of the kernel, in standard deviations of each feature
NOISES: Final = (0.03, 0.1, 1.0)  # variance of the noise over that of the process
BLOCKS: Final = 5
MARGIN: Final = 10  # steps beside a block that are left out with it: neighbours know each other
POINTS: Final = 150  # at most; a longer record is thinned
BOUND: Final = 2.0  # standard deviations of what was left over, beyond which no correction goes
HELPS: Final = 0.98  # of the physics' own error on blocks left out; above it there is no correction


@dataclass(frozen=True, eq=False)
class Correction:
    """A learned correction of one output.

    Args:
        output: which, by name.
        with_inputs: whether inputs are among the features, beside the states.
        centre, spread: of the features [features], to standardise.
        points: trained on, standardised [points, features].
        weights: of the mean [points].
        inverse: of the covariance of the points [points, points], for the variance.
        length: of the kernel.
        bound: largest correction, in the output's unit.
        trained_rmse, physics_rmse: on blocks left out, with and without.
        noise: variance of the noise over that of the process.
    """

    output: str
    with_inputs: bool
    centre: F64
    spread: F64
    points: F64
    weights: F64
    inverse: F64
    length: float
    bound: float
    trained_rmse: float
    physics_rmse: float
    noise: float = 1.0

    @property
    def helps(self) -> bool:
        """Whether it is in use at all."""
        return bool(len(self.points))

    @property
    def version(self) -> str:
        """Tell one from another: SHA-256 (hex) of all that it is made of."""
        parts = (self.centre, self.spread, self.points, self.weights, np.array([self.length, self.bound]))
        return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in parts)).hexdigest()


@dataclass(frozen=True, eq=False)
class Corrected:
    """An answer of the hybrid.

    Args:
        value: physics plus correction [steps].
        correction: [steps], within the bound, zero where nothing is known.
        known: 0 … 1, how near each point is to what was trained on [steps]; 0: physics alone.
        physics_share: how much of the answer's variation is physics, 0 … 1.
    """

    value: F64
    correction: F64
    known: F64
    physics_share: float


def learn(output: str, states: F64, inputs: F64, run: F64, measured: F64) -> Correction:
    """Learn what a free run keeps missing.

    Args:
        output: its name.
        states: of the free run [steps, states].
        inputs: [steps, inputs].
        run: the output of the free run [steps].
        measured: readings, NaN where there is none [steps].
    """
    left = measured - run
    known = np.isfinite(left)
    physics = float(np.sqrt(np.mean(left[known] ** 2)))
    moved = bool(np.ptp(inputs[known], axis=0).max(initial=0.0) > 0)  # where none did, both errors are one, but for their last digits
    tried = [
        (_left_out(_features(states, inputs, w)[known], left[known], length, noise), w, length, noise)
        for w, length, noise in product((False, True) if moved else (False,), LENGTHS, NOISES)
    ]
    error, with_inputs, length, noise = min(tried)
    features = _features(states, inputs, with_inputs)[known]
    fitted = _process(features, left[known], length, noise)
    if error > HELPS * physics:
        fitted = tuple(part[:0] if at >= 2 else part for at, part in enumerate(fitted))  # type: ignore[assignment]
    return Correction(output, with_inputs, *fitted, length, BOUND * float(left[known].std()), error, physics, noise)


def correct(correction: Correction, states: F64, inputs: F64, run: F64) -> Corrected:
    """Correct a free run: states [steps, states], inputs [steps, inputs], output of the run [steps]."""
    if not correction.helps:
        nothing = np.zeros(len(run))
        return Corrected(run, nothing, nothing, 1.0)
    parts = (correction.centre, correction.spread, correction.points, correction.weights, correction.inverse)
    features = _features(states, inputs, correction.with_inputs)
    added, known = _answer(parts, features, correction.length, correction.bound)
    return Corrected(run + added, added, known, physics_share(run, added))


def near(correction: Correction, states: F64, inputs: F64) -> F64:
    """Give how near instants are to the points that a correction was trained on, and is a sum over [steps, points], 0 … 1."""
    features = _features(states, inputs, correction.with_inputs)
    return _kernel((features - correction.centre) / correction.spread, correction.points, correction.length)


def prior(correction: Correction) -> F64:
    """Give how near its points are to each other [points, points]: the precision of their weights, of a process of variance 1."""
    return _kernel(correction.points, correction.points, correction.length)


def physics_share(run: F64, added: F64) -> float:
    """Say how much of an answer is physics: the spread of the run over that of run and correction together.

    >>> physics_share(np.array([0.0, 3.0]), np.array([0.0, 1.0]))
    0.75
    """
    own, learned = float(np.std(run)), float(np.sqrt(np.mean(added**2) if np.std(added) == 0 else np.var(added)))
    return own / (own + learned) if own + learned > 0 else 1.0


_Parts = tuple[F64, F64, F64, F64, F64]


def _features(states: F64, inputs: F64, with_inputs: bool) -> F64:
    return np.concatenate([states, inputs], axis=1) if with_inputs else states


def _kernel(a: F64, b: F64, length: float) -> F64:
    apart = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(np.exp(-apart / (2 * length**2)), np.float64)


def _process(features: F64, left: F64, length: float, noise: float) -> _Parts:
    chosen = slice(None, None, max(-(-len(features) // POINTS), 1))
    centre, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-12)
    points = (features[chosen] - centre) / spread
    inverse = inverse_of(points, length, noise)
    return centre, spread, points, inverse @ left[chosen], inverse


def inverse_of(points: F64, length: float, noise: float) -> F64:
    """Give the inverse of the covariance of points [points, features], of a process of variance 1."""
    return np.asarray(np.linalg.inv(_kernel(points, points, length) + noise * np.eye(len(points))), np.float64)


def _answer(parts: _Parts, features: F64, length: float, bound: float) -> tuple[F64, F64]:
    centre, spread, points, weights, inverse = parts
    near = _kernel((features - centre) / spread, points, length)
    known = np.clip(((near @ inverse) * near).sum(axis=1), 0.0, 1.0)
    return np.clip(near @ weights, -bound, bound) * known, known


def _left_out(features: F64, left: F64, length: float, noise: float) -> float:
    edges = np.linspace(0, len(left), BLOCKS + 1).astype(int).tolist()
    return float(np.sqrt(np.mean(np.concatenate(_errors(features, left, edges, (length, noise))) ** 2)))


def _errors(features: F64, left: F64, edges: Sequence[int], how: tuple[float, float]) -> list[F64]:
    errors = []
    for a, b in pairwise(edges):
        kept = np.r_[0 : max(a - MARGIN, 0), min(b + MARGIN, len(left)) : len(left)]
        fitted = _process(features[kept], left[kept], *how)
        added, _ = _answer(fitted, features[a:b], how[0], BOUND * float(left[kept].std()))
        errors.append(left[a:b] - added)
    return errors
