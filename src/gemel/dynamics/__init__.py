"""Physics: what a dynamic model is, how it is solved, what comes with gemel.

A dynamic model says which states, inputs, outputs and parameters it has, with units and ranges, and gives two
functions of them. Nothing more is asked of it:

    class Tank:
        states = {"level": Quantity("m", low=0.0)}
        inputs = {"inflow": Quantity("m3/s")}
        outputs = {"outflow": Quantity("m3/s")}
        parameters = {"area": Quantity("m2", 2.0, low=0.01), "opening": Quantity("m2.5/s", 0.01, low=0.0)}

        def derivative(self, t, x, u, p):
            return {"level": (u.inflow - p.opening * maths.sqrt(x.level)) / p.area}

        def output(self, t, x, u, p):
            return {"outflow": p.opening * maths.sqrt(x.level)}

Every number in there is in the coherent SI unit declared; conversion from the plant's units happens outside. The
functions are plain Python over arrays, without side effects: the same two are integrated, differentiated, batched
over thousands of scenarios, and fitted. Declaring imports no JAX: it is loaded when a model is first evaluated.

`compile_model` turns a model into functions over vectors (`Compiled`); everything that reasons about models
(solvers, filters, calibration, scenarios) sees only that.
"""

from gemel.dynamics import maths
from gemel.dynamics.compiled import Compiled, compile_model
from gemel.dynamics.declare import DynamicModel, Quantity, Values
from gemel.dynamics.reference import find_model

__all__ = ["Compiled", "DynamicModel", "Quantity", "Values", "compile_model", "find_model", "maths"]
