"""By a long good record the one to blame is named: also a sensor whose gain changed, and nobody where all is as usual."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

pytest.importorskip("jax")

from tank_kit import line_problem

from gemel.estimate.attribution import Asked, Readings, attributed, slower
from gemel.estimate.residuals import LEFT_OUT

GOOD, JUDGED, SINCE = 400, 120, 60

pytestmark = pytest.mark.slow


@lru_cache(1)
def works():
    """Give the problem, once: what is compiled is then compiled once."""
    return line_problem()


def lived(seed, strike=lambda x, k, u: x, leak=lambda k, x: 0.0, more=0.0):
    """Two coupled tanks whose inflow wanders, as their three sensors read them; the last instants are struck, and some of them see more inflow."""
    rng, problem = np.random.default_rng(seed), works()
    u = np.repeat(rng.uniform(0.1, 0.6, (GOOD + JUDGED) // 20 + 1), 20)[: GOOD + JUDGED]
    u[GOOD + SINCE : GOOD + SINCE + 40] += more
    x, y = np.array([1.0, 1.0]), np.empty((GOOD + JUDGED, 3))
    for k in range(GOOD + JUDGED):
        for _ in range(10):
            x = x + 0.1 * problem.dt * np.array([u[k] - leak(k - GOOD, x) - 0.2 * x[0], 0.2 * (x[0] - x[1])])
        x = x + np.array([0.02, 0.01]) * np.sqrt(problem.dt) * rng.standard_normal(2)
        y[k] = strike(np.array([*x, x.sum()]), k - GOOD, u[k]) + problem.noise.sensor * rng.standard_normal(3)
    both = Readings(u[:, None], y)
    return Asked(problem, problem.model.p0, *(Readings(both.u[at], both.y[at]) for at in (slice(GOOD), slice(GOOD, None))), {})


def gained(x, k, u):
    return x * np.array([1.0, 1.25 if k >= SINCE else 1.0, 1.0])


def test_a_sensor_whose_gain_changed_is_named_as_that():
    verdict = attributed(lived(5, gained))
    assert verdict.first == ("sensor", "lower") and verdict.how == "gain" and abs(verdict.onset - SINCE) < 10
    assert verdict.suspects[0][1] > 0.9 and verdict.against > 4


def mirrored(x, k, u):
    return np.array([x[0], 2.0 - x[1], x[2]]) if k >= SINCE else x


def erratic(x, k, u):
    return x + np.array([0.5 * np.sin(k / 4.0) if k >= SINCE else 0.0, 0.0, 0.0])


@pytest.mark.parametrize(("strike", "name"), [(mirrored, "lower"), (erratic, "upper")])
def test_a_sensor_is_named_that_is_wrong_as_nobody_thought_of(strike, name):
    verdict = attributed(lived(7, strike))
    assert verdict.first == ("sensor", name) and verdict.suspects[0][1] > 0.9 and verdict.against > 4


def test_a_balance_that_is_open_now_and_then_is_named():
    """A leak that comes and goes is in both tanks' levels, as the balances say it must be."""
    verdict = attributed(lived(8, leak=lambda k, x: 0.12 if k >= SINCE and (k - SINCE) % 25 < 12 else 0.0))
    assert verdict.first == ("process", "source/upper") and verdict.how == "unsteady" and verdict.suspects[0][1] > 0.9 and verdict.against > 4


def test_a_sensor_whose_zero_goes_with_an_input_is_named_as_that():
    verdict = attributed(lived(12, lambda x, k, u: x + np.array([0.0, 3.0 * (u - 0.35) if k >= SINCE else 0.0, 0.0])))
    assert verdict.first == ("sensor", "lower") and verdict.how == "influenced" and verdict.suspects[0][1] > 0.9 and verdict.against > 4


def overflowing(k, x):
    return 3.0 * max(x[0] - 2.9, 0.0)


def test_a_law_that_is_another_only_where_the_machine_never_was_is_the_models():
    """As high as the upper tank never stood it overflows, which nobody wrote into the model; where it stood before all is as usual."""
    verdict = attributed(lived(12, leak=overflowing, more=0.6))
    assert verdict.first == ("model", "source/upper") and verdict.how == "bent" and verdict.suspects[0][1] > 0.9 and verdict.against > 4
    sound = attributed(lived(12, more=0.6))
    assert sound is None or sound.against < 4


def test_what_begins_with_what_is_judged_is_seen_to_begin():
    """Were the first of the judged instants those in which the filter finds its feet, nobody would see the jump."""
    verdict = attributed(lived(9, lambda x, k, u: x + np.array([0.0, 0.4 if k >= LEFT_OUT else 0.0, 0.0])))
    assert verdict.first == ("sensor", "lower") and verdict.onset == LEFT_OUT and verdict.suspects[0][1] > 0.9


def test_nobody_is_to_blame_for_what_is_usual_whoever_saw_it():
    asked = lived(6)
    assert attributed(asked) is None
    assert attributed(asked, since=SINCE).against == 0.0


def test_an_output_that_is_read_no_more_is_left_out():
    asked = lived(5, gained)
    without = replace(asked, recent=Readings(asked.recent.u, np.where(np.arange(3) == 0, np.nan, asked.recent.y)))
    verdict = attributed(without)
    assert verdict.first == ("sensor", "lower") and {s.name for s, _ in verdict.suspects if s.kind == "sensor"} == {"lower", "sum"}


def test_longer_steps_are_as_many_of_the_solver_as_are_stable():
    problem = line_problem()
    assert slower(problem, problem.model.p0, 60.0).substeps == 6 and slower(problem, problem.model.p0, 5.0).substeps == 1
    assert slower(problem, problem.model.p0, 60.0).dt == 60.0
