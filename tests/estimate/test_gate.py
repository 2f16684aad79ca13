"""A challenger takes the champion's place only where it is better on data that neither has seen, and nothing speaks against it."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from gemel.estimate.calibrate import Estimate
from gemel.estimate.free_run import FreeRun
from gemel.estimate.gate import Rules, judge, not_better


@dataclass
class Found:
    """What the gate looks at of a fit."""

    converged: bool = True
    why: str = "the cost falls no more"
    parameters: dict = field(default_factory=lambda: {"wear": Estimate(0.1, 0.01, 0.08, 0.12)})


def run(error, truth=None):
    truth = np.sin(np.arange(len(error)) / 20) if truth is None else truth
    left = np.asarray(error, float)[:, None]
    return FreeRun(truth[:, None] - left, left, np.zeros(1), 10, {}, {}, {})


def noise(seed, sd, n=400):
    return sd * np.random.default_rng(seed).standard_normal(n)


BETTER, WORSE = run(noise(1, 0.1)), run(noise(2, 0.2))


def failed(verdict):
    return [c.name for c in verdict.checks if not c.passed]


def test_what_is_clearly_better_passes_and_says_by_how_much():
    verdict = judge(Found(), [BETTER], [WORSE])
    assert verdict.passed and not verdict.against
    assert verdict.challenger < 0.6 * verdict.champion
    assert verdict.p < 1e-6


def test_what_is_worse_or_the_same_does_not():
    worse = judge(Found(), [WORSE], [BETTER])
    assert failed(worse) == ["better", "significant"]
    assert worse.against[0] == "the mean squared error rises by 379.0 %, a fall by 5 % is needed"
    assert failed(judge(Found(), [WORSE], [WORSE])) == ["better", "significant"]


def test_a_gain_that_may_be_chance_does_not_pass():
    few = run(noise(4, 0.19, 120)), run(noise(5, 0.21, 120))
    assert "significant" in failed(judge(Found(), [few[0]], [few[1]]))


def test_false_gains_pass_about_as_rarely_as_the_level_says_even_where_errors_go_on():
    def slow(rng):
        e = np.zeros(600)
        for k in range(1, 600):
            e[k] = 0.9 * e[k - 1] + rng.standard_normal()
        return e**2

    rng = np.random.default_rng(6)
    false = np.mean([not_better(slow(rng), slow(rng)) <= 0.05 for _ in range(200)])
    assert false < 0.10, false


@pytest.mark.parametrize(
    ("found", "how", "check"),
    [
        (Found(converged=False, why="not at its end"), {}, "search"),
        (Found(parameters={"wear": Estimate(0.5, 0.0, 0.5, 0.5, at_bound=True)}), {}, "range"),
        (Found(parameters={"wear": Estimate(0.1, 0.2, 0.0, 0.5, told=False)}), {}, "identifiable"),
        (Found(), {"usable": 0.7}, "good data"),
        (Found(), {"blamed": ("pump-1/flow",)}, "sensors"),
        (Found(), {"changed": ("wear is 0.2 in their first quarter and 0 in their last",)}, "one machine"),
        (Found(), {"rules": Rules(readings=1000)}, "readings"),
    ],
)
def test_each_doubt_alone_keeps_the_champion(found, how, check):
    verdict = judge(found, [BETTER], [WORSE], **how)
    assert failed(verdict) == [check]
    assert len(verdict.against) == 1


def test_without_unseen_data_nothing_is_released():
    assert {"readings", "better", "significant"} <= set(failed(judge(Found(), [], [])))


def blown(after, n=400):
    """A free run that is no number any more from some step on, where every reading is there."""
    ran = run(noise(3, 0.01, n))
    outputs, left = ran.outputs.copy(), ran.residuals.copy()
    outputs[after:], left[after:] = np.nan, np.inf
    return FreeRun(outputs, left, ran.x0, ran.lead, {}, {}, {})


@pytest.mark.parametrize("after", [0, 380])
def test_a_champion_that_blows_up_is_infinitely_wrong_and_is_replaced(after):
    verdict = judge(Found(), [BETTER], [blown(after)])
    assert verdict.passed, verdict.against
    assert verdict.champion == np.inf and np.isfinite(verdict.challenger) and verdict.p == 0


def test_a_challenger_that_blows_up_stays_out_whatever_the_champion_does():
    assert "sane" in failed(judge(Found(), [blown(380)], [WORSE]))
    assert "sane" in failed(judge(Found(), [blown(0)], [blown(0)]))


def test_readings_that_are_not_there_count_for_neither():
    thin = FreeRun(BETTER.outputs, np.where(np.arange(400)[:, None] % 4, np.nan, BETTER.residuals), np.zeros(1), 10, {}, {}, {})
    verdict = judge(Found(), [thin], [blown(0)])
    assert failed(verdict) == ["readings"] and verdict.checks[0].words.startswith("97 ")


def test_a_machine_with_many_sensors_of_which_one_tells_the_change_is_followed():
    """What the others read alike before and after is no doubt: an instant counts once, with all that was read then."""
    rng, wear = np.random.default_rng(7), 0.5 + 0.1 * np.sin(np.arange(360) / 30)

    def many(last):
        left = np.column_stack([0.1 * np.random.default_rng(k).standard_normal(360) for k in range(4)] + [last])
        truth = np.sin(np.arange(360) / 20)[:, None] * np.ones(5)
        return FreeRun(truth - left, left, np.zeros(1), 10, {}, {}, {})

    verdict = judge(Found(), [many(0.1 * rng.standard_normal(360))], [many(wear)])
    assert verdict.passed and verdict.p < 1e-3, verdict.against
