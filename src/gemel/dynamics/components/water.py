"""Properties of water and constants that several components need."""

from typing import Any, Final

from gemel.dynamics import maths

GRAVITY: Final = 9.80665  # m/s2, standard acceleration (CGPM 1901)
ATMOSPHERE_PA: Final = 101_325.0
DENSITY: Final = 998.2  # kg/m3 at 20 degC
VISCOSITY: Final = 1.004e-6  # m2/s, kinematic, at 20 degC
HEAT_CAPACITY: Final = 4_182.0  # J/(kg K) at 20 degC
CRITICAL_PA: Final = 22.064e6  # IAPWS


def vapour_pressure(temperature_k: Any) -> Any:
    """Give the absolute vapour pressure of water [Pa] between 1 and 100 degC, within 0.5 %.

    Antoine's equation, log10(p/mmHg) = 8.07131 - 1730.63 / (233.426 + T/degC) (constants after Dortmund Data Bank).
    """
    mmhg = 10.0 ** (8.07131 - 1730.63 / (233.426 + temperature_k - 273.15))
    return maths.loaded().asarray(mmhg * 133.322)
