"""Evidence counts by how wrong a model usually is: slow errors and bends it always had blame nobody, what they cannot explain does."""

import numpy as np
import pytest

from gemel.estimate.evidence import Evidence, Explanation
from gemel.estimate.usual_errors import LASTING, bends, errors

INSTANTS, OUTPUTS = 200, 2


def slow(rng, instants, lasting, sd):
    keep, found = np.exp(-1 / lasting), np.empty(instants)
    now = sd * rng.standard_normal()
    for k in range(instants):
        now = keep * now + sd * np.sqrt(1 - keep**2) * rng.standard_normal()
        found[k] = now
    return found


def read(seed, instants=2000):
    rng = np.random.default_rng(seed)
    return np.stack((rng.standard_normal(instants), 0.3 * rng.standard_normal(instants) + slow(rng, instants, 40.0, 1.0)), 1)


def test_the_errors_of_a_good_time_are_learned_quick_and_slow():
    found = errors(np.column_stack((read(1), np.full(2000, np.nan))))
    assert found.quick[0] == pytest.approx(1.0, abs=0.15) and found.slow[:, 0].sum() < 0.1
    assert found.quick[1] == pytest.approx(0.09, abs=0.06) and found.slow[:, 1].sum() == pytest.approx(1.0, rel=0.4)
    assert abs(np.log(np.average(LASTING, weights=found.slow[:, 1]) / 40.0)) < np.log(4.0)
    assert found.quick[2] == 1.0 and found.slow[:, 2].sum() == 0.0
    covariance = found.covariance(50, 0.3)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert np.diagonal(covariance)[0] == pytest.approx(found.quick[0] + 1.5 * found.slow[:, 0].sum() + 0.09)


def weighed(residual, signature, covariance):
    return Evidence.of(residual.reshape(-1), signature.reshape(-1, 1), covariance).weighed([Explanation([0], [1.0])])[0]


def test_a_step_that_slow_errors_make_too_is_no_evidence_and_one_that_they_do_not_is():
    wrong = errors(read(2))
    steps = np.zeros((2, INSTANTS, OUTPUTS))
    steps[0, 100:, 0], steps[1, 100:, 1] = 1.0, 1.0
    scores = np.array([[weighed(read(seed, INSTANTS) + 1.2 * one, one, wrong.covariance(INSTANTS)).score for one in steps] for seed in range(20, 30)])
    assert scores[:, 0].min() > 10 and np.median(scores[:, 1]) < 3
    nothing = [(weighed(off, one, by).score) for seed in range(30, 60) for off in [read(seed, INSTANTS)] for one in steps
               for by in (wrong.covariance(INSTANTS), np.eye(INSTANTS * OUTPUTS))]  # fmt: skip
    assert max(nothing[::2]) < 6 < max(nothing[1::2]), "taken for white noise, errors as usual are evidence"


def test_a_size_is_found_with_its_uncertainty_and_the_sum_does_not_depend_on_a_unit():
    step = np.r_[np.zeros(100), np.ones(100)]
    residual = 1.2 * step + 0.1 * np.random.default_rng(3).standard_normal(200)
    found = Evidence.of(residual, step[:, None], np.eye(200)).weighed([Explanation([0], [1.0])])[0]
    assert found.mean[0] == pytest.approx(1.2, abs=0.05) and found.covariance[0, 0] == pytest.approx(1 / 101)
    other = Evidence.of(residual, 7 * step[:, None], np.eye(200)).weighed([Explanation([0], [1.0 / 7])])[0]
    assert other.score == pytest.approx(found.score) and 7 * other.mean[0] == pytest.approx(found.mean[0])


def test_where_no_explanation_is_exact_a_better_one_counts_so_much_less():
    rng = np.random.default_rng(4)
    step = np.r_[np.zeros(100), np.ones(100)]
    residual = 30.0 * step + 10.0 * np.sin(np.arange(200)) + rng.standard_normal(200)
    signature = np.stack((step, np.r_[np.zeros(105), np.ones(95)]), 1)
    those = [Explanation([0], [30.0]), Explanation([1], [30.0])]
    first, second = Evidence.of(residual, signature, np.eye(200)).weighed(those)
    sure, _ = Evidence.of(residual - 10.0 * np.sin(np.arange(200)), signature, np.eye(200)).weighed(those)
    assert second.score < first.score < sure.score / 20


def test_how_a_model_usually_bends_is_learned_and_what_it_never_met_stays_unknown():
    rng = np.random.default_rng(5)
    away = rng.standard_normal(2000)
    signature = np.stack((away, np.r_[np.zeros(1990), np.ones(10)] * 0.01), 1)
    residual = 0.4 * away + rng.standard_normal(2000)
    mean, covariance = bends(residual, signature, np.array([0, 0]))
    assert mean[0] == pytest.approx(0.4, abs=0.07) and np.sqrt(covariance[0, 0]) < 0.03
    assert abs(mean[1]) < 0.05 and np.sqrt(covariance[1, 1]) > 0.2


def test_who_is_expected_to_be_wrong_one_way_is_not_held_wrong_the_other():
    """A slow sensor is behind what it should show, by all of its lag; it is not ahead of it."""
    step = np.r_[np.zeros(100), np.ones(100)]
    noise = 0.1 * np.random.default_rng(3).standard_normal(200)
    either, behind = Explanation([0], [1.0]), Explanation([0], [0.2], 1.0)
    for size, better in ((1.1, behind), (-1.1, either), (0.1, either)):
        scores = [one.score for one in Evidence.of(10 * (size * step + noise), 10 * step[:, None], np.eye(200)).weighed([either, behind])]
        assert (scores[1] > scores[0]) == (better is behind)
    found = Evidence.of(1.1 * step + noise, step[:, None], np.eye(200)).weighed([behind])[0]
    exact = [-0.5 * np.sum((1.1 * step + noise - size * step) ** 2) for size in np.linspace(-1, 3, 4001)]
    prior = np.exp(-0.5 * ((np.linspace(-1, 3, 4001) - 1.0) / 0.2) ** 2) / (0.2 * np.sqrt(2 * np.pi))
    integral = np.log(np.sum(np.exp(exact - max(exact)) * prior) * 0.001) + max(exact) + 0.5 * np.sum((1.1 * step + noise) ** 2)
    assert found.score == pytest.approx(integral, abs=1e-3) and found.mean[0] == pytest.approx(1.08, abs=0.05)
