"""Aligned signals are what one reading after another, looked at by hand, would give."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.history.align import Grid, Rows, align
from gemel.samples.status import BAD_NO_DATA, UNCERTAIN_DATA_SUB_NORMAL

STATUSES = [0, 0, 0, 0x40000000, 0x80000000, 0x803C0000]
reading = st.tuples(st.sampled_from([0.0, 1.0, 2.5, -7.0, math.nan]), st.sampled_from(STATUSES))
readings = st.dictionaries(st.integers(0, 30), reading, max_size=12).map(lambda d: [(t, *d[t]) for t in sorted(d)])
times = st.sets(st.integers(-5, 40), min_size=1, max_size=10).map(sorted)


def usable(row):
    return row[2] < 0x80000000 and not math.isnan(row[1])


def none(rows, t, tolerance):
    """The status where there is no value: that of a Bad reading which still holds."""
    before = [r for r in rows if r[0] <= t]
    if before and t - before[-1][0] <= tolerance and before[-1][2] >= 0x80000000:
        return math.nan, before[-1][2]
    return math.nan, BAD_NO_DATA


def last(rows, t, tolerance):
    before = [r for r in rows if r[0] <= t]
    good = [r for r in before if usable(r)]
    if not good or t - good[-1][0] > tolerance:
        return none(rows, t, tolerance)
    return good[-1][1], good[-1][2] if before[-1] is good[-1] else UNCERTAIN_DATA_SUB_NORMAL


def linear(rows, t, tolerance):
    left = [r for r in rows if r[0] <= t and usable(r)]
    right = [r for r in rows if r[0] >= t and usable(r)]
    if not left or not right or right[0][0] - left[-1][0] > tolerance:
        return none(rows, t, tolerance)
    a, b = left[-1], right[0]
    value = a[1] if a[0] == b[0] else a[1] + (b[1] - a[1]) * (t - a[0]) / (b[0] - a[0])
    between = [r for r in rows if a[0] < r[0] < b[0]]
    return value, UNCERTAIN_DATA_SUB_NORMAL if between else max(a[2], b[2])


def mean(rows, t, end):
    inside = [r for r in rows if t <= r[0] < end]
    good = [r for r in inside if usable(r)]
    if not good:
        worst = max((r[2] for r in inside), default=0)
        return math.nan, worst if worst >= 0x80000000 else BAD_NO_DATA
    status = UNCERTAIN_DATA_SUB_NORMAL if any(r[2] >= 0x80000000 for r in inside) else max(r[2] for r in good)
    return sum(r[1] for r in good) / len(good), status


def told(rows, grid, how, tolerance, every=0):
    time, value, status = zip(*rows, strict=True) if rows else ((), (), ())
    columns = Rows(np.array(time, np.int64), np.array(value, float), np.array(status, np.uint32))
    column = align(columns, Grid(np.array(grid, np.int64), every), how, tolerance)
    return list(zip(column.value.tolist(), column.status.tolist(), strict=True))


def same(got, want):
    return all(
        (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, abs_tol=1e-12) for (a, _), (b, _) in zip(got, want, strict=True)
    ) and [s for _, s in got] == [s for _, s in want]


@settings(max_examples=300)
@given(readings, times, st.integers(0, 20))
def test_as_of_is_the_newest_usable_reading_that_still_holds(rows, grid, tolerance):
    want = [last(rows, t, tolerance) for t in grid]
    assert same(told(rows, grid, "last", tolerance), want)


@settings(max_examples=300)
@given(readings, times, st.integers(0, 20))
def test_linear_is_drawn_between_usable_neighbours_and_not_across_a_gap(rows, grid, tolerance):
    want = [linear(rows, t, tolerance) for t in grid]
    assert same(told(rows, grid, "linear", tolerance), want)


@settings(max_examples=300)
@given(readings, st.integers(-5, 20), st.integers(1, 9), st.integers(1, 8))
def test_a_mean_is_that_of_the_usable_readings_of_its_interval(rows, start, every, n):
    grid = [start + i * every for i in range(n)]
    want = [mean(rows, t, t + every) for t in grid]
    assert same(told(rows, grid, "mean", 0, every), want)


@given(readings, times, st.sampled_from(["last", "linear"]), st.integers(0, 20))
def test_no_bad_value_ever_comes_out_and_what_has_no_value_says_why(rows, grid, how, tolerance):
    for value, status in told(rows, grid, how, tolerance):
        assert math.isnan(value) == (status >= 0x80000000)


@given(readings, st.integers(0, 20))
def test_at_its_own_times_a_usable_reading_is_itself(rows, tolerance):
    good = [r for r in rows if usable(r)]
    if good:
        grid = [r[0] for r in good]
        assert told(rows, grid, "last", tolerance) == told(rows, grid, "linear", tolerance) == [(r[1], r[2]) for r in good]
