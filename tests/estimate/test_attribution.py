"""By a long good record the one to blame is named: also a sensor whose gain changed, and nobody where all is as usual."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("jax")

from tank_kit import line_problem

from gemel.estimate.attribution import Asked, Readings, attributed, slower

GOOD, JUDGED, SINCE = 400, 120, 60

pytestmark = pytest.mark.slow


def lived(seed, strike=lambda x, k: x):
    """Two coupled tanks whose inflow wanders, as their three sensors read them; the last instants are struck."""
    rng, problem = np.random.default_rng(seed), line_problem()
    u = np.repeat(rng.uniform(0.1, 0.6, (GOOD + JUDGED) // 20 + 1), 20)[: GOOD + JUDGED]
    x, y = np.array([1.0, 1.0]), np.empty((GOOD + JUDGED, 3))
    for k in range(GOOD + JUDGED):
        for _ in range(10):
            x = x + 0.1 * problem.dt * np.array([u[k] - 0.2 * x[0], 0.2 * (x[0] - x[1])])
        x = x + np.array([0.02, 0.01]) * np.sqrt(problem.dt) * rng.standard_normal(2)
        y[k] = strike(np.array([*x, x.sum()]), k - GOOD) + problem.noise.sensor * rng.standard_normal(3)
    both = Readings(u[:, None], y)
    return Asked(problem, problem.model.p0, *(Readings(both.u[at], both.y[at]) for at in (slice(GOOD), slice(GOOD, None))), {})


def gained(x, k):
    return x * np.array([1.0, 1.25 if k >= SINCE else 1.0, 1.0])


def test_a_sensor_whose_gain_changed_is_named_as_that():
    verdict = attributed(lived(5, gained))
    assert verdict.first == ("sensor", "lower") and verdict.how == "gain" and abs(verdict.onset - SINCE) < 10
    assert verdict.suspects[0][1] > 0.9 and verdict.against > 4


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
