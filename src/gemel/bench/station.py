"""The station that `gemel bench whatif` tries futures of: two pumps, motors, bearings, pipes, and a tank.

One explicit model of 20 states, written out so that every tool of the comparison can be given the same equations:
affinity laws and a quadratic head curve (Gülich 2014, Centrifugal Pumps, §3), momentum of the water in each pipe with
Darcy–Weisbach friction, first-order speed of the drive, two thermal masses a motor, a bearing's temperature and its
life used by load and speed (ISO 281: the cube of the load) and by heat, a pump's wear, a tank with a free overflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gemel.dynamics import Quantity, Values, maths

PUMPS = ("a", "b")
G, RHO = 9.81, 998.0


def _each(**declared: Quantity) -> dict[str, Quantity]:
    return {f"{name}_{pump}": quantity for pump in PUMPS for name, quantity in declared.items()}


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
        "head": Quantity("m", 32.0, low=1.0, description="Shut-off head at the rated speed."),
        "curve": Quantity("s2/m5", 4200.0, low=0.0),
        "rated": Quantity("rad/s", 150.0, low=1.0),
        "static": Quantity("m", 14.0),
        "friction": Quantity("s2/m5", 3500.0, low=0.0),
        "inertance": Quantity("s2/m2", 4000.0, low=1.0, description="Length of a pipe over its area and g."),
        "efficiency": Quantity("1", 0.78, low=0.1, high=0.9),
        "best": Quantity("m3/s", 0.04, low=0.001),
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
        "crest": Quantity("m", 5.0, low=0.0),
        "scaling": Quantity("1/s", 1e-8, low=0.0),
    }

    def derivative(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give the rates of the 20 states."""
        found: dict[str, Any] = {}
        for pump in PUMPS:
            found |= self._pump(pump, x, u, p)
        inflow, spill = x.flow_a + x.flow_b, self._spill(x, p)
        drawn = u.demand * maths.tanh(10.0 * maths.maximum(x.level, 0.0))  # an empty tank gives nothing
        found["level"] = (inflow - drawn - spill) / p.area
        volume = p.area * maths.maximum(x.level, 0.2)
        found["warmth"] = (inflow * (u.supply - x.warmth) + 2e-5 * p.area * (u.ambient - x.warmth)) / volume
        return found

    def output(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give power of both motors, what flows in and over, the worse bearing and the hotter winding."""
        return {
            "power": sum(self._shaft(pump, x, p) + self._losses(pump, x, p) for pump in PUMPS),
            "inflow": x.flow_a + x.flow_b,
            "spill": self._spill(x, p),
            "life_used": maths.maximum(x.used_a, x.used_b),
            "hottest": maths.maximum(x.winding_a, x.winding_b),
        }

    def _pump(self, pump: str, x: Values, u: Values, p: Values) -> dict[str, Any]:
        of = {
            name: x[f"{name}_{pump}"]
            for name in ("speed", "flow", "winding", "housing", "bearing", "oil", "wear", "fouling")
        }
        ratio = of["speed"] / p.rated
        head = p.head * (1.0 - of["wear"]) * ratio * ratio - p.curve * of["flow"] * of["flow"]
        loss = p.friction * (1.0 + of["fouling"]) * of["flow"] * maths.abs(of["flow"])
        losses, friction = self._losses(pump, x, p), self._friction(of["oil"], of["speed"], p)
        out, turned = of["winding"] - of["housing"], of["speed"] / 6.283185307179586
        hot = maths.exp((of["bearing"] - 343.0) / 21.6)  # Arrhenius: twice as fast every 15 K
        thrust = p.load * (0.6 + 0.4 * ratio * ratio)
        return {
            f"speed_{pump}": (u[f"setpoint_{pump}"] - of["speed"]) / 12.0,
            f"flow_{pump}": (head - p.static - x.level - loss) / p.inertance,
            f"winding_{pump}": (losses - 60.0 * out) / p.heat_winding,
            f"housing_{pump}": (60.0 * out - p.cooling * (of["housing"] - u.ambient)) / p.heat_housing,
            f"bearing_{pump}": (friction - 4.0 * (of["bearing"] - of["oil"])) / p.heat_bearing,
            f"oil_{pump}": (4.0 * (of["bearing"] - of["oil"]) - 1.6 * (of["oil"] - of["housing"])) / 6000.0,
            f"used_{pump}": turned / 1e6 * (thrust / p.capacity) ** 3 * (1.0 + hot),
            f"wear_{pump}": p.abrasion * maths.abs(of["flow"] / p.best) ** 2.5,
            f"fouling_{pump}": p.scaling * maths.exp(-of["flow"] / p.best),
        }

    def _shaft(self, pump: str, x: Values, p: Values) -> Any:
        flow, ratio = x[f"flow_{pump}"], x[f"speed_{pump}"] / p.rated
        head = maths.maximum(p.head * (1.0 - x[f"wear_{pump}"]) * ratio * ratio - p.curve * flow * flow, 0.0)
        off = flow / (p.best * maths.maximum(ratio, 0.1)) - 1.0
        efficiency = p.efficiency * (1.0 - x[f"wear_{pump}"]) * maths.maximum(1.0 - 0.6 * off * off, 0.2)
        return RHO * G * maths.maximum(flow, 0.0) * head / efficiency

    def _losses(self, pump: str, x: Values, p: Values) -> Any:
        current = self._shaft(pump, x, p) / 500.0
        hot = 1.0 + 0.00393 * (x[f"winding_{pump}"] - 293.0)  # copper, IEC 60028
        return p.copper * hot * current * current + 250.0

    def _friction(self, oil: Any, speed: Any, p: Values) -> Any:
        thin = maths.exp(-0.03 * (oil - 313.0))
        return p.drag * speed * (0.5 + 0.5 * thin)

    def _spill(self, x: Values, p: Values) -> Any:
        over = maths.maximum(x.level - p.crest, 0.0)
        return 1.8 * over * maths.sqrt(over)
