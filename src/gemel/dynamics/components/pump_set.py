"""Pump set: drive, motor, bearing and centrifugal pump on one base plate, as one dynamic model."""

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

from gemel.dynamics import maths
from gemel.dynamics.components import bearing, motor, pump
from gemel.dynamics.components.water import GRAVITY
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port

_MOTOR: Final = ("motor_", motor.InductionMotor)
_BEARING: Final = ("bearing_", bearing.RollingBearing)


def _prefixed(prefix: str, quantities: Mapping[str, Quantity], *without: str) -> dict[str, Quantity]:
    return {prefix + name: q for name, q in quantities.items() if name not in without}


def _doubted(quantities: Mapping[str, Quantity], name: str, low: float) -> dict[str, Quantity]:
    """Let what grows from nothing lie a little below: a filter held at zero would believe in more than there is, of the new thing.

    By as much as it is uncertain, some three standard deviations: what lies lower is no machine, but a gauge that drifts. Nor less,
    or the filter's points are held at the bound, and it believes itself too well.
    """
    return {**quantities, name: replace(quantities[name], low=low)}


class PumpSet:
    """The three components coupled at the shaft, with a check valve and a riser of their own.

    The drive compensates the slip: the shaft's speed follows its set-point with the lag `motor_ramp_time`. With that the
    coupling needs no iteration::

        speed -> Q = √⁺( (H(speed, 0) - (p_out - p_suction)/(rho g)) / (pump's fall + riser_loss) )
              -> head, torque -> slip, current, losses, temperatures
        bearing's radial load = static_load + thrust H / rated_head
        v = v_turn n² + v_off (q - 1)² n + v_wear wear n + v_damage damage n

    The last line is an empirical sum for the velocity at the housing (zones: ISO 10816-7); its factors are of the
    machine. Equations, validity and references of the parts: `CentrifugalPump`, `InductionMotor`, `RollingBearing`.
    """

    states: Mapping[str, Quantity] = {
        "speed": Quantity("rad/s", 244.0, low=0.0, nominal=300.0),
        **_prefixed("motor_", motor.InductionMotor.states, "synchronous_speed", "energy"),
        "energy": motor.InductionMotor.states["energy"],
        **_prefixed("bearing_", _doubted(bearing.RollingBearing.states, "damage", -0.03)),
        **_doubted(pump.CentrifugalPump.states, "worn", -0.1),
    }
    inputs: Mapping[str, Quantity] = {
        "speed_setpoint": Quantity("rad/s", 244.0, low=0.0, nominal=300.0),
        "suction_pressure": Quantity("Pa", 30e3, low=-101e3, nominal=1e5),
        "outlet_pressure": Quantity(
            "Pa", 166e3, low=-101e3, nominal=1e5, description="at the end of the riser"
        ),
        "water_temperature": Quantity("K", 285.15, low=273.15, high=373.15),
        "ambient_temperature": Quantity("K", 290.15, low=200.0, high=350.0),
    }
    outputs: Mapping[str, Quantity] = {
        "flow": Quantity("m3/s", nominal=0.02),
        "discharge_pressure": Quantity("Pa", nominal=1e5, description="between pump and riser"),
        "head": Quantity("m", nominal=20.0),
        "power": Quantity("W", nominal=5e3, description="at the shaft"),
        "electric_power": Quantity("W", nominal=5e3, description="from the mains"),
        "torque": Quantity("N.m", nominal=20.0),
        "current": Quantity("A", nominal=10.0),
        "efficiency": Quantity("1", nominal=0.7, description="of the pump"),
        "losses": Quantity("W", nominal=1e3, description="of motor and drive"),
        "motor_temperature": Quantity("K", nominal=320.0, description="winding"),
        "drive_temperature": Quantity("K", nominal=320.0),
        "bearing_temperature": Quantity("K", nominal=320.0),
        "vibration": Quantity("m/s", nominal=2e-3, description="velocity at the bearing housing, RMS"),
        "npsh_margin": Quantity("m", nominal=5.0),
        "wear": Quantity("1", nominal=0.05),
    }
    parameters: Mapping[str, Quantity] = {
        **pump.CentrifugalPump.parameters,
        **_prefixed("motor_", motor.InductionMotor.parameters),
        **_prefixed("bearing_", bearing.RollingBearing.parameters),
        "riser_loss": Quantity("s2/m5", 6480.0, low=0.0, description="head per square of flow"),
        "static_load": Quantity("N", 500.0, low=0.0, description="radial, on the bearing"),
        "thrust": Quantity("N", 1000.0, low=0.0, description="radial, hydraulic, at rated head"),
        "v_turn": Quantity("m/s", 1.3e-3, low=0.0),
        "v_off": Quantity("m/s", 0.5e-3, low=0.0),
        "v_wear": Quantity("m/s", 9e-3, low=0.0),
        "v_damage": Quantity("m/s", 9e-3, low=0.0),
    }
    ports: Mapping[str, Port] = {
        "suction": Port("hydraulic", "suction_pressure", "flow"),
        "discharge": Port("hydraulic", "outlet_pressure", "flow", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rates of the shaft, of the temperatures, of energy, damage and wear."""
        now = _solved(x, u, p)
        of_motor = motor.InductionMotor().derivative(t, now.motor_x, now.motor_u, now.motor_p)
        of_bearing = bearing.RollingBearing().derivative(t, now.bearing_x, now.bearing_u, now.bearing_p)
        return {
            "speed": (u.speed_setpoint - x.speed) / p.motor_ramp_time,
            **{f"motor_{k}": v for k, v in of_motor.items() if k not in {"synchronous_speed", "energy"}},
            "energy": of_motor["energy"],
            **{f"bearing_{k}": v for k, v in of_bearing.items()},
            "worn": p.wear_rate * (x.speed / p.rated_speed) ** 3,
        }

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give what the set's instruments show."""
        now = _solved(x, u, p)
        turn = x.speed / p.rated_speed
        off = now.flow / (p.rated_flow * maths.positive(turn, 1e-2)) - 1.0
        return {
            "flow": now.flow,
            "discharge_pressure": u.suction_pressure + p.density * GRAVITY * now.head,
            "head": now.head,
            "power": now.power,
            "electric_power": now.electric["mains"],
            "torque": now.torque,
            "current": now.electric["current"],
            "efficiency": p.density * GRAVITY * now.flow * now.head / maths.positive(now.power, 1.0),
            "losses": now.electric["copper"] + now.electric["iron"] + now.electric["drive"],
            "motor_temperature": x.motor_winding_temperature,
            "drive_temperature": x.motor_drive_temperature,
            "bearing_temperature": x.bearing_temperature,
            "vibration": turn
            * (p.v_turn * turn + p.v_off * off**2 + p.v_wear * now.wear + p.v_damage * x.bearing_damage),
            "npsh_margin": now.margin,
            "wear": now.wear,
        }


class _Part:
    """The values of one part of the set, under the part's own names."""

    def __init__(self, values: Values, prefix: str, **more: Array) -> None:
        self._values, self._prefix, self._more = values, prefix, more

    def __getattr__(self, name: str) -> Array:
        return self._more[name] if name in self._more else self._values[self._prefix + name]


def _solved(x: Values, u: Values, p: Values) -> Any:
    """Solve the set from the shaft's speed: water first, then torque, then the circuit."""
    wear = p.wear + x.worn
    static = (u.outlet_pressure - u.suction_pressure) / (p.density * GRAVITY)
    free = pump.head(x.speed, 0.0, wear, p)
    fall = pump.fall(p)
    first = maths.root(maths.maximum(free - static, 0.0) / (fall + p.riser_loss), 1e-8)
    seen: Any = SimpleNamespace(
        speed=x.speed, flow=first, suction_pressure=u.suction_pressure, temperature=u.water_temperature
    )
    margin, kept = pump.cavitation(seen, p)
    flow = maths.root(maths.maximum(kept * free - static, 0.0) / (kept * fall + p.riser_loss), 1e-8)
    raised = kept * pump.head(x.speed, flow, wear, p)
    power = pump.shaft_power(x.speed, flow, raised, wear, p)
    bearing_u = SimpleNamespace(
        speed=x.speed,
        radial_load=p.static_load + p.thrust * raised / p.rated_head,
        axial_load=0.0,
        ambient_temperature=u.ambient_temperature,
    )
    bearing_x, bearing_p = _Part(x, "bearing_"), _Part(p, "bearing_")
    friction = bearing.RollingBearing().output(0.0, bearing_x, bearing_u, bearing_p)["torque"]  # type: ignore[arg-type]
    torque = power / maths.positive(x.speed, 0.1) + friction
    motor_u = SimpleNamespace(
        speed_setpoint=u.speed_setpoint, load_torque=torque, ambient_temperature=u.ambient_temperature
    )
    motor_p = _Part(p, "motor_")
    motor_x: Any = _Part(x, "motor_", synchronous_speed=x.speed, energy=x.energy)
    slip = motor.circuit(motor_x, motor_u, motor_p)["slip"]  # type: ignore[arg-type]
    # the drive compensates the slip: slip times field is, for a torque and at volts per hertz, nearly constant
    motor_x = _Part(x, "motor_", synchronous_speed=x.speed * (1.0 + slip), energy=x.energy)
    electric = motor.circuit(motor_x, motor_u, motor_p)  # type: ignore[arg-type]
    return SimpleNamespace(
        wear=wear, flow=flow, head=raised, power=power, torque=torque, margin=margin, electric=electric,
        motor_x=motor_x, motor_u=motor_u, motor_p=motor_p,
        bearing_x=bearing_x, bearing_u=bearing_u, bearing_p=bearing_p,
    )  # fmt: skip
