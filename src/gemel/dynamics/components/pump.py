"""Centrifugal pump: affinity laws, efficiency, suction head and cavitation, wear."""

from collections.abc import Mapping
from typing import Final

from gemel.dynamics import maths
from gemel.dynamics.components.water import ATMOSPHERE_PA, DENSITY, GRAVITY, vapour_pressure
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port

ONSET: Final = 0.03  # loss of head that defines NPSH3 (Gülich 2014, section 6.2.2)
FLAT: Final = 1e-3  # m of head: so near to flat a curve may come
STEEPNESS: Final = 20.0  # of the collapse of head below it; a radial wheel's falls within a fifth of NPSH3


class CentrifugalPump:
    """A pump whose flow is given and whose pressure follows.

    With n = speed / rated_speed and q = flow / (rated_flow n)::

        H    = c [ shutoff_head (1 - wear) n² - (shutoff_head - rated_head) Q |Q| / rated_flow² ]   affinity laws
        P    = rho g rated_flow n H⁺ / (best_efficiency (2 - q)) / (1 - wear)     from eta = eta_best (2 q - q²)
        NPSHr = npsh_rated (0.4 n² + 0.6 (Q / rated_flow)²)
        c    = 1 - 1 / (1 + exp(k (NPSHa / NPSHr - r0))),   c = 0.97 at NPSHa = NPSHr
        d(worn)/dt = wear_rate n³ ,   wear as a whole = parameter `wear` + state `worn`

    `wear` is the loss of shut-off head, relative, that it was commissioned with; `worn` is what has come since, with
    the cube of the speed, as erosion goes (Finnie, 1960: exponents of 2 to 3). To data the two are one number: follow
    `worn`, and do not mark `wear` for calibration beside it.

    Valid for water-like liquids, 0.3 ≤ n ≤ 1.2, 0 ≤ q ≤ 1.7. Not for four-quadrant operation, nor for gas.

    Reference: Gülich, Centrifugal Pumps, 3rd ed. 2014, sections 3.2 (affinity), 4.1 (curve), 6.2 (NPSH).
    """

    states: Mapping[str, Quantity] = {
        "worn": Quantity("1", 0.0, low=0.0, high=0.5, nominal=0.01, description="wear since it was commissioned")
    }
    inputs: Mapping[str, Quantity] = {
        "speed": Quantity("rad/s", 303.7, low=0.0, nominal=300.0),
        "flow": Quantity("m3/s", 0.0208, nominal=0.02),
        "suction_pressure": Quantity("Pa", 30e3, low=-101e3, nominal=1e5),
        "temperature": Quantity("K", 288.15, low=273.15, high=373.15),
    }
    outputs: Mapping[str, Quantity] = {
        "head": Quantity("m", nominal=20.0),
        "discharge_pressure": Quantity("Pa", nominal=1e5),
        "power": Quantity("W", nominal=5e3, description="at the shaft"),
        "torque": Quantity("N.m", nominal=20.0),
        "efficiency": Quantity("1", nominal=0.7),
        "heat": Quantity("W", nominal=1e3, description="given to the water and the casing"),
        "npsh_margin": Quantity("m", nominal=5.0, description="available less required"),
        "wear": Quantity("1", nominal=0.05),
    }
    parameters: Mapping[str, Quantity] = {
        "rated_speed": Quantity("rad/s", 303.7, low=1.0),
        "shutoff_head": Quantity("m", 32.0, low=0.1),
        "rated_head": Quantity("m", 26.9, low=0.1, description="at rated speed and flow"),
        "rated_flow": Quantity("m3/s", 0.02083, low=1e-7, description="at rated speed and best efficiency"),
        "best_efficiency": Quantity("1", 0.74, low=0.05, high=0.95),
        "npsh_rated": Quantity("m", 3.0, low=0.01, description="NPSH3 at rated speed and flow"),
        "wear": Quantity("1", 0.0, low=0.0, high=0.5, nominal=0.05),
        "wear_rate": Quantity("1/s", 0.0, low=0.0, nominal=1e-8, description="at rated speed"),
        "density": Quantity("kg/m3", DENSITY, low=1.0),
    }

    ports: Mapping[str, Port] = {
        "shaft": Port("rotational", "speed", "torque"),
        "suction": Port("hydraulic", "suction_pressure", "flow"),
        "discharge": Port("hydraulic", "discharge_pressure", "flow", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the growth of wear."""
        return {"worn": p.wear_rate * (u.speed / p.rated_speed) ** 3}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give head, pressures and power for the flow given."""
        wear = p.wear + x.worn
        margin, kept = cavitation(u, p)
        raised = kept * head(u.speed, u.flow, wear, p)
        power = shaft_power(u.speed, u.flow, raised, wear, p)
        useful = p.density * GRAVITY * u.flow * raised
        return {
            "head": raised,
            "discharge_pressure": u.suction_pressure + p.density * GRAVITY * raised,
            "power": power,
            "torque": power / maths.positive(u.speed, 0.1),
            "efficiency": useful / maths.positive(power, 1e-3),
            "heat": power - useful,
            "npsh_margin": margin,
            "wear": wear,
        }


def head(speed: Array, flow: Array, wear: Array, p: Values) -> Array:
    """Give the head without cavitation [m] (Gülich 2014, equations 3.12: affinity, with a parabola)."""
    return p.shutoff_head * (1.0 - wear) * (speed / p.rated_speed) ** 2 - fall(p) * flow * maths.abs(flow)


def fall(p: Values) -> Array:
    """Give by how much the curve falls [s2/m5], more than zero: a rated head above the shut-off head is no stable pump."""
    return maths.positive(p.shutoff_head - p.rated_head, FLAT) / p.rated_flow**2


def shaft_power(speed: Array, flow: Array, raised: Array, wear: Array, p: Values) -> Array:
    """Give the power at the shaft [W], finite at no flow: the parabola of efficiency cancels the flow."""
    turn = maths.positive(speed / p.rated_speed, 1e-6)
    room = maths.positive(2.0 - flow / (p.rated_flow * turn), 0.05)
    work = p.density * GRAVITY * p.rated_flow * turn * maths.positive(raised, 1e-3)
    return work / (p.best_efficiency * room * (1.0 - wear))


def cavitation(u: Values, p: Values) -> tuple[Array, Array]:
    """Give the margin of suction head [m] and the part of the head that cavitation leaves (0 to 1)."""
    available = (u.suction_pressure + ATMOSPHERE_PA - vapour_pressure(u.temperature)) / (p.density * GRAVITY)
    turn, relative = u.speed / p.rated_speed, u.flow / p.rated_flow
    required = p.npsh_rated * (0.4 * turn**2 + 0.6 * relative**2)
    ratio = available / (required + 1e-3)
    onset = maths.log((1.0 - ONSET) / ONSET)
    return available - required, 1.0 / (
        1.0 + maths.exp(-onset - STEEPNESS * (maths.clip(ratio, -5.0, 5.0) - 1.0))
    )
