"""Times at the border: whatever RFC 3339 allows is read, to the nanosecond, and nothing else."""

import numpy as np
import pytest
from gemel.samples.clock import LATEST
from gemel.serve import spans, times
from hypothesis import given
from hypothesis import strategies as st

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-02", 86_400 * SECOND),
        ("1970-01-01T00:01", 60 * SECOND),
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01t00:00:01z", SECOND),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T01:00:00 01:00", 0),
        ("1970-01-01T00:00:00.123456789Z", 123456789),
        ("1970-01-01T00:00:00.1234567891234Z", 123456789),
        ("2016-12-31T23:59:60Z", 1483228800 * SECOND),
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", LATEST),
    ],
)
def test_times_are_read(text, ns):
    assert times.read(text) == ns


@pytest.mark.parametrize("text", ["", "now", "1", "2020-13-01T00:00:00Z", "2020-02-30", "2020-01-01T25:00:00Z", "2020-01-01T00:00:61Z", "1e9", None, 5])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        times.read(text)


@given(st.integers(0, LATEST - 2 * 86_400 * SECOND))
def test_what_is_written_is_read(ns):
    assert times.read(times.text(ns)) == ns
    assert times.texts(np.array([ns])) == [times.text(ns)]


@pytest.mark.parametrize(("text", "ns"), [("500ms", SECOND // 2), ("5m", 300 * SECOND), ("5min", 300 * SECOND), ("1h", 3600 * SECOND), ("2d", 172_800 * SECOND)])
def test_lengths_of_time_are_read(text, ns):
    assert spans.read(text) == ns


@pytest.mark.parametrize("text", ["", "0s", "-1s", "1", "s", "1.5h", "1w", "1000000s"])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(ValueError):
        spans.read(text)
