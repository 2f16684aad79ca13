"""Bands of outputs are as wide as the readings show them to be, whatever noises were declared: neither too narrow nor too wide."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("jax")

from test_discrepancy import DT, followed, problem, wander

from gemel.estimate import Robust, Unscented, coverage
from gemel.estimate.bands import Banded
from gemel.estimate.discrepancy import Discrepancy, discrepant
from gemel.estimate.trusting import Trusting

SCATTER = 0.1


def lived(seed, n=2000, runs=32, missing=0.0):
    """Vessels whose model is off by what depends on how warm it is around; what the instruments should show, and do."""
    rng = np.random.default_rng(seed)
    around = 300.0 + wander(rng, n, runs, 2.0, 3000.0)
    warmth, x = np.empty((n, runs)), around[0]
    for k in range(n):
        warmth[k] = x
        x = around[k] + (x - around[k]) * np.exp(-DT / 600.0)
    true = np.stack((warmth + 0.15 * np.tanh(around - 300.0), 2.0 * warmth + 0.1 * (around - 300.0)), 2)
    y = true + np.array([SCATTER, 2 * SCATTER]) * rng.standard_normal(true.shape)
    y[rng.random(y.shape) < missing] = np.nan
    return around.T[..., None], y.swapaxes(0, 1), true.swapaxes(0, 1)


@pytest.mark.parametrize(("times", "missing"), [(3.0, 0.0), (0.25, 0.1)], ids=["noises declared three times too large", "too small, readings missing"])
def test_bands_hold_their_share_though_the_noises_declared_are_wrong_and_the_model_errs_by_regime(times, missing):
    u, y, true = lived(3, missing=missing)
    of = problem()
    of = replace(of, noise=replace(of.noise, state=of.noise.state * 10 * times))
    errors = {"first": Discrepancy(0.15 * times, 1500.0, SCATTER * times), "second": Discrepancy(0.2 * times, 1500.0, 2 * SCATTER * times)}
    plain, seen = Trusting(Unscented(Robust())), Banded(Trusting(Unscented(Robust())), memory=800, trusted=20)
    late = slice(1000, None)
    held = {}
    for name, method in (("declared", plain), ("seen", seen)):
        *_, out, sd = followed(discrepant(of, errors), method, u, y)
        held[name] = out, [coverage(true[:, late, i], out[:, late, i], sd[:, late, i]) for i in (0, 1)]
    assert all(0.86 <= share <= 0.94 for share in held["seen"][1]), held["seen"][1]
    assert all(share > 0.97 if times > 1 else share < 0.84 for share in held["declared"][1]), held["declared"][1]
    np.testing.assert_array_equal(held["seen"][0], held["declared"][0])  # what is told is the same: only its band is another


def test_the_first_reading_after_a_silence_does_not_decide_how_wide_its_band_is():
    """It counts as one reading, however long nothing was read: else the band that comes of it is any width."""
    u, y, _ = lived(5)
    errors = {"first": Discrepancy(0.45, 1500.0, 3 * SCATTER), "second": Discrepancy(0.6, 1500.0, 6 * SCATTER)}
    y[:, 1000:1700, 0] = np.nan
    *_, sd = followed(discrepant(problem(), errors), Banded(Trusting(Unscented(Robust())), memory=800, trusted=100), u, y)
    width = {name: sd[:, at, 0].mean(1) for name, at in (("before", slice(800, 1000)), ("after", slice(1700, 1800)))}
    np.testing.assert_allclose(width["after"], width["before"], rtol=0.15)
