"""A filter that predicts with the hybrid gives the hybrid's answer to the digit, and physics to the last bit far from it."""

import numpy as np
import pytest

pytest.importorskip("jax")

from tank_kit import tank_problem

from gemel.errors import ModelError
from gemel.estimate.corrected import behind, corrected
from gemel.estimate.hybrid import correct, learn
from gemel.estimate.problem import Instant


@pytest.fixture(scope="module")
def problem():
    return tank_problem()


@pytest.fixture(scope="module", params=[False, True], ids=["by states", "by inputs too"])
def learned(problem, request):
    rng = np.random.default_rng(1)
    x = 2.0 + np.sin(np.arange(400) / 17)[:, None] * np.ones(len(problem.model.states))
    u = 0.05 + 0.02 * np.cos(np.arange(400) / 23)[:, None] * np.ones(len(problem.model.inputs))
    of = u[:, 0] / 0.02 if request.param else x[:, 0]
    missed = 0.3 * np.sin(2 * of) + 0.01 * rng.standard_normal(400)
    found = learn(problem.model.outputs[0], x, u, np.zeros(400), missed)
    assert found.helps and found.with_inputs == request.param
    return found


def seen(problem, given, x, u):
    z = np.concatenate((x, problem.model.p0[problem._places]))
    return np.asarray(problem.seen(Instant(np.int64(0), u, np.full(len(problem.model.outputs), np.nan), given), z))


def test_near_it_is_the_hybrid_and_far_away_physics_to_the_last_bit(problem, learned):
    hybrid = corrected(problem, [{}, {learned.output: learned}])
    model, rng = problem.model, np.random.default_rng(2)
    named = model.states, model.inputs
    given = np.concatenate((model.p0, behind(hybrid, {learned.output: learned}, named)))
    without = np.concatenate((model.p0, behind(hybrid, {}, named)))
    moved = 0.0
    for far in (0.0, 0.0, 0.0, 0.5, 400.0):
        x = 2.0 + rng.uniform(-1, 1, len(model.states)) + far
        u = 0.05 + rng.uniform(-0.02, 0.02, len(model.inputs)) * (1 if far < 1 else 1e4)
        physics, answer = seen(problem, model.p0, x, u), seen(hybrid, given, x, u)
        want = correct(learned, x[None], u[None], physics[:1])
        assert answer[0] == pytest.approx(want.value[0], rel=1e-9, abs=1e-12)
        assert (seen(hybrid, without, x, u) == physics).all(), "a machine without one"
        assert (answer[1:] == physics[1:]).all()
        moved = max(moved, abs(want.correction[0]))
        if far > 1:
            assert (answer == physics).all()
    assert moved > 0.1


def test_where_no_machine_has_one_nothing_is_compiled_anew(problem):
    assert corrected(problem, [{}, {}]) is problem
    assert len(behind(problem, {}, ((), ()))) == 0


def test_learned_from_other_quantities_it_is_refused(problem, learned):
    hybrid = corrected(problem, [{learned.output: learned}])
    with pytest.raises(ModelError) as e:
        behind(hybrid, {learned.output: learned}, (("volume",) * len(problem.model.states), problem.model.inputs))
    assert e.value.code == "hybrid-quantity"
