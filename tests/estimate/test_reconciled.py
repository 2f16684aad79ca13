"""Meters that close balances: reconciled as the textbooks have it, a wrong meter found by name, a leak told from it."""

import numpy as np
import pytest

pytest.importorskip("jax")

import jax

from gemel.dynamics import Quantity, compile_model
from gemel.errors import ModelError
from gemel.estimate import Instant, Noise, Problem, step
from gemel.estimate.reconciled import LOSS, WIDE, Balanced, Reconciling
from gemel.estimate.questions import Left, Question
from gemel.estimate.watch import Watch

# two wells, each metered before and behind its pump, feed a header with a bypass that nothing measures; one consumer is metered twice
FLOWS = {name: Quantity("m3/s", 0.0, nominal=1.0)
         for name in ("well_1", "well_2", "pump_1", "pump_2", "bypass", "main", "town", "works", "works_2")}  # fmt: skip
BALANCES = {
    "suction_1": {"well_1": 1.0, "pump_1": -1.0},
    "suction_2": {"well_2": 1.0, "pump_2": -1.0},
    "way": {"bypass": 1.0, "pump_2": -0.1},
    "header": {"pump_1": 1.0, "pump_2": 1.0, "bypass": -1.0, "main": -1.0},
    "branch": {"main": 1.0, "town": -1.0, "works": -1.0},
    "twice": {"works": 1.0, "works_2": -1.0},
}
SD = np.array([0.02, 0.03, 0.02, 0.02, 1.0, 0.03, 0.02, 0.01, 0.02])
PLACE = {name: i for i, name in enumerate(FLOWS)}
MEASURED = [name != "bypass" for name in FLOWS]


@pytest.fixture(scope="module")
def problem():
    model = compile_model(Balanced(FLOWS, BALANCES))
    n = len(model.states)
    noise = Noise(np.ones(n), np.zeros(0), SD, np.full(n, WIDE), np.zeros(0))
    return Problem(model, (), noise, 1.0)


@pytest.fixture(scope="module")
def met(problem):
    method = Reconciling()
    belief = method.start(problem, *problem.start)
    once = jax.jit(lambda y: step(problem, method, belief, Instant(0, np.zeros(0), y, problem.model.p0))[1])
    return lambda y: once(np.asarray(y, float))


def truth(rng):
    pump_1, pump_2 = 1.0 + 0.3 * rng.random(2)
    main, works = pump_1 + 0.9 * pump_2, 0.5 + 0.2 * rng.random()
    return np.array([pump_1, pump_2, pump_1, pump_2, 0.1 * pump_2, main, main - works, works, works])


def readings(rng, true):
    return np.where(MEASURED, true + SD * rng.standard_normal(len(SD)), np.nan)


def by_the_book(y, keep):
    """Weighted least squares: what closes the balances and is nearest to the readings kept, and its covariance."""
    whole = np.array([[terms.get(name, 0.0) for name in FLOWS] for terms in BALANCES.values()])
    free = np.linalg.svd(whole)[2][len(whole) :].T
    weight = np.where(keep, 1 / SD, 0.0)
    inverse = np.linalg.pinv(free * weight[:, None])
    return free @ inverse @ (weight * np.nan_to_num(y)), free @ inverse @ inverse.T @ free.T


def test_the_reconciled_are_the_weighted_least_squares_and_so_is_their_uncertainty_also_of_what_nothing_measures(met):
    rng = np.random.default_rng(1)
    y = readings(rng, truth(rng))
    found = met(y)
    values, covariance = by_the_book(y, MEASURED)
    order = np.array(found.output)
    assert order == pytest.approx(values, abs=1e-6)
    assert np.array(found.output_sd) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-4)
    whole = np.array([[terms.get(name, 0.0) for name in FLOWS] for terms in BALANCES.values()])
    assert whole @ order == pytest.approx(0, abs=1e-9), "every balance closes"
    assert (np.array(found.output_sd)[MEASURED] < SD[MEASURED]).all(), "surer than any meter alone"


def test_a_residual_is_a_reading_against_what_all_the_others_say(met):
    rng = np.random.default_rng(2)
    y = readings(rng, truth(rng))
    found = met(y).innovation
    for i in np.flatnonzero(MEASURED):
        values, covariance = by_the_book(y, np.array(MEASURED) & (np.arange(len(y)) != i))
        assert float(found.expected[i]) == pytest.approx(values[i], abs=1e-4)
        assert float(found.sd[i]) == pytest.approx(np.sqrt(covariance[i, i] + SD[i] ** 2), rel=1e-3)


def test_a_reading_that_is_missing_is_given_by_the_others_and_what_nothing_tells_is_uncertain(met):
    rng = np.random.default_rng(3)
    true = truth(rng)
    y = readings(rng, true)
    y[[PLACE["well_1"], PLACE["pump_1"]]] = np.nan
    found = met(y)
    one = PLACE["pump_1"]
    assert abs(float(found.output[one]) - true[one]) < 4 * float(found.output_sd[one]) < 0.4
    alone = np.full(len(y), np.nan)
    alone[PLACE["town"]] = true[PLACE["town"]]
    assert float(met(alone).output_sd[one]) > 10, "one meter tells nothing of a pump"


@pytest.mark.parametrize("name", ["pump_1", "pump_2", "main", "works"])
def test_one_wrong_reading_has_the_largest_residual_of_all(met, name):
    y = truth(np.random.default_rng(4))
    y[PLACE["bypass"]] = np.nan
    y[PLACE[name]] += 12 * SD[PLACE[name]]
    found = met(y).innovation
    assert np.nanargmax(np.abs(np.array(found.off / found.sd))) == PLACE[name]


def test_a_balance_that_follows_from_the_others_is_refused():
    with pytest.raises(ModelError, match="'again' follows from the others"):
        Balanced(FLOWS, BALANCES | {"again": {"main": 2.0, "town": -2.0, "works": -2.0}})


def watched(problem, met, fault, seconds=420, begins=345):
    """What a watch finds and who it blames; `fault` changes the truth and the readings from a second on."""
    rng = np.random.default_rng(7)
    watch = Watch(problem, problem.model.p0[None], np.array([MEASURED]), {f"{LOSS}{name}": 0.1 for name in BALANCES})
    for at in range(seconds):
        true = truth(rng)
        off, leak = fault if at >= begins else ({}, 0.0)
        true[[PLACE["main"], PLACE["town"]]] -= leak
        y = readings(rng, true)
        for name, by in off.items():
            y[PLACE[name]] += by
        found = met(y)
        z = (y - np.array(found.innovation.expected)) / np.array(found.innovation.sd)
        turns = watch.meet(at, np.zeros((1, 0)), y[None], z[None], np.array(found.mean)[None])
        if any(isinstance(t, Left) for t in turns):
            left = next(t for t in turns if isinstance(t, Left))
            assert at >= begins, "nothing is found while all is right"
        for question in (t for t in turns if isinstance(t, Question) and t.at > begins + 40):
            return left, question.weighed()
    raise AssertionError("nothing was found")


@pytest.mark.parametrize("name", ["pump_1", "works", "main"])
def test_a_wrong_meter_is_found_by_name_among_all(problem, met, name):
    left, verdict = watched(problem, met, ({name: 0.15}, 0.0))
    assert list(FLOWS)[left.output] == name
    assert (verdict.first.kind, verdict.first.name) == ("sensor", name), verdict.suspects[:4]


def test_a_leak_is_of_the_balance_that_it_is_in_or_of_the_one_that_nothing_tells_from_it_and_no_meter(problem, met):
    _, verdict = watched(problem, met, ({}, 0.15))
    first, second = verdict.suspects[:2]
    assert {first[0], second[0]} == {("process", f"{LOSS}header"), ("process", f"{LOSS}way")}, "nothing measures the bypass between them"
    assert first[1] == pytest.approx(second[1], abs=0.01)
    assert verdict.of_kind("sensor") < 0.01
