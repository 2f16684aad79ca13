"""A model as a plant measures it: some inputs are held, some outputs are not looked at, a measured state is an output."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.dynamics.dependence import Parts
from gemel.dynamics.ports import ports_of


class Narrowed:
    """Another model with fewer inputs and outputs; states and parameters are the same.

    Args:
        model: the whole one.
        held: inputs that are constant, with their values, SI.
        outputs: those that are kept; a state among them is seen as it is.
    """

    def __init__(self, model: DynamicModel, held: Mapping[str, float], outputs: Collection[str]) -> None:
        self.model, self.held = model, dict(held)
        self.states, self.parameters = model.states, model.parameters
        self.inputs: Mapping[str, Quantity] = {n: q for n, q in model.inputs.items() if n not in self.held}
        self.outputs: Mapping[str, Quantity] = {
            n: q for n, q in ({**model.states, **model.outputs}).items() if n in outputs
        }
        self.ports = ports_of(model)
        self.traceable = getattr(model, "traceable", True)

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give the rate of each state, per second."""
        return self.model.derivative(t, x, self._all(u), p)

    def output(self, t: Array, x: Values, u: Values, p: Values) -> Mapping[str, Array]:
        """Give each output that is kept."""
        found = self.model.output(t, x, self._all(u), p)
        return {name: found[name] if name in found else x[name] for name in self.outputs}

    def _all(self, u: Values) -> Values:
        return Parts({n: u[n] for n in self.inputs} | self.held)  # type: ignore[return-value]
