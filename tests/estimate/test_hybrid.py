"""A learned correction helps where it knows, stays out where it does not, and says how much of the answer is physics."""

import numpy as np
import pytest

from gemel.estimate.hybrid import correct, learn

rng = np.random.default_rng(5)


def missing(x):
    return 0.3 * np.sin(2 * x[:, 0])


@pytest.fixture(scope="module")
def learned():
    x, u = walk(600, 1.0), rng.uniform(-1, 1, (600, 1))
    run = 3 * x[:, 0]
    return learn("y", x, u, run, run + missing(x) + 0.02 * rng.standard_normal(600))


def walk(n, reach):
    t = np.arange(n)
    return reach * np.column_stack([np.sin(t / 17), np.cos(t / 29)])


def test_it_learns_what_the_physics_misses(learned):
    x = walk(300, 0.9)
    run = 3 * x[:, 0]
    answer = correct(learned, x, np.zeros((300, 1)), run)
    error = run + missing(x) - answer.value
    assert learned.helps
    assert np.sqrt(np.mean(error**2)) < 0.25 * np.sqrt(np.mean(missing(x) ** 2))
    assert 0.8 < answer.physics_share < 0.99
    assert learned.trained_rmse < 0.3 * learned.physics_rmse


def test_outside_its_range_the_answer_is_physics(learned):
    far = np.full((50, 2), 40.0)
    run = np.full(50, 7.0)
    answer = correct(learned, far, np.zeros((50, 1)), run)
    assert (answer.value == run).all()
    assert (answer.known < 1e-6).all()
    assert answer.physics_share == 1.0


def test_a_correction_is_bounded(learned):
    x = rng.normal(0, 3, (500, 2))
    answer = correct(learned, x, np.zeros((500, 1)), np.zeros(500))
    assert np.abs(answer.correction).max() <= learned.bound


def test_noise_is_not_learned():
    x = walk(600, 1.0)
    nothing = learn("y", x, np.zeros((600, 1)), x[:, 0], x[:, 0] + rng.standard_normal(600))
    assert not nothing.helps
    answer = correct(nothing, x, np.zeros((600, 1)), x[:, 0])
    assert (answer.value == x[:, 0]).all() and answer.physics_share == 1.0


def test_the_version_tells_corrections_apart_and_missing_readings_are_left_out(learned):
    x, u = walk(600, 1.0), np.zeros((600, 1))
    y = x[:, 0] + missing(x)
    y[::3] = np.nan
    again = [learn("y", x, u, x[:, 0], y) for _ in range(2)]
    assert again[0].version == again[1].version != learned.version
    assert again[0].helps


@pytest.mark.parametrize("seed", range(6, 12))
def test_inputs_that_did_not_move_are_not_looked_at(seed):
    """With and without them errors are one, but for the last digits: looked at, any other value of them would be outside of what was learned."""
    noise, x = np.random.default_rng(seed), np.linspace(10.0, 120.0, 400)
    bent = 6.0 * np.tanh((x - 40.0) / 15.0)
    states, run = 273.15 + x[:, None], 273.15 + x
    learned = learn("x", states, np.zeros((400, 1)), run, run + bent + 0.05 * noise.standard_normal(400))
    assert learned.helps and not learned.with_inputs
    assert np.abs(correct(learned, states, np.full((400, 1), 350.0), run).value - run - bent).max() < 0.5
