"""The expression language: what it means, what it refuses, and what it says about the place."""

import numpy as np
import pytest

from gemel.errors import ExpressionError
from gemel.samples.expression import Column, Leaf, Names, compile_expression, number, parse, state
from gemel.samples.expression_kinds import TRUTH
from gemel.samples.status import BAD_COMMUNICATION, GOOD, UNCERTAIN

LINE = state(("running", "jammed", "stopped"))
SCOPE = Names(
    {
        "flow": Leaf(("flow",), number("m3/h")), "head": Leaf(("head",), number("m")), "power": Leaf(("power",), number("kW")),
        "temperature": Leaf(("temperature",), number("degC")), "ambient": Leaf(("ambient",), number("degF")),
        "state": Leaf(("state",), LINE), "on": Leaf(("on",), state(("off", "on"))),
        "upstream.state": Leaf(("upstream", "state"), LINE, "upstream"), "parts.power": Leaf(("parts", "power"), number("W"), "parts"),
        "parts.temperature": Leaf(("parts", "temperature"), number("degC"), "parts"),
    }
)  # fmt: skip
NAN = float("nan")


def give(text, wanted=None, counts=None, **columns):
    """Evaluate on rows; a column is a list of numbers, or a pair of numbers and statuses."""
    e = compile_expression(text, SCOPE, wanted)
    given = []
    for leaf in e.leaves:
        found = columns["__".join(leaf.path)]
        value, status = found if isinstance(found, tuple) else (found, [GOOD] * len(found))
        given.append(Column(np.array(value, float), np.array(status, np.uint32)))
    rows = len(counts) if counts is not None else max((len(c.value) for c in given), default=1)
    members = {leaf.over: np.array(counts) for leaf in e.leaves if leaf.over}
    value, status = e.evaluate(given, rows, members)
    return value.tolist(), status.tolist()


def value(*args, **kwargs):
    return give(*args, **kwargs)[0]


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("2 + 3 * 4", "1", 14), ("-2^2", "1", -4), ("2^-1", "1", 0.5), ("(2^3)^2", "1", 64), ("(2 + 3) * 4", "1", 20),
        ("10 - 4 - 3", "1", 3), ("8 / 4 / 2", "1", 1), ("5 min", "s", 300), ("1 kW*2 h", "kW.h", 2), ("3 %", "1", 0.03),
        ("abs(-3 m)", "m", 3), ("sqrt(9 m2)", "m", 3), ("clip(7, 0, 5)", "1", 5), ("min(3 m, 20 cm)", "m", 0.2), ("max(1, 2, 3)", "1", 3),
        ("exp(0)", "1", 1), ("log(exp(2))", "1", 2), ("log10(1000)", "1", 3), ("if 1 < 2 then 5 else 6", "1", 5),
        ("30 degC - 20 degC", "K", 10), ("20 degC + 5 K", "degC", 25), ("50 degF - 32 degF", "K", 10), ("if 2 > 3 then 1 else if 1 == 1 then 7 else 9", "1", 7),
    ],
)  # fmt: skip
def test_numbers_mean_what_they_say(text, wanted, expected):
    assert value(text, number(wanted))[0] == pytest.approx(expected, rel=1e-12)


def test_dimensions_carry_through_to_the_declared_unit():
    assert value("9.81 kN/m3 * flow * head / power", number("%"), flow=[36.0], head=[10.0], power=[2.0]) == pytest.approx([49.05])


def test_a_value_in_its_own_unit_keeps_its_bits():
    given = [0.1 + 0.2, 1 / 3, 5e-324, -0.0]
    assert np.array(value("flow", number("m3/h"), flow=given)).tobytes() == np.array(given).tobytes()


def test_words_of_a_state_are_compared_on_either_side():
    assert value("state == jammed", TRUTH, state=[0, 1, NAN])[:2] == [0, 1]
    assert value("jammed == state", TRUTH, state=[0, 1]) == [0, 1]
    assert value("state in (jammed, stopped)", TRUTH, state=[0, 1, 2]) == [0, 1, 1]
    assert value("on and not (state == stopped)", TRUTH, on=[1, 1, 0], state=[0, 2, 0]) == [1, 0, 0]


def test_a_state_may_be_the_result():
    text = "if any(upstream.state == jammed) then stopped else running"
    assert value(text, LINE, upstream__state=[0, 1, 2, 2], counts=[2, 2, 0]) == [2, 0, 0]


def test_aggregates_run_over_the_members_of_each_row():
    members = {"parts__power": [1000.0, 2000.0, 5000.0], "counts": [2, 0, 1]}
    assert value("sum(parts.power)", number("kW"), **members) == [3, 0, 5]
    found, status = give("mean(parts.power)", number("kW"), **members)
    assert found[0] == 1.5 and np.isnan(found[1]) and status[1] >> 30 == 2
    assert value("count(parts.power > 1500 W)", number("1"), **members) == [1, 0, 1]
    assert value("max(parts.power) / min(parts.power)", number("1"), parts__power=[1, 4], counts=[2]) == [4]


def test_one_value_meets_each_member():
    assert value("count(parts.power > power)", number("1"), power=[1.5, 1.5], parts__power=[1000, 2000, 3000], counts=[1, 2]) == [0, 2]


def test_what_is_not_known_stays_unknown_unless_the_other_side_decides():
    bad = ([5.0], [BAD_COMMUNICATION])
    assert give("on and flow > 1 m3/h", TRUTH, on=[0], flow=bad) == ([0], [GOOD])
    found, status = give("on and flow > 1 m3/h", TRUTH, on=[1], flow=bad)
    assert np.isnan(found[0]) and status == [BAD_COMMUNICATION]
    assert give("on or flow > 1 m3/h", TRUTH, on=[1], flow=bad) == ([1], [GOOD])
    assert give("if on then head else flow * 0 h/m2", number("m"), on=[1], head=[3], flow=bad) == ([3], [GOOD])
    assert give("missing(flow)", TRUTH, flow=bad) == ([1], [GOOD])


def test_any_is_decided_by_one_that_is_true():
    given = {"upstream__state": ([1.0, 0.0], [GOOD, BAD_COMMUNICATION]), "counts": [2]}
    assert give("any(upstream.state == jammed)", TRUTH, **given) == ([1], [GOOD])
    found, status = give("all(upstream.state == jammed)", TRUTH, **given)
    assert np.isnan(found[0]) and status == [BAD_COMMUNICATION]


def test_a_missing_member_spoils_a_sum_unless_the_known_are_asked_for_and_that_is_said():
    given = {"parts__power": ([1000.0, 7.0, 3000.0], [GOOD, BAD_COMMUNICATION, UNCERTAIN]), "counts": [3]}
    found, status = give("sum(parts.power)", number("W"), **given)
    assert np.isnan(found[0]) and status == [BAD_COMMUNICATION]
    assert give("mean(known(parts.power))", number("W"), **given) == ([2000.0], [0x40950000])
    found, status = give("mean(known(parts.power))", number("W"), parts__power=([1.0], [BAD_COMMUNICATION]), counts=[1])
    assert np.isnan(found[0]) and status[0] >> 30 == 2


def test_worst_tells_the_quality_of_the_members():
    given = {"parts__power": ([1.0, 2.0, 3.0, 4.0], [GOOD, UNCERTAIN, BAD_COMMUNICATION, GOOD]), "counts": [1, 1, 1, 1]}
    assert give("worst(parts.power)", None, **given) == ([0, 1, 2, 0], [GOOD] * 4)


def test_a_result_that_is_no_finite_number_is_bad():
    for text in ("1 / (flow / 1 m3/h)", "log(flow / 1 m3/h - 1)", "sqrt(-1 m3/h - flow)"):
        found, status = give(text, flow=[0.0])
        assert np.isnan(found[0]) and status[0] >> 30 == 2, text


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("flow * * head", 7, "'*' cannot stand here"), ("flow + head", 5, "does not fit"), ("flow + 3", 5, "does not fit"),
        ("temperature + ambient", 12, "no sum"), ("flwo", 0, "nothing is called"), ("state == jamed", 9, "no state"),
        ("state > 3", 6, "is compared with"), ("flow and on", 0, "neither true nor false"), ("sum(flow)", 0, "one value only"),
        ("parts.power", 0, "many values"), ("sin(flow)", 0, "no function"), ("flow ^ head", 5, "exponent"),
        ("1 < 2 < 3", 6, "cannot stand here"), ("sum(parts.power) + parts.power", 17, "many values"), ("(flow", 5, "the end"),
        ("flow; head", 4, "no meaning"), ("3 mfoo", 2, "no unit"), ("sum(parts.temperature)", 0, "no sum"),
        ("exp(flow)", 0, "does not fit"), ("clip(flow, 1)", 0, "three values"), ("count(parts.power > 1 W and any(upstream.state == jammed) == upstream.on)", 61, "nothing"),
        ("any(parts.power > 1 W and upstream.state == jammed)", 22, "mixed"), ("", 0, "the end"), ("if on then 1 else flow", 0, "fit"),
        ("__import__('os')", 0, "no function"), ("known(parts.power)", 0, "within"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text, at, words):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, SCOPE)
    assert words in caught.value.message, caught.value.message
    assert caught.value.at == at, caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(("text", "unit"), [("temperature - ambient", "degC"), ("flow", "kg/s"), ("flow * head / power", "%"), ("2 * temperature", "degC")])
def test_a_result_of_another_dimension_is_refused(text, unit):
    with pytest.raises(ExpressionError, match="is declared"):
        compile_expression(text, SCOPE, number(unit))


def test_too_long_and_too_deep_are_refused():
    with pytest.raises(ExpressionError, match="characters"):
        parse("1+" * 2000 + "1")
    with pytest.raises(ExpressionError, match="deeply"):
        parse("(" * 100 + "1" + ")" * 100)
