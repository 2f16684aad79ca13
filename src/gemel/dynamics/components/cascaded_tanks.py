"""Two tanks, one above the other: a pump fills the upper, which drains into the lower, which drains away.

    dx1/dt = k4·(u − u0)·(1 − bend·(u − 3 V)) − k1·√x1 − w        w: what runs over the rim of the upper tank
    dx2/dt = k2·√x1 + caught·w − k3·√x2 − slope·x2 − v            v: what runs over the rim of the lower tank
    y      = min(x2, 10 V)                                        the sensor's end

Torricelli's law for the outlets, levels in volts of the level sensor; the pump's characteristic bends and is shifted;
`slope` is what the lower outlet has beside Torricelli's root. The upper level is not measured: its scale is fixed by
its rim standing at 10 V, otherwise k1, k2, k4 and the rim could not be told apart (only their ratios act on y).
Valid between empty and overflow. Schoukens, M., Mattson, P., Wigren, T. and Noël, J.-P. (2016), Cascaded tanks
benchmark combining soft and hard nonlinearities, Workshop on Nonlinear System Identification Benchmarks.
"""

from collections.abc import Mapping
from typing import Any

from gemel.dynamics import maths
from gemel.dynamics.declare import Quantity, Values

RIM = 10.0  # V, where the upper tank runs over, and the sensor's end
LOWER_RIM = 10.1  # V, a little above the sensor's end: beyond it no reading says what happens
WEIR = 0.3  # 1/s, how fast what stands above a rim leaves; fast beside the tanks (minutes)
EDGE = 0.1  # V over which a rim begins to act


class CascadedTanks:
    """The cascaded tanks; parameters in volts and seconds."""

    states: Mapping[str, Quantity] = {
        "upper": Quantity(
            "V", 5.0, low=0.0, high=15.0, description="level of the upper tank; its rim is at 10 V"
        ),
        "lower": Quantity("V", 5.0, low=0.0, high=15.0, description="level of the lower tank"),
    }
    inputs: Mapping[str, Quantity] = {"pump": Quantity("V", 3.0, description="voltage of the pump")}
    outputs: Mapping[str, Quantity] = {
        "lower": Quantity("V", 5.0, low=0.0, high=10.0, description="reading of the lower level")
    }
    parameters: Mapping[str, Quantity] = {
        "k1": Quantity("V^0.5/s", 0.05, low=1e-3, high=0.5, description="fall of the upper level at 1 V"),
        "k2": Quantity("V^0.5/s", 0.05, low=1e-3, high=0.5, description="rise of the lower level by it"),
        "k3": Quantity("V^0.5/s", 0.05, low=1e-3, high=0.5, description="fall of the lower level at 1 V"),
        "k4": Quantity(
            "1/s", 0.04, low=1e-3, high=0.5, description="rise of the upper level per volt of the pump"
        ),
        "caught": Quantity(
            "1", 0.5, low=0.0, high=5.0, description="rise of the lower level per fall over the rim"
        ),
        "slope": Quantity(
            "1/s", 0.0, low=-0.05, high=0.05, nominal=0.01, description="outflow beside the root"
        ),
        "u0": Quantity(
            "V", 0.0, low=-2.0, high=2.0, nominal=1.0, description="voltage at which the pump begins"
        ),
        "bend": Quantity(
            "1/V", 0.0, low=-0.1, high=0.3, nominal=0.1, description="loss of the pump's gain per volt"
        ),
    }

    def derivative(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give the rates of the levels [V/s]."""
        inflow = p.k4 * (u.pump - p.u0) * (1 - p.bend * (u.pump - 3.0))
        over, drain = _over(x.upper - RIM), maths.root(x.upper, 1e-3)
        lost = p.k3 * maths.root(x.lower, 1e-3) + p.slope * x.lower + _over(x.lower - LOWER_RIM)
        return {"upper": inflow - p.k1 * drain - over, "lower": p.k2 * drain + p.caught * over - lost}

    def output(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give what the level sensor says [V]."""
        return {"lower": maths.minimum(x.lower, RIM)}


def _over(above: Any) -> Any:
    return WEIR * EDGE * maths.logaddexp(above / EDGE, 0.0)
