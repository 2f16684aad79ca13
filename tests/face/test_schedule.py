"""A table of what will be when becomes changes of a what-if, or is refused with its line."""

from pathlib import Path

import pytest

from gemel.errors import ModelError
from gemel.face.schedule import read

BEGINS = "2026-11-23T06:00:00Z"


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "week.csv").write_text(text)
        return tmp_path / "week.csv"

    return write


def test_a_value_of_a_schedule_holds_until_the_next(table):
    changes = read(table("after,demand [m3/h],ambient\n0h,310,18\n8h,340,\n1d,300,24\n"), BEGINS)
    assert changes == [
        {"of": "demand", "how": "set", "profile": [(0.0, 310.0), (28800.0, 340.0), (86400.0, 300.0)], "start_s": 0.0, "unit": "m3/h"},
        {"of": "ambient", "how": "set", "profile": [(0.0, 18.0), (86400.0, 24.0)], "start_s": 0.0, "unit": None},
    ]  # fmt: skip


def test_times_are_told_from_the_beginning_and_what_was_before_holds_then(table):
    (change,) = read(table("time,demand\n2026-11-23T02:00Z,1\n2026-11-23T05:00Z,2\n2026-11-23T08:00+01:00,3\n"), BEGINS)
    assert change["profile"] == [(0.0, 2.0), (3600.0, 3.0)] and change["start_s"] == 0.0


def test_before_its_first_value_a_schedule_changes_nothing(table):
    (change,) = read(table("after,demand\n2h,5\n"), BEGINS)
    assert change["start_s"] == 7200.0


def test_an_order_holds_from_its_start_until_its_end(table):
    text = "start,end,load,speed [rpm]\n2026-11-23T06:00Z,2026-11-23T14:00Z,+15%,\n8h,14h,,1450\n"
    assert read(table(text), BEGINS) == [
        {"of": "load", "how": "scale", "value": pytest.approx(1.15), "unit": None, "start_s": 0.0, "end_s": 28800.0},
        {"of": "speed", "how": "set", "value": 1450.0, "unit": "rpm", "start_s": 28800.0, "end_s": 50400.0},
    ]


def test_an_order_that_is_over_changes_nothing_and_one_under_way_its_rest(table):
    text = "start,end,load\n2026-11-22T06:00Z,2026-11-23T06:00Z,9\n2026-11-23T05:00Z,2026-11-23T07:00Z,3\n"
    (change,) = read(table(text), BEGINS)
    assert (change["value"], change["start_s"], change["end_s"]) == (3.0, 0.0, 3600.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("after,demand\n1h,1\n1h,2\n", "line 3: its time is not after"),
        ("after,demand\nnoon,1\n", "line 2: 'noon' is no time"),
        ("after,demand\n1h,much\n", "line 2: 'much' is no number"),
        ("start,end,load\n2h,1h,3\n", "line 2: it ends before"),
        ("start,end,load\n1h,2h,much\n", "line 2: 'load=much' says no change"),
        ("demand\n1\n", "no schedule"),
        ("", "no schedule"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_line(table, text, said):
    with pytest.raises(ModelError) as refused:
        read(table(text), BEGINS)
    assert said in refused.value.message and refused.value.code == "bad-scenario"


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelError):
        read(tmp_path / "none.csv", BEGINS)
