"""A model as a plant measures it: some inputs are held, some outputs are not looked at, a measured state is an output.

States that nothing moves that is looked at (a motor's temperatures where only the water is read) need not be there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.dynamics.dependence import Parts
from gemel.dynamics.ports import ports_of
from gemel.dynamics.solution import Floats, Profile, Solution


class Narrowed:
    """Another model with fewer inputs and outputs; parameters are the same, and states unless they are named.

    Args:
        model: the whole one.
        held: inputs that are constant, with their values, SI.
        outputs: those that are kept; a state among them is seen as it is.
        states: those that are kept, as `dependence.moving` gives them; the others stay where they begin. None: all.
    """

    def __init__(
        self, model: DynamicModel, held: Mapping[str, float], outputs: Collection[str], states: Collection[str] | None = None
    ) -> None:
        self.model, self.held = model, dict(held)
        self.parameters = model.parameters
        self.states: Mapping[str, Quantity] = {n: q for n, q in model.states.items() if states is None or n in states}
        self._still = {n: q.start for n, q in model.states.items() if n not in self.states}
        self.inputs: Mapping[str, Quantity] = {n: q for n, q in model.inputs.items() if n not in self.held}
        self.outputs: Mapping[str, Quantity] = {
            n: q for n, q in ({**model.states, **model.outputs}).items() if n in outputs
        }
        self.ports = ports_of(model)
        self.traceable = getattr(model, "traceable", True)
        self.stiff = getattr(model, "stiff", False)

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rate of each state, per second."""
        found = self.model.derivative(t, self._every(x), self._all(u), p)
        return {name: found[name] for name in self.states} if self._still else found

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give each output that is kept."""
        found = self.model.output(t, self._every(x), self._all(u), p)
        return {name: found[name] if name in found else x[name] for name in self.outputs}

    @property
    def exchanged(self) -> bool:
        """Whether a model that runs in a process of its own has equations at points."""
        return bool(getattr(self.model, "exchanged", False))

    @property
    def tunable(self) -> frozenset[str]:
        """Which parameters of a model that runs in a process of its own may change while it runs."""
        found: frozenset[str] = getattr(self.model, "tunable", frozenset())
        return found

    def free_run(self, x0: Floats, profile: Profile, p: Floats, at: Floats) -> Solution:
        """Run a model that runs in a process of its own, as `free_runs`."""
        return self.free_runs([(x0, profile, p)], at)[0]

    def free_runs(self, runs: Sequence[tuple[Floats, Profile, Floats]], at: Floats) -> list[Solution]:
        """Run a model that runs in a process of its own, several times, with the inputs that are held."""
        whole: Any = self.model
        found: list[Solution] = whole.free_runs([(x0, self._whole(profile), p) for x0, profile, p in runs], at)
        return [replace(s, outputs=self._kept(s)) for s in found]

    def _whole(self, profile: Profile) -> Profile:
        given = dict(zip(self.inputs, np.asarray(profile.values, np.float64).T, strict=True))
        n = len(profile.times)
        columns = [given[name] if name in given else np.full(n, self.held[name]) for name in self.model.inputs]
        return replace(profile, values=np.stack(columns, 1) if columns else np.zeros((n, 0)))

    def _kept(self, s: Solution) -> Floats:
        columns = dict(zip(self.model.states, s.states.T, strict=True)) | dict(zip(self.model.outputs, s.outputs.T, strict=True))
        return np.stack([columns[name] for name in self.outputs], 1)

    def _every(self, x: Values) -> Values:
        return Parts({n: x[n] for n in self.states} | self._still) if self._still else x  # type: ignore[return-value]

    def _all(self, u: Values) -> Values:
        return Parts({n: u[n] for n in self.inputs} | self.held)  # type: ignore[return-value]
