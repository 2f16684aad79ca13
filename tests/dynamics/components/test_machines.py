"""Motor, bearing, exchanger, room, cell and controller against published results, and their balances."""

import numpy as np
import pytest
from component_kit import Bench

from gemel.dynamics.components import CentrifugalPump, HeatExchanger, InductionMotor, LithiumCell, PidController, PumpSet, RollingBearing, Room
from gemel.dynamics.components.bearing import life_factor

# --- motor: Fitzgerald, Kingsley, Umans, Electric Machinery, 6th ed., examples 6.2 and 6.3

FITZGERALD = {
    "rated_voltage": 220.0, "rated_frequency": 60.0, "pole_pairs": 3.0, "stator_resistance": 0.294, "rotor_resistance": 0.144,
    "stator_reactance": 0.503, "rotor_reactance": 0.209, "magnetising_reactance": 13.25, "iron_loss": 403.0,
}  # fmt: skip
FIELD = 2 * np.pi * 60 / 3


def test_a_motor_at_two_percent_slip_is_that_of_the_textbook():
    motor = Bench(InductionMotor, **FITZGERALD)
    y = motor.outputs(synchronous_speed=FIELD, winding_temperature=293.15, load_torque=42.4)
    assert y["slip"] == pytest.approx(0.02, rel=0.01)
    assert y["speed"] * 60 / (2 * np.pi) == pytest.approx(1176, abs=1)
    assert y["current"] == pytest.approx(18.8, abs=0.1)
    assert y["power_factor"] == pytest.approx(0.845, abs=0.002)
    assert y["shaft_power"] == pytest.approx(5220, rel=0.005)


def test_a_motor_breaks_down_where_the_textbook_says():
    motor = Bench(InductionMotor, **{**FITZGERALD, "iron_loss": 0.0})
    at = {"synchronous_speed": FIELD, "winding_temperature": 293.15}
    assert motor.outputs(load_torque=0.0, **at)["torque_margin"] == pytest.approx(175, rel=0.01)
    stalled = motor.outputs(load_torque=300.0, **at)
    assert stalled["slip"] == pytest.approx(0.192, abs=0.002)
    assert stalled["torque_margin"] < 0


@pytest.mark.parametrize("torque", [-10.0, 0.0, 15.0, 30.0])
@pytest.mark.parametrize("turn", [0.3, 1.0])
def test_a_motor_turns_the_mains_power_into_shaft_power_and_losses(torque, turn):
    y = Bench(InductionMotor).outputs(synchronous_speed=314.16 * turn, load_torque=torque)
    assert y["power"] == pytest.approx(y["shaft_power"] + y["losses"], rel=1e-9)
    assert y["shaft_power"] == pytest.approx(torque * y["speed"], rel=1e-6, abs=0.5)
    r = 1 + 0.00393 * (313.15 - 293.15)  # input at the terminals is also what the voltage and the current in phase give
    volts = 400 / np.sqrt(3) * turn
    z = 0.85 * r + 1j * 1.6 * turn + 1 / (1 / (1j * 60 * turn) + 1 / (0.65 * r / (y["slip"] or 1e-12) + 1j * 1.6 * turn))
    electric = 3 * (volts**2 / z.conjugate()).real
    drive = 40 + 8 * y["current"] + 0.15 * y["current"] ** 2
    assert y["power"] == pytest.approx(electric + drive, rel=1e-4, abs=0.5)


def test_a_motor_warms_to_where_its_losses_leave_through_the_housing():
    motor = Bench(InductionMotor)
    ys = motor.run(40_000.0, 800, 5, synchronous_speed=300.0, load_torque=15.0)
    end = {k: v[-1] for k, v in ys.items()}
    motor_losses = end["losses"] - (40 + 8 * end["current"] + 0.15 * end["current"] ** 2)
    assert end["housing_temperature"] - 293.15 == pytest.approx(0.055 * motor_losses, rel=1e-3)
    assert 5 < end["winding_temperature"] - 293.15 < 90
    assert ys["energy"][-1] - ys["energy"][0] == pytest.approx(np.trapezoid(ys["power"], dx=50.0), rel=1e-3)


# --- bearing: SKF, Rolling bearings (2018), calculation example: 6309 at 3000 rpm under 10 kN, oil 20 mm2/s, clean


def test_a_bearings_rating_life_is_that_of_the_catalogue():
    bearing = Bench(RollingBearing)
    y = bearing.outputs(radial_load=10_000.0, speed=100 * np.pi)
    assert y["rating_life"] / 1e6 == pytest.approx(169, rel=0.005)
    assert y["rating_life"] / (60 * 3000) == pytest.approx(940, rel=0.005)  # hours


def test_the_life_factor_is_that_of_the_catalogues_example():
    assert float(life_factor(2.45, 1.0 * 1.34 / 10.0)) == pytest.approx(8, rel=0.03)  # read from SKF's diagram
    ratio = np.linspace(0.1, 4, 400)
    factor = np.asarray(life_factor(ratio, 0.1))
    assert np.all(np.diff(factor) > 0)
    assert np.all(np.abs(np.diff(np.log(factor))) < 0.2)  # the three branches of the standard meet
    assert float(life_factor(4.0, 5.0)) == pytest.approx(50, rel=1e-3)


def test_oil_thins_as_its_two_viscosities_say_and_needs_what_the_catalogue_says():
    bearing = Bench(RollingBearing)
    for celsius, nu in ((40, 68.0), (100, 8.8)):
        y = bearing.outputs(temperature=celsius + 273.15, speed=100 * np.pi)
        assert y["viscosity_ratio"] == pytest.approx(nu / 9.65, rel=0.005)  # 4500 / sqrt(3000 · 72.5)


def test_damage_adds_up_to_one_at_the_end_of_the_modified_life():
    bearing = Bench(RollingBearing)
    y = bearing.outputs(radial_load=20_000.0)
    life_s = y["modified_life"] * 2 * np.pi / 300.0
    ys = bearing.run(life_s, 200, radial_load=20_000.0, temperature=Bench(RollingBearing).run(1e5, 200, radial_load=20_000.0)["temperature"][-1])
    expected = np.trapezoid(300.0 / (2 * np.pi) / ys["modified_life"], dx=life_s / 200)
    assert ys["damage"][-1] == pytest.approx(expected, rel=1e-3)
    assert bearing.rates(radial_load=2000.0)["damage"] * 7.9 < bearing.rates(radial_load=4000.0)["damage"]  # cube, and film


def test_friction_warms_a_bearing_to_its_balance():
    ys = Bench(RollingBearing, to_air=2.0).run(60_000.0, 300, radial_load=5000.0)
    assert ys["temperature"][-1] - 293.15 == pytest.approx(2.0 * ys["friction_power"][-1], rel=1e-3)


# --- heat exchanger: Incropera et al., example 11.1: oil 0.1 kg/s 100 to 60 degC, water 0.2 kg/s from 30 degC


def incropera():
    area = 8524 / (38.1 * 43.2)  # q / (U · log mean), as the example computes its length
    film = 2 * 38.1
    return Bench(
        HeatExchanger, area=area, hot_film=film, cold_film=film, hot_rated=0.1, cold_rated=0.2, hot_capacity=2131.0, cold_capacity=4178.0, hot_held=2e3, cold_held=4e3
    )


AT = {"hot_inlet": 373.15, "cold_inlet": 303.15, "hot_flow": 0.1, "cold_flow": 0.2}


def test_an_exchanger_passes_the_heat_of_the_textbook():
    ys = incropera().run(600.0, 300, 2, **AT)
    assert ys["heat"][-1] == pytest.approx(8524, rel=0.005)
    assert ys["hot_outlet"][-1] - 273.15 == pytest.approx(60.0, abs=0.3)
    assert ys["cold_outlet"][-1] - 273.15 == pytest.approx(40.2, abs=0.1)


def test_what_the_hot_stream_loses_the_cold_one_gains():
    exchanger = incropera()
    found = exchanger.rates(hot_outlet=350.0, cold_outlet=310.0, **AT)
    stored = found["hot_outlet"] * 2e3 + found["cold_outlet"] * 4e3
    assert stored == pytest.approx(213.1 * (373.15 - 350.0) + 835.6 * (303.15 - 310.0), rel=1e-6)


@pytest.mark.parametrize(("ratio", "units"), [(0.0, 2.0), (0.5, 1.0), (1.0, 3.0), (1.0 + 1e-7, 3.0)])
def test_effectiveness_is_that_of_counterflow(ratio, units):
    want = {0.0: 1 - np.exp(-2.0), 0.5: (1 - np.exp(-0.5)) / (1 - 0.5 * np.exp(-0.5))}.get(ratio, 3.0 / 4.0)
    cold = 1.0 / ratio if ratio else 1e9
    exchanger = Bench(HeatExchanger, area=units, hot_film=2.0, cold_film=2.0, cold_rated=cold, hot_capacity=1.0, cold_capacity=1.0)
    assert exchanger.outputs(hot_flow=1.0, cold_flow=cold)["effectiveness"] == pytest.approx(want, rel=1e-5)


def test_fouling_grows_to_its_end_and_costs_heat():
    exchanger = Bench(HeatExchanger, fouling_end=4e-4, fouling_time=1e4)
    ys = exchanger.run(1e4, 1000)
    assert ys["fouling"][-1] == pytest.approx(4e-4 * (1 - np.exp(-1)), rel=1e-6)
    clean, foul = (exchanger.outputs(fouling=r)["transfer"] for r in (0.0, 4e-4))
    assert 1 / foul - 1 / clean == pytest.approx(4e-4 / 5.0, rel=1e-9)


# --- room


def test_a_room_cools_as_its_two_time_constants_say():
    room = Bench(Room)
    out, g_m, g_w, g_e = 273.15, 1 / 2e-3, 1 / 0.04, 1 / 0.03
    a = np.array([[-(g_m + g_w) / 3e5, g_m / 3e5], [g_m / 1e7, -(g_m + g_e) / 1e7]])
    values, vectors = np.linalg.eig(a)
    start = np.array([20.0, 19.0])
    want = (vectors * np.exp(values * 86_400)) @ np.linalg.solve(vectors, start)
    ys = room.run(86_400.0, 288, 3, temperature=out + 20, mass_temperature=out + 19, outdoor_temperature=out, heating=0.0, ventilation=0.0)
    assert np.allclose([ys["temperature"][-1] - out, ys["mass_temperature"][-1] - out], want, atol=1e-4)


def test_a_rooms_heat_is_stored_or_lost():
    room = Bench(Room)
    at = {"heating": 800.0, "solar": 300.0, "ventilation": 0.02, "outdoor_temperature": 275.0}
    found = room.rates(**at)
    assert 3e5 * found["temperature"] + 1e7 * found["mass_temperature"] == pytest.approx(1100.0 - room.outputs(**at)["heat_loss"], rel=1e-9)


# --- cell


def test_the_open_circuit_voltage_is_that_of_the_paper():
    cell = Bench(LithiumCell)  # Chen and Rincón-Mora 2006: 4.103 V full, some 3.8 V half full, steep end
    assert cell.outputs(charge=1.0)["open_circuit_voltage"] == pytest.approx(4.103, abs=1e-3)
    assert cell.outputs(charge=0.5)["open_circuit_voltage"] == pytest.approx(3.803, abs=1e-3)
    assert cell.outputs(charge=0.0)["open_circuit_voltage"] == pytest.approx(2.654, abs=1e-3)


def test_a_cell_gives_its_charge_and_its_heat_is_what_the_terminals_miss():
    cell = Bench(LithiumCell, heat_capacity=1e9)
    ys = cell.run(1800.0, 180, current=2.0, charge=1.0)
    assert ys["charge"][0] - ys["charge"][-1] == pytest.approx(2 * 1800 / 7200, rel=1e-3)
    y = cell.outputs(current=2.0, fast_voltage=0.05, slow_voltage=0.02)
    assert y["heat"] == pytest.approx(2.0 * (y["open_circuit_voltage"] - y["voltage"]), rel=1e-9)
    rest = cell.outputs(current=0.0, fast_voltage=0.0, slow_voltage=0.0)
    assert rest["voltage"] == rest["open_circuit_voltage"]
    assert ys["fast_voltage"][-1] == pytest.approx(0.06, rel=1e-6)  # R I, after sixty time constants


def test_a_cell_fades_as_the_paper_fitted_it():
    # Wang et al. 2011, equation 3 at C/2: Q_loss[%] = 31630 exp(-31700 / (8.314 T)) Ah^0.55
    b25 = 31630 * np.exp(-31700 / (8.314 * 298.15)) / 100
    cell = Bench(LithiumCell, new_capacity=2.2 * 3600, fade_factor=b25, activation=31700.0, heat_capacity=1e9)
    for celsius in (15, 45, 60):
        weight = cell.rates(current=1.1, temperature=celsius + 273.15)["passed"] / 1.1
        hours = 2000.0
        want = 31630 * np.exp(-31700 / (8.314 * (celsius + 273.15))) / 100 * hours**0.55
        assert cell.outputs(passed=weight * hours * 3600)["fade"] == pytest.approx(want, rel=2e-3), celsius


# --- controller


def test_a_pi_loop_around_a_first_order_process_is_the_textbooks():
    # K/(tau s + 1) with Kc = tau/(K lambda), Ti = tau closes to 1/(lambda s + 1) (Seborg et al. 2011, section 12.2)
    tau, want = 50.0, 10.0
    error, y = closed_loop(setpoint=0.2, tau=tau, gain=tau / want, integral_time=tau)
    assert np.abs(y - 0.2 * (1 - np.exp(-np.arange(len(y)) / want))).max() < 0.2 * 0.01
    assert abs(error[-1]) < 1e-3


def test_back_calculation_halves_the_overshoot_of_a_wound_up_integral():
    wound, tracked = (closed_loop(setpoint=0.8, tau=50.0, gain=5.0, integral_time=8.0, tracking_time=t)[1].max() - 0.8 for t in (1e6, 4.0))
    assert wound > 0.05
    assert tracked < 0.5 * wound


def closed_loop(setpoint, tau, **tuning):
    """The controller around K/(tau s + 1), composed by hand; error and measured value each second."""
    import jax

    from gemel.dynamics import Quantity, compile_model, maths
    from gemel.dynamics.fixed import trajectory

    maths.loaded()  # in float64 from the first compilation on, whichever test runs first
    controller = PidController()

    class Loop:
        states = {**controller.states, "y": Quantity("1")}
        inputs = {"setpoint": Quantity("1")}
        outputs = {"error": Quantity("1")}
        parameters = controller.parameters

        def derivative(self, t, x, u, p):
            seen = type("Seen", (), {"setpoint": u.setpoint, "measured": x.y})
            asked = controller.output(t, x, seen, p)["manipulated"]
            return {**controller.derivative(t, x, seen, p), "y": (asked - x.y) / tau}

        def output(self, t, x, u, p):
            return {"error": u.setpoint - x.y}

    model = compile_model(Loop())
    p = model.with_parameters(tuning)
    xs, ys = jax.jit(lambda u, p: trajectory(model, model.x0, u, p, 1.0, 4))(np.full((400, 1), setpoint), p)
    return np.asarray(ys)[:, 0], np.asarray(xs)[:, 2]


def test_the_derivative_of_a_ramp_is_its_slope_however_short_its_time():
    """With Td/N below the fastest filter, the filter was held there and the gain was not: 1 s acted for 0.5 s."""
    for time in (0.2, 0.5, 5.0):
        controller, slope = Bench(PidController, gain=2.0, derivative_time=time), 1e-3
        lag = max(time / 10.0, 0.1)
        at = {"measured": 0.5, "filtered": 0.5 - slope * lag}  # where a ramp has settled
        assert controller.rates(**at)["filtered"] == pytest.approx(slope, rel=1e-9)
        still = controller.outputs(measured=0.5, filtered=0.5)["unlimited"]
        assert controller.outputs(**at)["unlimited"] - still == pytest.approx(-2.0 * time * slope, rel=1e-9)


def test_a_derivative_that_is_switched_off_leaves_nothing_stiff_behind():
    assert Bench(PidController).rates(measured=0.6, filtered=0.5)["filtered"] == pytest.approx(0.1 / 10.0)


def test_the_derivative_acts_on_the_measured_value_through_its_filter():
    controller = Bench(PidController, gain=2.0, derivative_time=5.0, filter=10.0)
    y = controller.outputs(setpoint=0.5, measured=0.5, filtered=0.49, integral=0.4)
    assert y["unlimited"] == pytest.approx(0.4 - 2.0 * 10.0 * 0.01)
    assert controller.rates(measured=0.5, filtered=0.49)["filtered"] == pytest.approx(0.01 * 10 / 5)


# --- pump set


def test_a_pump_set_is_its_parts_coupled_at_the_shaft():
    at = {"suction_pressure": 30e3, "ambient_temperature": 290.15}
    whole = Bench(PumpSet, wear=0.03)
    y = whole.outputs(speed=244.0, outlet_pressure=166e3, **at)
    pump = Bench(CentrifugalPump, wear=0.03).outputs(speed=244.0, flow=y["flow"], suction_pressure=30e3, temperature=285.15)
    assert y["discharge_pressure"] == pytest.approx(pump["discharge_pressure"], rel=1e-4)
    assert y["power"] == pytest.approx(pump["power"], rel=1e-6)
    assert (y["discharge_pressure"] - 166e3) / (998.2 * 9.80665) == pytest.approx(6480.0 * y["flow"] ** 2, rel=1e-3)  # the riser
    bearing = Bench(RollingBearing).outputs(speed=244.0, radial_load=500 + 1000 * y["head"] / 26.9)
    assert y["torque"] == pytest.approx(y["power"] / 244.0 + bearing["torque"], rel=1e-4)
    assert y["electric_power"] == pytest.approx(y["torque"] * 244.0 + y["losses"], rel=3e-4)  # nothing is lost or made
    assert whole.rates(speed=244.0, outlet_pressure=166e3, **at)["energy"] == pytest.approx(y["electric_power"], rel=1e-9)


def test_a_pump_set_too_slow_for_its_lift_delivers_nothing():
    y = Bench(PumpSet).outputs(speed=150.0, outlet_pressure=166e3)
    assert y["flow"] < 1e-4
    assert y["power"] > 0
