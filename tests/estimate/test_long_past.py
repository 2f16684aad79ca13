"""A machine's long past: a reading a minute, the hours judged, and behind them the good ones, whatever comes or does not."""

import numpy as np
import pytest

from gemel.estimate import long_past as of
from gemel.estimate.long_past import LAST, LENGTHS, LongPast

EVERY = 3
DAY = LENGTHS[0]


def quiet(many=1):
    return np.ones(many, bool)


def lived(past, first, last, fine=None, machines=1):
    """Each row's readings are its number, and half of it more at each instant within it."""
    for at in range(first * EVERY, last * EVERY):
        u = np.full((machines, 2), at // EVERY)
        y = np.full((machines, 1), at // EVERY + 0.25 * (at % EVERY))
        past.meet(at, u, y, quiet(machines) if fine is None else fine)


def test_the_last_reading_of_a_minute_is_kept_and_what_is_judged_ends_with_now():
    past = LongPast((1, 2, 1), EVERY)
    lived(past, 0, LAST + 10)
    u, y = past.judged(0)
    rows = np.arange(10, LAST + 10)
    assert np.array_equal(u[:, 0], rows) and np.array_equal(y[:, 0], rows + 0.25 * (EVERY - 1))
    past.meet((LAST + 10) * EVERY, np.zeros((1, 2)), np.full((1, 1), 7.0), quiet())
    assert past.judged(0).y[-1, 0] == 7.0 and past.judged(0).y[-2, 0] == y[-1, 0]
    past.meet((LAST + 10) * EVERY + 1, np.ones((1, 2)), np.full((1, 1), np.nan), quiet())
    assert past.judged(0).y[-1, 0] == 7.0 and past.judged(0).u[-1, 0] == 0.0, "an input is kept with the reading it came with"


def test_a_good_past_is_what_lies_behind_the_hours_judged_and_is_given_in_whole_lengths():
    past = LongPast((1, 2, 1), EVERY)
    lived(past, 0, LENGTHS[-1] + LAST)
    assert past.good(0) is None
    lived(past, LENGTHS[-1] + LAST, LENGTHS[-1] + LAST + 1)
    assert np.array_equal(past.good(0).u[:, 0], np.arange(LENGTHS[-1]))
    lived(past, LENGTHS[-1] + LAST + 1, 2 * DAY)
    assert np.array_equal(past.good(0).u[:, 0], np.arange(2 * DAY - DAY - LAST, 2 * DAY - LAST) - 1)


def test_what_somebody_is_to_blame_for_is_no_good_past_and_what_nobody_is_comes_back_to_it():
    blamed, nobody = (LongPast((1, 2, 1), EVERY) for _ in range(2))
    for past in (blamed, nobody):
        lived(past, 0, DAY)
        past.doubt(0, (DAY - 5) * EVERY)
        lived(past, DAY, DAY + 20, fine=~quiet())
    nobody.trust(0)
    for past in (blamed, nobody):
        lived(past, DAY + 20, DAY + 21 + LAST + 10)
    assert not set(blamed.good(0).u[:, 0]) & set(range(DAY - 5, DAY + 19))
    assert set(nobody.good(0).u[:, 0]) >= set(range(DAY - 5, DAY + 20))


def test_minutes_in_which_nothing_came_are_gaps_in_what_is_judged_and_none_in_the_good_past():
    past = LongPast((1, 2, 1), EVERY)
    lived(past, 0, DAY)
    lived(past, DAY + 100, DAY + 120)
    y = past.judged(0).y[:, 0]
    assert np.isnan(y[LAST - 120 : LAST - 20]).all() and np.isfinite(y[LAST - 20 :]).all() and np.isfinite(y[: LAST - 120]).all()
    lived(past, DAY + 5000, DAY + 5000 + LAST + 1)
    assert np.isfinite(past.good(0).y).all()
    assert np.array_equal(past.good(0).u[-20:, 0], np.arange(DAY + 100, DAY + 120))


def test_what_is_kept_goes_on_as_if_nothing_had_been():
    one, other = LongPast((2, 2, 1), EVERY), LongPast((2, 2, 1), EVERY)
    lived(one, 0, DAY + 7, machines=2)
    one.doubt(1, DAY * EVERY)
    other.restore(one.state())
    for past in (one, other):
        lived(past, DAY + 7, DAY + 300, machines=2)
    for name, column in one.state().items():
        assert np.array_equal(column, other.state()[name], equal_nan=column.dtype.kind == "f"), name


@pytest.mark.parametrize(("machines", "rows"), [(3, DAY), (20_000, 800), (200_000, 0)])
def test_memory_is_bounded_whatever_the_number_of_machines(machines, rows, monkeypatch):
    monkeypatch.setattr(of, "LAST", 1)
    monkeypatch.setattr(of, "BYTES", 4 * 3 * 16_000_000)
    kept = LongPast((machines, 2, 1), 1).state()
    assert kept["good.u"].shape[1] == rows


def test_rows_of_another_length_are_no_use_and_begun_anew(monkeypatch):
    past = LongPast((1, 2, 1), EVERY)
    lived(past, 0, DAY)
    monkeypatch.setattr(of, "LAST", LAST - 20)
    shorter = LongPast((1, 2, 1), EVERY)
    shorter.restore(past.state())
    assert shorter.row == -1 and shorter.good(0) is None
    lived(shorter, DAY, DAY + LAST)
    assert np.array_equal(shorter.judged(0).u[:, 0], np.arange(DAY + 20, DAY + LAST))
