"""Rolling bearing: load, lubrication, temperature, damage after ISO 281."""

from collections.abc import Mapping
from typing import Final

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port

MILLION: Final = 1e6
TURN: Final = 6.283185307179586


class RollingBearing:
    """A radial ball bearing that wears out by fatigue, the faster the heavier, the faster and the hotter it runs.

    ::

        P     = max(Fr, X Fr + Y Fa)                              equivalent load (X = 0.56, Y given)
        L10   = (C / P)³ 10⁶ turns                                basic rating life (ISO 281, clause 7)
        L10m  = a_ISO(kappa, e_C C_u / P) L10                     modified for lubrication (ISO 281, clause 9)
        kappa = nu(T) / nu1,   nu1 = 4500 n^-0.5 dm^-0.5 from 1000 rpm, below it 45000 n^-0.83 dm^-0.5
        dD/dt = speed / (2 pi L10m) (1 + growth D)                linear accumulation (Palmgren, 1924; Miner, 1945)
        M     = 0.5 mu P d (1 + roughness D)                      friction (SKF, Rolling bearings, 2018)
        C_th dT/dt = M speed - (T - T_a) / R

    Damage D is 1 when the life that 90 of 100 bearings reach is used up. `growth` and `roughness` say how damage feeds
    on itself once raceways are spalled; at 0 the standard's linear rule is exact. Oil thins as Walther's equation
    (ASTM D341) through its viscosities at 40 and 100 degC.

    Valid for radial ball bearings, 0.1 ≤ kappa ≤ 4 (held there), P ≤ C/2, steady loads.
    """

    states: Mapping[str, Quantity] = {
        "damage": Quantity("1", 0.0, low=0.0, high=2.0, nominal=0.1),
        "temperature": Quantity("K", 313.15, low=230.0, high=520.0),
    }
    inputs: Mapping[str, Quantity] = {
        "speed": Quantity("rad/s", 300.0, low=0.0, nominal=300.0),
        "radial_load": Quantity("N", 1500.0, low=0.0),
        "axial_load": Quantity("N", 0.0, low=0.0, nominal=500.0),
        "ambient_temperature": Quantity("K", 293.15, low=200.0, high=350.0),
    }
    outputs: Mapping[str, Quantity] = {
        "equivalent_load": Quantity("N", nominal=1e3),
        "rating_life": Quantity("1", nominal=1e9, description="turns, L10"),
        "modified_life": Quantity("1", nominal=1e9, description="turns, L10m"),
        "viscosity_ratio": Quantity("1", nominal=2.0, description="kappa"),
        "friction_power": Quantity("W", nominal=20.0),
        "torque": Quantity("N.m", nominal=0.1, description="of friction"),
        "heat_to_air": Quantity("W", nominal=20.0),
        "wear_out_rate": Quantity("1/s", nominal=1e-8, description="of damage"),
    }
    parameters: Mapping[str, Quantity] = {
        "dynamic_rating": Quantity("N", 55_300.0, low=1.0, description="C"),
        "fatigue_limit": Quantity("N", 1_340.0, low=0.1, description="C_u"),
        "bore": Quantity("m", 0.045, low=1e-4),
        "mean_diameter": Quantity("m", 0.0725, low=1e-4),
        "axial_factor": Quantity("1", 1.6, low=0.0, description="Y"),
        "contamination": Quantity("1", 0.6, low=0.01, high=1.0, description="e_C"),
        "viscosity_40": Quantity("m2/s", 68e-6, low=2e-6, description="of the oil at 40 degC"),
        "viscosity_100": Quantity("m2/s", 8.8e-6, low=1.5e-6, description="at 100 degC"),
        "friction": Quantity("1", 0.0015, low=0.0),
        "heat_capacity": Quantity("J/K", 4_000.0, low=1.0),
        "to_air": Quantity("K/W", 0.9, low=1e-4),
        "growth": Quantity("1", 0.0, low=0.0),
        "roughness": Quantity("1", 0.0, low=0.0),
    }

    ports: Mapping[str, Port] = {
        "shaft": Port("rotational", "speed", "torque"),
        "air": Port("thermal", "ambient_temperature", "heat_to_air", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rates of damage and temperature."""
        found = self.output(t, x, u, p)
        return {
            "damage": found["wear_out_rate"],
            "temperature": (found["friction_power"] - found["heat_to_air"]) / p.heat_capacity,
        }

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give load, lives and friction."""
        load = equivalent(u.radial_load, u.axial_load, p.axial_factor)
        basic = (p.dynamic_rating / load) ** 3 * MILLION
        ratio = viscosity(x.temperature, p) / needed(u.speed, p.mean_diameter)
        modified = basic * life_factor(ratio, p.contamination * p.fatigue_limit / load)
        torque = 0.5 * p.friction * load * p.bore * (1.0 + p.roughness * x.damage)
        return {
            "equivalent_load": load,
            "rating_life": basic,
            "modified_life": modified,
            "viscosity_ratio": ratio,
            "friction_power": torque * u.speed,
            "torque": torque,
            "heat_to_air": (x.temperature - u.ambient_temperature) / p.to_air,
            "wear_out_rate": u.speed / (TURN * modified) * (1.0 + p.growth * x.damage),
        }


def equivalent(radial: Array, axial: Array, factor: Array) -> Array:
    """Give the equivalent load P [N], never below 1 N, so that an unloaded bearing lives long, not for ever."""
    return maths.maximum(maths.maximum(radial, 0.56 * radial + factor * axial), 1.0)


def viscosity(temperature: Array, p: Values) -> Array:
    """Give the kinematic viscosity of the oil [m2/s]: log log (nu + 0.7) linear in log T, nu in mm2/s (ASTM D341)."""
    upper = maths.log(maths.log(1e6 * p.viscosity_40 + 0.7))
    lower = maths.log(maths.log(1e6 * p.viscosity_100 + 0.7))
    along = (maths.log(temperature) - maths.log(313.15)) / maths.log(373.15 / 313.15)
    return 1e-6 * (maths.exp(maths.exp(upper + along * (lower - upper))) - 0.7)


def needed(speed: Array, mean_diameter: Array) -> Array:
    """Give the reference viscosity nu1 [m2/s] (ISO 281, clause 9.3.3); n in rpm, dm in mm."""
    rpm = maths.maximum(speed, 0.1) * 60.0 / TURN
    slow = 45_000.0 * rpm**-0.83 * (1e3 * mean_diameter) ** -0.5
    fast = 4_500.0 * rpm**-0.5 * (1e3 * mean_diameter) ** -0.5
    return 1e-6 * maths.where(rpm < 1_000.0, slow, fast)


def life_factor(ratio: Array, cleanliness: Array) -> Array:
    """Give a_ISO of a radial ball bearing, at most 50.

    Args:
        ratio: kappa; held between 0.1 and 4.
        cleanliness: e_C C_u / P; held below 5.

    ISO 281:2007, clause 9.3.3, equations for radial ball bearings.
    """
    k = maths.clip(ratio, 0.1, 4.0)
    film = maths.where(
        k < 0.4, 2.2649 / k**0.054381, maths.where(k < 1.0, 1.9987 / k**0.19087, 1.9987 / k**0.071739)
    )
    inner = maths.clip(
        (2.5671 - film) ** 0.83 * maths.clip(cleanliness, 1e-6, 5.0) ** (1.0 / 3.0), 0.0, 0.4875
    )
    # (1 - 0.4875)^-9.3 / 10 is 50, the largest factor that the standard allows
    return maths.minimum(0.1 * (1.0 - inner) ** -9.3, 50.0)
