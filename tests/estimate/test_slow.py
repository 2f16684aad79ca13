"""Months of wear: the averaged run is the textbook's life, and load, speed and maintenance do to it what they should."""

import numpy as np
import pytest

from gemel.dynamics import compile_model
from gemel.dynamics.components import PumpSet, RollingBearing
from gemel.errors import ModelError
from gemel.estimate.slow import Duty, Scales, march, remaining

DAY = 86_400.0
BEARING = compile_model(RollingBearing())
STEPS, MEMBERS = 80, 60  # the same shapes throughout: compiled once


def bearing_life(load=9000.0, speed=300.0, share=(1.0, 0.0), members=None, keep=None, p=None, dt=None):
    loads = np.broadcast_to(load, 2)
    u = np.tile(BEARING.u0, (len(loads), 1))
    u[:, BEARING.place("inputs", "radial_load")] = loads
    u[:, BEARING.place("inputs", "speed")] = speed
    p = np.tile(BEARING.p0, (MEMBERS, 1)) if p is None else p
    start = np.zeros((len(p), 1)) if members is None else members
    keep = np.ones((STEPS, 1)) if keep is None else keep
    return remaining(march(BEARING, Scales(("damage",)), (start, p), Duty(u, np.array(share)), keep, dt or 40 * DAY), "damage", 1.0)


def settled_life(load, speed=300.0):
    """Modified life of ISO 281 [s] at the temperature where friction and cooling balance."""
    x, u = BEARING.x0.copy(), BEARING.u0.copy()
    u[BEARING.place("inputs", "radial_load")] = load
    u[BEARING.place("inputs", "speed")] = speed
    y = dict(zip(BEARING.outputs, np.asarray(BEARING.observe(0.0, x, u, BEARING.p0)), strict=True))
    x[BEARING.place("states", "temperature")] = 293.15 + 0.9 * y["friction_power"]  # friction does not depend on it
    y = dict(zip(BEARING.outputs, np.asarray(BEARING.observe(0.0, x, u, BEARING.p0)), strict=True))
    return y["modified_life"] * 2 * np.pi / speed


def test_a_bearing_ends_at_its_modified_life():
    want = settled_life(9000.0)
    assert bearing_life(dt=want / 40).median == pytest.approx(want, rel=1e-6)


def test_a_duty_of_two_loads_ends_where_palmgren_and_miner_say():
    light, heavy = settled_life(6000.0), settled_life(12_000.0)
    want = 1 / (0.7 / light + 0.3 / heavy)
    assert bearing_life(load=(6000.0, 12_000.0), share=(0.7, 0.3), dt=want / 40).median == pytest.approx(want, rel=1e-6)


def test_more_load_and_an_older_bearing_live_shorter_and_an_overhaul_longer():
    dt = settled_life(9000.0) / 40
    usual = bearing_life(dt=dt).median
    assert bearing_life(load=9000.0 * 1.15, dt=dt).median < usual / 1.15**3  # the cube, and a thinner film
    assert bearing_life(members=np.full((MEMBERS, 1), 0.5), dt=dt).median == pytest.approx(usual / 2, rel=1e-6)
    keep = np.ones((STEPS, 1))
    keep[20] = 0.0
    assert bearing_life(keep=keep, dt=dt).median == pytest.approx(usual + 20 * dt, rel=1e-6)


def test_uncertain_parameters_make_a_band_and_a_short_horizon_no_estimate():
    rng = np.random.default_rng(0)
    p = np.tile(BEARING.p0, (MEMBERS, 1))
    p[:, BEARING.place("parameters", "contamination")] = rng.uniform(0.4, 0.8, MEMBERS)
    dt = settled_life(9000.0) / 30
    found = bearing_life(p=p, dt=dt)
    low, high = found.interval(0.9)
    assert low < settled_life(9000.0) < high
    assert found.fan.shape == (5, STEPS + 1)
    assert "no end in sight" in bearing_life(dt=dt / 100).reason


def test_a_pump_set_wears_the_slower_the_slower_it_runs():
    model = compile_model(PumpSet())
    p = model.with_parameters({"wear_rate": 0.1 / (30 * DAY), "wear": 0.0})

    def worn(turn):
        u = model.u0.copy()
        u[model.place("inputs", "speed_setpoint")] = 303.7 * turn
        scales = Scales(("worn", "bearing_damage"), ("energy",))
        found = march(model, scales, (np.zeros((2, 2)), np.tile(p, (2, 1))), Duty(u[None], np.ones(1)), np.ones((60, 2)), DAY)
        return remaining(found, "worn", 0.1)

    usual, slower = worn(1.0), worn(0.9)
    assert usual.median == pytest.approx(30 * DAY, rel=1e-4)
    assert slower.median == pytest.approx(30 * DAY / 0.9**3, rel=1e-4)


def test_shares_that_are_none_are_refused_in_words():
    with pytest.raises(ModelError, match="shares of a duty"):
        Duty(np.zeros((2, 4)), np.array([0.7, 0.7]))
