"""Open tank with an overflow weir and a mixed temperature."""

from collections.abc import Mapping

from gemel.dynamics import maths
from gemel.dynamics.components.water import DENSITY, GRAVITY, HEAT_CAPACITY
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port


class Tank:
    """An upright tank: what flows in less what flows out, runs through an orifice and spills over the rim.

    ::

        A dh/dt = Q_in - Q_out - Q_orifice - Q_spill
        Q_orifice = a √(2 g h)                       Torricelli; `orifice_area` a holds the coefficient of discharge
        Q_spill = 2/3 Cd b √(2 g) (h - rim)^1.5      sharp-crested weir (Poleni)
        A h dT/dt = Q_in (T_in - T) + U (T_a - T) / (rho c)

    Near empty the outflow asked for is delivered only in part, smoothly below 0.2 m: `outflow_delivered` says what
    was, and the balance holds with it.

    Valid for prismatic tanks, well mixed; the weir for heads small against its width.

    Reference: White, Fluid Mechanics, 7th ed. 2011, section 10.7 (weirs), example 3.22 (Torricelli).
    """

    states: Mapping[str, Quantity] = {
        "level": Quantity("m", 5.0, low=0.0),
        "temperature": Quantity("K", 285.15, low=270.0, high=375.0),
    }
    inputs: Mapping[str, Quantity] = {
        "inflow": Quantity("m3/s", 0.02, low=0.0),
        "outflow": Quantity("m3/s", 0.02, low=0.0),
        "inflow_temperature": Quantity("K", 285.15, low=270.0, high=375.0),
        "ambient_temperature": Quantity("K", 290.15, low=200.0, high=350.0),
    }
    outputs: Mapping[str, Quantity] = {
        "pressure": Quantity("Pa", nominal=5e4, description="at the floor"),
        "volume": Quantity("m3", nominal=100.0),
        "spill": Quantity("m3/s", nominal=0.01),
        "outflow_delivered": Quantity("m3/s", nominal=0.02, description="with the orifice"),
    }
    parameters: Mapping[str, Quantity] = {
        "area": Quantity("m2", 80.0, low=1e-4),
        "rim": Quantity("m", 10.0, low=1e-3),
        "weir_width": Quantity("m", 0.5, low=1e-4),
        "weir_coefficient": Quantity("1", 0.62, low=0.1, high=1.0),
        "orifice_area": Quantity("m2", 0.0, low=0.0, nominal=1e-3),
        "heat_transfer": Quantity("W/K", 150.0, low=0.0, description="to the air, whole surface"),
        "density": Quantity("kg/m3", DENSITY, low=1.0),
    }

    ports: Mapping[str, Port] = {
        "inlet": Port("hydraulic", "pressure", "inflow"),
        "outlet": Port("hydraulic", "pressure", "outflow", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rates of level and temperature."""
        out = delivered(x.level, u.outflow, p) + spill(x.level, p)
        volume = p.area * maths.positive(x.level, 0.01)
        heat = p.heat_transfer * (u.ambient_temperature - x.temperature) / (p.density * HEAT_CAPACITY)
        mixing = u.inflow * (u.inflow_temperature - x.temperature)
        return {"level": (u.inflow - out) / p.area, "temperature": (mixing + heat) / volume}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give pressure at the floor, volume and what runs out."""
        return {
            "pressure": p.density * GRAVITY * x.level,
            "volume": p.area * x.level,
            "spill": spill(x.level, p),
            "outflow_delivered": delivered(x.level, u.outflow, p),
        }


def spill(level: Array, p: Values) -> Array:
    """Give the flow over the rim [m3/s]."""
    over = maths.maximum(level - p.rim, 0.0)
    return (
        2.0 / 3.0 * p.weir_coefficient * p.weir_width * (2.0 * GRAVITY) ** 0.5 * over * maths.root(over, 1e-9)
    )


def delivered(level: Array, outflow: Array, p: Values) -> Array:
    """Give what leaves below the rim [m3/s]."""
    there = maths.tanh(maths.maximum(level, 0.0) / 0.05)
    return outflow * there + p.orifice_area * maths.root(2.0 * GRAVITY * maths.maximum(level, 0.0), 1e-6)
