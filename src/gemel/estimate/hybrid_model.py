"""A dynamic model whose outputs are corrected by what was learned of them: physics and correction as one model to run.

    states, inputs ─► physics ─► output ───────────────┐
         └──────────► Correction (bounded, gated) ─────┴─► output of the hybrid, and how far it is known

The correction is of what is read off the physics' own run, so it changes no state: nothing that was learned feeds back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.dynamics.solution import Floats, Profile, Solution
from gemel.estimate.answer import answer, laid
from gemel.estimate.hybrid import Correction, correct

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
        self._laid = [laid(one.correction) for one in self._learned]
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
        given = _Given(x, u, plain)
        for one, correction in zip(self._learned, self._laid, strict=True):
            added, known = answer(given.stacked(one), correction)
            run = plain[one.output]
            found |= {
                one.output: run + added, beside(one.output, PHYSICS): run,
                beside(one.output, CORRECTION): added, beside(one.output, KNOWN): known,
            }  # fmt: skip
        return found

    def free_run(self, x0: Floats, profile: Profile, p: Floats, at: Floats) -> Solution:
        """Run physics that runs in a process of its own, as `free_runs`."""
        return self.free_runs([(x0, profile, p)], at)[0]

    def free_runs(self, runs: Sequence[tuple[Floats, Profile, Floats]], at: Floats) -> list[Solution]:
        """Run physics that runs in a process of its own, several times, and correct what is read off each run."""
        physics: Any = self._physics
        found: list[Solution] = physics.free_runs(runs, at)
        return [self._corrected(s, profile.along(s.times)) for s, (_, profile, _) in zip(found, runs, strict=True)]

    def _corrected(self, s: Solution, u: Floats) -> Solution:
        columns = dict(zip(self._physics.outputs, s.outputs.T, strict=True))
        named = columns | dict(zip(self.inputs, u.T, strict=True)) | dict(zip(self.states, s.states.T, strict=True))
        for one in self._learned:
            states, inputs = (np.stack([named[n] for n in names], 1) if names else np.zeros((len(u), 0)) for names in (one.states, one.inputs))
            run = columns[one.output]
            c = correct(one.correction, states, inputs, run)
            more = {PHYSICS: run, CORRECTION: c.correction, KNOWN: c.known}
            columns = columns | {one.output: c.value} | {beside(one.output, what): column for what, column in more.items()}
        return replace(s, outputs=np.stack([columns[n] for n in self.outputs], 1))


def beside(output: str, what: str) -> str:
    """Give the name of what is told beside an output.

    >>> beside("flow", KNOWN)
    'flow (known)'
    """
    return f"{output} ({what})"


@dataclass(frozen=True, eq=False)
class _Given:
    """What a correction looks at, by name; inputs from outside, or as another part of a system gives them."""

    states: Values
    inputs: Values
    outputs: Mapping[str, Array]

    def stacked(self, one: Learned) -> Array:
        """Give the features [..., features]."""
        jnp, states = maths.loaded(), set(one.states)
        found = [self.states[n] if n in states else self._input(n) for n in one.features]
        return jnp.stack(jnp.broadcast_arrays(*found), axis=-1)

    def _input(self, name: str) -> Array:
        return self.outputs[name] if name in self.outputs and name not in set(self.inputs) else self.inputs[name]
