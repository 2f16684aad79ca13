"""What is wrong with an input's gauge is wrong with all outputs at once: a filter that knows how noisy it is knows how well it knows."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("jax")

from gemel.dynamics import Quantity, compile_model, maths
from gemel.errors import ModelError
from gemel.estimate import Noise, Problem, Unscented, coverage, track, unscented


class Mixer:
    """A share that wanders hardly; what comes out of either pipe is its part of what is fed."""

    states = {"share": Quantity("1", 0.5, nominal=0.1)}
    inputs = {"fed": Quantity("1", 10.0)}
    outputs = {"one": Quantity("1", nominal=5.0), "other": Quantity("1", nominal=5.0)}
    parameters = {"loss": Quantity("1", 0.0)}

    def derivative(self, t, x, u, p):
        return {"share": 0.0 * x.share}

    def output(self, t, x, u, p):
        return {"one": x.share * u.fed - p.loss, "other": 0.1 * (1.0 - x.share) * u.fed}


def problem(gauge):
    noise = Noise(np.array([0.02]), np.zeros(0), np.array([0.05, 0.05]), np.array([0.1]), np.zeros(0), gauge)
    return Problem(compile_model(Mixer()), (), noise, 1.0)


def test_the_noise_of_an_inputs_gauge_widens_what_follows_from_it():
    import jax

    maths.loaded()
    rng, runs, n = np.random.default_rng(5), 64, 60
    share = np.cumsum(np.hstack((0.5 + 0.1 * rng.standard_normal((runs, 1)), 0.02 * rng.standard_normal((runs, n - 1)))), 1)
    fed = 10.0 + rng.standard_normal((runs, n))
    y = np.stack((share * fed, 0.1 * (1 - share) * fed), 2) + 0.05 * rng.standard_normal((runs, n, 2))
    read = (fed + 1.0 * rng.standard_normal((runs, n)))[..., None]
    held = {}
    for name, gauge in (("known", np.array([1.0])), ("unknown", None)):
        of = problem(gauge)
        run = jax.jit(jax.vmap(lambda u, y, of=of: tuple(track(of, Unscented(), u, y, of.model.p0))[:4]))
        mean, sd, out, out_sd = (np.asarray(part) for part in run(read, y))
        held[name] = coverage(share[:, 10:], mean[:, 10:, 0], sd[:, 10:, 0]), coverage((share * fed)[:, 10:], out[:, 10:, 0], out_sd[:, 10:, 0])
    assert 0.84 <= held["known"][0] <= 0.95
    assert held["known"][1] > 0.84
    assert held["unknown"][0] < 0.6 and held["unknown"][1] < held["known"][1] - 0.1


def test_a_noise_for_other_inputs_than_there_are_is_refused():
    with pytest.raises(ModelError, match="input"):
        problem(np.zeros(2))
    assert replace(problem(None), dt=2.0).noise.input is None


class Riser:
    """A flow that falls with what is lifted against, and with a loss that hardly changes."""

    states = {"loss": Quantity("1", 0.0, nominal=0.1)}
    inputs = {"lift": Quantity("1", 7.0)}
    outputs = {"flow": Quantity("1", nominal=1.0)}
    parameters = {"head": Quantity("1", 10.0)}

    def derivative(self, t, x, u, p):
        return {"loss": 0.0 * x.loss}

    def output(self, t, x, u, p):
        return {"flow": maths.root(maths.positive(p.head * (1.0 - x.loss) - u.lift, 1e-2), 1e-8)}


def test_a_gauge_that_scatters_does_not_lean_on_what_is_estimated_from_many_readings(monkeypatch):
    import jax

    maths.loaded()
    rng, runs, n = np.random.default_rng(7), 256, 1200
    lift = 6.0 + rng.uniform(-1.0, 1.0, (runs, n))
    y = (np.sqrt(10.0 * (1.0 - 0.02) - lift) + 0.3 * rng.standard_normal((runs, n)))[..., None]
    read = (lift + 0.5 * rng.standard_normal((runs, n)))[..., None]
    noise = Noise(np.array([2e-4]), np.zeros(0), np.array([0.3]), np.array([0.02]), np.zeros(0), np.array([0.5]))
    of = Problem(compile_model(Riser()), (), noise, 1.0)

    def lean():
        run = jax.jit(jax.vmap(lambda u, y: tuple(track(of, Unscented(), u, y, of.model.p0))[:2]))
        mean, _ = (np.asarray(part)[:, 600:, 0] for part in run(read, y))
        return (mean - 0.02).mean(), (mean - 0.02).mean(1).std() / np.sqrt(runs)

    off, sure = lean()
    monkeypatch.setattr(unscented, "FAR", 0.0)  # slopes where the gauge says that the lift is
    leaned, _ = lean()

    assert abs(off) < abs(leaned) / 2
    assert abs(leaned) > 10 * sure
