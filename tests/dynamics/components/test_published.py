"""Room, controller and dosing pump against what was printed elsewhere: a standard's test example, a table of margins, a catalogue."""

import numpy as np
import pytest
from component_kit import Bench

from gemel.dynamics.components import DosingPump, PidController, Room

# --- room: VDI 6007 Part 1:2012, test example 1: room S, a convective source of 1 kW from 6 to 18 o'clock, 22 degC outside.
# Hourly means of the air's temperature on days 1, 10 and 60, and the circuit, as the Modelica library Buildings quotes them.

VDI = np.array([
    [22, 22, 22, 22, 22, 22, 27.7, 27.9, 28.1, 28.4, 28.6, 28.8, 29, 29.2, 29.4, 29.6, 29.8, 30, 24.5, 24.5, 24.5, 24.5, 24.5, 24.5],
    [37.7, 37.6, 37.5, 37.5, 37.4, 37.3, 43, 43.2, 43.3, 43.5, 43.6, 43.8, 43.9, 44.1, 44.3, 44.4, 44.6, 44.7, 39.1, 39.1, 39, 38.9, 38.9, 38.8],
    [49.9, 49.8, 49.7, 49.6, 49.4, 49.3, 54.9, 55.1, 55.2, 55.3, 55.4, 55.5, 55.6, 55.7, 55.8, 55.9, 56.1, 56.2, 50.6, 50.4, 50.3, 50.2, 50.1, 50],
])  # fmt: skip
TO_WALL, TO_INNER, RADIATION = 2.7 * 10.5, 2.24 * 75.5, 5.0 * 10.5  # W/K: convection from air to both walls, radiation between them
OUTER, BEYOND, INNER = 4.36791293674e-3, 3.895919557e-2 + 1 / (25 * 10.5), 5.95693407511e-4  # K/W: surface to mass, mass to outside
OUTER_MASS, INNER_MASS = 1_600_848.94, 14_836_354.6282  # J/K


def circuit():
    """The standard's two masses as this model's one: what resists at once, what resists for ever, the slow time constant."""
    k = np.array([
        [TO_WALL + TO_INNER, -TO_WALL, -TO_INNER],
        [-TO_WALL, TO_WALL + RADIATION + 1 / OUTER, -RADIATION],
        [-TO_INNER, -RADIATION, TO_INNER + RADIATION + 1 / INNER],
    ])  # fmt: skip
    air, outer, inner = np.linalg.inv(k)  # temperatures for heat put into air, outer and inner surface
    between = inner[1] / OUTER / INNER
    a = np.array([[-(between + 1 / BEYOND) / OUTER_MASS, between / OUTER_MASS], [between / INNER_MASS, -between / INNER_MASS]])
    masses = np.linalg.solve(a, -np.array([outer[0] / OUTER / OUTER_MASS, inner[0] / INNER / INNER_MASS]))
    for_ever = air[0] + air[1] / OUTER * masses[0] + air[2] / INNER * masses[1]
    return air[0], for_ever, -1 / np.linalg.eigvals(a).max()


def test_a_room_warms_as_the_standards_test_example_does():
    """Within the 0.1 K that the standard allows, though one mass stands for two; nothing is fitted."""
    at_once, for_ever, slow_s = circuit()
    mass = slow_s / (for_ever - at_once)
    room = Bench(Room, air_capacity=1000.0, mass_capacity=mass, to_mass=at_once, windows=1e9, walls=for_ever - at_once)
    out = 295.15
    held = {"outdoor_temperature": out, "ventilation": 0.0, "solar": 0.0}
    steps = {p: stepped(room, heating=p, **held) for p in (0.0, 1000.0)}  # exact for a model that is linear
    x, means = np.array([out, out]), []
    for hour in range(60 * 24):
        a, b = steps[1000.0 if 6 <= hour % 24 < 18 else 0.0]
        run = [x]
        for _ in range(60):
            run.append(a @ run[-1] + b)
        means.append(np.mean([r[0] for r in run[1:]] + [r[0] for r in run[:-1]]) - 273.15)
        x = run[-1]
    days = np.array(means).reshape(60, 24)[[0, 9, 59]]
    assert np.abs(days - VDI).max() < 0.1


def stepped(room, **inputs):
    """A minute of the room: x -> a x + b."""
    from scipy.linalg import expm

    zero = {"temperature": 0.0, "mass_temperature": 0.0}
    rates = [np.array([*room.rates(**zero | at, **inputs).values()]) for at in ({}, {"temperature": 1.0}, {"mass_temperature": 1.0})]
    whole = np.zeros((3, 3))
    whole[:2] = np.column_stack([rates[1] - rates[0], rates[2] - rates[0], rates[0]])
    found = expm(60.0 * whole)
    return found[:2, :2], found[:2, 2]


# --- controller


def response(controller, omega):
    """The controller's answer to what is measured, by its own slopes: -C(jω) [n]."""
    import jax

    model, p = controller.model, controller.p
    x, place = model.x0.copy(), model.place("inputs", "measured")
    rate = [jax.jacfwd(model.rate, i)(0.0, x, model.u0, p) for i in (1, 2)]
    seen = [jax.jacfwd(model.observe, i)(0.0, x, model.u0, p)[model.place("outputs", "manipulated")] for i in (1, 2)]
    (a, b), (c, d) = ([np.asarray(v) for v in pair] for pair in (rate, seen))
    return np.array([c @ np.linalg.solve(1j * w * np.eye(len(x)) - a, b[:, place]) + d[place] for w in omega])


def test_margins_are_those_that_skogestad_printed_for_his_tuning():
    """Skogestad 2003, Simple analytic rules for model reduction and PID controller tuning, J. Process Control 13, table 1:
    PI with closed-loop time constant = delay: gain margin 3.14, phase margin 61.4°, Ms 1.59, Mt 1.00, delay error 2.14."""
    tau, delay = 40.0, 10.0  # tau up to 8 delays: integral time = tau
    omega = np.geomspace(1e-4, 1.0, 40_001)
    controller = Bench(PidController, gain=tau / (2 * delay), integral_time=tau, bias=0.5, low=-1e3, high=1e3)
    loop = -response(controller, omega) * np.exp(-1j * omega * delay) / (tau * 1j * omega + 1)
    phase, size = np.unwrap(np.angle(loop)), np.abs(loop)
    turned, crossed = np.argmax(phase < -np.pi), np.argmax(size < 1.0)
    margin = np.pi + phase[crossed]
    assert 1 / size[turned] == pytest.approx(3.14, abs=0.01)
    assert np.degrees(margin) == pytest.approx(61.4, abs=0.1)
    assert np.abs(1 / (1 + loop)).max() == pytest.approx(1.59, abs=0.005)
    assert np.abs(loop / (1 + loop)).max() == pytest.approx(1.00, abs=0.005)
    assert margin / omega[crossed] / delay == pytest.approx(2.14, abs=0.01)
    assert omega[turned] * delay == pytest.approx(1.57, abs=0.005)
    assert omega[crossed] * delay == pytest.approx(0.50, abs=0.005)


def test_three_lags_oscillate_at_the_ultimate_gain_and_period():
    """Åström and Hägglund 1995, PID Controllers, section 4.2: of 1/(s + 1)^3 the ultimate gain is 8, the period 3.63 s."""
    omega = np.linspace(0.5, 3.0, 250_001)
    controller = Bench(PidController, gain=8.0, integral_time=1e9, low=-1e3, high=1e3)
    loop = -response(controller, omega) / (1j * omega + 1) ** 3
    at = np.argmin(np.abs(loop + 1))
    assert abs(loop[at] + 1) < 1e-4
    assert 2 * np.pi / omega[at] == pytest.approx(3.63, abs=0.005)


# --- dosing pump


@pytest.mark.parametrize(("bar", "litres_per_hour", "ml"), [(16, 0.66, 0.09), (12, 1.0, 0.14), (8, 2.4, 0.33), (10, 1.8, 0.25)])
def test_a_dosing_pump_delivers_what_its_catalogue_says(bar, litres_per_hour, ml):
    """ProMinent EXtronic EXBb 1601, 1201, 0803, 1002 with self-bleeding head (operating instructions, table 9): 120 strokes a
    minute, capacity and volume of a stroke at the highest back pressure; 2 % is the accuracy stated there."""
    pump = Bench(DosingPump, swept_volume=ml * 1e-6, dead_volume=0.0, leak=0.0, compressibility=0.0)
    flow = pump.outputs(strokes=2.0, stroke_length=1.0, discharge_pressure=bar * 1e5)["flow"]
    assert flow * 3.6e6 == pytest.approx(litres_per_hour, rel=0.02)
