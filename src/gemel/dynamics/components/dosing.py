"""Dosing pump: a plunger that displaces a metered volume per stroke."""

from collections.abc import Mapping

from gemel.dynamics import maths
from gemel.dynamics.components.water import DENSITY
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port


class DosingPump:
    """A metering pump that empties a reservoir.

    ::

        Q   = n s V eta_v                        n strokes per second, s part of the stroke, V swept volume
        eta_v = 1 - kappa dp V_0 / (s V) - leak dp             elastic loss in the dead space, and slip of the valves
        dV_r/dt = -Q,   P = Q dp / eta_m

    with the dead space V_0 = V_dead + (1 - s) V: a pump that adjusts its stroke keeps what it does not sweep. eta_v is held
    at 0 from below. Near empty the pump draws air, smoothly, in the last 0.1 % of the reservoir.

    The reservoir is open: the pressure difference is the pressure after the pump.

    Valid for the mean flow over strokes, liquids, dp to some 100 bar.

    Reference: Vetter (ed.), Rotierende Verdrängerpumpen und Dosierpumpen; API 675 asks linearity within 3 % of rated.
    """

    states: Mapping[str, Quantity] = {"reservoir": Quantity("m3", 0.2, low=0.0, nominal=0.1)}
    inputs: Mapping[str, Quantity] = {
        "strokes": Quantity("Hz", 1.5, low=0.0, high=10.0),
        "stroke_length": Quantity("1", 1.0, low=0.0, high=1.0),
        "discharge_pressure": Quantity("Pa", 5e5, nominal=1e5),
    }
    outputs: Mapping[str, Quantity] = {
        "flow": Quantity("m3/s", nominal=1e-5),
        "mass_flow": Quantity("kg/s", nominal=1e-2),
        "volumetric_efficiency": Quantity("1", nominal=0.95),
        "power": Quantity("W", nominal=50.0, description="at the shaft"),
    }
    parameters: Mapping[str, Quantity] = {
        "swept_volume": Quantity("m3", 10e-6, low=1e-12),
        "dead_volume": Quantity("m3", 20e-6, low=0.0),
        "compressibility": Quantity("1/Pa", 4.6e-10, low=0.0),
        "leak": Quantity("1/Pa", 2e-8, low=0.0, description="of the valves, relative"),
        "mechanical_efficiency": Quantity("1", 0.7, low=0.05, high=1.0),
        "reservoir_size": Quantity("m3", 0.2, low=1e-9),
        "density": Quantity("kg/m3", DENSITY, low=1.0),
    }

    ports: Mapping[str, Port] = {
        "discharge": Port("hydraulic", "discharge_pressure", "flow", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give how the reservoir empties."""
        return {"reservoir": -self.output(t, x, u, p)["flow"]}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the metered flow and the power for it."""
        swept = u.stroke_length * p.swept_volume
        dead = p.dead_volume + (1.0 - u.stroke_length) * p.swept_volume
        elastic = p.compressibility * u.discharge_pressure * dead
        pumped = maths.positive(
            swept * (1.0 - p.leak * u.discharge_pressure) - elastic, 1e-6 * p.swept_volume
        )
        primed = maths.tanh(maths.maximum(x.reservoir, 0.0) / (1e-3 * p.reservoir_size))
        flow = u.strokes * pumped * primed
        return {
            "flow": flow,
            "mass_flow": p.density * flow,
            "volumetric_efficiency": pumped / maths.positive(swept, 1e-6 * p.swept_volume),
            "power": flow * u.discharge_pressure / p.mechanical_efficiency,
        }
