"""Small models with known answers, and plans of them."""

import numpy as np

from gemel.dynamics import Quantity, compile_model
from gemel.scenarios.plan import Gauge, Members, Plan


class Decay:
    """x' = u − x·k: e^(−kt) where nothing comes in."""

    states = {"x": Quantity("1", 1.0)}
    inputs = {"u": Quantity("1/s", 0.0)}
    outputs = {"double": Quantity("1")}
    parameters = {"k": Quantity("1/s", 0.01, low=0.0, high=1.0)}

    def derivative(self, t, x, u, p):
        return {"x": u.u - x.x * p.k}

    def output(self, t, x, u, p):
        return {"double": 2.0 * x.x}


def shapeless(functions):
    """A model without dynamics whose outputs are functions of one input `v` and one parameter `w`."""

    class Shapeless:
        states = {"x": Quantity("1", 0.0)}
        inputs = {"v": Quantity("1", 0.0)}
        outputs = {name: Quantity("1") for name in functions}
        parameters = {"w": Quantity("1", 1.0)}

        def derivative(self, t, x, u, p):
            return {"x": 0.0 * u.v}

        def output(self, t, x, u, p):
            return {name: f(u.v, p.w) for name, f in functions.items()}

    return compile_model(Shapeless())


def plan_of(model, steps=1, dt=1.0, every=None, gauges=(), watch=None, substeps=1):
    return Plan(model, dt, steps, every or steps, substeps, watch or model.outputs, tuple(gauges), 0, ())


def members_of(model, **columns):
    """Members in which some held values or states differ; everything else as declared."""
    count = len(next(iter(columns.values())))
    held = (*model.inputs, *model.parameters)
    x0, gain = np.tile(model.x0, (count, 1)), np.tile(np.concatenate([model.u0, model.p0]), (count, 1))
    for name, values in columns.items():
        array, names = (x0, model.states) if name in model.states else (gain, held)
        array[:, names.index(name)] = values
    return Members(x0, gain, np.zeros_like(gain), np.zeros((10_000, 0)), np.zeros(8))


__all__ = ["Decay", "Gauge", "members_of", "plan_of", "shapeless"]
