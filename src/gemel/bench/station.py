"""The station that `gemel bench whatif` tries futures of: two pumps, motors, bearings, pipes, and a tank.

One explicit model of 20 states. Head and power are those of `CentrifugalPump`, what runs over is that of `Tank`, copper
warms as in `InductionMotor`; what is simpler than the library's, so that the states are the 20 that the figures are quoted
for, is written here: momentum of the water in each pipe with a friction of one coefficient, first-order speed of the
drive, two thermal masses a motor, a bearing's temperature and its life used by load and speed (ISO 281: the cube of the
load) and by heat, fouling. Every tool of the comparison is given the same equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gemel.dynamics import Quantity, Values, maths
from gemel.dynamics.components import motor, pump, tank

PUMPS = ("a", "b")


def _each(**declared: Quantity) -> dict[str, Quantity]:
    return {f"{name}_{which}": quantity for which in PUMPS for name, quantity in declared.items()}


class Station:
    """Two pumps lift water through a pipe each into a tank, out of which a town draws."""

    states: Mapping[str, Quantity] = {
        **_each(
            speed=Quantity("rad/s", 150.0, low=0.0),
            flow=Quantity("m3/s", 0.04),
            winding=Quantity("K", 330.0),
            housing=Quantity("K", 315.0),
            bearing=Quantity("K", 310.0),
            oil=Quantity("K", 308.0),
            used=Quantity("1", 0.1, low=0.0, description="Life of the bearing that is used."),
            wear=Quantity("1", 0.05, low=0.0, high=0.5),
            fouling=Quantity("1", 0.02, low=0.0),
        ),
        "level": Quantity("m", 3.0, low=0.0, high=6.0),
        "warmth": Quantity("K", 288.0, description="Of the water in the tank."),
    }
    inputs: Mapping[str, Quantity] = {
        **_each(setpoint=Quantity("rad/s", 150.0, low=0.0)),
        "demand": Quantity("m3/s", 0.075, low=0.0),
        "ambient": Quantity("K", 295.0),
        "supply": Quantity("K", 285.0, description="Of the water that is pumped."),
    }
    outputs: Mapping[str, Quantity] = {
        "power": Quantity("W"),
        "inflow": Quantity("m3/s"),
        "spill": Quantity("m3/s"),
        "life_used": Quantity("1"),
        "hottest": Quantity("K"),
    }
    parameters: Mapping[str, Quantity] = {
        "shutoff_head": Quantity("m", 32.0, low=1.0),
        "rated_head": Quantity("m", 25.28, low=1.0, description="At rated speed and flow."),
        "rated_speed": Quantity("rad/s", 150.0, low=1.0),
        "rated_flow": Quantity("m3/s", 0.04, low=0.001),
        "static": Quantity("m", 14.0),
        "friction": Quantity("s2/m5", 3500.0, low=0.0),
        "inertance": Quantity("s2/m2", 4000.0, low=1.0, description="Length of a pipe over its area and g."),
        "best_efficiency": Quantity("1", 0.78, low=0.1, high=0.9),
        "density": Quantity("kg/m3", 998.2, low=1.0),
        "copper": Quantity("W/A2", 0.5, low=0.0),
        "heat_winding": Quantity("J/K", 9000.0, low=1.0),
        "heat_housing": Quantity("J/K", 45000.0, low=1.0),
        "heat_bearing": Quantity("J/K", 2500.0, low=1.0),
        "cooling": Quantity("W/K", 28.0, low=0.1),
        "drag": Quantity("W.s/rad", 0.35, low=0.0),
        "load": Quantity("N", 2600.0, low=0.0),
        "capacity": Quantity("N", 29000.0, low=1.0),
        "abrasion": Quantity("1/s", 2e-9, low=0.0),
        "area": Quantity("m2", 120.0, low=0.1),
        "rim": Quantity("m", 5.0, low=0.0),
        "weir_coefficient": Quantity("1", 0.61, low=0.1),
        "weir_width": Quantity("m", 1.0, low=0.01),
        "scaling": Quantity("1/s", 1e-8, low=0.0),
    }

    def derivative(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give the rates of the 20 states."""
        found: dict[str, Any] = {}
        for which in PUMPS:
            found |= self._pump(which, x, u, p)
        inflow, spill = x.flow_a + x.flow_b, tank.spill(x.level, p)
        drawn = u.demand * maths.tanh(10.0 * maths.maximum(x.level, 0.0))  # an empty tank gives nothing
        found["level"] = (inflow - drawn - spill) / p.area
        volume = p.area * maths.maximum(x.level, 0.2)
        found["warmth"] = (inflow * (u.supply - x.warmth) + 2e-5 * p.area * (u.ambient - x.warmth)) / volume
        return found

    def output(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give power of both motors, what flows in and over, the worse bearing and the hotter winding."""
        return {
            "power": sum(self._shaft(which, x, p) + self._losses(which, x, p) for which in PUMPS),
            "inflow": x.flow_a + x.flow_b,
            "spill": tank.spill(x.level, p),
            "life_used": maths.maximum(x.used_a, x.used_b),
            "hottest": maths.maximum(x.winding_a, x.winding_b),
        }

    def _pump(self, which: str, x: Values, u: Values, p: Values) -> dict[str, Any]:
        of = {
            name: x[f"{name}_{which}"]
            for name in ("speed", "flow", "winding", "housing", "bearing", "oil", "wear", "fouling")
        }
        ratio = of["speed"] / p.rated_speed
        head = pump.head(of["speed"], of["flow"], of["wear"], p)
        loss = p.friction * (1.0 + of["fouling"]) * of["flow"] * maths.abs(of["flow"])
        losses, friction = self._losses(which, x, p), self._friction(of["oil"], of["speed"], p)
        out, turned = of["winding"] - of["housing"], of["speed"] / 6.283185307179586
        hot = maths.exp((of["bearing"] - 343.0) / 21.6)  # Arrhenius: twice as fast every 15 K
        thrust = p.load * (0.6 + 0.4 * ratio * ratio)
        return {
            f"speed_{which}": (u[f"setpoint_{which}"] - of["speed"]) / 12.0,
            f"flow_{which}": (head - p.static - x.level - loss) / p.inertance,
            f"winding_{which}": (losses - 60.0 * out) / p.heat_winding,
            f"housing_{which}": (60.0 * out - p.cooling * (of["housing"] - u.ambient)) / p.heat_housing,
            f"bearing_{which}": (friction - 4.0 * (of["bearing"] - of["oil"])) / p.heat_bearing,
            f"oil_{which}": (4.0 * (of["bearing"] - of["oil"]) - 1.6 * (of["oil"] - of["housing"])) / 6000.0,
            f"used_{which}": turned / 1e6 * (thrust / p.capacity) ** 3 * (1.0 + hot),
            f"wear_{which}": p.abrasion * maths.abs(of["flow"] / p.rated_flow) ** 2.5,
            f"fouling_{which}": p.scaling * maths.exp(-of["flow"] / p.rated_flow),
        }

    def _shaft(self, which: str, x: Values, p: Values) -> Any:
        speed, flow, wear = (x[f"{name}_{which}"] for name in ("speed", "flow", "wear"))
        return pump.shaft_power(speed, flow, pump.head(speed, flow, wear, p), wear, p)

    def _losses(self, which: str, x: Values, p: Values) -> Any:
        current = self._shaft(which, x, p) / 500.0
        hot = 1.0 + motor.COPPER * (x[f"winding_{which}"] - motor.COLD)
        return p.copper * hot * current * current + 250.0

    def _friction(self, oil: Any, speed: Any, p: Values) -> Any:
        thin = maths.exp(-0.03 * (oil - 313.0))
        return p.drag * speed * (0.5 + 0.5 * thin)
