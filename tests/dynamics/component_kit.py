"""Evaluating a component by names: what the tests of the library ask."""

import numpy as np

from gemel.dynamics import compile_model, maths
from gemel.dynamics.fixed import trajectory


class Bench:
    """A component on the bench: its declared values, changed by name, and what it answers."""

    def __init__(self, kind, **parameters):
        self.model = compile_model(kind())
        self.p = self.model.with_parameters(parameters)

    def vector(self, kind, given):
        start = {"states": self.model.x0, "inputs": self.model.u0}[kind].copy()
        for name, value in given.items():
            if name in getattr(self.model, kind):
                start[self.model.place(kind, name)] = value
        assert set(given) <= {*self.model.states, *self.model.inputs}, given
        return start

    def outputs(self, **given):
        x, u = self._state(given)
        return dict(zip(self.model.outputs, np.asarray(self.model.observe(0.0, x, u, self.p)), strict=True))

    def rates(self, **given):
        x, u = self._state(given)
        return dict(zip(self.model.states, np.asarray(self.model.rate(0.0, x, u, self.p)), strict=True))

    def run(self, seconds, steps, substeps=1, **given):
        """Free-run with the inputs held; states and outputs by name, each [steps + 1]."""
        import jax

        maths.loaded()
        x, u = self._state(given)
        us = np.broadcast_to(u, (steps + 1, len(u)))
        run = jax.jit(lambda x, u, p: trajectory(self.model, x, u, p, seconds / steps, substeps))
        xs, ys = run(x, us, self.p)
        named = dict(zip(self.model.states, np.asarray(xs).T, strict=True))
        return named | dict(zip(self.model.outputs, np.asarray(ys).T, strict=True))

    def _state(self, given):
        states = {k: v for k, v in given.items() if k in self.model.states}
        inputs = {k: v for k, v in given.items() if k not in states}
        return self.vector("states", states), self.vector("inputs", inputs)
