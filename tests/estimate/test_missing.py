"""A sensor that is gone takes nobody else's watch away: the residuals of the others are judged on, by what is usual without it."""

import numpy as np
import pytest

pytest.importorskip("jax")

from tank_kit import tank_problem

from gemel.estimate.missing import BACK, GONE, SETTLED
from gemel.estimate.residuals import LEFT_OUT
from gemel.estimate.watch import GOOD, Back, Left, Watch

BEGUN = LEFT_OUT + GOOD
SEEN = BEGUN + GONE + 1 + LEFT_OUT + SETTLED  # a sensor that went with the good time is known to be gone, the others' means are found


@pytest.fixture(scope="module")
def problem():
    return tank_problem()


def read_of(problem, machines=2):
    return np.ones((machines, len(problem.model.outputs)), bool)


def noise(instants, problem, seed=4):
    return np.random.default_rng(seed).standard_normal((instants, 2, len(problem.model.outputs)))


def meets(watch, z, first=0):
    """What is told of residuals [instants, machines, outputs] that are their own readings."""
    u, x = np.zeros((z.shape[1], len(watch._problem.model.inputs))), np.zeros((z.shape[1], len(watch._problem.model.states)))
    return [found for at, now in enumerate(z, first) for found in watch.meet(at, u, now, now, x) if isinstance(found, Left | Back)]


def watch_of(problem, patience=None):
    return Watch(problem, np.tile(problem.model.p0, (2, 1)), read_of(problem), patience=patience)


def test_a_fault_is_found_while_another_sensor_is_gone_and_nothing_is_made_of_its_going(problem):
    watch, z = watch_of(problem), noise(SEEN + 200, problem)
    z[BEGUN:, 0, 1] = np.nan
    z[SEEN + 100 :, :, 0] += 3.0
    found = meets(watch, z)
    assert [(f.machine, f.output, SEEN + 95 <= f.onset <= f.at < SEEN + 115) for f in found] == [(0, 0, True), (1, 0, True)]
    assert watch.missing.gone.tolist() == [[False, True], [False, False]]


def test_what_the_one_that_is_gone_had_bent_the_others_by_is_no_news_but_more_is(problem):
    z = noise(SEEN + 300, problem)
    z[:, :, 0] += 2.0  # so much two sensors disagree about, as long as both read
    z[BEGUN:, 0, 1] = np.nan
    z[BEGUN:, 0, 0] -= 2.0
    assert meets(watch_of(problem), z) == []
    z[SEEN + 100 :, 0, 0] -= 2.5
    (left,) = meets(watch_of(problem), z)
    assert (left.machine, left.output) == (0, 0)


def test_one_that_was_never_there_keeps_nobody_from_learning_and_all_is_learned_anew_when_it_comes(problem):
    watch, z = watch_of(problem), noise(GONE + BEGUN + 100, problem)
    z[:, 0, 1] = np.nan
    z[-60:, 0, 0] += 4.0
    assert [(f.machine, f.output) for f in meets(watch, z)] == [(0, 0)]
    watch, late = watch_of(problem), GONE + BEGUN + 100
    z = noise(late + BACK + BEGUN + 60, problem, 6)
    z[:late, 0, 1] = np.nan
    z[-30:, 0, 1] += 4.0
    assert [(f.machine, f.output) for f in meets(watch, z)] == [(0, 1)]


def test_a_residual_that_is_out_is_not_told_to_be_back_by_its_sensors_silence(problem):
    watch, z = watch_of(problem), noise(BEGUN + 400, problem)
    z[BEGUN + 10 :, 0, 0] += 6.0
    z[BEGUN + 40 :, 0, 0] = np.nan
    assert [type(f) for f in meets(watch, z)] == [Left]


def test_patience_and_flapping(problem):
    """One that may be silent for longer is waited for; one that reads now and then is not there again by a reading."""
    slow = np.full((2, len(problem.model.outputs)), 100)
    watch, z = watch_of(problem, slow), noise(BEGUN + 90, problem)
    z[BEGUN:, 0, 1] = np.nan
    meets(watch, z)
    assert not watch.missing.gone.any()
    watch, z = watch_of(problem), noise(BEGUN + 400, problem)
    z[BEGUN:, 0, 1] = np.nan
    z[BEGUN :: GONE + 5, 0, 1] = 0.0
    meets(watch, z)
    assert watch.missing.gone[0, 1]
    meets(watch, noise(BACK + 1, problem), len(z))
    assert not watch.missing.gone.any()


def test_gone_on_with_from_what_was_kept_it_tells_the_same(problem):
    z = noise(SEEN + 200, problem)
    z[BEGUN:, 0, 1] = np.nan
    z[SEEN + 100 :, 0, 0] += 3.0
    for cut in (BEGUN + 10, SEEN - 30, SEEN + 50):
        first, second = watch_of(problem), watch_of(problem)
        meets(first, z[:cut])
        second.restore(first.state())
        told, again = meets(first, z[cut:], cut), meets(second, z[cut:], cut)
        assert [(f.machine, f.output, f.at, f.onset) for f in told] == [(f.machine, f.output, f.at, f.onset) for f in again] != []
