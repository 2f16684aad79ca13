"""The plant's clock on a machine whose own clock leaps: time goes on, never back, and is right again in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.samples.clock import DAY, DOUBT, FAR, SECOND, STEP, TRUST, WallClock

NOW = 1_800_000_000 * SECOND
HOUR = 3600 * SECOND


class Machine:
    """A wall that can be set, and a steady clock."""

    def __init__(self, start=0, ahead=0):
        self.steady, self.set = 5 * SECOND, ahead
        self.clock = WallClock(start, lambda: NOW + self.steady - 5 * SECOND + self.set, lambda: self.steady)

    @property
    def true(self):
        return NOW + self.steady - 5 * SECOND

    def passes(self, seconds, sources=False):
        """Let time pass; give how far plant time is off in the end [s]."""
        for _ in range(round(seconds * 10)):
            self.steady += SECOND // 10
            if sources:
                self.clock.observe(self.true)
            off = (self.clock.now() - self.true) / SECOND
        return off


@pytest.mark.parametrize("leap", [HOUR, -HOUR, DAY, -DAY, 50 * 365 * DAY])
@pytest.mark.parametrize("sources", [False, True])
def test_a_leap_that_is_soon_put_right_is_not_followed(leap, sources):
    machine = Machine()
    machine.passes(5)
    machine.set = leap
    assert abs(machine.passes(5, sources)) < 3, "at the steady pace, or half of it"
    machine.set = 0
    assert abs(machine.passes(10, sources)) < 1e-9


@pytest.mark.parametrize("leap, after", [(HOUR, TRUST), (DAY, TRUST), (FAR + DAY, DOUBT)])
def test_a_leap_forwards_that_lasts_is_believed(leap, after):
    machine = Machine()
    machine.passes(1)
    machine.set = leap
    assert machine.passes(after / SECOND - 1) < 1
    assert machine.clock.doubted_s > 0
    assert machine.passes(2) == leap / SECOND
    assert machine.clock.doubted_s == 0


def test_a_leap_that_sources_agree_with_is_believed_at_once_and_one_that_they_contradict_is_not():
    machine = Machine(ahead=-HOUR)
    machine.passes(1)
    machine.set = 0
    assert machine.passes(1, sources=True) == 0, "the clock was wrong before"
    machine.set = HOUR
    assert machine.passes(60, sources=True) == 0, "the clock is wrong now"


def test_set_back_it_goes_on_at_half_the_pace_until_the_wall_has_caught_up():
    machine = Machine()
    machine.passes(1)
    machine.set = -HOUR
    assert machine.passes(1000) == pytest.approx(-500, abs=1)
    machine.passes(6300)
    assert machine.passes(1) == -3600


def test_set_back_it_is_told_by_a_source_what_it_fell_behind():
    machine = Machine()
    machine.passes(1)
    machine.set = -HOUR
    assert machine.passes(20) == pytest.approx(-10, abs=1)
    assert machine.passes(0.1, sources=True) == 0


def test_set_back_it_keeps_the_pace_while_sources_agree_with_it():
    machine = Machine()
    machine.passes(1, sources=True)
    machine.set = -HOUR
    assert machine.passes(1000, sources=True) == 0


@pytest.mark.parametrize("ahead", [-30 * 365 * DAY, -HOUR, 50 * 365 * DAY])
def test_a_machine_that_boots_with_a_wrong_clock_goes_on_after_what_was_reached(ahead):
    """1970 after a flat battery, or a year to come: neither may date what is received."""
    machine = Machine(start=NOW - 60 * SECOND, ahead=ahead)
    assert -61 <= machine.passes(1) <= -59
    machine.passes(100)
    machine.set = 0
    assert machine.passes(11) == 0


@pytest.mark.parametrize("ahead", [-30 * 365 * DAY, 50 * 365 * DAY])
def test_a_machine_that_boots_with_a_wrong_clock_is_told_by_its_sources_for_how_long_it_was_off(ahead):
    machine = Machine(start=NOW - HOUR, ahead=ahead)
    assert machine.passes(1, sources=True) == 0
    machine.clock.observe(NOW + 2 * FAR)
    assert machine.passes(0.1) == 0, "but not by one that is as far off"


def test_a_plant_that_was_off_for_weeks_is_in_the_present_at_once():
    assert Machine(start=NOW - 100 * DAY).passes(0.1) == 0


@given(st.lists(st.tuples(st.integers(-3 * HOUR, 3 * HOUR), st.integers(0, 2 * TRUST), st.booleans()), max_size=30))
def test_it_never_goes_back_and_stands_still_for_nobody(steps):
    machine = Machine()
    last, at = machine.clock.now(), machine.steady
    for leap, passed, sources in steps:
        machine.set += leap
        machine.steady += passed
        if sources:
            machine.clock.observe(machine.true)
        now = machine.clock.now()
        assert now - last >= (machine.steady - at) // 2
        last, at = now, machine.steady


def test_small_corrections_of_the_wall_are_followed():
    machine = Machine()
    machine.passes(1)
    machine.set = STEP - SECOND
    assert machine.passes(0.1) == 59
