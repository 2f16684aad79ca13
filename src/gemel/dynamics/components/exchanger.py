"""Heat exchanger in counterflow by effectiveness and transfer units, with fouling."""

from collections.abc import Mapping

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, Quantity, Values


class HeatExchanger:
    """Two streams that pass heat through a wall which fouls.

    With W = mass flow · heat capacity, NTU = U A / W_hot and C = W_hot / W_cold (either may be the larger)::

        q   = W_hot (T_hot,in - T_cold,in) NTU φ / (1 + C NTU φ),   φ = (1 - e^-a)/a,  a = NTU (1 - C)
        1/U = 1/(h_h (m_h/m_h0)^0.8) + 1/(h_c (m_c/m_c0)^0.8) + R_f
        dR_f/dt = (R_inf - R_f) / tau                                Kern and Seaton (1959)
        M_h dT_h/dt = W_h (T_hot,in - T_h) - q,   M_c dT_c/dt = W_c (T_cold,in - T_c) + q

    The first line is the usual ε-NTU relation of counterflow, written so that equal capacity rates are no division by
    zero. The outlets lag by what water and metal hold.

    Valid for single-phase streams with constant properties and negligible loss to the air; no axial profile.

    Reference: Incropera, DeWitt, Bergman, Lavine, Fundamentals of Heat and Mass Transfer, 6th ed. 2007, equation 11.29a
    and example 11.1; Kern, D. Q., Seaton, R. E. (1959), A theoretical analysis of thermal surface fouling.
    """

    states: Mapping[str, Quantity] = {
        "hot_outlet": Quantity("K", 320.0, low=200.0, high=700.0),
        "cold_outlet": Quantity("K", 310.0, low=200.0, high=700.0),
        "fouling": Quantity("K.m2/W", 0.0, low=0.0, high=0.1, nominal=1e-4),
    }
    inputs: Mapping[str, Quantity] = {
        "hot_inlet": Quantity("K", 350.0, low=200.0, high=700.0),
        "cold_inlet": Quantity("K", 290.0, low=200.0, high=700.0),
        "hot_flow": Quantity("kg/s", 1.0, low=0.0),
        "cold_flow": Quantity("kg/s", 1.0, low=0.0),
    }
    outputs: Mapping[str, Quantity] = {
        "heat": Quantity("W", nominal=1e5),
        "effectiveness": Quantity("1", nominal=0.6, description="of the stream with less capacity"),
        "transfer": Quantity("W/K", nominal=1e3, description="U A"),
    }
    parameters: Mapping[str, Quantity] = {
        "area": Quantity("m2", 5.0, low=1e-4),
        "hot_film": Quantity("W/m2/K", 2_000.0, low=0.1, description="at the rated flow"),
        "cold_film": Quantity("W/m2/K", 2_000.0, low=0.1, description="at the rated flow"),
        "hot_rated": Quantity("kg/s", 1.0, low=1e-6),
        "cold_rated": Quantity("kg/s", 1.0, low=1e-6),
        "hot_capacity": Quantity("J/kg/K", 4_182.0, low=1.0),
        "cold_capacity": Quantity("J/kg/K", 4_182.0, low=1.0),
        "hot_held": Quantity("J/K", 5e4, low=1.0, description="heat held by the hot side"),
        "cold_held": Quantity("J/K", 5e4, low=1.0),
        "fouling_end": Quantity("K.m2/W", 0.0, low=0.0, nominal=1e-4, description="R_inf"),
        "fouling_time": Quantity("s", 90.0 * 86_400.0, low=1.0),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rates of both outlets and of the fouling."""
        heat = exchanged(x, u, p)["heat"]
        hot, cold = u.hot_flow * p.hot_capacity, u.cold_flow * p.cold_capacity
        return {
            "hot_outlet": (hot * (u.hot_inlet - x.hot_outlet) - heat) / p.hot_held,
            "cold_outlet": (cold * (u.cold_inlet - x.cold_outlet) + heat) / p.cold_held,
            "fouling": (p.fouling_end - x.fouling) / p.fouling_time,
        }

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give heat, effectiveness and U A."""
        return exchanged(x, u, p)


def exchanged(x: Values, u: Values, p: Values) -> dict[str, Array]:
    """Give heat [W], effectiveness and U A [W/K]; no flow on a side passes none."""
    hot = maths.positive(u.hot_flow * p.hot_capacity, 1e-6)
    cold = maths.positive(u.cold_flow * p.cold_capacity, 1e-6)
    transfer = p.area * coefficient(x.fouling, u, p)
    units, ratio = transfer / hot, hot / cold
    a = units * (1.0 - ratio)
    near = maths.abs(a) < 1e-4
    some = maths.where(near, 1.0, a)
    phi = maths.where(
        near, 1.0 - a / 2.0 + a * a / 6.0, -maths.expm1(-maths.clip(some, -500.0, 500.0)) / some
    )
    of_hot = units * phi / (1.0 + ratio * units * phi)
    heat = of_hot * hot * (u.hot_inlet - u.cold_inlet)
    return {"heat": heat, "effectiveness": of_hot * hot / maths.minimum(hot, cold), "transfer": transfer}


def coefficient(fouling: Array, u: Values, p: Values) -> Array:
    """Give U [W/(m2 K)]; films grow with the 0.8th power of the flow (Dittus and Boelter, 1930)."""
    hot = p.hot_film * (maths.positive(u.hot_flow / p.hot_rated, 1e-4)) ** 0.8
    cold = p.cold_film * (maths.positive(u.cold_flow / p.cold_rated, 1e-4)) ** 0.8
    return 1.0 / (1.0 / hot + 1.0 / cold + fouling)
