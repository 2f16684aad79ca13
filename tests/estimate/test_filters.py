"""A filter is the exact one where that is known, knows how much it knows, and takes readings as they come."""

import jax
import numpy as np
import pytest
from tank_kit import line_problem, lived, tank_problem

from gemel.dynamics import maths
from gemel.errors import ModelError
from gemel.estimate import Ensemble, Instant, Lag, Noise, Problem, Robust, Unscented, coverage, nees_band, step, track

INSTANTS = 80


def record(problem, seed, u=None, instants=INSTANTS):
    rng = np.random.default_rng(seed)
    mean, sd = problem.start
    u = np.full((instants, 1), 0.2) if u is None else u
    return u, *lived(problem, mean + sd * rng.standard_normal(problem.size), u, rng)


def exact(problem, u, y):
    """Kalman, R. E. (1960), with the transition of the same solver, read off by differentiation."""
    maths.loaded()
    z, (_, sd) = problem.start[0], problem.start
    cover = np.diag(sd**2)
    noise, sensor = np.diag(problem.walk**2), np.diag(problem.noise.sensor**2)
    means, covers = [], []
    for k in range(len(y)):
        now = Instant(k, u[k], y[k], problem.model.p0)
        sees = np.asarray(jax.jacfwd(lambda z: problem.seen(now, z))(z)) if k == 0 else sees
        moves = np.asarray(jax.jacfwd(lambda z: problem.advance(now, z))(z)) if k == 0 else moves
        there = np.isfinite(y[k])
        h = sees[there]
        gain = cover @ h.T @ np.linalg.inv(h @ cover @ h.T + sensor[np.ix_(there, there)])
        z, cover = z + gain @ (y[k][there] - h @ z), cover - gain @ h @ cover
        means.append(z)
        covers.append(np.sqrt(np.diag(cover)))
        z, cover = moves @ z + np.asarray(problem.advance(now, np.zeros(2))), moves @ cover @ moves.T + noise
    return np.array(means), np.array(covers)


def holed(y, seed=3):
    return np.where(np.random.default_rng(seed).random(y.shape) < 0.4, np.nan, y)


def test_on_a_linear_model_the_unscented_filter_is_the_exact_one_with_any_readings_missing():
    problem = line_problem()
    u, _, y = record(problem, 1)
    y = holed(y)
    y[20:25] = np.nan
    mean, sd = exact(problem, u, y)
    found = jax.jit(lambda u, y: track(problem, Unscented(), u, y, problem.model.p0))(u, y)
    assert np.allclose(found.mean, mean, atol=1e-10)
    assert np.allclose(found.sd, sd, atol=1e-10)
    assert np.allclose(found.output[:, 2], mean.sum(1), atol=1e-10)


def test_the_ensembles_update_is_the_exact_one_of_its_own_covariance():
    problem, method = line_problem(), Ensemble(members=16, seed=4)
    members = np.asarray(method.start(problem, *problem.start))
    assert np.allclose(members.mean(0), problem.start[0], atol=1e-12)
    y = np.array([1.3, np.nan, 1.6])
    after, innovation = method.update(problem, members, Instant(0, np.zeros(1), y, problem.model.p0))
    h, sensor = np.array([[1.0, 0], [1, 1]]), np.diag(problem.noise.sensor[[0, 2]] ** 2)
    cover, mean = np.cov(members.T), members.mean(0)
    gain = cover @ h.T @ np.linalg.inv(h @ cover @ h.T + sensor)
    off = y[[0, 2]] - h @ mean
    assert np.allclose(np.mean(after, 0), mean + gain @ off, atol=1e-12)
    assert np.allclose(np.cov(np.asarray(after).T), cover - gain @ h @ cover, atol=1e-12)
    total = h @ cover @ h.T + sensor
    assert float(innovation.nis) == pytest.approx(off @ np.linalg.inv(total) @ off)
    assert float(innovation.likelihood) == pytest.approx(
        -0.5 * (off @ np.linalg.inv(total) @ off + np.log(np.linalg.det(2 * np.pi * total)))
    )


def test_the_likelihood_of_the_unscented_filter_is_that_of_the_innovations():
    problem = line_problem()
    belief = Unscented().start(problem, *problem.start)
    y = np.array([1.3, np.nan, 1.6])
    _, found = Unscented().update(problem, belief, Instant(0, np.zeros(1), y, problem.model.p0))
    h, cover = np.array([[1.0, 0], [1, 1]]), np.diag(problem.start[1] ** 2)
    total = h @ cover @ h.T + np.diag(problem.noise.sensor[[0, 2]] ** 2)
    off = y[[0, 2]] - h @ problem.start[0]
    assert float(found.likelihood) == pytest.approx(
        -0.5 * (off @ np.linalg.inv(total) @ off + np.log(np.linalg.det(2 * np.pi * total)))
    )


def test_without_readings_a_filter_predicts():
    problem = tank_problem()
    u = np.full((INSTANTS, 1), 0.04)
    found = jax.jit(lambda u, y: track(problem, Unscented(), u, y, problem.model.p0))(u, np.full((INSTANTS, 2), np.nan))
    assert np.all(np.asarray(found.innovation.weight) == 0)
    assert np.all(np.diff(np.asarray(found.sd[:, 1])) > 0)
    assert np.allclose(found.mean[:, 1], problem.start[0][1])
    assert np.asarray(found.sd)[-1, 0] > 0.1  # nothing was learnt of the level


@pytest.mark.parametrize("method", [Unscented(), Ensemble(members=48, seed=2)], ids=["unscented", "ensemble"])
def test_state_and_parameter_are_found_together_and_the_bands_hold_what_they_say(method):
    problem, runs = tank_problem(), 120
    u = 0.04 + 0.02 * np.sin(np.arange(INSTANTS) / 9)[:, None]
    truths, readings = zip(*(record(problem, seed, u)[1:] for seed in range(runs)), strict=True)
    z, y = np.array(truths), np.array(readings)
    y[:, :, 1] = np.nan  # the flow out has no sensor
    found = jax.jit(jax.vmap(lambda y: track(problem, method, u, y, problem.model.p0)))(y)
    mean, sd, late = np.asarray(found.mean), np.asarray(found.sd), slice(INSTANTS // 4, None)
    for i in range(2):
        assert 0.86 <= coverage(z[:, late, i], mean[:, late, i], sd[:, late, i]) <= 0.94, problem.names[i]
    outflow = z[:, :, 1] * np.sqrt(z[:, :, 0])
    assert 0.86 <= coverage(outflow[:, late], found.output[:, late, 1], found.output_sd[:, late, 1]) <= 0.94
    low, high = nees_band(1, runs * (INSTANTS - 20), 0.999)
    assert low <= float(np.mean(found.innovation.nis[:, 20:])) <= high
    assert np.std(mean[:, -1, 1] - z[:, -1, 1]) < 0.5 * np.std(z[:, -1, 1] - problem.model.p0[1])  # it learnt


def test_what_comes_late_ends_as_if_it_had_come_in_time():
    problem = tank_problem()
    u, _, y = record(problem, 5, np.full((40, 1), 0.05), 40)
    walk = jax.jit(lambda belief, now: step(problem, Unscented(), belief, now))
    begin = Unscented().start(problem, *problem.start)
    in_time = Lag(walk, begin, problem.model.p0, 12)
    lagging = Lag(walk, begin, problem.model.p0, 12)
    rng = np.random.default_rng(2)
    waiting, too_late = {}, 0
    for k in range(40):
        in_time.meet(u[k], y[k])
        late = rng.random(2) < 0.5
        lagging.meet(u[k], np.where(late, np.nan, y[k]))
        waiting.update({(k, i): int(k + rng.integers(1, 12)) for i in np.flatnonzero(late) if k < 28})
        lagging.late(k, (0,), float(y[k][0])) if late[0] and k >= 28 else None
        lagging.late(k, (1,), float(y[k][1])) if late[1] and k >= 28 else None
        due = [at for at, when in waiting.items() if when <= k]
        rng.shuffle(due)
        for at, i in due:
            assert lagging.late(at, (i,), float(y[at][i]))
            del waiting[at, i]
        if due:
            lagging.again(min(at for at, _ in due))
    lagging.again(28)
    assert not waiting
    assert np.array_equal(in_time.belief.mean, lagging.belief.mean)
    assert np.array_equal(in_time.belief.root, lagging.belief.root)
    assert not lagging.late(3, (0,), 1.0)  # too late: refused


def test_a_robust_filter_is_not_led_astray_by_wild_readings():
    problem = tank_problem()
    u, z, y = record(problem, 8, np.full((200, 1), 0.05), 200)
    rng = np.random.default_rng(1)
    wild = rng.random(y.shape) < 0.08
    y = np.where(wild, y * rng.choice([0.2, 3.0, 8.0], y.shape), y)

    def error(robust):
        found = jax.jit(lambda u, y: track(problem, Unscented(robust), u, y, problem.model.p0))(u, y)
        return float(np.sqrt(np.mean((np.asarray(found.mean)[50:, 0] - z[50:, 0]) ** 2))), found

    trusting, _ = error(None)
    robust, found = error(Robust())
    clean = float(np.median(np.asarray(found.sd)[50:, 0]))
    assert robust < 1.5 * clean
    assert trusting > 5 * robust
    assert np.all(np.asarray(found.innovation.weight)[wild] < 1)


def test_an_estimate_stays_in_the_range_declared():
    problem = tank_problem()
    u = np.zeros((INSTANTS, 1))  # it runs empty, and its sensor says less than nothing
    y = np.full((INSTANTS, 2), np.nan)
    y[:, 0] = np.maximum(1 - np.arange(INSTANTS) * 0.03, -0.2)
    for method in (Unscented(), Ensemble(members=24)):
        found = jax.jit(lambda u, y, m=method: track(problem, m, u, y, problem.model.p0))(u, y)
        assert np.all(np.asarray(found.mean)[:, 0] >= 0)
        assert np.all(np.asarray(found.mean)[:, 1] >= 0)
        assert np.all(np.isfinite(np.asarray(found.mean)))


@pytest.mark.parametrize("sensor", [[0.1], [0.1, 0.0], [0.1, np.nan]])
def test_a_noise_that_is_none_is_refused(sensor):
    good = tank_problem()
    noise = Noise(*(getattr(good.noise, n) for n in ("state", "parameter")), np.array(sensor), np.zeros(1), np.zeros(1))
    with pytest.raises(ModelError) as refused:
        Problem(good.model, ("opening",), noise, 1.0)
    assert refused.value.code == "filter-noise"
