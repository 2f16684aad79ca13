"""A dynamic model whose outputs are corrected by what was learned of them: physics and correction as one model to run.

    states, inputs ─► physics ─► output ───────────────┐
         └──────────► Correction (bounded, gated) ─────┴─► output of the hybrid, and how far it is known

The correction is of what is read off the physics' own run, so it changes no state: nothing that was learned feeds back. It
is that of `gemel.estimate.hybrid.correct`, written for arrays of JAX; how far a point is known is computed with the part of
the kernel's matrix that says anything (its eigenvectors, Rasmussen & Williams, 2006, chapter 8.1), good to `LEFT_OUT`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.estimate.hybrid import Correction
from gemel.samples.batch import F64

LEFT_OUT: Final = 1e-10  # of how far the points themselves are known: some 1e-5 of how far any point is
PHYSICS, CORRECTION, KNOWN = "physics alone", "correction", "known"


@dataclass(frozen=True, eq=False)
class Learned:
    """A correction and what it looks at.

    Args:
        output: of the model, that it corrects.
        states, inputs: of the model, in the order of the correction's features; an input that other parts of a system
            give is one of its outputs.
        correction: that was released.
    """

    output: str
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    correction: Correction

    @property
    def fits(self) -> bool:
        """Whether it looks at as much as it was trained on."""
        return len(self.correction.centre) == len(self.features)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what it looks at."""
        return (*self.states, *self.inputs) if self.correction.with_inputs else self.states


class HybridModel:
    """Physics with corrected outputs; what is corrected is told beside: ``flow (physics alone)``, ``flow (correction)``, ``flow (known)``.

    Args:
        physics: any dynamic model.
        learned: of its outputs.
    """

    def __init__(self, physics: DynamicModel, learned: Sequence[Learned]) -> None:
        self._physics, self._learned = physics, tuple(learned)
        self._roots = [_root(one.correction) for one in self._learned]
        self.states, self.inputs, self.parameters = physics.states, physics.inputs, physics.parameters
        more: dict[str, Quantity] = {}
        for one in self._learned:
            said = physics.outputs[one.output]
            more |= {beside(one.output, PHYSICS): said, beside(one.output, CORRECTION): said, beside(one.output, KNOWN): Quantity("1")}
        self.outputs: Mapping[str, Quantity] = {**physics.outputs, **more}

    def __getattr__(self, name: str) -> Any:
        """Give what else the physics has: ports, loops."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._physics, name)

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rates of the physics."""
        return self._physics.derivative(t, x, u, p)

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the outputs, corrected where something was learned of them."""
        found = dict(self._physics.output(t, x, u, p))
        plain = dict(found)
        for one, root in zip(self._learned, self._roots, strict=True):
            added, known = _answer(one, root, x, _Given(u, plain))
            run = plain[one.output]
            found |= {
                one.output: run + added, beside(one.output, PHYSICS): run,
                beside(one.output, CORRECTION): added, beside(one.output, KNOWN): known,
            }  # fmt: skip
        return found


def beside(output: str, what: str) -> str:
    """Give the name of what is told beside an output.

    >>> beside("flow", KNOWN)
    'flow (known)'
    """
    return f"{output} ({what})"


@dataclass(frozen=True, eq=False)
class _Given:
    """Inputs by name: from outside, or as another part of a system gives them."""

    inputs: Values
    outputs: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.outputs[name] if name in self.outputs and name not in set(self.inputs) else self.inputs[name]


def _answer(one: Learned, root: F64, x: Values, u: _Given) -> tuple[Array, Array]:
    """Give the correction and how far it is known (equations 2.25 and 2.26 of Rasmussen & Williams, 2006)."""
    jnp, c = maths.loaded(), one.correction
    states = set(one.states)
    features = [(x[n] if n in states else u[n]) for n in one.features]
    at = (jnp.stack(jnp.broadcast_arrays(*features), axis=-1) - c.centre) / c.spread
    apart = ((at[..., None, :] - c.points) ** 2).sum(axis=-1)
    near = jnp.exp(apart * (-0.5 / c.length**2))
    known = jnp.clip(((near @ root) ** 2).sum(axis=-1), 0.0, 1.0)
    return jnp.clip(near @ c.weights, -c.bound, c.bound) * known, known


def _root(c: Correction) -> F64:
    """Give R [points, few] with near·inverse·near = |near·R|², but for `LEFT_OUT`."""
    values, vectors = np.linalg.eigh(c.inverse)
    sizes = 1.0 / values - c.noise  # of the kernel's own matrix, the largest first
    parts = (vectors * sizes) ** 2 * values  # what each says of how far the points themselves are known [points, points]
    left = np.cumsum(parts[:, ::-1], axis=1)[:, ::-1].max(axis=0)
    few = max(int((left > LEFT_OUT).sum()), 1)
    return np.asarray(vectors[:, :few] * np.sqrt(values[:few]), np.float64)
