"""A model of which only some states are followed: the others are given where they are read, else stay where they begin.

A filter of a whole machine has a number for each of its states; of many, one wants a few. What a sensor shows well enough
(a speed) is as good as an input; what hardly moves, or moves nothing that is looked at (a counter), is a constant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.dynamics.dependence import Parts


class Reduced:
    """Another model with fewer states; those that are read are inputs; parameters are the same.

    Args:
        model: the whole one.
        states: that are followed.
        read: other states that sensors show.
        outputs: those that are kept; a state that is followed is seen as it is.
    """

    def __init__(self, model: DynamicModel, states: Collection[str], read: Collection[str], outputs: Collection[str]) -> None:
        self.model, self.parameters = model, model.parameters
        self.stiff = getattr(model, "stiff", False)
        self.states: Mapping[str, Quantity] = {n: q for n, q in model.states.items() if n in states}
        self._read = tuple(n for n in model.states if n in read and n not in self.states)
        self.inputs: Mapping[str, Quantity] = {**model.inputs, **{n: model.states[n] for n in self._read}}
        self._held = {n: q.start for n, q in model.states.items() if n not in self.states and n not in self._read}
        seen = {**self.states, **model.outputs}
        self.outputs: Mapping[str, Quantity] = {n: q for n, q in seen.items() if n in outputs}

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rate of each state that is followed, per second."""
        found = self.model.derivative(t, self._whole(x, u), u, p)
        return {name: found[name] for name in self.states}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give each output that is kept."""
        found = self.model.output(t, self._whole(x, u), u, p)
        return {name: found[name] if name in found else x[name] for name in self.outputs}

    def _whole(self, x: Values, u: Values) -> Values:
        return Parts({n: x[n] for n in self.states} | {n: u[n] for n in self._read} | self._held)  # type: ignore[return-value]
