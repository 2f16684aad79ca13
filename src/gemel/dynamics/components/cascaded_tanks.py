"""Two tanks, one above the other: a pump fills the upper, which drains into the lower, which drains away.

    dx1/dt = k4·(u − u0)·(1 − bend·(u − 3 V)) − k1·√x1 − w        w: what runs over the rim of the upper tank
    dx2/dt = k2·√x1 + k2/k1·caught·w − k3·√(x2 + drop) − slope·x2 − v   v: over the lower rim
    y      = min(x2 + bow·z² + twist·z³, 10 V)                    z = (x2 − 6 V)/4 V; the sensor, and its end

Torricelli's law for the outlets, levels in volts of the level sensor; the pump's characteristic bends and is shifted;
`drop` is the head of the pipe below the lower tank's floor (Bernoulli), `slope` what else its outlet has beside the root. The
sensor is capacitive, and straight only in parts: `bow` and `twist` are what it reads beside a line, the same at 2 and 10 V
and of opposite signs there; below 2 V its tangent goes on. The upper level is not measured: its scale is fixed by
its rim standing at 10 V, otherwise k1, k2, k4 and the rim could not be told apart (only their ratios act on y).
No more can be caught than runs over. Valid between empty and overflow, the sensor's curve for readings of 2 to 10 V.
Schoukens, M., Mattson, P., Wigren, T. and Noël, J.-P. (2016), Cascaded tanks benchmark combining soft and hard
nonlinearities, Workshop on Nonlinear System Identification Benchmarks: the rig. Outlets: White, Fluid Mechanics, example 3.22.
"""

from collections.abc import Mapping
from typing import Any

from gemel.dynamics import maths
from gemel.dynamics.declare import Quantity, Values

RIM = 10.0  # V, where the upper tank runs over, and the sensor's end
LOWER_RIM = 10.1  # V, a little above the sensor's end: beyond it no reading says what happens
WEIR = 0.3  # 1/s, how fast what stands above a rim leaves; fast beside the tanks (minutes)
FOOT = 1e-3  # V, below which the root has a straight foot
MIDDLE, HALF = 6.0, 4.0  # V, of the range in which the sensor's curve is told
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
            "1", 0.5, low=0.0, high=1.0, description="part of what runs over the upper rim that the lower tank catches"
        ),
        "slope": Quantity(
            "1/s", 0.0, low=-0.05, high=0.05, nominal=0.01, description="outflow beside the root"
        ),
        "drop": Quantity("V", 0.0, low=0.0, high=20.0, nominal=3.0, description="of the lower tank's outlet pipe"),
        "bow": Quantity("V", 0.0, low=-2.0, high=2.0, nominal=0.5, description="of the level sensor"),
        "twist": Quantity("V", 0.0, low=-2.0, high=2.0, nominal=0.5, description="of the level sensor"),
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
        lost = p.k3 * _drained(x.lower, p.drop) + p.slope * x.lower + _over(x.lower - LOWER_RIM)
        return {"upper": inflow - p.k1 * drain - over, "lower": p.k2 * (drain + p.caught * over / p.k1) - lost}

    def output(self, t: Any, x: Values, u: Values, p: Values) -> dict[str, Any]:
        """Give what the level sensor says [V]."""
        return {"lower": maths.minimum(sensed(x.lower, p.bow, p.twist), RIM)}


def sensed(level: Any, bow: Any, twist: Any) -> Any:
    """Give what the sensor reads at a level [V]; below 2 V its tangent there.

    >>> float(sensed(10.0, 0.5, -0.5)), float(sensed(2.0, 0.5, -0.5))
    (10.0, 3.0)
    """
    z = (level - MIDDLE) / HALF
    bent = maths.maximum(z, -1.0)
    return level + bow * bent**2 + twist * bent**3 + (2 * bow * bent + 3 * twist * bent**2) * (z - bent)


def _drained(level: Any, drop: Any) -> Any:
    """Give the root of the head [V^0.5]; an empty tank gives nothing, whatever hangs below it."""
    there = maths.maximum(level, 0.0)
    return maths.sqrt(there + drop + FOOT) * there / (there + FOOT)


def _over(above: Any) -> Any:
    return WEIR * EDGE * maths.logaddexp(above / EDGE, 0.0)
