"""What the plant does and the twin's components do not model: each effect can be switched off, all are on by default.

A twin that is tried only against its own equations proves nothing; these four make the demo plant differ from them.
"""

import math
from dataclasses import dataclass
from typing import Final

DRIVE_RAD_S: Final = 1.0  # natural frequency of the speed loop with shaft and water
DRIVE_DAMPING: Final = 0.7
DRIVE_STEP_S: Final = 0.1
BACKLASH: Final = 2.0  # % of the stroke that the stem moves before the plug follows
REFERENCE_C: Final = 12.0  # water at which the plain friction holds
NPSH_TURN: Final = 3.0  # m, required at rated speed without flow
NPSH_FLOW: Final = 5.0  # m more at the best flow, with its square
ONSET: Final = math.log(0.97 / 0.03)  # three percent of the head are lost where NPSH is just met
STEEPNESS: Final = 20.0
ATMOSPHERE_M: Final = 10.33  # of water


@dataclass(frozen=True, slots=True)
class Physics:
    """Which effects are on.

    Args:
        second_order_drive: the speed overshoots its set-point and settles, instead of a plain ramp.
        hysteresis: the valve's plug follows its stem with backlash.
        viscosity: friction of pipe and disc falls as the water warms.
        cavitation: head collapses and the pump rattles where the suction head is short.
    """

    second_order_drive: bool = True
    hysteresis: bool = True
    viscosity: bool = True
    cavitation: bool = True


def drive(speed: float, rate: float, setpoint: float, ramp: float, seconds: float) -> tuple[float, float]:
    """Advance speed [rpm] and its rate [rpm/s] of a second-order drive that never accelerates beyond its ramp's slope."""
    left = seconds
    while left > 1e-9:
        if abs(setpoint - speed) < 1e-3 and abs(rate) < 1e-3:
            return setpoint, 0.0
        h = min(DRIVE_STEP_S, left)
        rate += h * (DRIVE_RAD_S**2 * (setpoint - speed) - 2.0 * DRIVE_DAMPING * DRIVE_RAD_S * rate)
        rate = min(max(rate, -ramp), ramp)
        speed = max(speed + h * rate, 0.0)
        left -= h
    return speed, rate


def follow(plug: float, stem: float) -> float:
    """Give where the plug rests behind a stem with backlash [% of the stroke]."""
    half = BACKLASH / 2.0
    return min(max(plug, stem - half), stem + half)


def friction(temperature_c: float) -> float:
    """Give turbulent friction relative to that at `REFERENCE_C`: viscosity after Poiseuille (1846), to the power 0.2."""
    return float((_viscosity(temperature_c) / _viscosity(REFERENCE_C)) ** 0.2)


def head_kept(suction_bar: float, turn: float, relative_flow: float) -> float:
    """Give the part of the head that cavitation leaves, from gauge pressure at the suction, speed and flow relative."""
    available = ATMOSPHERE_M + suction_bar * 10.19 - 0.15  # less the vapour pressure of cold water
    required = max(NPSH_TURN * turn**2 + NPSH_FLOW * relative_flow**2, 0.1)
    return 1.0 / (1.0 + math.exp(-ONSET - STEEPNESS * (min(max(available / required, -5.0), 5.0) - 1.0)))


def _viscosity(temperature_c: float) -> float:
    return 1.779 / (1.0 + 0.03368 * temperature_c + 0.000221 * temperature_c**2)  # mm2/s
