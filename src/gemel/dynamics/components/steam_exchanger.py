"""A liquid heated by saturated steam: two stirred cells in a row, each between the liquid that comes and the steam.

    dT1/dt = 2·g·q·(T_in − T1) + ua·(q/q0)^n·(T_s − T1)
    dT2/dt = 2·g·q·(T1 − T2)   + ua·(q/q0)^n·(T_s − T2)         y = T2

g is the inverse of the liquid's volume, ua the conductance over the heat capacity of a cell at the flow q0, n the exponent by
which the film's conductance grows with the flow (0.8 in turbulent pipes: Dittus and Boelter 1930). Valid for flows above
zero and a steam side that stays at its saturation temperature. Of a record of flow and outlet temperature alone, the inlet's
and the steam's temperature cannot both be told: the inlet's is given. Bittanti, S. and Piroddi, L. (1997), Nonlinear
identification and control of a heat exchanger: a neural network approach, J. Franklin Inst. 334B(1): the rig of the record.
"""

from collections.abc import Mapping
from typing import Any

from gemel.dynamics import maths
from gemel.dynamics.declare import Quantity, Values

USUAL = 3e-4  # m3/s, q0


class SteamExchanger:
    """A steam-heated exchanger; flow in, temperature of the liquid at its outlet out."""

    states: Mapping[str, Quantity] = {
        "middle": Quantity(
            "K", 368.0, low=250.0, high=500.0, nominal=5.0, description="liquid in the first cell"
        ),
        "outlet": Quantity(
            "K", 371.0, low=250.0, high=500.0, nominal=5.0, description="liquid in the second cell"
        ),
    }
    inputs: Mapping[str, Quantity] = {"flow": Quantity("m3/s", USUAL, low=0.0, description="of the liquid")}
    outputs: Mapping[str, Quantity] = {
        "outlet": Quantity("K", 371.0, nominal=2.0, description="temperature at the outlet")
    }
    parameters: Mapping[str, Quantity] = {
        "inlet": Quantity(
            "K", 293.15, low=273.0, high=373.0, description="temperature of the liquid that comes"
        ),
        "steam": Quantity(
            "K", 390.0, low=372.0, high=520.0, nominal=20.0, description="temperature of the steam"
        ),
        "ua": Quantity(
            "1/s", 0.15, low=1e-3, high=2.0, description="conductance over heat capacity, at 0.3 l/s"
        ),
        "turnover": Quantity("1/m3", 330.0, low=1.0, high=5e3, description="inverse of the liquid's volume"),
        "exponent": Quantity("1", 0.6, low=0.0, high=1.0, description="of the conductance with the flow"),
    }

    def derivative(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give the rates of the temperatures [K/s]."""
        flow = maths.maximum(u.flow, 1e-7)
        passed, conducted = 2 * p.turnover * flow, p.ua * (flow / USUAL) ** p.exponent
        return {
            "middle": passed * (p.inlet - x.middle) + conducted * (p.steam - x.middle),
            "outlet": passed * (x.middle - x.outlet) + conducted * (p.steam - x.outlet),
        }

    def output(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give the temperature at the outlet [K]."""
        return {"outlet": x.outlet}
