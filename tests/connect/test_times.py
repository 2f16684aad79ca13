"""Source times come to the nanosecond, and absurd ones are refused with a word."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.connect.times import TimeRefusedError, parse_iso, reader

AT = 1_583_748_873 * 10**9  # 2020-03-09T10:14:33Z


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2020-03-09T10:14:33Z", AT),
        ("2020-03-09 10:14:33", AT),
        ("2020-03-09T10:14:33.5Z", AT + 500_000_000),
        ("2020-03-09T10:14:33,123456789Z", AT + 123_456_789),
        ("2020-03-09T10:14:33.1234567891Z", AT + 123_456_789),
        ("2020-03-09T12:14:33+02:00", AT),
        ("2020-03-09T04:44:33.25-0530", AT + 250_000_000),
        ("2020-03-09T11:14:33+01", AT),
    ],
)
def test_iso(text, ns):
    assert parse_iso(text) == ns


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)),
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_agrees_with_datetime(moment, offset_minutes):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    exact = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert parse_iso(aware.isoformat()) == exact


@given(st.integers(0, 4_102_444_800 * 10**9))
def test_iso_holds_every_nanosecond(ns):
    assert parse_iso(f"{np.datetime64(ns, 'ns')}Z") == ns


@pytest.mark.parametrize(("unit", "per"), [("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1)])
def test_whole_numbers_are_exact(unit, per):
    assert reader(unit)(AT // per) == AT
    assert reader(None)(AT // per) == AT, "and without a unit their size tells"


def test_fractions_of_a_second_are_read_to_the_microsecond():
    assert reader("s")(1_583_748_873.123456) == AT + 123_456_000
    assert reader("ms")(1_583_748_873_123.5) == AT + 123_500_000


@pytest.mark.parametrize(
    ("unit", "value", "reason"),
    [
        ("s", -1, "absurd_time"),
        ("s", 10**11, "absurd_time"),
        ("ns", 10**30, "absurd_time"),
        ("s", float("nan"), "absurd_time"),
        ("s", 1e300, "absurd_time"),
        ("s", "now", "wrong_type"),
        ("s", True, "wrong_type"),
        ("s", None, "wrong_type"),
        ("iso", 5, "wrong_type"),
        ("iso", "", "absurd_time"),
        ("iso", "2020-02-30T00:00:00Z", "absurd_time"),
        ("iso", "2020-03-09T10:14:33.Z", "absurd_time"),
        ("iso", "2020-03-09T10:14:33+99:00", "absurd_time"),
        ("iso", "2020-03-09T10:14:33 Uhr", "absurd_time"),
        ("iso", "1969-12-31T23:59:59Z", "absurd_time"),
        ("iso", "2100-01-01T00:00:01Z", "absurd_time"),
        (None, [], "wrong_type"),
    ],
)
def test_refuses_with_a_word(unit, value, reason):
    with pytest.raises(TimeRefusedError, match=reason):
        reader(unit)(value)


@given(st.text())
def test_no_text_breaks_it(text):
    try:
        assert 0 <= reader("iso")(text) <= 4_102_444_800 * 10**9
    except TimeRefusedError as why:
        assert str(why) == "absurd_time"
