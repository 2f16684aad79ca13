"""Induction motor on a frequency drive: circuit, torque, losses, temperatures."""

from collections.abc import Mapping
from typing import Final

from gemel.dynamics import maths
from gemel.dynamics.declare import Array, Quantity, Values
from gemel.dynamics.ports import Port

COPPER: Final = 0.00393  # 1/K, temperature coefficient of copper's resistance at 20 degC (IEC 60028)
COLD: Final = 293.15  # K, to which the resistances refer


class InductionMotor:
    """A squirrel-cage motor whose drive holds volts per hertz; electrically in steady state at every instant.

    Per phase, with Thévenin's voltage and impedance of stator and magnetising branch::

        T = (3 / w_s) Vth² (R2/s) / [ (Rth + R2/s)² + (Xth + X2)² ]        torque in the air gap
        I1 = V / (R1 + j X1 + j Xm ∥ (R2/s + j X2))

    For the load's torque T the slip s is the smaller root of a quadratic, in closed form, so that neither a search nor
    the electrical transient (milliseconds) is integrated; beyond the breakdown torque the slip stays at breakdown and
    `torque_margin` is negative. The drive's frequency follows its set-point with the lag `ramp_time`. Heat flows from
    winding to housing to air, from the drive through its heat sink::

        C_w dT_w/dt = P_copper - (T_w - T_h)/R_wh
        C_h dT_h/dt = P_iron + (T_w - T_h)/R_wh - (T_h - T_a)/R_ha
        tau_d dT_d/dt = T_a + R_d P_drive - T_d,          P_drive = p0 + p1 I + p2 I²
        R(T) = R (1 + 0.00393 (T_w - 20 degC))

    Valid for fundamental quantities from 10 % of rated frequency up to rated; no saturation, no harmonics beyond what
    the drive's losses hold.

    Reference: Fitzgerald, Kingsley, Umans, Electric Machinery, 6th ed. 2003, section 6.4 and examples 6.2, 6.3.
    """

    states: Mapping[str, Quantity] = {
        "synchronous_speed": Quantity("rad/s", 300.0, low=0.0, nominal=300.0, description="of the field"),
        "winding_temperature": Quantity("K", 313.15, low=200.0, high=600.0),
        "housing_temperature": Quantity("K", 308.15, low=200.0, high=600.0),
        "drive_temperature": Quantity("K", 308.15, low=200.0, high=600.0),
        "energy": Quantity("J", 0.0, nominal=1e6, description="taken from the mains"),
    }
    inputs: Mapping[str, Quantity] = {
        "speed_setpoint": Quantity("rad/s", 300.0, low=0.0, nominal=300.0),
        "load_torque": Quantity("N.m", 15.0, nominal=20.0),
        "ambient_temperature": Quantity("K", 293.15, low=200.0, high=350.0),
    }
    outputs: Mapping[str, Quantity] = {
        "speed": Quantity("rad/s", nominal=300.0, description="of the shaft"),
        "slip": Quantity("1", nominal=0.03),
        "current": Quantity("A", nominal=10.0, description="RMS, of a line"),
        "power": Quantity("W", nominal=5e3, description="from the mains"),
        "shaft_power": Quantity("W", nominal=5e3),
        "losses": Quantity("W", nominal=500.0, description="of motor and drive"),
        "heat_to_air": Quantity("W", nominal=500.0, description="of housing and heat sink"),
        "power_factor": Quantity("1", nominal=0.85, description="at the motor's terminals"),
        "efficiency": Quantity("1", nominal=0.88, description="shaft over mains"),
        "torque_margin": Quantity("N.m", nominal=50.0, description="to breakdown"),
    }
    parameters: Mapping[str, Quantity] = {
        "rated_voltage": Quantity("V", 400.0, low=1.0, description="line to line"),
        "rated_frequency": Quantity("Hz", 50.0, low=1.0),
        "pole_pairs": Quantity("1", 1.0, low=1.0),
        "stator_resistance": Quantity("Ohm", 0.85, low=1e-4, description="at 20 degC"),
        "rotor_resistance": Quantity("Ohm", 0.65, low=1e-4, description="at 20 degC, seen from the stator"),
        "stator_reactance": Quantity("Ohm", 1.6, low=1e-4, description="at rated frequency"),
        "rotor_reactance": Quantity("Ohm", 1.6, low=1e-4),
        "magnetising_reactance": Quantity("Ohm", 60.0, low=1e-3),
        "iron_loss": Quantity("W", 180.0, low=0.0, description="with friction and windage, at rated speed"),
        "ramp_time": Quantity("s", 8.0, low=0.1),
        "winding_capacity": Quantity("J/K", 6e3, low=1.0),
        "housing_capacity": Quantity("J/K", 20e3, low=1.0),
        "winding_to_housing": Quantity("K/W", 0.04, low=1e-5),
        "housing_to_air": Quantity("K/W", 0.055, low=1e-5),
        "drive_lag": Quantity("s", 400.0, low=1.0),
        "drive_to_air": Quantity("K/W", 0.12, low=1e-5),
        "drive_loss_fixed": Quantity("W", 40.0, low=0.0),
        "drive_loss_current": Quantity("W/A", 8.0, low=0.0),
        "drive_loss_square": Quantity("W/A2", 0.15, low=0.0),
    }

    ports: Mapping[str, Port] = {
        "shaft": Port("rotational", "speed", "load_torque", out=True),
        "air": Port("thermal", "ambient_temperature", "heat_to_air", out=True),
    }

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give the rates of frequency, temperatures and energy."""
        found = circuit(x, u, p)
        to_housing = (x.winding_temperature - x.housing_temperature) / p.winding_to_housing
        to_air = (x.housing_temperature - u.ambient_temperature) / p.housing_to_air
        drive_end = u.ambient_temperature + p.drive_to_air * found["drive"]
        return {
            "synchronous_speed": (u.speed_setpoint - x.synchronous_speed) / p.ramp_time,
            "winding_temperature": (found["copper"] - to_housing) / p.winding_capacity,
            "housing_temperature": (found["iron"] + to_housing - to_air) / p.housing_capacity,
            "drive_temperature": (drive_end - x.drive_temperature) / p.drive_lag,
            "energy": found["mains"],
        }

    def output(self, t: Array, x: Values, u: Values, p: Values) -> dict[str, Array]:
        """Give speed, current, powers and losses for the load given."""
        found = circuit(x, u, p)
        return {
            "speed": found["speed"],
            "slip": found["slip"],
            "current": found["current"],
            "power": found["mains"],
            "shaft_power": found["shaft"],
            "losses": found["copper"] + found["iron"] + found["drive"],
            "heat_to_air": (x.housing_temperature - u.ambient_temperature) / p.housing_to_air
            + (x.drive_temperature - u.ambient_temperature) / p.drive_to_air,
            "power_factor": found["terminals"] / (3.0 * found["volts"] * found["current"] + 1e-9),
            "efficiency": found["shaft"] / maths.positive(found["mains"], 1.0),
            "torque_margin": found["margin"],
        }


def circuit(x: Values, u: Values, p: Values) -> dict[str, Array]:
    """Solve the equivalent circuit for the load (Fitzgerald 2003, equations 6.29 to 6.36)."""
    rated = maths.loaded().pi * 2.0 * p.rated_frequency / p.pole_pairs  # rad/s of the field
    field = maths.positive(x.synchronous_speed, 1e-3 * rated)
    per_unit = field / rated
    warm = 1.0 + COPPER * (x.winding_temperature - COLD)
    r1, r2 = p.stator_resistance * warm, p.rotor_resistance * warm
    x1, x2, xm = (
        each * per_unit for each in (p.stator_reactance, p.rotor_reactance, p.magnetising_reactance)
    )
    iron = p.iron_loss * per_unit**2
    volts = p.rated_voltage / 3.0**0.5 * per_unit
    # Thévenin of stator and magnetising branch
    square = r1**2 + (x1 + xm) ** 2
    rth, xth = r1 * xm**2 / square, xm * (r1**2 + x1 * (x1 + xm)) / square
    vth2 = volts**2 * xm**2 / square
    torque = u.load_torque + iron / field  # friction and iron are carried by the rotor
    slip, margin = slip_for(torque * field / (3.0 * vth2), rth, xth + x2, r2)
    parts = branches(r1, x1, xm, r2 / maths.where(maths.abs(slip) < 1e-9, 1e-9, slip), x2)
    current, rotor = volts / parts["impedance"], volts / parts["impedance"] * parts["divider"]
    copper = 3.0 * (r1 * current**2 + r2 * rotor**2)
    shaft = (1.0 - slip) * field * u.load_torque
    iron = (1.0 - slip) * iron  # its torque is constant at a frequency
    drive = p.drive_loss_fixed + p.drive_loss_current * current + p.drive_loss_square * current**2
    terminals = shaft + copper + iron
    return {
        "speed": field * (1.0 - slip), "slip": slip, "current": current, "copper": copper, "iron": iron,
        "shaft": shaft, "terminals": terminals, "drive": drive, "mains": terminals + drive, "volts": volts,
        "margin": margin * 3.0 * vth2 / field - torque,
    }  # fmt: skip


def slip_for(k: Array, rth: Array, reactance: Array, r2: Array) -> tuple[Array, Array]:
    """Give slip and the largest k there is; k is torque · w_s / (3 Vth²) [1/Ohm], y = R2/s the larger root."""
    total = maths.sqrt(rth**2 + reactance**2)
    most = 1.0 / (2.0 * (rth + total))  # breakdown: (Fitzgerald 2003, equation 6.36)
    held = maths.clip(k, -most, most)
    bracket = 1.0 - 2.0 * held * rth
    spread = maths.root(bracket**2 - (2.0 * held * total) ** 2, 1e-9)
    return r2 * 2.0 * held / (bracket + spread), most


def branches(r1: Array, x1: Array, xm: Array, load: Array, x2: Array) -> dict[str, Array]:
    """Give |Z| at the terminals and |I2|/|I1|, without complex numbers, which gradients and float32 handle worse."""
    across = load**2 + (x2 + xm) ** 2
    resistance = load * xm**2 / across
    reactance = xm * (load**2 + x2 * (x2 + xm)) / across
    return {
        "impedance": maths.sqrt((r1 + resistance) ** 2 + (x1 + reactance) ** 2),
        "divider": maths.abs(xm) / maths.sqrt(across),
    }
