"""Quarters of a window: as many steps each, in the order of time, whatever records it is made of."""

import numpy as np
import pytest
from bowed_kit import STEP, TRUTH, Tank, bow

from gemel.dynamics import compile_model
from gemel.estimate.calibrate import Settings, fit
from gemel.estimate.one_machine import FEWEST, apart, quarters
from gemel.estimate.record import Record, of_columns


def record(first, steps):
    at = np.arange(first, first + steps, dtype=float)[:, None]
    return Record(1.0, at, at, np.ones_like(at), float(first))


@pytest.mark.parametrize("lengths", [[400], [100, 300], [250, 7, 143], [40] * 10])
def test_quarters_hold_each_step_once_in_the_order_of_time(lengths):
    starts = np.cumsum([0, *lengths[:-1]])
    records = [record(int(a), n) for a, n in zip(starts, lengths, strict=True)]
    cut = quarters(records[::-1])
    steps = [np.concatenate([r.inputs[:, 0] for r in some]) for some in cut]
    assert [len(s) for s in steps] == pytest.approx([100] * 4, abs=8), "but for pieces that are too short to tell a state"
    all_ = np.concatenate(steps)
    assert (np.diff(all_) > 0).all()
    assert all(r.start == r.inputs[0, 0] for some in cut for r in some)


def test_a_window_that_is_too_short_has_none():
    assert quarters([record(0, 4 * FEWEST - 4)]) == []
    assert quarters([]) == []


MANY, BENT = 500, compile_model(Tank())


def bent(seed, inflow, after=MANY, **changed):
    """Live a tank whose sensor bows, another one after so many steps; parts that are told apart of all of it, fitted to its first 60 %."""
    rng, level = np.random.default_rng(seed), [4.0]
    flow = np.repeat(inflow(rng), 25)
    for k, q in enumerate(flow[:-1]):
        now = TRUTH | (changed if k >= after else {})
        still = q / now["outflow"]
        level.append(still + (level[-1] - still) * np.exp(-STEP * now["outflow"] / 1000 / now["area"]))
    read = np.array(level) + bow(np.array(level)) + 0.01 * rng.standard_normal(MANY)
    whole = of_columns(float(STEP), flow[:, None] / 1000, read[:, None])
    seen, unseen = whole.part(0, 300), whole.part(300)
    found = fit(BENT, ("outflow", "area"), [seen], settings=Settings(starts=1, substeps=2))
    return {one.parameter for one in apart(BENT, found, (seen, unseen), BENT.p0, longest=4096)}


def all_over(rng):
    return rng.uniform(14.0, 40.0, MANY // 25)


def low_then_high(rng):
    return np.concatenate((rng.uniform(14.0, 22.0, MANY // 50), rng.uniform(32.0, 40.0, MANY // 50)))


def test_a_model_that_bends_is_one_machine_though_its_quarters_fit_otherwise(monkeypatch):
    assert bent(7, all_over) == set()
    monkeypatch.setattr("gemel.estimate.one_machine.own", lambda *_: None)
    assert bent(7, all_over), "were the regime not taken out"


@pytest.mark.parametrize(("seed", "after", "changed"), [(7, 250, {"outflow": 6.6}), (1, 400, {"area": 0.5})])
def test_one_that_bends_and_changed_is_two(seed, after, changed):
    assert bent(seed, all_over, after, **changed)


@pytest.mark.parametrize("changed", [{}, {"outflow": 6.6}])
def test_where_quarters_ran_in_regimes_that_do_not_overlap_they_are_not_known_to_be_one(changed):
    assert bent(7, low_then_high, 250, **changed)
