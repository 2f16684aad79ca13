"""A tank whose level sensor bows, which its model does not know; and a history of it."""

import numpy as np

from gemel.dynamics import Quantity

ASSET = "acme/works/tank"
BEGAN, STEP, STEPS = 1_714_550_400, 10, 500  # 2024-05-01T08:00:00Z
TRUTH = {"outflow": 6.0, "area": 0.4}  # l/s a metre, m²; the plant file says 5 and 0.5
PLANT = """\
plant: acme/works
clock: data
retention: {default: 36500 d}
types:
  Tank:
    dynamics: bowed_kit:Tank
    signals:
      inflow: {unit: l/s, range: [0, 100], interval: 10 s}
      level: {unit: m, range: [0, 20], interval: 10 s}
    parameters:
      outflow: {unit: l/(s m), default: 5, range: [1, 20], calibrate: true}
      area: {unit: m2, default: 0.5, range: [0.1, 5], calibrate: true}
assets: {tank: {type: Tank}}
"""


class Tank:
    """Flows out by its level; how its sensor bows it does not know."""

    states = {"height": Quantity("m", 4.0, low=0.0)}
    inputs = {"inflow": Quantity("m3/s", 0.02)}
    outputs = {"level": Quantity("m")}
    parameters = {"outflow": Quantity("m2/s", 0.005, low=0.0), "area": Quantity("m2", 0.5, low=0.01)}

    def derivative(self, t, x, u, p):
        return {"height": (u.inflow - p.outflow * x.height) / p.area}

    def output(self, t, x, u, p):
        return {"level": x.height}


def bow(level):
    """Give what the sensor reads beside the level [m]."""
    return 0.3 * np.sin(1.2 * level)


def lived():
    """Give the times [s since 1970], inflows [l/s] and readings [m] of the tank."""
    rng = np.random.default_rng(7)
    inflow = np.repeat(rng.uniform(14.0, 40.0, STEPS // 25), 25)
    fast, level = np.exp(-STEP * TRUTH["outflow"] / 1000 / TRUTH["area"]), [4.0]
    for q in inflow[:-1]:
        level.append(q / TRUTH["outflow"] + (level[-1] - q / TRUTH["outflow"]) * fast)
    level = np.array(level)
    return BEGAN + STEP * np.arange(STEPS), inflow, level + bow(level) + 0.01 * rng.standard_normal(STEPS)
