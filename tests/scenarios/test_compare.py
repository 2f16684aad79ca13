"""A difference leaves no member out: where an event comes in one future only, it says in how many and gives no mean."""

import math

import numpy as np
import pytest

from gemel.scenarios.compare import Share, difference, sensitivity

NEVER = math.inf
Q = (0.05, 0.5, 0.95)


def test_where_an_event_comes_in_one_only_there_is_no_mean_of_the_others():
    """Ten members hardly later, ninety in which it does not come any more: a mean of the ten would say 'hardly later'."""
    baseline = np.full(100, 50.0)
    scenario = np.where(np.arange(100) < 10, 51.0, NEVER)
    d = difference(scenario, baseline, Q)
    assert math.isnan(d.mean) and all(map(math.isnan, d.interval))
    assert (d.only_scenario, d.only_baseline, d.neither) == (0.0, 0.9, 0.0)
    assert d.more == 1.0 and d.clear and d.p_value < 1e-20
    assert d.quantiles[1] == NEVER


def test_it_tells_on_which_side_it_comes_only():
    scenario, baseline = np.array([1.0, NEVER, NEVER, 4.0]), np.array([NEVER, 2.0, NEVER, 5.0])
    d = difference(scenario, baseline, Q)
    assert (d.only_scenario, d.only_baseline, d.neither) == (0.25, 0.25, 0.25)
    assert d.more == 0.25 and not d.clear and d.p_value == 1.0


def test_where_it_comes_in_both_or_in_neither_the_mean_is_of_all():
    scenario, baseline = np.array([2.0, NEVER, 4.0, 6.0]), np.array([1.0, NEVER, 2.0, 3.0])
    d = difference(scenario, baseline, Q)
    assert d.mean == pytest.approx(1.5) and d.neither == 0.25 and d.only_scenario == d.only_baseline == 0.0


def test_where_it_never_comes_at_all_nothing_differs():
    d = difference(np.full(4, NEVER), np.full(4, NEVER), Q)
    assert (d.mean, d.neither, d.clear, d.p_value) == (0.0, 1.0, False, 1.0)


def test_what_is_equal_has_one_rank_so_that_a_member_s_number_explains_nothing():
    """The draws go up with the members' numbers: ranks of equals by number would make them explain a constant."""
    unit = np.arange(100.0)[:, None] / 100
    for same in (np.full(100, 3.0), np.full(100, NEVER)):
        assert sensitivity(("wear",), unit, same) == Share({"wear": 0.0}, 0.0)
    soon = np.where(np.arange(100) < 10, 50.0 - np.arange(100), NEVER)
    expected = np.corrcoef(unit[:, 0], np.where(np.arange(100) < 10, 10.0 - np.arange(100), 55.5))[0, 1]
    assert sensitivity(("wear",), unit, soon).coefficients["wear"] == pytest.approx(expected)
