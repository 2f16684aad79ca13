"""The water side: tower with overflow and leak, control valve, and a town that draws by the hour of the day.

The tower regulates itself: the fuller it is, the less the pumps deliver and the more the town draws.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from gemel.testing.station.physics import Physics, follow
from gemel.testing.station.pump import GRAVITY

AREA_M2: Final = 80.0
RIM_M: Final = 10.0  # overflow edge
DROP_M: Final = 25.0  # the town lies so far below the tank's floor
LIFT_M: Final = 12.0  # from the sump to the tank's floor
VALVE_KV: Final = 53.0  # m3/h per sqrt(m) when open
STROKE: Final = 3.0  # % per second
LEAK_M3H: Final = 1.8  # at 5 m
BAR_PER_M: Final = GRAVITY / 100.0
DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Water:
    """State of the water side; position in % of the stroke, levels in m, flows in m3/h."""

    level_m: float = 5.0
    temperature_c: float = 12.0
    position_setpoint: float = 60.0
    position: float = 60.0
    draw: float = 22.0  # conductance of the town, m3/h per sqrt(m)
    outflow_m3h: float = 100.0
    spill_m3h: float = 0.0
    volume_m3: float = 0.0
    restless: float = 0.0  # slow noise on the draw, relative
    plug: float = 60.0  # % of the stroke, behind the stem
    thirst: float = 1.0  # of the town, relative to what its hour has it draw
    leak_m3h: float = LEAK_M3H  # at 5 m

    @property
    def lift_m(self) -> float:
        """What the pumps lift against."""
        return LIFT_M + self.level_m

    @property
    def town_m(self) -> float:
        """Pressure head at the town."""
        return (self.outflow_m3h / max(self.draw, 1e-6)) ** 2

    @property
    def drop_m(self) -> float:
        """Head lost in the valve."""
        return max(DROP_M + self.level_m - self.town_m, 0.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step begins [s since 1970], how long it is [s], which effects are on, how much warmer than usual it is."""

    time_s: float
    seconds: float
    physics: Physics
    warmer_c: float = 0.0


def step_water(water: Water, inflow_m3h: float, moment: Moment, shock: float) -> Water:
    """Advance the water side.

    Args:
        water: its state.
        inflow_m3h: from the pumps.
        moment: the step; its time gives the hour of the day.
        shock: a standard normal number: what the town does unforeseen.
    """
    time_s, seconds = moment.time_s, moment.seconds
    change = water.position_setpoint - water.position
    position = water.position + math.copysign(min(abs(change), STROKE * seconds), change)
    plug = follow(water.plug, position) if moment.physics.hysteresis else position
    keep = math.exp(-seconds / 600.0)  # unforeseen draws last some ten minutes (Ornstein-Uhlenbeck)
    restless = water.restless * keep + 0.03 * math.sqrt(1.0 - keep**2) * shock
    draw = 22.0 * daily(time_s) * water.thirst * (1.0 + restless)
    kv = max(VALVE_KV * plug / 100.0, 1e-3)
    through = (
        draw * kv * math.sqrt((DROP_M + water.level_m) / (kv**2 + draw**2)) * min(1.0, water.level_m / 0.2)
    )
    over = max(water.level_m - RIM_M, 0.0)
    spill = min(900.0 * over**1.5, 400.0)
    leak = water.leak_m3h * math.sqrt(max(water.level_m, 0.0) / 5.0)
    net = inflow_m3h - through - spill - leak
    return replace(
        water,
        level_m=max(water.level_m + net / AREA_M2 * seconds / 3600.0, 0.0),
        temperature_c=water.temperature_c
        + (12.0 + 2.0 * _sun(time_s) + 0.3 * moment.warmer_c - water.temperature_c) * seconds / 36_000.0,
        position=position,
        draw=draw,
        outflow_m3h=through,
        spill_m3h=spill,
        volume_m3=water.volume_m3 + through * seconds / 3600.0,
        restless=restless,
        plug=plug,
    )


def daily(time_s: float) -> float:
    """Give what the town draws at this hour, relative to the day's mean: a peak at half past seven and one in the evening."""
    hour = time_s % DAY_S / 3600.0
    return 0.72 + 0.55 * _bump(hour, 7.5, 1.8) + 0.5 * _bump(hour, 19.5, 2.4) + 0.14 * _bump(hour, 13.0, 2.5)


def ambient(time_s: float) -> float:
    """Give the air's temperature in the pump house [degC]."""
    return 17.0 + 4.0 * _sun(time_s)


def _sun(time_s: float) -> float:
    return math.sin((time_s % DAY_S / DAY_S - 0.375) * math.tau)  # warmest at three in the afternoon


def _bump(hour: float, centre: float, width: float) -> float:
    away = min(abs(hour - centre), 24.0 - abs(hour - centre))
    return math.exp(-0.5 * (away / width) ** 2)
