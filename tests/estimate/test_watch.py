"""Many machines are watched at once as each would be alone: the same bands, the same moments, told at once."""

import numpy as np
import pytest

pytest.importorskip("jax")

from tank_kit import tank_problem

from gemel.estimate import watch as watching
from gemel.estimate.residuals import LEFT_OUT, band, raised
from gemel.estimate.questions import Back, Left, Question
from gemel.estimate.watch import GOOD, Watch

MACHINES, JUDGED, FAULT = 6, 200, 60


@pytest.fixture(scope="module")
def problem():
    return tank_problem()


def lived(problem, accurate):
    """Residuals of machines in standard deviations [instants, machines, outputs], the last one's first output off from an instant on."""
    rng, outputs = np.random.default_rng(4), len(problem.model.outputs)
    z = rng.standard_normal((LEFT_OUT + GOOD + JUDGED, MACHINES, outputs)) * accurate
    z[:, 1] = np.apply_along_axis(lambda a: np.convolve(a, np.ones(4) / 2)[: len(a)], 0, z[:, 1])  # one that follows itself
    z[LEFT_OUT + GOOD + FAULT : -30, -1, 0] += 3.0 * max(accurate, 1.0)
    return z


def watched(problem, z, read):
    watch = Watch(problem, np.tile(problem.model.p0, (MACHINES, 1)), read)
    u, x = np.zeros((MACHINES, len(problem.model.inputs))), np.zeros((MACHINES, len(problem.model.states)))
    return watch, [(at, found) for at, now in enumerate(z) for found in watch.meet(at, u, np.where(read, now, np.nan), np.where(read, now, np.nan), x)]


@pytest.mark.parametrize("accurate", [2.0, 0.3])
def test_bands_and_moments_are_those_of_each_machine_alone(problem, accurate, monkeypatch):
    monkeypatch.setattr(watching, "LEAST", 0.0)
    read = np.ones((MACHINES, len(problem.model.outputs)), bool)
    z = lived(problem, accurate)
    watch, told = watched(problem, z, read)
    left = {f.machine: f for _, f in told if isinstance(f, Left)}
    for m in range(MACHINES):
        good, after = z[LEFT_OUT : LEFT_OUT + GOOD, m], z[LEFT_OUT + GOOD :, m]
        alone = band(good)
        assert watch._mean[m] == pytest.approx(alone.mean) and watch._sd[m] == pytest.approx(alone.sd)
        assert watch._limit[m, ::2] == pytest.approx(alone.limit)
        found = raised(np.vstack((np.full((LEFT_OUT, z.shape[2]), np.nan), after)), alone)  # it leaves its beginning out
        assert (m in left) == (found.at >= 0)
    assert set(left) >= {MACHINES - 1}


def test_a_residual_within_what_its_reading_is_accurate_to_is_no_news(problem):
    read = np.ones((MACHINES, len(problem.model.outputs)), bool)
    z = lived(problem, 0.05)
    z[LEFT_OUT + GOOD + FAULT :, :, 0] = 0.3  # six times its noise, and a third of its uncertainty
    _, told = watched(problem, z, read)
    assert told == []


def test_it_is_told_when_it_leaves_asked_who_is_wrong_and_told_when_it_is_back(problem):
    read = np.ones((MACHINES, len(problem.model.outputs)), bool)
    read[:, -1] = False
    z = lived(problem, 1.0)
    z[LEFT_OUT + GOOD + FAULT + 100 :, -1, 0] = 0.0
    _, told = watched(problem, z, read)
    mine = [(at, f) for at, f in told if f.machine == MACHINES - 1]
    (first, left), (_, asked) = mine[:2]
    assert isinstance(left, Left) and left.verdict is None and LEFT_OUT + GOOD + FAULT - 3 <= left.onset <= left.at == first < LEFT_OUT + GOOD + FAULT + 12
    assert isinstance(asked, Question) and asked.at == left.at and asked.seen.recent.y[-1, 0] == z[first, -1, 0] and asked.seen.found.at == GOOD - 1
    again = [f for _, f in mine[2:] if isinstance(f, Question)]
    assert [f.at - left.at for f in again] == [60] and again[0].seen.found.at == GOOD - 61
    (back,) = [f for _, f in mine if isinstance(f, Back)]
    assert back.at > LEFT_OUT + GOOD + FAULT + 100
