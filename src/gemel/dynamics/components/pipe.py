"""Pipe: friction from laminar to rough, minor losses, height, inertia of the water column."""

from collections.abc import Mapping

from gemel.dynamics import maths
from gemel.dynamics.components.water import DENSITY, GRAVITY, VISCOSITY
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port

QUARTER_PI = 0.7853981633974483


class Pipe:
    """A full pipe between two pressures; the flow has inertia.

    ::

        rho L / A dQ/dt = p1 - p2 - rho g rise - loss(Q)
        loss = (f L / D + K) rho/2 v |v|                       Darcy–Weisbach
        f = 8 [ (8/Re)^12 + (A + B)^-1.5 ]^(1/12)              Churchill (1977): laminar, transition, turbulent in one
        A = (2.457 ln( 1 / ((7/Re)^0.9 + 0.27 eps/D) ))^16,  B = (37530/Re)^16

    Valid for incompressible Newtonian liquids, 0 ≤ eps/D ≤ 0.05; within 3 % of Colebrook for Re ≥ 4000 (tested). No
    water hammer: the column moves as one. Its time constant is about L Q / (g A loss/rho g): often seconds, so where a
    solver steps by ten seconds take `SteadyPipe`.

    Reference: Churchill, S. W. (1977), Friction-factor equation spans all fluid-flow regimes, Chemical Engineering 84(24).
    """

    states: Mapping[str, Quantity] = {"flow": Quantity("m3/s", 0.02, nominal=0.02)}
    inputs: Mapping[str, Quantity] = {
        "inlet_pressure": Quantity("Pa", 2e5, low=-101e3, nominal=1e5),
        "outlet_pressure": Quantity("Pa", 0.0, low=-101e3, nominal=1e5),
    }
    outputs: Mapping[str, Quantity] = {
        "flow": Quantity("m3/s", nominal=0.02),
        "velocity": Quantity("m/s", nominal=1.0),
        "reynolds": Quantity("1", nominal=1e5),
        "friction_factor": Quantity("1", nominal=0.02, description="of Darcy"),
        "loss": Quantity("Pa", nominal=1e4),
        "dissipation": Quantity("W", nominal=1e3),
    }
    parameters: Mapping[str, Quantity] = {
        "length": Quantity("m", 100.0, low=0.01),
        "diameter": Quantity("m", 0.15, low=1e-3),
        "roughness": Quantity("m", 0.1e-3, low=0.0, description="equivalent sand roughness"),
        "minor_loss": Quantity("1", 2.0, low=0.0, description="sum of K of bends and fittings"),
        "rise": Quantity("m", 0.0, nominal=10.0, description="outlet above inlet"),
        "density": Quantity("kg/m3", DENSITY, low=1.0),
        "viscosity": Quantity("m2/s", VISCOSITY, low=1e-8, description="kinematic"),
    }

    ports: Mapping[str, Port] = {
        "inlet": Port("hydraulic", "inlet_pressure", "flow"),
        "outlet": Port("hydraulic", "outlet_pressure", "flow", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the acceleration of the column."""
        area = QUARTER_PI * p.diameter**2
        ahead = u.inlet_pressure - u.outlet_pressure - p.density * GRAVITY * p.rise - pressure_loss(x.flow, p)
        return {"flow": ahead * area / (p.density * p.length)}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give velocity, regime and losses."""
        return {"flow": x.flow, **losses(x.flow, p)}


class SteadyPipe:
    """The same pipe without inertia, for steps long against its time constant: what it takes is the flow.

    ::

        p2 = p1 - rho g rise - loss(Q)

    Equations, validity and reference as for `Pipe`.
    """

    states: Mapping[str, Quantity] = {}
    inputs: Mapping[str, Quantity] = {
        "inlet_pressure": Quantity("Pa", 2e5, low=-101e3, nominal=1e5),
        "flow": Quantity("m3/s", 0.02, nominal=0.02),
    }
    outputs: Mapping[str, Quantity] = {
        "outlet_pressure": Quantity("Pa", nominal=1e5),
        **{name: quantity for name, quantity in Pipe.outputs.items() if name != "flow"},
    }
    parameters: Mapping[str, Quantity] = Pipe.parameters
    ports: Mapping[str, Port] = Pipe.ports

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give nothing: it has no states."""
        return {}

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the pressure at the outlet, and the losses."""
        found = losses(u.flow, p)
        outlet = u.inlet_pressure - p.density * GRAVITY * p.rise - found["loss"]
        return {"outlet_pressure": outlet, **found}


def losses(flow: Array, p: Values) -> dict[str, Array]:
    """Give velocity, regime and losses of a flow, by name."""
    velocity = flow / (QUARTER_PI * p.diameter**2)
    reynolds = maths.abs(velocity) * p.diameter / p.viscosity
    loss = pressure_loss(flow, p)
    return {
        "velocity": velocity,
        "reynolds": reynolds,
        "friction_factor": friction_factor(reynolds, p.roughness / p.diameter),
        "loss": loss,
        "dissipation": loss * flow,
    }


def pressure_loss(flow: Array, p: Values) -> Array:
    """Give the loss [Pa] of a flow, odd in it and with the laminar slope at zero."""
    velocity = flow / (QUARTER_PI * p.diameter**2)
    at_one = p.viscosity / p.diameter  # velocity at Re = 1
    speed = maths.sqrt(velocity**2 + at_one**2)
    f = friction_factor(speed / at_one, p.roughness / p.diameter)
    return (
        0.5 * p.density * (f * p.length / p.diameter * speed + p.minor_loss * maths.abs(velocity)) * velocity
    )


def friction_factor(reynolds: Array, relative_roughness: Array) -> Array:
    """Give Darcy's friction factor (Churchill 1977); below Re = 1 that of Re = 1.

    >>> bool(abs(friction_factor(1000.0, 0.0) - 64 / 1000) < 1e-4)
    True
    """
    re = maths.maximum(reynolds, 1.0)
    a = (2.457 * maths.log(1.0 / ((7.0 / re) ** 0.9 + 0.27 * relative_roughness))) ** 2
    b = (37_530.0 / re) ** 2
    # a^8 is Churchill's A and b^8 his B; scaled by the largest term, the powers fit float32 too
    most = maths.maximum(a, b)
    turbulent = ((a / most) ** 8 + (b / most) ** 8) ** -0.125 / most
    laminar = 8.0 / re
    larger = maths.maximum(laminar, turbulent)
    return 8.0 * larger * ((laminar / larger) ** 12 + (turbulent / larger) ** 12) ** (1.0 / 12.0)
