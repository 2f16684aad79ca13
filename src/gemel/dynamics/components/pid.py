"""PID controller with set-point weight, filtered derivative and anti-windup."""

from collections.abc import Mapping
from typing import Final

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, Quantity, Values

FASTEST: Final = 0.1  # s, lag of the derivative's filter
UNUSED: Final = 10.0  # s, the same where there is no derivative: nothing is stiff then


class PidController:
    """The textbook's controller, in continuous time.

    ::

        v = bias + K (b r - y) + I + D,         u = v held between low and high
        dI/dt = K/Ti (r - y) + (u - v)/Tt                              back-calculation against windup
        D = K Td N/Td (y_f - y),  dy_f/dt = (y - y_f) N / Td           derivative of the measured value, filtered

    Quantities are dimensionless: scale signals to their ranges, as controllers do. The limit has a smooth bend of one
    thousandth of the range, so that a scheme around it stays differentiable.

    Valid for any positive Ti, Tt, N. Td = 0 switches the derivative off; else its filter, Td/N, is no faster than 0.1 s.

    Reference: Åström, K. J., Hägglund, T., Advanced PID Control, 2006, sections 3.2 to 3.5.
    """

    jumps = ("filtered",)  # where the derivative is switched on

    states: Mapping[str, Quantity] = {
        "integral": Quantity("1", 0.0, nominal=1.0),
        "filtered": Quantity("1", 0.0, nominal=1.0, description="measured value behind the filter"),
    }
    inputs: Mapping[str, Quantity] = {
        "setpoint": Quantity("1", 0.5, nominal=1.0),
        "measured": Quantity("1", 0.5, nominal=1.0),
    }
    outputs: Mapping[str, Quantity] = {
        "manipulated": Quantity("1", nominal=1.0),
        "unlimited": Quantity("1", nominal=1.0, description="before the limits"),
        "error": Quantity("1", nominal=1.0),
    }
    parameters: Mapping[str, Quantity] = {
        "gain": Quantity("1", 1.0, description="K; negative for a reverse-acting process"),
        "integral_time": Quantity("s", 60.0, low=1e-3),
        "derivative_time": Quantity("s", 0.0, low=0.0, nominal=1.0),
        "filter": Quantity("1", 10.0, low=1.0, high=100.0, description="N"),
        "tracking_time": Quantity("s", 60.0, low=1e-3, description="Tt, usually between Td and Ti"),
        "setpoint_weight": Quantity("1", 1.0, low=0.0, high=1.0, description="b"),
        "bias": Quantity("1", 0.0, nominal=1.0),
        "low": Quantity("1", 0.0, nominal=1.0),
        "high": Quantity("1", 1.0),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rates of integral and filter."""
        y = self.output(t, x, u, p)
        back = (y["manipulated"] - y["unlimited"]) / p.tracking_time
        return {
            "integral": p.gain / p.integral_time * y["error"] + back,
            "filtered": (u.measured - x.filtered) / lag(p),
        }

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give what the controller asks of its actuator."""
        damping = p.gain * p.derivative_time / lag(p) * (x.filtered - u.measured)
        asked = p.bias + p.gain * (p.setpoint_weight * u.setpoint - u.measured) + x.integral + damping
        bend = 1e-3 * (p.high - p.low)
        held = p.low + maths.positive(maths.at_most(asked, p.high, bend) - p.low, bend)
        return {"manipulated": held, "unlimited": asked, "error": u.setpoint - u.measured}


def lag(p: Values) -> Array:
    """Give the lag of the derivative's filter [s]; 10 s where there is no derivative, so that nothing is stiff."""
    return maths.where(p.derivative_time > 0.0, maths.maximum(p.derivative_time / p.filter, FASTEST), UNUSED)
