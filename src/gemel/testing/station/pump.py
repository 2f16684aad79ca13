"""One pump set of the station: drive, motor, bearing, centrifugal pump. Plain numbers in, plain numbers out.

Head follows the affinity laws on a parabolic curve (Gülich, Centrifugal Pumps, 2014, section 3.2):
H = H0 (n/nr)^2 (1 - wear) - k Q^2. This is the plant's own truth; the twin is never handed it.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from gemel.testing.station.physics import Physics, drive, friction, head_kept

GRAVITY: Final = 9.81  # m/s2
RATED_SPEED: Final = 2900.0  # rpm
SHUTOFF_HEAD: Final = 32.0  # m at rated speed
PUMP_LOSS: Final = 9.0e-4  # m per (m3/h)^2, the fall of the pump's curve
PIPE_LOSS: Final = 5.0e-4  # m per (m3/h)^2, of its own riser
BEST_FLOW: Final = 75.0  # m3/h at rated speed: best efficiency point
BEST_EFFICIENCY: Final = 0.74
RAMP: Final = 120.0  # rpm/s of the drive
WEAR_PER_HOUR: Final = 1.5e-4  # loss of head at rated speed, relative
AIR_HEAD: Final = 4.0  # a share of gas costs so many times that share of the head, and of the efficiency
AIR_POWER: Final = 2.0
DAMAGE_PER_HOUR: Final = 1.6  # of a failing bearing, in 1/h at the start


@dataclass(frozen=True, slots=True)
class PumpSet:
    """State of a pump set; units as the names say, temperatures in degC."""

    setpoint_rpm: float
    speed_rpm: float
    flow_m3h: float = 0.0
    head_m: float = 0.0
    power_kw: float = 0.0
    motor_c: float = 30.0
    drive_c: float = 30.0
    bearing_c: float = 28.0
    energy_kwh: float = 0.0
    wear: float = 0.01
    damage: float = 0.0
    rate_rpm_s: float = 0.0
    kept: float = 1.0  # of the head, by cavitation
    blockage: float = 0.0  # of its riser: so many times more loss, as by a valve that is partly closed
    air: float = 0.0  # share of gas in the water that it draws
    trim: float = 0.0  # of its wheel's diameter, that was turned off
    recirculation: float = 0.0  # share of what goes through the wheel that runs back inside, by worn rings
    choked: float = 0.0  # pressure that its own inlet takes at the best flow [bar], as where a rag is caught in it
    rub: float = 0.0  # more friction in the bearing, of what it usually has
    hanging: float = 0.0  # head that the flap of its check valve takes, which hangs [m]
    misaligned: float = 0.0  # shaft to motor: shakes and heats its bearing
    resonance: float = 0.0  # more vibration, of what it usually has

    @property
    def torque_nm(self) -> float:
        """Torque at the shaft."""
        return 1e3 * self.power_kw / max(self.speed_rpm * math.tau / 60.0, 5.0)

    @property
    def current_a(self) -> float:
        """Current of the motor on 400 V: magnetising and working part at right angles."""
        working = 1e3 * self.power_kw / (math.sqrt(3.0) * 400.0 * 0.9)
        return math.hypot(3.6 * min(1.0, self.speed_rpm / 600.0), working)

    @property
    def vibration_mms(self) -> float:
        """Velocity at the bearing housing, RMS: unbalance, wear of the wheel, damage, and flow off its best point."""
        turn = self.speed_rpm / RATED_SPEED
        off = self.flow_m3h / max(BEST_FLOW * turn, 1.0) - 1.0
        return (1.0 + self.resonance) * (
            1.3 * turn**2
            + 0.5 * off**2 * turn
            + 9.0 * self.wear * turn
            + 9.0 * self.damage * turn
            + 4.0 * self.misaligned * turn**2
            + 6.0 * (1.0 - self.kept)
        )


@dataclass(frozen=True, slots=True)
class Around:
    """What surrounds a pump set: what it lifts against at no flow [m], air and water [degC], suction [bar gauge]."""

    lift_m: float
    ambient_c: float
    water_c: float = 12.0
    suction_bar: float = 0.3


def step_pump(
    pump: PumpSet, around: Around, seconds: float, physics: Physics, *, failing: bool = False
) -> PumpSet:
    """Advance a pump set.

    Args:
        pump: its state.
        around: what surrounds it.
        seconds: step; lags are exact for any length.
        physics: which effects are on.
        failing: whether its bearing is failing.
    """
    speed, rate = _speed(pump, seconds, physics)
    turn = speed / RATED_SPEED
    rough = friction(around.water_c) if physics.viscosity else 1.0
    through = pump.flow_m3h / (1.0 - pump.recirculation)
    inlet_bar = around.suction_bar - pump.choked * (through / BEST_FLOW) ** 2
    towards = head_kept(inlet_bar, turn, through / BEST_FLOW) if physics.cavitation else 1.0
    kept = _lag(pump.kept, towards, seconds, 20.0)  # vapour fills and leaves the wheel
    free = kept * SHUTOFF_HEAD * turn**2 * (1.0 - pump.wear) * max(1.0 - AIR_HEAD * pump.air, 0.1) * (1.0 - pump.trim) ** 2
    wheel, riser = PUMP_LOSS / (1.0 - pump.recirculation) ** 2, PIPE_LOSS * rough * (1.0 + pump.blockage)
    steady = math.sqrt(max(free - around.lift_m - pump.hanging, 0.0) / (wheel + riser))
    flow = _lag(pump.flow_m3h, steady, seconds, 1.5)  # inertia of the water in the riser
    head = max(free - wheel * flow**2, 0.0)
    power = _power(flow / (1.0 - pump.recirculation), head, turn, rough) / max(1.0 - AIR_POWER * pump.air, 0.2)
    ambient_c = around.ambient_c
    losses = 0.1 * power + 0.25 * min(1.0, turn)
    return replace(
        pump,
        speed_rpm=speed,
        flow_m3h=flow,
        head_m=head,
        power_kw=power,
        motor_c=_lag(pump.motor_c, ambient_c + 40.0 * losses, seconds, 900.0),
        drive_c=_lag(pump.drive_c, ambient_c + 6.0 + 22.0 * losses, seconds, 400.0),
        bearing_c=_lag(pump.bearing_c, _bearing(pump, turn, ambient_c), seconds, 300.0),
        energy_kwh=pump.energy_kwh + power * seconds / 3600.0,
        wear=min(pump.wear + WEAR_PER_HOUR * turn * seconds / 3600.0, 0.3),
        damage=_damage(pump.damage, seconds) if failing else pump.damage,
        rate_rpm_s=rate,
        kept=kept,
    )


def _speed(pump: PumpSet, seconds: float, physics: Physics) -> tuple[float, float]:
    if physics.second_order_drive:
        return drive(pump.speed_rpm, pump.rate_rpm_s, pump.setpoint_rpm, RAMP, seconds)
    change = pump.setpoint_rpm - pump.speed_rpm
    return pump.speed_rpm + math.copysign(min(abs(change), RAMP * seconds), change), 0.0


def _power(flow_m3h: float, head_m: float, turn: float, rough: float) -> float:
    """Power at the shaft [kW]: hydraulic power over efficiency, and friction of disc and bearings."""
    if turn <= 0.0:
        return 0.0
    relative = flow_m3h / (BEST_FLOW * turn)
    efficiency = max(BEST_EFFICIENCY * (1.0 - 0.5 * (relative - 1.0) ** 2), 0.25)
    return float(GRAVITY * flow_m3h * head_m / 3600.0 / efficiency + 0.5 * rough * turn**3)


def _bearing(pump: PumpSet, turn: float, ambient_c: float) -> float:
    return float(ambient_c + 18.0 * turn**1.5 * (1.0 + 7.0 * pump.damage + pump.rub + 2.0 * pump.misaligned) + 0.15 * (pump.motor_c - ambient_c))


def _damage(damage: float, seconds: float) -> float:
    return min(damage + DAMAGE_PER_HOUR * (0.5 + damage) * seconds / 3600.0, 1.0)  # the more, the faster


def _lag(now: float, towards: float, seconds: float, constant_s: float) -> float:
    """First-order lag, exact over the step."""
    return towards + (now - towards) * math.exp(-seconds / constant_s)
