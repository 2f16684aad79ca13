"""Control valve: flow coefficient, inherent characteristic, choking, positioner."""

from collections.abc import Mapping
from typing import Final

from gemel.dynamics import maths
from gemel.dynamics.components.water import ATMOSPHERE_PA, CRITICAL_PA, DENSITY, vapour_pressure
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port

BAR: Final = 1e5
WATER: Final = 1_000.0  # kg/m3, to which a flow coefficient refers


class ControlValve:
    """A valve for liquids whose stem follows its set-point with a lag.

    ::

        Q  = Kv f(l) √( min(dp, dp_max) / 1 bar · 1000 / rho )         IEC 60534-2-1, turbulent, no fittings
        dp_max = FL² (p1 - FF pv),   FF = 0.96 - 0.28 √(pv / pc)       choked by vapour; p1, pv absolute
        f  = (1 - c) l + c R^(l - 1)                                    linear (c = 0) to equal percentage (c = 1)
        tau dl/dt = setpoint - l

    An equal percentage plug does not close by its formula; below 2 % of the stroke f goes smoothly to zero. Flow
    reverses with the pressure difference, not choked then.

    Valid for turbulent flow of liquids like water; not for gas, viscous flow (FR) or attached fittings (FP).

    Reference: IEC 60534-2-1:2011, clause 7; IEC 60534-2-4 for the characteristics.
    """

    states: Mapping[str, Quantity] = {"position": Quantity("1", 0.5, low=0.0, high=1.0, nominal=1.0)}
    inputs: Mapping[str, Quantity] = {
        "position_setpoint": Quantity("1", 0.5, low=0.0, high=1.0, nominal=1.0),
        "inlet_pressure": Quantity("Pa", 3e5, low=-101e3, nominal=1e5),
        "outlet_pressure": Quantity("Pa", 2e5, low=-101e3, nominal=1e5),
        "temperature": Quantity("K", 288.15, low=273.15, high=373.15),
    }
    outputs: Mapping[str, Quantity] = {
        "flow": Quantity("m3/s", nominal=0.02),
        "opening": Quantity("1", nominal=0.5, description="part of Kv"),
        "pressure_drop": Quantity("Pa", nominal=1e5),
        "dissipation": Quantity("W", nominal=1e3, description="pressure turned to heat"),
        "choking": Quantity("1", nominal=0.5, description="pressure difference over that which chokes"),
    }
    parameters: Mapping[str, Quantity] = {
        "kv": Quantity("m3/s", 53.0 / 3600.0, low=1e-9, description="fully open at 1 bar"),
        "characteristic": Quantity("1", 0.0, low=0.0, high=1.0, nominal=1.0),
        "rangeability": Quantity("1", 50.0, low=2.0),
        "lag": Quantity("s", 5.0, low=0.01),
        "recovery": Quantity("1", 0.9, low=0.3, high=1.0, description="FL"),
        "density": Quantity("kg/m3", DENSITY, low=1.0),
    }

    ports: Mapping[str, Port] = {
        "inlet": Port("hydraulic", "inlet_pressure", "flow"),
        "outlet": Port("hydraulic", "outlet_pressure", "flow", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rate of the stem."""
        return {"position": (u.position_setpoint - x.position) / p.lag}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the flow for the pressures given."""
        drop = u.inlet_pressure - u.outlet_pressure
        most = choked(u.inlet_pressure, u.temperature, p.recovery)
        part = opening(x.position, p)
        flow = (
            p.kv
            * part
            * maths.signed_root(maths.at_most(drop, most, 1e-3 * BAR) / BAR * WATER / p.density, 1e-5)
        )
        return {
            "flow": flow,
            "opening": part,
            "pressure_drop": drop,
            "dissipation": flow * drop,
            "choking": drop / most,
        }


def opening(position: Array, p: Values) -> Array:
    """Give the part of Kv that a stem position opens, between 0 and 1."""
    stroke = maths.clip(position, 0.0, 1.0)
    equal = p.rangeability ** (stroke - 1.0) * maths.tanh((stroke / 0.02) ** 2)
    return (1.0 - p.characteristic) * stroke + p.characteristic * equal


def choked(inlet: Array, temperature: Array, recovery: Array) -> Array:
    """Give the pressure difference that chokes the flow [Pa], at least 1 kPa (IEC 60534-2-1, clause 7.2.2)."""
    vapour = vapour_pressure(temperature)
    factor = 0.96 - 0.28 * maths.sqrt(vapour / CRITICAL_PA)
    return maths.maximum(recovery**2 * (inlet + ATMOSPHERE_PA - factor * vapour), 1e3)
