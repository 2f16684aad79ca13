"""Pump, pipe, valve, tank and dosing pump against published results, and their balances."""

import numpy as np
import pytest
from component_kit import Bench

from gemel.dynamics.components import CentrifugalPump, ControlValve, DosingPump, Pipe, PumpSet, SteadyPipe, Tank
from gemel.dynamics.components.pipe import friction_factor
from gemel.dynamics.components.water import GRAVITY, vapour_pressure

RHO_G = 998.2 * GRAVITY


# --- water


@pytest.mark.parametrize(("celsius", "pascal"), [(20, 2339.3), (50, 12352), (80, 47414), (100, 101418)])  # IAPWS-IF97, saturation line
def test_the_vapour_pressure_is_that_of_the_steam_tables(celsius, pascal):
    assert float(vapour_pressure(celsius + 273.15)) == pytest.approx(pascal, rel=0.005)


# --- pipe


def colebrook(re, rough):
    f = 0.02
    for _ in range(60):
        f = (-2 * np.log10(rough / 3.7 + 2.51 / (re * np.sqrt(f)))) ** -2
    return f


@pytest.mark.parametrize("rough", [0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.05])
def test_friction_is_colebrooks_where_turbulent_and_stokes_where_laminar(rough):
    re = np.geomspace(4e3, 1e8, 60)
    want = np.array([colebrook(r, rough) for r in re])
    away = np.abs(np.asarray(friction_factor(re, rough)) / want - 1)
    assert away[re > 1e4].max() < 0.035
    assert away.max() < 0.05  # the transition itself is known no better
    slow = np.array([10.0, 100.0, 1000.0])
    assert np.allclose(friction_factor(slow, rough), 64 / slow, rtol=2e-3)


def test_oil_in_an_iron_pipe_loses_what_white_computes():
    # White, Fluid Mechanics, 7th ed., examples 6.6 and 6.7: f = 0.0225, h = 117 m, dp = 265 kPa on 10 degrees downhill
    pipe = Bench(Pipe, length=500, diameter=0.2, roughness=0.26e-3, minor_loss=0, rise=-500 * np.sin(np.radians(10)), density=900, viscosity=1e-5)
    y = pipe.outputs(flow=0.2)
    assert y["velocity"] == pytest.approx(6.4, abs=0.05)
    assert y["reynolds"] == pytest.approx(128_000, rel=0.01)
    assert y["friction_factor"] == pytest.approx(0.0225, rel=0.03)  # what separates Churchill from Colebrook
    assert y["loss"] / (900 * GRAVITY) == pytest.approx(117, rel=0.03)
    low, high = 200e3, 330e3  # the pressure difference at which the flow rests at 0.2 m3/s
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if pipe.rates(flow=0.2, inlet_pressure=middle, outlet_pressure=0)["flow"] < 0 else (low, middle)
    assert middle == pytest.approx(265e3, rel=0.06)  # the difference of two heads takes twice the error


def test_a_pipe_turns_the_work_of_pressure_into_motion_height_and_heat():
    pipe = Bench(Pipe, length=200, rise=5.0)
    area, p1, p2, q = np.pi / 4 * 0.15**2, 3e5, 0.5e5, 0.03
    found = pipe.rates(flow=q, inlet_pressure=p1, outlet_pressure=p2)["flow"]
    motion = 998.2 * 200 / area * q * found  # d/dt of rho L A v²/2
    assert (p1 - p2) * q == pytest.approx(motion + RHO_G * 5.0 * q + pipe.outputs(flow=q)["dissipation"], rel=1e-9)
    assert pipe.outputs(flow=-q)["loss"] == pytest.approx(-pipe.outputs(flow=q)["loss"], rel=1e-12)


def test_the_steady_pipe_is_the_pipe_at_rest():
    steady, moving = Bench(SteadyPipe, rise=3.0), Bench(Pipe, rise=3.0)
    outlet = steady.outputs(flow=0.025, inlet_pressure=2e5)["outlet_pressure"]
    assert moving.rates(flow=0.025, inlet_pressure=2e5, outlet_pressure=outlet)["flow"] == pytest.approx(0, abs=1e-12)


# --- pump


def test_a_pump_follows_the_affinity_laws():
    pump, n = Bench(CentrifugalPump), np.array([0.5, 0.8, 1.1])
    full = pump.outputs(speed=303.7, flow=0.02)
    for turn in n:
        y = pump.outputs(speed=303.7 * turn, flow=0.02 * turn)
        assert y["head"] == pytest.approx(full["head"] * turn**2, rel=1e-3)
        assert y["power"] == pytest.approx(full["power"] * turn**3, rel=1e-3)
        assert y["efficiency"] == pytest.approx(full["efficiency"], rel=1e-3)


def test_a_pump_is_best_at_its_rated_flow_and_needs_about_half_the_power_shut_off():
    pump = Bench(CentrifugalPump, npsh_rated=1.0)
    at = {q: pump.outputs(speed=303.7, flow=0.02083 * q, suction_pressure=2e5) for q in (0.0, 0.8, 1.0, 1.2)}
    assert at[1.0]["efficiency"] == pytest.approx(0.74, rel=1e-3)
    assert max(at[0.8]["efficiency"], at[1.2]["efficiency"]) == pytest.approx(0.74 * 0.96, rel=1e-3)  # 2 q - q²
    assert at[1.0]["head"] == pytest.approx(26.9, rel=1e-3)
    # Gülich 2014, section 4.1: radial wheels of low specific speed take 40 to 60 % of the rated power at shut-off
    assert 0.4 < at[0.0]["power"] / at[1.0]["power"] < 0.62


def test_a_pump_loses_three_percent_of_its_head_where_npsh_is_just_met():
    pump = Bench(CentrifugalPump, npsh_rated=4.0)
    available = 4.0 * (0.4 + 0.6)
    suction = available * RHO_G - 101_325 + float(vapour_pressure(293.15))
    at = {"speed": 303.7, "flow": 0.02083, "temperature": 293.15}
    enough, just, short = (pump.outputs(suction_pressure=s, **at) for s in (suction + 3e5, suction, suction - 1.2 * RHO_G))
    assert just["npsh_margin"] == pytest.approx(0, abs=2e-3)
    assert just["head"] / enough["head"] == pytest.approx(0.97, abs=1e-3)  # the definition of NPSH3
    assert short["head"] < 0.2 * enough["head"]


def test_a_fit_that_tries_a_rated_head_above_the_shut_off_head_meets_no_pole():
    """The curve then is nearly flat; a fall below zero would cancel the riser's loss somewhere, and the flow be endless."""
    rated = np.linspace(28.0, 48.0, 41)
    flows = np.array([Bench(PumpSet, shutoff_head=32.0, rated_head=float(r)).outputs()["flow"] for r in rated])
    assert np.isfinite(flows).all() and (flows < 0.05).all()
    assert (np.diff(flows) >= 0).all() and np.abs(np.diff(flows)).max() < 3e-3


def test_a_pumps_power_is_what_the_water_gets_and_heat():
    pump = Bench(CentrifugalPump, wear=0.1)
    for q in np.linspace(0, 0.033, 12):
        y = pump.outputs(speed=280.0, flow=q)
        assert y["power"] == pytest.approx(RHO_G * q * y["head"] + y["heat"], rel=1e-9)
        assert y["heat"] > 0
        assert y["torque"] * 280.0 == pytest.approx(y["power"], rel=1e-4)


def test_wear_takes_head_and_grows_with_the_cube_of_speed():
    pump = Bench(CentrifugalPump, wear_rate=1e-8)
    new, old = (pump.outputs(speed=303.7, flow=0.0, worn=w)["head"] for w in (0.0, 0.1))
    assert old / new == pytest.approx(0.9, rel=1e-3)
    assert pump.rates(speed=2 * 100.0)["worn"] / pump.rates(speed=100.0)["worn"] == pytest.approx(8, rel=1e-9)


# --- valve


@pytest.mark.parametrize(("recovery", "kv"), [(0.9, 165.0), (0.6, 238.0)])
def test_a_valve_passes_what_the_standard_sizes_it_for(recovery, kv):
    # IEC 60534-2-1, annex with examples 1 (globe valve, not choked) and 2 (ball valve, choked): water at 363 K,
    # 965.4 kg/m3, 680 kPa to 220 kPa absolute, 360 m3/h
    valve = Bench(ControlValve, kv=kv / 3600, density=965.4, recovery=recovery)
    y = valve.outputs(position=1.0, inlet_pressure=680e3 - 101_325, outlet_pressure=220e3 - 101_325, temperature=363.0)
    assert y["flow"] * 3600 == pytest.approx(360, rel=0.01)
    assert (y["choking"] > 1) == (recovery < 0.8)


def test_a_choked_valve_passes_no_more_for_a_lower_back_pressure():
    valve = Bench(ControlValve, recovery=0.6, density=965.4)
    flows = [valve.outputs(position=1.0, inlet_pressure=580e3, outlet_pressure=p, temperature=363.0)["flow"] for p in (2e5, 1e5, 0.0)]
    assert np.ptp(flows) < 1e-3 * flows[0]


def test_an_equal_percentage_valve_gains_the_same_percentage_with_each_step():
    valve = Bench(ControlValve, characteristic=1.0, rangeability=50.0)
    part = np.array([valve.outputs(position=s)["opening"] for s in (0.2, 0.4, 0.6, 0.8, 1.0)])
    assert np.allclose(part[1:] / part[:-1], 50**0.2, rtol=1e-6)  # IEC 60534-2-4
    assert valve.outputs(position=0.0)["opening"] == 0.0
    linear = Bench(ControlValve)
    assert linear.outputs(position=0.3)["opening"] == pytest.approx(0.3)


def test_a_stem_follows_with_its_lag_and_the_valve_heats_by_what_it_throttles():
    valve = Bench(ControlValve, lag=4.0)
    ys = valve.run(8.0, 80, position=0.0, position_setpoint=1.0)
    assert ys["position"][40] == pytest.approx(1 - np.exp(-1), abs=1e-6)
    assert ys["dissipation"] == pytest.approx(ys["flow"] * 1e5)


# --- tank


def test_a_tank_drains_in_torricellis_time():
    a, area, h0 = 2e-3, 1.5, 2.0
    tank = Bench(Tank, area=area, orifice_area=a)
    time = 2 * area / (a * np.sqrt(2 * GRAVITY)) * (np.sqrt(h0) - np.sqrt(0.5))  # White 2011, example 3.22
    ys = tank.run(time, 200, level=h0, inflow=0.0, outflow=0.0)
    assert ys["level"][-1] == pytest.approx(0.5, rel=1e-5)


def test_a_full_tank_spills_over_its_weir():
    tank = Bench(Tank, rim=3.0, weir_width=0.5)
    y = tank.outputs(level=3.1)
    assert y["spill"] == pytest.approx(2 / 3 * 0.62 * 0.5 * np.sqrt(2 * GRAVITY) * 0.1**1.5, rel=1e-6)  # White 2011, 10.7
    assert tank.outputs(level=2.99)["spill"] == 0.0


def test_water_and_heat_of_a_tank_are_conserved():
    tank = Bench(Tank, area=2.0, rim=2.0, heat_transfer=0.0)
    ys = tank.run(400.0, 400, level=1.9, inflow=0.02, outflow=0.005, inflow_temperature=300.0, temperature=290.0)
    spilt = np.trapezoid(ys["spill"], dx=1.0)
    assert ys["volume"][-1] - ys["volume"][0] == pytest.approx(0.02 * 400 - 0.005 * 400 - spilt, abs=2e-3)
    held = ys["volume"] * ys["temperature"]
    left = np.trapezoid((ys["spill"] + ys["outflow_delivered"]) * ys["temperature"], dx=1.0)
    assert held[-1] - held[0] == pytest.approx(0.02 * 300 * 400 - left, rel=1e-3)


def test_an_empty_tank_gives_only_what_flows_in():
    tank = Bench(Tank, area=1.0)
    ys = tank.run(4000.0, 1000, 2, level=0.5, inflow=0.001, outflow=0.005)
    assert ys["level"].min() >= 0
    assert ys["outflow_delivered"][-1] == pytest.approx(0.001, rel=1e-3)


# --- dosing pump


def test_a_dosing_pump_meters_in_proportion_to_its_strokes_and_its_stroke_length():
    pump = Bench(DosingPump, leak=0.0, compressibility=0.0)
    assert pump.outputs(strokes=2.0, stroke_length=0.5)["flow"] == pytest.approx(2.0 * 0.5 * 10e-6, rel=1e-6)
    real = Bench(DosingPump)  # API 675: linear within 3 % of rated flow over a turn-down of 10
    flows = np.array([real.outputs(strokes=n)["flow"] for n in (0.15, 0.5, 1.0, 1.5)])
    assert np.abs(flows / flows[-1] - np.array([0.1, 1 / 3, 2 / 3, 1])).max() < 0.03


def test_the_elastic_loss_is_that_of_the_dead_space():
    pump = Bench(DosingPump, leak=0.0, dead_volume=20e-6)
    y = pump.outputs(stroke_length=1.0, discharge_pressure=200e5)
    assert 1 - y["volumetric_efficiency"] == pytest.approx(4.6e-10 * 200e5 * 2.0, rel=1e-4)


def test_what_is_dosed_leaves_the_reservoir():
    pump = Bench(DosingPump)
    ys = pump.run(3600.0, 720, reservoir=0.04)
    assert ys["reservoir"][0] - ys["reservoir"][-1] == pytest.approx(np.trapezoid(ys["flow"], dx=5.0), rel=1e-4)
    assert ys["reservoir"].min() >= 0
    y = pump.outputs()
    assert y["power"] == pytest.approx(y["flow"] * 5e5 / 0.7)
