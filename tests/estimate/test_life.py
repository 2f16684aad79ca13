"""Remaining life: intervals that hold what they promise, load that shortens it, and a word where nothing can be said."""

import numpy as np
import pytest

from gemel.estimate.degradation import Law, Record, follow, learn
from gemel.estimate.life import Horizon, Steady, project

LAW = Law(rate=-1e-3, recovery=0.0, noise=4e-3, jitter=2e-3, wander=0.4, persistence=15.0)
END = 0.7


def lived(rng, s, uses=1500, exposure=1.0):
    """A thing that truly follows the law, to its end; its values and the use at which it ended."""
    level, d, values, own = 1.0, 0.0, [], 1 + 0.2 * rng.standard_normal()
    for _ in range(uses):
        values.append(level + s * LAW.noise * rng.standard_normal())
        level += s * LAW.rate * (own + d) * exposure + s * LAW.jitter * rng.standard_normal()
        d = d * LAW.kept + LAW.wander * np.sqrt(1 - LAW.kept**2) * rng.standard_normal()
    values = np.array(values)
    return Record(values, np.full(uses, exposure)), int(np.argmax(values <= END))


def life(record, uses, plan=None, seed=0):
    return project(follow(LAW, record.first(uses)), plan or Steady(1.0), END, np.random.default_rng(seed), Horizon(900, 300))


def test_intervals_hold_what_they_promise_on_things_that_age_at_their_own_pace():
    rng, ninety, fifty = np.random.default_rng(5), 0, 0
    runs = 40
    for _ in range(runs):
        record, end = lived(rng, s=np.exp(0.5 * rng.standard_normal()))
        at = max(25, int(0.4 * end))
        found = life(record, at)
        (a, b), (c, d) = found.interval(0.9), found.interval(0.5)
        ninety += a <= end - at + 1 <= b
        fifty += c <= end - at + 1 <= d
    # three standard deviations of a count of 40 either way
    assert ninety / runs > 0.75, ninety
    assert 0.26 <= fifty / runs <= 0.74, fifty


def test_the_nearer_the_end_the_narrower_the_interval():
    record, end = lived(np.random.default_rng(2), s=1.0)
    widths = [np.diff(life(record, int(part * end)).interval(0.9))[0] for part in (0.2, 0.5, 0.9)]
    assert widths[0] > widths[1] > widths[2]


def test_twice_the_load_halves_the_remaining_life():
    record, end = lived(np.random.default_rng(4), s=1.0)
    usual, heavy = (life(record, 150, Steady(e)) for e in (1.0, 2.0))
    assert heavy.median / usual.median == pytest.approx(0.5, abs=0.06)
    assert heavy.within(usual.median) > 0.95


def test_thin_data_give_no_estimate_and_say_why():
    record, _ = lived(np.random.default_rng(1), s=1.0)
    few = life(record, 12)
    assert few.reason == "only 12 readings, 20 are needed"
    assert np.isnan(few.median)
    idle = life(record, 60, Steady(0.01))
    assert "no end in sight" in idle.reason


def test_missing_readings_are_not_zeros():
    record, end = lived(np.random.default_rng(3), s=1.0)
    gappy = Record(np.where(np.arange(len(record.value)) % 3 == 1, np.nan, record.value), record.exposure)
    assert life(gappy, 200).median == pytest.approx(life(record, 200).median, rel=0.15)


def test_the_same_seed_gives_the_same_answer_and_the_fan_is_ordered():
    record, _ = lived(np.random.default_rng(6), s=1.0)
    one, two = life(record, 100, seed=9), life(record, 100, seed=9)
    assert np.array_equal(one.event, two.event)
    assert np.all(np.diff(one.fan, axis=0) >= 0)
    passed = np.argmax(one.fan[2] <= END) + 1
    assert passed == pytest.approx(one.median, rel=0.1)  # first passage is a little before the median crosses


def test_a_law_is_learned_from_one_that_lived_to_its_end():
    pytest.importorskip("scipy")
    record, end = lived(np.random.default_rng(8), s=1.0)
    found = learn(record.first(end))
    assert found.rate == pytest.approx((record.value[end - 1] - record.value[0]) / (end - 1), rel=0.05)  # of this very thing
    assert found.noise == pytest.approx(LAW.noise, rel=0.5)
    assert 0.3 < found.jitter / LAW.jitter < 2
