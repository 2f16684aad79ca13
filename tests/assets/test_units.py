"""Units as a plant file writes them: conversions come back, limits keep their meaning, names keep their promise."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.assets.dimension import PROMISES, breaks_promise, pair, rate
from gemel.assets.node import Node
from gemel.assets.problem import Problems
from gemel.errors import AssetError
from gemel.samples import units

FAMILIES = [
    ["m3/h", "L/min", "gal/min", "m3/s", "l/s"], ["bar", "Pa", "kPa", "psi", "mbar"], ["degC", "degF", "K"], ["rpm", "Hz", "1/s"],
    ["kW", "W", "MW"], ["m", "mm", "ft"], ["mm/s", "m/s"], ["kW.h", "J"],
]  # fmt: skip
pairs = st.sampled_from(FAMILIES).flatmap(lambda family: st.tuples(st.sampled_from(family), st.sampled_from(family)))
numbers = st.floats(-1e6, 1e6)
units.parse("m")  # the libraries are loaded with the first one, which takes longer than an example may


def at(value):
    return Node(value, "plant.yaml", 1)


@given(pairs, numbers)
def test_there_and_back_is_the_same_number(two, number):
    there, back = units.conversion(*two), units.conversion(two[1], two[0])
    again = (number * there[0] + there[1]) * back[0] + back[1]
    assert math.isclose(again, number, rel_tol=1e-9, abs_tol=1e-6)


@given(st.sampled_from([u for family in FAMILIES for u in family]))
def test_equal_units_leave_every_bit_alone(unit):
    assert units.conversion(unit, unit) == (1.0, 0.0)


@given(st.sampled_from(FAMILIES), st.sampled_from(FAMILIES), st.data())
def test_units_of_one_family_fit_and_of_two_do_not(a, b, data):
    assert units.fits(data.draw(st.sampled_from(a)), data.draw(st.sampled_from(b))) == (a is b)


@given(pairs, st.floats(-1000, 1000), st.floats(0.01, 1000))
def test_a_range_in_another_unit_stays_a_range(two, low, width):
    problems = Problems()
    node = at([at(f"{low!r} {two[0]}"), at(f"{low + width!r} {two[0]}")])
    read = pair(node, two[1], "range", problems)
    assert problems.count == 0
    assert read[0] < read[1]


@given(pairs, st.floats(1e-3, 1e6), st.sampled_from([("s", 1), ("min", 60), ("h", 3600)]))
def test_a_rate_counts_steps_and_not_offsets(two, number, per):
    """A degree Fahrenheit a minute is 5/9 of a degree Celsius a minute: no 32 in it."""
    problems = Problems()
    read = rate(at(f"{number!r} {two[0]}/{per[0]}"), two[1], problems)
    assert problems.count == 0
    assert math.isclose(read, number * units.conversion(*two)[0] / per[1], rel_tol=1e-9)


@pytest.mark.parametrize("word", PROMISES)
def test_what_a_name_promises_it_may_have_and_a_share_too(word):
    assert all(breaks_promise(word, unit) is None for unit in PROMISES[word])
    assert breaks_promise(f"inlet_{word}", "%") is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [("flow", "kg"), ("discharge_flow", "m3"), ("pressure", "degC"), ("temperature_setpoint", "bar"), ("speed", "kW"), ("level", "m3/h"), ("power", "kW.h"), ("energy", "kW")],
)  # fmt: skip
def test_a_well_known_quantity_in_a_unit_of_another_dimension_is_found(name, unit):
    assert breaks_promise(name, unit)


@pytest.mark.parametrize(("name", "unit"), [("heat_flow", "kW"), ("flowmeter_state", "kg"), ("x", "kg"), ("mass_flow", "kg/h"), ("temperature", "degF"), ("level", "%")])
def test_what_only_looks_alike_is_left_alone(name, unit):
    assert breaks_promise(name, unit) is None


MONSTERS = ["9**9**9", "m**9**9**9", "9^9^9^9", "m**(9**9**9)", "((10**99)**99)**99", "9⁹⁹⁹⁹⁹⁹⁹⁹", "10^99999999", "km9999999999", "m**-(9**9)**9", "9 ** 9 ** 9 ** 9", "m*" * 200 + "m"]


@pytest.mark.parametrize("unit", MONSTERS)
def test_powers_of_powers_are_refused_before_anything_multiplies_them_out(unit):
    """They come in with questions: worked out, one of them would hold whoever reads it for ever."""
    with pytest.raises(AssetError) as refused:
        units.conversion(unit, "m")
    assert refused.value.code == "unknown-unit"


@pytest.mark.parametrize("unit", ["m**2", "m ** -1", "m^3/h", "s2/m5", "kg.m-2", "m²", "W/m²/K⁴", "V/Hz**(1/2)", "kilogram ** 0.3333333333333333", "1 / second ** 2", "(m/s)**2"])
def test_powers_that_people_write_are_read(unit):
    assert units.parse(unit) is not None
