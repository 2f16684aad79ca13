"""A small machine whose parameters are known, and records of it."""

from functools import lru_cache

import numpy as np

from gemel.dynamics import Quantity, compile_model, maths
from gemel.dynamics.fixed import trajectory
from gemel.estimate.record import of_columns

TRUTH = {"opening": 0.08, "area": 1.6}
NOISE = 0.01
STEPS = 240


class Basin:
    """A basin that drains by Torricelli's law; of `gauge` and `gain` only the product acts."""

    states = {"level": Quantity("m", 1.0, low=0.0, high=10.0)}
    inputs = {"inflow": Quantity("m3/s", 0.08)}
    outputs = {"level": Quantity("m", 1.0)}
    parameters = {
        "opening": Quantity("m2.5/s", 0.05, low=0.005, high=0.5),
        "area": Quantity("m2", 1.0, low=0.1, high=10.0),
        "gain": Quantity("1", 1.0, low=0.1, high=10.0),
        "gauge": Quantity("1", 1.0, low=0.1, high=10.0),
        "idle": Quantity("1", 1.0, low=0.0, high=10.0),
    }

    def derivative(self, t, x, u, p):
        return {"level": (p.gain * p.gauge * u.inflow - p.opening * maths.root(x.level, 1e-3)) / p.area}

    def output(self, t, x, u, p):
        return {"level": x.level + 0 * p.idle}


@lru_cache(1)
def basin():
    return compile_model(Basin())


def lived(rng, noise=NOISE, steps=STEPS, start=1.2):
    """Give a record of a basin under a wandering inflow, one reading a second."""
    model = basin()
    inflow = 0.08 + 0.05 * np.repeat(rng.uniform(-1, 1, steps // 20), 20)[:, None]
    _, y = trajectory(model, np.array([start]), inflow, model.with_parameters(TRUTH), 1.0)
    return of_columns(1.0, inflow, np.asarray(y) + noise * rng.standard_normal(y.shape))
