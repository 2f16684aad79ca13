"""Signatures of faults: what each would do to the residuals of a filter, and nothing of the noise that is in them."""

import numpy as np
import pytest

pytest.importorskip("jax")

from tank_kit import line_problem

from gemel.estimate.bank import Excerpt
from gemel.estimate.signatures import Strike, signatures
from gemel.estimate.suspects import Usual, placed

STRIKES = {"bias/upper": 0.1, "bias/lower": 0.1, "bias/sum": 0.1, "source/upper": 0.1, "source/lower": 0.1}
GAIN = Strike("bias/lower", "fault", 60, gain=True)


def read(noise):
    problem = line_problem()
    u = np.repeat([0.2, 0.5, 0.3, 0.6], 40)
    x, y = np.array([1.0, 1.0]), np.empty((160, 3))
    for k in range(160):
        for _ in range(10):
            x = x + 0.05 * np.array([u[k] - 0.2 * x[0], 0.2 * (x[0] - x[1])])
        y[k] = [*x, x.sum()]
    usual = Usual(u[:1], np.ones(1), np.ones(2), np.ones(2))
    return Excerpt(u[:, None], y + noise, placed(problem.model, usual, problem.model.p0, ()), problem.start[0])


def struck(noise):
    problem = line_problem()
    off, signs = signatures(problem, (), read(noise), STRIKES, [GAIN])
    return off, signs[0]


def test_the_signature_of_a_gain_goes_with_what_the_sensor_should_show():
    _, signs = struck(np.zeros((160, 3)))
    assert (signs[:60] == 0).all() and (np.abs(signs[60:, 1]) > 0.05).all()


def test_the_noise_of_a_reading_is_not_in_the_signature_of_its_sensor_s_gain():
    """With it, a gain explains the very noise that it is weighed by, whatever else is wrong."""
    noise = line_problem().noise.sensor * np.random.default_rng(3).standard_normal((160, 3))
    (off, noisy), (_, plain) = struck(noise), struck(np.zeros((160, 3)))
    on = slice(60, None)
    moved = (noisy - plain)[on, 1]
    assert abs(np.corrcoef(moved, off[on, 1])[0, 1]) < 0.3
    assert np.std(moved) < 0.1 * np.mean(np.abs(plain[on, 1]))
