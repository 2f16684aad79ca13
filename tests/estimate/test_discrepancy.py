"""A filter knows how well it knows: what the model always gets wrong, which sensor to leave out."""

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model, maths
from gemel.estimate import Noise, Problem, Robust, Unscented, coverage, track
from gemel.estimate.discrepancy import Discrepancy, discrepant
from gemel.estimate.trusting import Trusting, freed
from gemel.estimate.unscented import Belief

DT = 10.0


class Vessel:
    """A temperature that follows its surroundings, seen by two sensors, in another unit by the second."""

    states = {"warmth": Quantity("K", 300.0, nominal=1.0)}
    inputs = {"around": Quantity("K", 300.0, nominal=1.0)}
    outputs = {"first": Quantity("K", nominal=1.0), "second": Quantity("K", nominal=1.0)}
    parameters = {"lag": Quantity("s", 600.0, low=1.0), "excess": Quantity("K", 0.0, nominal=1.0)}

    def derivative(self, t, x, u, p):
        return {"warmth": (u.around + p.excess - x.warmth) / p.lag}

    def output(self, t, x, u, p):
        return {"first": x.warmth, "second": 2.0 * x.warmth}


def wander(rng, n, runs, sd, time_s):
    keep, x = np.exp(-DT / time_s), sd * rng.standard_normal(runs)
    found = np.empty((n, runs))
    for k in range(n):
        x = keep * x + sd * np.sqrt(1 - keep**2) * rng.standard_normal(runs)
        found[k] = x
    return found


def problem():
    noise = Noise(np.array([1e-3]), np.array([1e-5]), np.array([0.1, 0.2]), np.array([1.0]), np.array([1.0]))
    return Problem(compile_model(Vessel()), ("excess",), noise, DT)


def followed(problem, method, u, y):
    import jax

    maths.loaded()
    run = jax.jit(jax.vmap(lambda u, y: tuple(track(problem, method, u, y, problem.model.p0))[:4]))
    return [np.asarray(part) for part in run(u, y)]


def lived(seed, n=400, runs=64, errors=(0.3, 0.6), lasting=1500.0):
    """Vessels each with an excess of its own; sensors with a slow error beside their noise."""
    rng = np.random.default_rng(seed)
    excess, around = rng.standard_normal(runs), 300.0 + wander(rng, n, runs, 2.0, 3000.0)
    warmth, x = np.empty((n, runs)), 300.0 + rng.standard_normal(runs)
    for k in range(n):
        warmth[k] = x
        x = around[k] + excess + (x - around[k] - excess) * np.exp(-DT / 600.0)
    shown = [
        scale * warmth + wander(rng, n, runs, error, lasting) + noise * rng.standard_normal((n, runs))
        for scale, error, noise in zip((1.0, 2.0), errors, (0.1, 0.2), strict=True)
    ]
    return around.T[..., None], np.stack(shown, 2).swapaxes(0, 1), warmth.T, excess


def test_slow_errors_known_of_make_the_bands_hold_and_taken_for_noise_they_do_not():
    u, y, warmth, excess = lived(5, runs=256)
    errors = {"first": Discrepancy(0.3, 1500.0, 0.1), "second": Discrepancy(0.6, 1500.0, 0.2)}
    mean, sd, *_ = followed(discrepant(problem(), errors), Unscented(), u, y)
    blind_mean, blind_sd, *_ = followed(problem(), Unscented(), u, y)
    late = slice(100, None)
    known = np.repeat(excess[:, None], mean.shape[1], 1)
    for at, truth in ((0, warmth), (-1, known)):
        assert 0.86 <= coverage(truth[:, late], mean[:, late, at], sd[:, late, at]) <= 0.94
        assert coverage(truth[:, late], blind_mean[:, late, at], blind_sd[:, late, at]) < 0.6


def test_a_sensor_that_drifts_is_left_out_and_heard_again_when_it_is_mended():
    u, y, warmth, _ = lived(6, n=600, runs=16, errors=(0.1, 0.2))
    y[:, 200:400, 0] += np.linspace(0, 6.0, 200)
    errors = {"first": Discrepancy(0.1, 1500.0, 0.1), "second": Discrepancy(0.2, 1500.0, 0.2)}
    with_errors = discrepant(problem(), errors)
    trusting, _, shown, shown_sd = followed(with_errors, Trusting(Unscented(Robust())), u, y)
    heard, *_ = followed(with_errors, Unscented(Robust()), u, y)
    off = np.abs(trusting[..., 0] - warmth)
    assert off[:, 300:400].mean() < 0.2
    assert np.abs(heard[..., 0] - warmth)[:, 300:400].mean() > 0.5
    assert coverage(warmth[:, 300:400], shown[:, 300:400, 0], shown_sd[:, 300:400, 0]) > 0.8
    assert shown_sd[:, 390, 0].mean() > 1.1 * shown_sd[:, 190, 0].mean()  # what is not heard is known less well
    again = shown_sd[:, -1, 0] < 1.1 * shown_sd[:, 190, 0]  # heard again, but where the slow error keeps it from its band
    assert again.mean() >= 0.9


def test_a_belief_freed_of_an_error_held_small_is_that_of_one_never_held_so():
    """Two sensors of one number, the error of the first believed small; taken back, what is believed is as if it never was."""
    maths.loaded()

    def read(size):
        information = np.diag([1 / 4.0, 1 / size**2, 1 / 0.2**2])  # of the number, the errors of both sensors
        pull = np.zeros(3)
        for row, shown, noise in ((np.array([1.0, 1, 0]), 7.0, 0.1), (np.array([1.0, 0, 1]), 1.0, 0.2)):
            information += np.outer(row, row) / noise**2
            pull += row * shown / noise**2
        covariance = np.linalg.inv(information)
        return covariance @ pull, covariance

    mean, covariance = read(0.5)
    found = freed(Belief(mean, np.linalg.cholesky(covariance)), 1, 0.5)
    never, wide = read(1e4)
    assert mean[0] > 2.0 > 1.5 > never[0]  # bent to the wrong one
    np.testing.assert_allclose(found.mean, never, atol=1e-3)
    root = np.asarray(found.root)
    np.testing.assert_allclose(root @ root.T, wide, rtol=1e-3, atol=1e-3)


def test_of_an_error_that_was_free_nothing_is_taken_back():
    """One that leapt is known no better than it ever was: the number that it shared readings with is not moved by it."""
    maths.loaded()
    root = np.array([[0.1, 0.0], [-3.0, 0.5]])
    found = freed(Belief(np.array([5.0, 4.0]), root), 1, 0.5)
    np.testing.assert_allclose(found.mean, [5.0, 4.0])
    np.testing.assert_allclose(np.asarray(found.root) @ np.asarray(found.root).T, root @ root.T, rtol=1e-12)


def test_a_sensor_that_grows_noisy_is_believed_less_and_one_that_leaps_alone_is_not_taken_for_the_model():
    u, y, warmth, _ = lived(8, n=400, runs=16, errors=(0.1, 0.2))
    rng = np.random.default_rng(8)
    y[:, 200:300, 0] += 1.0 * rng.standard_normal((16, 100))
    errors = {"first": Discrepancy(0.1, 1500.0, 0.1), "second": Discrepancy(0.2, 1500.0, 0.2)}
    known = discrepant(problem(), errors)
    trusting, *_ = followed(known, Trusting(Unscented(Robust()), memory=24), u, y)
    heard, *_ = followed(known, Unscented(Robust()), u, y)
    noisy = slice(230, 300)
    off, misled = (np.abs(mean[..., 0] - warmth)[:, noisy].mean() for mean in (trusting, heard))
    assert off < misled
    y[:, 320:, 0] += 30.0  # far beyond the gate, alone: of no use
    leapt, *_ = followed(known, Trusting(Unscented(Robust()), memory=24), u, y)
    assert np.abs(leapt[..., 0] - warmth)[:, 330:].mean() < 0.3


def test_without_slow_errors_nothing_is_put_aside_and_the_filter_is_the_one_within():
    u, y, _, _ = lived(10, n=60, runs=4, errors=(0.1, 0.2))
    trusting, *_ = followed(problem(), Trusting(Unscented(), memory=10**9), u, y)
    plain, *_ = followed(problem(), Unscented(), u, y)
    np.testing.assert_allclose(trusting, plain, rtol=1e-6, atol=1e-6)


def test_readings_that_leap_together_are_the_models_doing_and_are_followed():
    u, y, _, _ = lived(9, n=300, runs=16, errors=(0.1, 0.2))
    y[:, 200:] += (5.0, 10.0)  # both, as a machine of another law would
    errors = {"first": Discrepancy(0.1, 1500.0, 0.1), "second": Discrepancy(0.2, 1500.0, 0.2)}
    _, _, shown, _ = followed(discrepant(problem(), errors), Trusting(Unscented(Robust()), memory=24), u, y)
    assert (np.abs(shown - y)[:, 210:].mean((0, 1)) < (0.5, 1.0)).all()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45])
def test_a_sensor_struck_one_way_now_and_then_is_believed_where_it_is_not_struck(share):
    u, y, warmth, _ = lived(12, n=800, runs=16, errors=(0.1, 0.2))
    sound, rng = y.copy(), np.random.default_rng(12)
    y[:, 300:, 0] += np.where(rng.random((16, 500)) < share, rng.uniform(1.0, 3.0, (16, 500)), 0.0)
    errors = {"first": Discrepancy(0.1, 1500.0, 0.1), "second": Discrepancy(0.2, 1500.0, 0.2)}
    known = discrepant(problem(), errors)
    off = {}
    for name, readings in (("struck", y), ("sound", sound)):
        mean, *_ = followed(known, Trusting(Unscented(Robust()), memory=200), u, readings)
        off[name] = np.abs(mean[..., 0] - warmth)[:, 400:].mean()
    assert off["struck"] < 1.1 * off["sound"]


def test_a_sensor_that_leans_by_more_than_it_ever_does_is_left_and_one_within_is_not():
    u, y, warmth, _ = lived(13, n=500, runs=32, errors=(0.1, 0.2))
    errors = {"first": Discrepancy(0.1, 1500.0, 0.1), "second": Discrepancy(0.2, 1500.0, 0.2)}
    off = {}
    for lean in (0.0, 0.2, 0.8):
        leaning = y.copy()
        leaning[:, 200:, 0] += lean
        _, _, shown, _ = followed(discrepant(problem(), errors), Trusting(Unscented(Robust()), memory=60), u, leaning)
        off[lean] = np.abs(shown[:, 350:, 0] - warmth[:, 350:]).mean()
    assert off[0.2] - off[0.0] > 0.1  # believed, as far as it may be
    assert off[0.8] < 0.2
