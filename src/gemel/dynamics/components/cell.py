"""Lithium-ion cell: equivalent circuit, temperature, fade of capacity and growth of resistance."""

from collections.abc import Mapping
from typing import Final

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port

GAS: Final = 8.314462618  # J/(mol K)
REFERENCE: Final = 298.15  # K


class LithiumCell:
    """A cell as a source behind a resistance and two lags, that ages with the charge passed through it.

    With I positive when discharging, s the state of charge, Q its capacity [A s], w the charge passed since new, each
    coulomb counted the more the hotter::

        ds/dt = -I / Q,     Q = Q_new (1 - fade)
        dV_i/dt = (R_i I - V_i) / tau_i,   i = 1, 2
        V = OCV(s) - R_0 (1 + k fade) I - V_1 - V_2
        C_th dT/dt = I (OCV - V) - (T - T_a)/R_th
        dw/dt = |I| exp( -E/(z R) (1/T - 1/298.15) ),     fade = B (w / 3600 Ah)^z

    The open-circuit voltage is that of Chen and Rincón-Mora (2006, equation 2); the fade is a power law in charge
    passed with Arrhenius' dependence on temperature (Wang et al., 2011, equation 3: z = 0.55, E = 31.5 kJ/mol).

    Valid for polymer and 18650 cells at rates to about 2 C, 0 to 60 degC, 0.05 ≤ s ≤ 1. No calendar ageing, no plating.

    Reference: Chen, M., Rincón-Mora, G. A. (2006), IEEE Trans. Energy Conversion 21(2); Wang, J. et al. (2011),
    Cycle-life model for graphite-LiFePO4 cells, J. Power Sources 196(8).
    """

    states: Mapping[str, Quantity] = {
        "charge": Quantity("1", 1.0, low=0.0, high=1.0, description="state of charge"),
        "fast_voltage": Quantity("V", 0.0, nominal=0.05),
        "slow_voltage": Quantity("V", 0.0, nominal=0.05),
        "temperature": Quantity("K", 297.15, low=230.0, high=400.0),
        "passed": Quantity(
            "A.s", 0.0, low=0.0, nominal=1e6, description="charge passed since new, at 25 degC"
        ),
    }
    inputs: Mapping[str, Quantity] = {
        "current": Quantity("A", 2.0, description="positive when discharging"),
        "ambient_temperature": Quantity("K", 297.15, low=230.0, high=350.0),
    }
    outputs: Mapping[str, Quantity] = {
        "voltage": Quantity("V", nominal=4.0),
        "open_circuit_voltage": Quantity("V", nominal=4.0),
        "capacity": Quantity("A.s", nominal=7200.0),
        "fade": Quantity("1", nominal=0.1),
        "heat": Quantity("W", nominal=1.0),
        "heat_to_air": Quantity("W", nominal=1.0),
    }
    parameters: Mapping[str, Quantity] = {
        "new_capacity": Quantity("A.s", 7200.0, low=1.0),
        "resistance": Quantity("Ohm", 0.07, low=1e-5),
        "fast_resistance": Quantity("Ohm", 0.03, low=0.0),
        "fast_lag": Quantity("s", 30.0, low=0.1),
        "slow_resistance": Quantity("Ohm", 0.03, low=0.0),
        "slow_lag": Quantity("s", 220.0, low=0.1),
        "resistance_growth": Quantity("1", 2.0, low=0.0, description="relative, per fade"),
        "fade_factor": Quantity("1", 1.5e-3, low=0.0, description="B, of one ampere-hour at 25 degC"),
        "fade_exponent": Quantity("1", 0.55, low=0.1, high=2.0, description="z"),
        "activation": Quantity("J/mol", 31_500.0, low=0.0, description="E"),
        "heat_capacity": Quantity("J/K", 45.0, low=0.1),
        "to_air": Quantity("K/W", 6.0, low=1e-3),
    }

    ports: Mapping[str, Port] = {
        "terminals": Port("electrical", "voltage", "current", out=True),
        "air": Port("thermal", "ambient_temperature", "heat_to_air", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rates of charge, voltages, temperature and charge passed."""
        y = self.output(t, x, u, p)
        hotter = maths.exp(-p.activation / (p.fade_exponent * GAS) * (1.0 / x.temperature - 1.0 / REFERENCE))
        return {
            "charge": -u.current / y["capacity"],
            "fast_voltage": (p.fast_resistance * u.current - x.fast_voltage) / p.fast_lag,
            "slow_voltage": (p.slow_resistance * u.current - x.slow_voltage) / p.slow_lag,
            "temperature": (y["heat"] - y["heat_to_air"]) / p.heat_capacity,
            "passed": maths.abs(u.current) * hotter,
        }

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the voltage at the terminals, and what is left of the capacity."""
        fade = faded(x.passed, p)
        rest = open_circuit(x.charge)
        inner = (
            p.resistance * (1.0 + p.resistance_growth * fade) * u.current + x.fast_voltage + x.slow_voltage
        )
        return {
            "voltage": rest - inner,
            "open_circuit_voltage": rest,
            "capacity": p.new_capacity * (1.0 - fade),
            "fade": fade,
            "heat": u.current * inner,
            "heat_to_air": (x.temperature - u.ambient_temperature) / p.to_air,
        }


def open_circuit(charge: Array) -> Array:
    """Give the open-circuit voltage [V] (Chen and Rincón-Mora 2006, equation 2)."""
    s = maths.clip(charge, -0.02, 1.05)
    return -1.031 * maths.exp(-35.0 * s) + 3.685 + 0.2156 * s - 0.1178 * s**2 + 0.3201 * s**3


def faded(passed: Array, p: Values) -> Array:
    """Give the relative loss of capacity, at most 0.8; the power of a foot of 1 mAh keeps its slope finite at zero."""
    hours = maths.maximum(passed, 0.0) / 3600.0 + 1e-3
    return maths.minimum(p.fade_factor * (hours**p.fade_exponent - 1e-3**p.fade_exponent), 0.8)
