"""A fit learns from data in which the machine ran and was read well, and of every regime the newest is kept for the judgement."""

import numpy as np
import pytest

from gemel.estimate.record import Record
from gemel.estimate.regimes import Regimes, choose, words

NAMES = ("speed", "flow")


def record(speed, *, start=0.0, good=1.0, flow=None):
    speed = np.asarray(speed, float)
    flow = np.arange(len(speed), dtype=float) if flow is None else flow
    return Record(1.0, speed[:, None], flow[:, None], np.full((len(speed), 1), good), start)


def spans(records):
    return [(int(r.start), int(r.start) + len(r)) for r in records]


def test_without_regimes_the_newest_share_is_unseen_and_the_rest_is_fitted_in_one_piece():
    found = choose([record(np.ones(1000))], NAMES, unseen=0.3)
    assert spans(found.fitted) == [(0, 700)] and spans(found.unseen) == [(700, 1000)]
    assert found.steps == {(): (700, 300)}


def test_what_does_not_run_is_no_data_and_what_is_not_known_does_not_run():
    speed = np.r_[np.full(300, 900.0), np.full(300, 10.0), np.full(300, 900.0)]
    flow = np.r_[np.ones(600), np.full(300, np.nan)]
    stopped = choose([record(speed)], NAMES, Regimes(running={"speed": (500, np.inf)}), unseen=0.5, block=100)
    assert spans(stopped.fitted) == [(0, 300)] and spans(stopped.unseen) == [(600, 900)]
    assert stopped.left_out["not running"] == 300
    blind = choose([record(speed, flow=flow)], NAMES, Regimes(running={"flow": (0, 5)}), block=100)
    assert blind.left_out["not running"] == 300


def test_a_night_in_one_regime_does_not_push_the_others_out():
    """Of each regime so many of the newest blocks count, however long ago they were, and each is judged too."""
    speed = np.r_[np.full(600, 400.0), np.full(3000, 900.0)]
    found = choose([record(speed)], NAMES, Regimes(bins={"speed": (600.0,)}), block=100, most=4, unseen=0.25)
    assert found.steps == {(0,): (300, 100), (1,): (300, 100)}
    assert spans(found.fitted) == [(200, 500), (3200, 3500)] and spans(found.unseen) == [(500, 600), (3500, 3600)]
    assert found.left_out["older than needed"] == 200 + 2600


def test_what_the_champion_was_fitted_to_is_never_what_it_is_judged_on():
    found = choose([record(np.ones(1000))], NAMES, unseen=0.5, after_s=800.0, block=100)
    assert spans(found.unseen) == [(800, 1000)]
    assert choose([record(np.ones(1000))], NAMES, unseen=0.5, after_s=5000.0).unseen == ()


def test_readings_held_bad_are_left_out_and_rare_ones_are_not():
    assert choose([record(np.ones(500), good=0.1)], NAMES).left_out["not good"] == 500
    rare = np.where(np.arange(500) % 20 == 0, 1.0, np.nan)
    assert choose([record(np.ones(500), flow=rare)], NAMES).left_out["not good"] == 0


@pytest.mark.parametrize(("n", "pieces"), [(49, 0), (50, 1), (140, 1), (2000, 1)])
def test_nothing_is_made_of_less_than_fifty_steps(n, pieces):
    assert len(choose([record(np.ones(n))], NAMES, unseen=0.0).fitted) == pieces


def test_a_regime_is_said_in_words():
    what = Regimes(bins={"speed": (600.0, 900.0), "flow": (10.0,)})
    assert [words(r, what) for r in ((0, 1), (2, 0))] == ["speed … 600, flow 10 …", "speed 900 …, flow … 10"]
    assert words((), Regimes()) == "all"
