"""A fit finds the parameters of a machine whose parameters are known, says how sure it is, and what it cannot tell."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from calibration_kit import NOISE, TRUTH, basin, lived

from gemel.errors import ModelError
from gemel.estimate.calibrate import Settings, box_of, fit
from gemel.estimate.free_run import free_run
from gemel.estimate.gate import judge
from gemel.estimate.intervals import profile
from gemel.estimate.least_squares import Minimum, minimise, ranked
from gemel.estimate.objective import Objective
from gemel.estimate.record import Record

FREE = ("opening", "area")
QUICK = Settings(starts=1, candidates=16)


@pytest.fixture
def record():
    return lived(np.random.default_rng(3))


def test_a_fit_finds_the_parameters_and_the_noise(record):
    found = fit(basin(), FREE, [record])
    assert found.converged, found.why
    for name in FREE:
        e = found.parameters[name]
        assert e.value == pytest.approx(TRUTH[name], rel=0.02)
        assert e.low < TRUTH[name] < e.high
    assert found.rms["level"] == pytest.approx(NOISE, rel=0.15)
    assert found.identifiability.all_told
    assert found.diagnoses[0].white and found.diagnoses[0].normality_p > 0.01
    assert found.agreeing >= 2, "starts from elsewhere end at the same minimum"


def test_intervals_of_95_percent_hold_the_truth_about_so_often():
    inside = [
        e.low < TRUTH[name] < e.high
        for seed in range(60)
        for name, e in fit(basin(), FREE, [lived(np.random.default_rng(seed))], settings=QUICK).parameters.items()
    ]  # fmt: skip
    assert 0.88 <= np.mean(inside) <= 0.99, np.mean(inside)  # 120 draws: 0.95 ± 3 standard deviations


def test_the_interval_agrees_with_the_profile_of_the_cost(record):
    found = fit(basin(), FREE, [record], settings=QUICK)
    objective = Objective(basin(), FREE, [record], found.vector, sigma=np.array([NOISE]))
    box = box_of(basin(), FREE)
    best = minimise(objective, box, np.array([e.value for e in found.parameters.values()]), found.x0)
    low, high = profile(objective, box, best, 0, 1.0)
    e = found.parameters["opening"]
    plain = e.sd / found.inflation
    assert (high - low) / 2 == pytest.approx(1.96 * plain, rel=0.25)
    assert low < best.p[0] < high


def test_what_only_acts_as_a_product_cannot_be_told_apart(record):
    told = fit(basin(), ("opening", "area", "gain", "gauge"), [record], settings=QUICK).identifiability
    assert not told.all_told
    assert told.collinearity > 1e3
    lost = [name for name in told.names if name not in told.told]
    assert set(lost) & {"gain", "gauge"}
    assert any("cannot be told apart from" in s for s in told.sentences())


def test_what_moves_no_output_is_said_to_move_none(record):
    told = fit(basin(), ("opening", "idle"), [record], settings=QUICK).identifiability
    assert told.told == ("opening",)
    assert any("idle cannot be told: it moves the outputs too little" in s for s in told.sentences())


def test_readings_that_are_bad_or_missing_do_not_count(record):
    y, w = record.outputs.copy(), record.weights.copy()
    y[50:60] = 9.0
    w[50:60] = 0.0
    y[100:120] = np.nan
    spoilt = replace(record, outputs=y, weights=w)
    found = fit(basin(), FREE, [spoilt], settings=QUICK)
    for name in FREE:
        assert found.parameters[name].value == pytest.approx(TRUTH[name], rel=0.03)
    assert found.identifiability.readings == len(record) - 30
    assert np.isnan(found.residuals[0, 50:60]).all()


def test_a_suspect_reading_counts_for_less_than_a_good_one(record):
    def shifted(weight):
        y, w = record.outputs.copy(), record.weights.copy()
        y[100:140] += 0.3
        w[100:140] = weight
        return fit(basin(), FREE, [replace(record, outputs=y, weights=w)], settings=QUICK).values["opening"]

    errors = [abs(shifted(weight) - TRUTH["opening"]) for weight in (1.0, 0.1, 0.0)]
    assert errors[0] > 3 * errors[1] > 3 * errors[2]


def test_records_side_by_side_each_have_a_state_of_their_own(record):
    found = fit(basin(), FREE, record.cut(60), settings=QUICK)
    assert found.x0.shape == (4, 1)
    assert np.ptp(found.x0) > 0.05
    for name in FREE:
        e = found.parameters[name]
        assert abs(e.value - TRUTH[name]) < 4 * e.sd
    one = fit(basin(), FREE, [record], settings=QUICK)
    assert found.parameters["area"].sd > one.parameters["area"].sd, "four states to find leave less for the parameters"


def test_a_range_holds_and_what_wants_out_is_said(record):
    class Narrow(type(basin().model)):
        parameters = {**basin().model.parameters, "opening": replace(basin().model.parameters["opening"], high=0.078)}

    from gemel.dynamics import compile_model

    found = fit(compile_model(Narrow()), FREE, [record], settings=QUICK)
    assert found.parameters["opening"].value == pytest.approx(0.078)
    assert found.parameters["opening"].at_bound
    assert not found.parameters["area"].at_bound


def test_a_start_that_blows_up_is_a_result_not_an_error(record):
    objective = Objective(basin(), FREE, [record], basin().p0, sigma=np.array([NOISE]))
    ended = minimise(objective, box_of(basin(), FREE), np.array([0.05, np.nan]), np.array([[1.0]]))
    assert not ended.converged
    assert "blows up" in ended.why


def test_a_free_run_on_a_record_not_seen_is_as_good_as_the_noise(record):
    found = fit(basin(), FREE, [record], settings=QUICK)
    ran = free_run(basin(), found.vector, lived(np.random.default_rng(8), start=2.0))
    assert ran.rmse["level"] == pytest.approx(NOISE, rel=0.2)
    assert ran.explained["level"] > 0.98
    assert ran.x0[0] == pytest.approx(2.0, abs=0.02)
    wrong = free_run(basin(), basin().p0, lived(np.random.default_rng(8), start=2.0))
    assert wrong.rmse["level"] > 5 * ran.rmse["level"]


def test_a_model_that_misses_something_shows_in_what_is_left(record):
    leaking = replace(record, outputs=record.outputs + 0.1 * np.sin(np.arange(len(record)) / 30)[:, None])
    found = fit(basin(), FREE, [leaking], settings=QUICK)
    assert not found.diagnoses[0].white
    assert found.inflation > 1.5, "intervals grow where the residuals are not white"
    assert any("not modelled" in s for s in found.diagnoses[0].sentences())


def test_what_cannot_be_fitted_is_refused_in_words(record):
    with pytest.raises(ModelError, match="no usable reading"):
        fit(basin(), FREE, [replace(record, weights=0 * record.weights)])
    with pytest.raises(ModelError, match="one length and one step"):
        fit(basin(), FREE, [record, record.part(10)])
    with pytest.raises(ModelError, match="finite inputs"):
        Record(1.0, np.array([[np.nan]]), np.array([[1.0]]), np.array([[1.0]]))


def test_readings_that_stand_still_tell_nothing_however_little_is_left_over(record):
    still = replace(record, inputs=np.full_like(record.inputs, 0.08), outputs=np.full_like(record.outputs, 1.0))
    for free in (FREE, ("opening",)):
        found = fit(basin(), free, [still], settings=QUICK)
        assert found.rms["level"] < 1e-6 and found.identifiability.told == ()
        assert not any(e.told for e in found.parameters.values())
        assert found.identifiability.sentences()[0].startswith(f"240 readings can tell nothing: 1 without repetition, and {len(free) + 1} numbers")
        assert any("cannot tell" in words for words in judge(found, (), ()).against)


def test_fewer_readings_than_unknowns_tell_nothing(record):
    found = fit(basin(), (*FREE, "gain", "gauge"), [record.part(0, 5)], settings=QUICK)
    assert found.identifiability.told == ()


def test_without_noise_an_interval_is_as_wide_as_the_gauge_is_coarse():
    clean = lived(np.random.default_rng(3), noise=0.0)
    usual, coarse = (fit(basin(), FREE, [clean], settings=QUICK, finest=finest).parameters["area"] for finest in (None, np.array([0.01])))
    noisy = fit(basin(), FREE, [lived(np.random.default_rng(3))], settings=QUICK).parameters["area"]
    assert usual.told and usual.sd == pytest.approx(noisy.sd / 100, rel=0.3), "1e-4 of a metre, where nothing else is known"
    assert coarse.told and coarse.sd == pytest.approx(noisy.sd, rel=0.3)


def test_of_searches_that_came_to_one_place_the_one_that_ended_there_is_the_fit():
    """Which of them has the least cost by its last digits is chance, and another machine's arithmetic."""
    at = [Minimum(None, None, SimpleNamespace(cost=cost), ended, "", 1) for cost, ended in
          ((44.592720760001, True), (44.59272076, False), (math.nan, False), (44.7, True))]
    assert [m.cost for m in ranked(at)][:3] == [44.592720760001, 44.59272076, 44.7]
    assert [m.cost for m in ranked(at[1:])][:2] == [44.59272076, 44.7], "an end that is worse is none"
    assert math.isnan(ranked(at[2:3])[0].cost)
