"""A pump that fills a tank: what the twin thinks of it (`Works`), and a plant whose equations are others (`plant`)."""

from dataclasses import dataclass

import numpy as np

from gemel.dynamics import Quantity, compile_model, maths
from gemel.estimate import Noise, Problem

SET, VALVE = 150.0, 0.5


class Works:
    """First-order drive, quadratic head and pipe, level by balance, outflow by an orifice."""

    states = {"speed": Quantity("rad/s", SET, low=0.0, high=400.0), "flow": Quantity("m3/s", 0.02, low=0.0, high=0.2), "level": Quantity("m", 2.0, low=0.05, high=6.0)}
    inputs = {"setpoint": Quantity("rad/s", SET), "valve": Quantity("1", VALVE)}
    outputs = {"speed": Quantity("rad/s"), "flow": Quantity("m3/s"), "level": Quantity("m"), "pressure": Quantity("m"), "outflow": Quantity("m3/s")}
    parameters = {
        "wear": Quantity("1", 0.0, low=-0.5, high=0.6),
        "blockage": Quantity("1", 0.0, low=-0.9, high=20.0),
        "leak": Quantity("m3/s", 0.0, low=-0.05, high=0.05),
        "discharge": Quantity("m2.5/s", 0.0283, low=0.002, high=0.2),
        "area": Quantity("m2", 3.0),
    }

    def derivative(self, t, x, u, p):
        head = 28.0 * (1 - p.wear) * (x.speed / 150.0) ** 2 - 8000.0 * x.flow**2
        return {
            "speed": (u.setpoint - x.speed) / 3.0,
            "flow": (head - 12.0 - x.level - 20000.0 * (1 + p.blockage) * x.flow**2) / 400.0,
            "level": (x.flow - p.leak - p.discharge * u.valve * maths.root(x.level, 1e-3)) / p.area,
        }

    def output(self, t, x, u, p):
        return {
            "speed": x.speed, "flow": x.flow, "level": x.level,
            "pressure": 12.0 + x.level + 20000.0 * (1 + p.blockage) * x.flow**2,
            "outflow": p.discharge * u.valve * maths.root(x.level, 1e-3),
        }


SENSORS = np.array([0.3, 1.5e-4, 0.01, 0.08, 1.5e-4])
PROCESS = {"wear": 0.08, "blockage": 0.4, "leak": 0.002, "discharge": 0.004}


def works():
    """The twin's problem, with noises as one would guess them."""
    noise = Noise(np.array([0.05, 2e-5, 1e-3]), np.zeros(0), SENSORS.copy(), np.array([1.0, 1e-3, 0.05]), np.zeros(0))
    return Problem(compile_model(Works()), (), noise, 1.0, substeps=2)


@dataclass
class Fault:
    kind: str = ""  # bias drift stuck noise gain deadband intermittent | leak blockage wear filter air valve | model
    at: str = ""
    size: float = 0.0
    onset: int = 10**9
    until: int = 10**9  # of wear: it is mended


def plant(seed, instants, fault=Fault()):
    """Live a plant of other equations: second-order drive, Hazen-Williams pipe, viscous, another orifice law, laggy sensors.

    Gives inputs and readings. The set-points wander in steps; with a fault of the kind `model` something the twin
    does not know sets in off the usual regime (`size` of its share).
    """
    rng = np.random.default_rng(seed)
    u = np.empty((instants, 2))
    regime, valve = SET, VALVE
    for k in range(instants):
        if rng.random() < 0.03:
            regime = SET + rng.uniform(-18, 18)
        if rng.random() < 0.03:
            valve = VALVE + rng.uniform(-0.12, 0.12)
        u[k] = regime, valve
    speed, torque, flow, level, seen = SET, 0.0, 0.02, 2.0, None
    unusual = fault.size if fault.kind == "model" else 0.0
    h, held, y = 0.1, {}, np.empty((instants, 5))
    phase = rng.uniform(0, 6)
    for k in range(instants):
        on = k >= fault.onset
        grown = fault.size * min(1.0, (k - fault.onset + 1) / 60.0) if on else 0.0
        wear = grown if fault.kind == "wear" and k < fault.until else 0.0
        blockage = grown if fault.kind == "blockage" else 0.0
        leak = fault.size if on and fault.kind == "leak" else 0.0
        clogged = grown if fault.kind == "filter" else 0.0
        gas = fault.size * (1 + 0.3 * rng.standard_normal()) if on and fault.kind == "air" else 0.0
        shut = fault.size if on and fault.kind == "valve" else 0.0
        warm = 1 + 0.015 * np.sin(k / 150 + phase)
        for _ in range(10):
            torque += h * (((u[k, 0] - speed) * 0.9 - torque) / 0.4)
            speed += h * (torque * 0.55)
            ratio = speed / 150.0
            head = 28.1 * (1 - wear) * ratio**2 - 20.0 * ratio * flow - 7200.0 * flow**2
            head = head * (1 - gas) - 20000.0 * clogged * flow**2
            odd = 1 + unusual * (ratio - 1) * 6 if fault.at == "pipe" else 1.0
            loss = 20000.0 * (1 + blockage) * 0.0195**2 * (flow / 0.0195) ** 1.87 * warm * odd
            flow += h * (head - 12.0 - level - loss) / 420.0
            law = 0.0283 * u[k, 1] * np.sqrt(2.0) * (max(level, 0.0) / 2.0) ** 0.52
            law *= 1 - shut
            if fault.at == "orifice":
                law *= 1 + unusual * (u[k, 1] / VALVE - 1) * 4
            level += h * (flow - leak - law + 2e-5 * rng.standard_normal()) / 3.0
        true = np.array([speed, flow, level, 12.0 + level + loss, law])
        seen = true if seen is None else seen + (true - seen) * np.array([1, 0.8, 0.9, 0.9, 0.8])
        y[k] = seen + SENSORS * rng.standard_normal(5)
    names = list(Works.outputs)
    if fault.at in names and fault.kind:
        i, late = names.index(fault.at), slice(fault.onset, None)
        many = instants - fault.onset
        if fault.kind == "bias":
            y[late, i] += fault.size
        elif fault.kind == "drift":
            y[late, i] += fault.size * np.arange(many) / 100.0
        elif fault.kind == "stuck":
            y[late, i] = y[fault.onset, i]
        elif fault.kind == "noise":
            y[late, i] += fault.size * rng.standard_normal(many)
        elif fault.kind == "gain":
            y[late, i] *= 1 + fault.size
        elif fault.kind == "deadband":
            for k in range(fault.onset, instants):
                y[k, i] = y[k, i] if abs(y[k, i] - y[k - 1, i]) > fault.size else y[k - 1, i]
        elif fault.kind == "intermittent":
            y[late, i] *= rng.random(many) > fault.size
    return u, np.round(y / (SENSORS / 8)) * (SENSORS / 8)
