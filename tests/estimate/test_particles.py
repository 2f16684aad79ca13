"""Members that only a model itself can move, weighed and copied: where all is linear and normal they know what a Kalman filter knows."""

import math

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model
from gemel.estimate import Instant, Noise, Problem
from gemel.estimate.particles import Particles

DT, LAG, SENSOR, DRAWN = 10.0, 60.0, 0.3, 2.0


class Lagging:
    """What the filter knows of it: its names and units; its equations it never sees."""

    states = {"x": Quantity("K", 20.0)}
    inputs = {"u": Quantity("K", 50.0)}
    outputs = {"shown": Quantity("K", 20.0)}
    parameters = {"gain": Quantity("1", 1.0, low=0.0), "lag": Quantity("s", LAG)}


class Bytes:
    """Moves members whose memory is eight bytes; nobody else can read them."""

    tunable, movable = ("gain",), ()

    def __init__(self, lost=np.inf):
        self.begun, self.lost = 0, lost

    def begin(self, x, u, p):
        self.begun += 1
        return self.told(np.array(x[:, 0]), p)

    def show(self, memory, given, shown):
        return shown

    def step(self, memory, times, dt, given, moved):
        u, p = given
        x = memory[:, :8].copy().view(np.float64)[:, 0]
        lag = memory[:, 8:].copy().view(np.float64)[:, 0]
        rest = p[:, 0] * u[:, 0]
        return self.told(rest + (x - rest) * np.exp(-dt / lag), np.column_stack((p[:, 0], lag)))

    def told(self, x, p):
        memory = np.column_stack((x, p[:, 1])).view(np.uint8)
        shown = np.where(x > self.lost, np.nan, x)
        return memory, np.column_stack((shown, shown))


def problem(walk=0.0, estimated=()):
    n = len(estimated)
    noise = Noise(np.zeros(1), np.full(n, walk), np.array([SENSOR]), np.array([5.0]), np.full(n, 0.3))
    return Problem(compile_model(Lagging()), estimated, noise, DT)


def filtered(of, method, u, y, p, begin=(20.0,)):
    """Filter records of machines side by side: u, y [instants, machines]."""
    swarm, found = method.begin(of, np.tile(begin, (len(p), 1)), u[0][:, None], p), []
    for at in range(len(y)):
        swarm, estimate = method.step(of, swarm, Instant(at, u[at][:, None], y[at][:, None], p))
        found.append(estimate)
    return found


def record(steps=60, gain=1.0, seed=1):
    rng = np.random.default_rng(seed)
    u = np.repeat(rng.uniform(20, 90, steps // 10), 10)
    x, true = 26.0, []
    for at in range(steps):
        true.append(x)
        rest = gain * (u[at] + DRAWN * rng.standard_normal())
        x = rest + (x - rest) * math.exp(-DT / LAG)
    return u[:, None], np.array(true)[:, None], (np.array(true) + SENSOR * rng.standard_normal(steps))[:, None]


def kalman(u, y, mean=20.0, sd=5.0):
    """Kalman, R. E. (1960), of the same: exact, where all is linear and normal."""
    keep, found = math.exp(-DT / LAG), []
    variance, drawn = sd**2, ((1 - keep) * DRAWN) ** 2
    for at in range(len(y)):
        share = variance / (variance + SENSOR**2)
        mean, variance = mean + share * (y[at, 0] - mean), (1 - share) * variance
        found.append((mean, math.sqrt(variance)))
        mean, variance = u[at, 0] + (mean - u[at, 0]) * keep, keep**2 * variance + drawn
    return np.array(found)


P = np.array([[1.0, LAG]])


def test_where_all_is_linear_and_normal_they_know_what_a_kalman_filter_knows():
    u, _, y = record()
    exact = kalman(u, y)
    found = filtered(problem(), Particles(Bytes(), (DRAWN,), members=4000, robust=None), u, y, P)
    off = np.array([e.mean[0, 0] for e in found]) - exact[:, 0]
    assert np.abs(off).max() < 0.2 * exact[:, 1].max()
    assert np.sqrt((off**2).mean()) < 0.05 * exact[1:, 1].mean()
    assert np.array([e.sd[0, 0] for e in found])[1:] == pytest.approx(exact[1:, 1], rel=0.12)
    assert np.allclose([e.output[0, 0] for e in found], [e.mean[0, 0] for e in found])


def test_the_innovations_are_as_wide_as_they_say():
    u, _, y = record(steps=200)
    found = filtered(problem(), Particles(Bytes(), (DRAWN,), members=500, robust=None), u, y, P)
    nis = np.array([e.innovation.nis[0] for e in found])[5:]
    assert 0.7 < nis.mean() < 1.3


def test_a_parameter_that_may_change_follows_the_machine():
    u, true, y = record(steps=300, gain=1.3)
    found = filtered(problem(1e-3, ("gain",)), Particles(Bytes(), (DRAWN,), members=400), u, y, P, (20.0, 1.0))
    assert found[-1].mean[0, 1] == pytest.approx(1.3, abs=3 * found[-1].sd[0, 1])
    assert 0 < found[-1].sd[0, 1] < 0.05
    assert np.sqrt(((np.array([e.output[0, 0] for e in found]) - true[:, 0])[20:] ** 2).mean()) < SENSOR


def test_the_same_record_gives_the_same_bits_and_no_machine_knows_of_another():
    u, _, y = record()
    _, _, other = record(seed=2)
    method, both = Particles(Bytes(), (DRAWN,), members=64), np.hstack
    alone = filtered(problem(), method, u, y, P)
    beside = filtered(problem(), method, both((u, u)), both((y, other)), np.vstack((P, P)))
    assert [e.mean[0, 0] for e in alone] == [e.mean[0, 0] for e in beside]
    assert [e.sd[0, 0] for e in filtered(problem(), method, u, y, P)] == [e.sd[0, 0] for e in alone]


def test_a_reading_far_off_is_not_followed_and_a_missing_one_widens():
    u, _, y = record()
    wild, gone = y.copy(), y.copy()
    wild[40], gone[35:41] = 500.0, np.nan
    method = Particles(Bytes(), (DRAWN,), members=256)
    usual, other, less = (filtered(problem(), method, u, v, P) for v in (y, wild, gone))
    assert other[40].innovation.weight[0, 0] == 0.0
    assert abs(other[40].mean[0, 0] - usual[40].mean[0, 0]) < 4 * usual[40].sd[0, 0]
    assert less[40].sd[0, 0] > 1.5 * usual[40].sd[0, 0]


def test_members_that_the_model_loses_do_not_count_and_where_all_are_lost_nothing_is_told():
    u, _, y = record()
    found = filtered(problem(), Particles(Bytes(lost=y.max() + 1.0), (DRAWN,), members=256), u, y, P)
    assert all(np.isfinite(e.mean).all() for e in found)
    none = filtered(problem(), Particles(Bytes(lost=-1.0), (DRAWN,), members=64), u, y, P)
    assert not any(np.isfinite(e.mean).any() for e in none)


def test_a_fixed_parameter_that_is_released_anew_has_members_begin_anew_around_what_is_believed():
    u, _, y = record(steps=20)
    stepper = Bytes()
    method, of = Particles(stepper, (DRAWN,), members=256), problem()
    swarm = method.begin(of, np.array([[20.0]]), u[0][:, None], P)
    for at in range(20):
        p = P if at < 10 else np.array([[1.1, LAG]]) if at < 15 else np.array([[1.1, 2 * LAG]])
        swarm, estimate = method.step(of, swarm, Instant(at, u[at][:, None], y[at][:, None], p))
        assert stepper.begun == (1 if at < 15 else 2)  # what is tunable is given at every step
        assert abs(estimate.mean[0, 0] - y[at, 0]) < 3.0
    assert swarm.age[0] == 5 * DT


def test_readings_that_nearly_no_member_fits_leave_more_than_one():
    """The members begin 30 K below the machine, which is a hundred times what its sensor is off: the nearest alone would be certain."""
    u, _, y = record()
    found = filtered(problem(1e-3, ("gain",)), Particles(Bytes(), (DRAWN,), members=128), u, y + 30.0, P, (20.0, 1.0))
    for e in found:
        assert (e.sd[0] > 1e-3).all()
    assert abs(found[0].mean[0, 0] - (y[0, 0] + 30.0)) < 12 * found[0].sd[0, 0]


@pytest.mark.parametrize(("walk", "surer"), [(0.0, 6.0), (1e-4, 2.5)])
def test_a_parameter_that_hardly_changes_is_known_about_as_well_as_is_said(walk, surer):
    """Copies of copies would all be the same one in the end: certain, and wrong. Some of that stays where nothing may change."""
    off, sd = [], []
    for seed in range(1, 9):
        u, _, y = record(steps=300, gain=1.3, seed=seed)
        last = filtered(problem(walk, ("gain",)), Particles(Bytes(), (DRAWN,), members=256), u, y, P, (20.0, 1.0))[-1]
        off.append(last.mean[0, 1] - 1.3)
        sd.append(last.sd[0, 1])
    assert np.median(np.abs(off)) < 0.01
    assert min(sd) > 1e-6
    assert np.median(np.abs(np.array(off)) / np.array(sd)) < surer
