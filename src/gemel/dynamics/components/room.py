"""A room as resistances and capacities: air, walls, window, ventilation."""

from collections.abc import Mapping
from typing import Final

from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port

AIR: Final = 1.2 * 1005.0  # J/(m3 K), of air at 20 degC


class Room:
    """Air and mass of a room between heater, sun and weather.

    ::

        C_air dT/dt  = (T_m - T)/R_m + (T_out - T) (1/R_w + rho c V_vent) + P + s S
        C_mass dT_m/dt = (T - T_m)/R_m + (T_out - T_m)/R_e + (1 - s) S

    R_w is windows and leaks, R_m from air to the inner surface, R_e from the mass through the wall to the outside.

    Valid for one zone with mixed air, without moisture; walls as one mass (VDI 6007 uses one as well for outer walls).

    Reference: Madsen, H., Holst, J. (1995), Estimation of continuous-time models for the heat dynamics of a building,
    Energy and Buildings 22, model with two states.
    """

    states: Mapping[str, Quantity] = {
        "temperature": Quantity("K", 293.15, low=220.0, high=340.0),
        "mass_temperature": Quantity("K", 292.15, low=220.0, high=340.0),
    }
    inputs: Mapping[str, Quantity] = {
        "outdoor_temperature": Quantity("K", 278.15, low=200.0, high=340.0),
        "heating": Quantity("W", 1000.0, description="negative when cooling"),
        "solar": Quantity("W", 0.0, low=0.0, nominal=500.0, description="through the windows"),
        "ventilation": Quantity("m3/s", 0.01, low=0.0),
    }
    outputs: Mapping[str, Quantity] = {
        "air_temperature": Quantity("K", nominal=293.15),
        "heat_loss": Quantity("W", nominal=1e3, description="to the outside, ventilation included"),
        "stored": Quantity("J", nominal=1e7, description="heat above 0 degC"),
    }
    parameters: Mapping[str, Quantity] = {
        "air_capacity": Quantity("J/K", 3e5, low=1.0, description="of air and furniture"),
        "mass_capacity": Quantity("J/K", 1e7, low=1.0),
        "to_mass": Quantity("K/W", 2e-3, low=1e-6, description="R_m"),
        "windows": Quantity("K/W", 0.04, low=1e-6, description="R_w"),
        "walls": Quantity("K/W", 0.03, low=1e-6, description="R_e"),
        "solar_to_air": Quantity("1", 0.3, low=0.0, high=1.0, description="s"),
    }

    ports: Mapping[str, Port] = {
        "air": Port("thermal", "air_temperature", "heating"),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rates of both temperatures."""
        through = (x.mass_temperature - x.temperature) / p.to_mass
        leaving = (x.temperature - u.outdoor_temperature) * (1.0 / p.windows + AIR * u.ventilation)
        wall = (x.mass_temperature - u.outdoor_temperature) / p.walls
        to_air = u.heating + p.solar_to_air * u.solar
        return {
            "temperature": (through - leaving + to_air) / p.air_capacity,
            "mass_temperature": ((1.0 - p.solar_to_air) * u.solar - through - wall) / p.mass_capacity,
        }

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give what is lost and what is stored."""
        leaving = (x.temperature - u.outdoor_temperature) * (1.0 / p.windows + AIR * u.ventilation)
        wall = (x.mass_temperature - u.outdoor_temperature) / p.walls
        held = p.air_capacity * (x.temperature - 273.15) + p.mass_capacity * (x.mass_temperature - 273.15)
        return {"air_temperature": x.temperature, "heat_loss": leaving + wall, "stored": held}
