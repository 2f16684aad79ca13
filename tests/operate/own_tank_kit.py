"""A model of one's own, as a user writes it: the source of a file."""

TANK = """
from gemel.dynamics import Quantity

class Tank:
    states = {"level": Quantity("m", 1.0, low=0.1, high=4.0)}
    inputs = {"inflow": Quantity("m3/s", 0.01)}
    outputs = {"outflow": Quantity("m3/s")}
    parameters = {"area": Quantity("m2", 2.0, low=0.1, high=10.0)}

    def derivative(self, t, x, u, p):
        return {"level": (u.inflow - 0.01 * x.level) / p.area}

    def output(self, t, x, u, p):
        return {"outflow": 0.01 * x.level}
"""
