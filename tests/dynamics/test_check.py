"""A model is refused before it is computed with: wrong shape, unit, number, slope, jump."""

import re

import numpy as np
import pytest

from gemel.dynamics import Quantity, maths
from gemel.dynamics.check import check_declared, check_model, checked
from gemel.dynamics.dimension import dimension, words
from gemel.dynamics.system import System
from gemel.errors import ModelError


class Tank:
    states = {"level": Quantity("m", 1.0, low=0.1, high=4.0)}
    inputs = {"inflow": Quantity("m3/s", 0.01, low=0.0)}
    outputs = {"outflow": Quantity("m3/s")}
    parameters = {"area": Quantity("m2", 2.0, low=0.1), "opening": Quantity("m2.5/s", 0.01, low=0.0)}

    def derivative(self, t, x, u, p):
        return {"level": (u.inflow - p.opening * maths.sqrt(x.level)) / p.area}

    def output(self, t, x, u, p):
        return {"outflow": p.opening * maths.sqrt(x.level)}


def variant(**changed):
    return type("Variant", (Tank,), changed)()


def rate(f):
    return variant(derivative=lambda self, t, x, u, p: {"level": f(t, x, u, p)})


def test_a_right_model_is_found_right():
    assert check_model(Tank()) == []
    assert checked(Tank()).states == ("level",)


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        (Quantity("furlongs"), "unknown unit 'furlongs'|no coherent"),
        (Quantity("rpm"), "rpm is no coherent SI unit"),
        (Quantity("degC"), "degC is no coherent SI unit"),
        (Quantity("m", 1.0, high=0.5), "starts at 1, outside of -inf to 0.5"),
        (Quantity("m", np.nan), "starts at nan, outside"),
        (3.0, "is float"),
    ],
)
def test_declarations_are_checked_without_computing(quantity, message):
    found = list(check_declared(variant(states={"level": quantity})))
    assert found
    assert {f.code for f in found} == {"model-quantity"}
    assert any(re.search(message, f.message) for f in found), found


@pytest.mark.parametrize(
    ("model", "code", "message"),
    [
        (rate(lambda t, x, u, p: maths.zeros(3)), "model-shape", r"'level' in shape \(3,\)"),
        (rate(lambda t, x, u, p: 1j * x.level), "model-shape", "complex"),
        (rate(lambda t, x, u, p: 0.0 if x.level > 2 else 1.0), "model-trace", "TracerBoolConversionError"),
        (rate(lambda t, x, u, p: x.depth), "model-trace", "'depth' is not declared"),
        (variant(derivative=lambda *a: {"levle": 0.0}), "model-names", "other names"),
        (rate(lambda t, x, u, p: (u.inflow - x.level) / p.area), "model-dimension", r"sub of values in m3\.s-1 and m"),
        (rate(lambda t, x, u, p: u.inflow), "model-dimension", r"the rate of 'level' comes out in m3\.s-1, declared is m\.s-1"),
        (rate(lambda t, x, u, p: maths.exp(x.level) * 0.1), "model-dimension", "exp of a value in m"),
        (rate(lambda t, x, u, p: maths.where(x.level > u.inflow, 0.0, 0.1)), "model-dimension", r"comparison of values in m and m3\.s-1"),
        (rate(lambda t, x, u, p: x.level * p.area / p.area**2 * 2), "model-dimension", r"comes out in m-1, declared is m\.s-1"),
        (rate(lambda t, x, u, p: 0.1 * maths.sqrt(-x.level)), "model-not-finite", "'level' is no number at the declared starts"),
        (rate(lambda t, x, u, p: 0.1 * maths.sqrt(2.0 - x.level)), "model-not-finite", "'level' is no number at level="),
        (rate(lambda t, x, u, p: 0.1 * maths.sqrt(x.level - 1.0)), "model-not-finite|model-slope", "at the declared starts|no number"),
    ],
)  # fmt: skip
def test_a_wrong_model_is_refused_in_words(model, code, message):
    errors = [f for f in check_model(model) if f.severity == "error"]
    assert errors
    assert re.fullmatch(code, errors[0].code), errors
    assert re.search(message, " | ".join(f.message for f in errors)), errors
    assert all(f.remedy for f in errors)
    with pytest.raises(ModelError) as refused:
        checked(model)
    assert refused.value.code == errors[0].code


def test_a_number_in_a_formula_may_stand_for_anything():
    assert check_model(rate(lambda t, x, u, p: (u.inflow - 9.81 * maths.sqrt(x.level)) / p.area)) == []
    assert check_model(rate(lambda t, x, u, p: (u.inflow - maths.maximum(x.level**2.5, 0.0) * 0.01) / p.area)) == []
    assert [f.code for f in check_model(rate(lambda t, x, u, p: 2 * x.level))] == ["model-dimension"]


@pytest.mark.parametrize(
    ("function", "jumping"),
    [
        (lambda t, x, u, p: maths.where(x.level > 2.0, 0.1, 0.0) * (0 * t + 1.0), True),
        (lambda t, x, u, p: 1.0 * maths.sign(x.level - 1.5), True),
        (lambda t, x, u, p: 0.1 * maths.tanh((x.level - 2.0) / 0.01), False),
        (lambda t, x, u, p: 0.1 * maths.maximum(x.level - 2.0, 0.0), False),
        (lambda t, x, u, p: 0.1 * maths.signed_root(x.level - 2.0, 1e-9), False),
    ],
)
def test_a_jump_is_refused_and_a_steep_slope_is_not(function, jumping):
    found = check_model(rate(function))
    assert [(f.severity, f.code) for f in found if f.code != "model-slope"] == [("error", "model-jump")] * jumping, found
    if jumping:
        with pytest.raises(ModelError, match="the rate of 'level' jumps by .* near level="):
            checked(rate(function))


def switched(self, t, x, u, p):
    return {"outflow": maths.where(x.level > 2.0, p.opening * maths.sqrt(x.level), 0.0)}


@pytest.mark.parametrize(
    ("by_time", "at"),
    [
        (lambda t: maths.where(t > 100.0, 1.0, 0.0), "100 s"),
        (lambda t: maths.where(t < 6e5, 1.0, 2.0), "600000 s"),
        (lambda t: maths.floor(t / 3600.0), "3600 s"),
        (lambda t: maths.tanh((t - 1e-3) / 0.3), ""),
        (lambda t: maths.sin(6.283e-3 * t) + t / 86_400.0, ""),
        (lambda t: maths.tanh((t - 500.0) / 0.1), ""),
    ],
)
def test_what_jumps_with_the_time_itself_is_refused(by_time, at):
    found = check_model(rate(lambda t, x, u, p: (u.inflow * (1.0 + by_time(t)) - p.opening * maths.sqrt(x.level)) / p.area))
    assert [f.code for f in found if f.severity == "error"] == ["model-jump"] * bool(at), found
    if at:
        assert f"the rate of 'level' jumps by 0.005 near {at}, level=" in found[0].message


@pytest.mark.parametrize(
    ("jumps", "refused"),
    [((), "output 'outflow' jumps by"), (("level",), "output 'outflow' jumps by"), (("outflow",), ""), (("outlfow",), "'outlfow' is no state"), (True, "True is no state")],
)
def test_a_jump_that_the_machine_itself_has_is_declared(jumps, refused):
    found = check_model(variant(output=switched, jumps=jumps))
    assert [refused in f.message for f in found] == [True] * bool(refused), found


@pytest.mark.parametrize(("jumps", "words"), [(("outflow",), []), ((), ["model-jump", "model-jump"])])
def test_a_system_may_jump_where_one_of_its_components_declares_it(jumps, words):
    joined = System({"a": variant(output=switched, jumps=jumps), "b": Tank()}, [("a/outflow", "b/inflow")])
    found = check_model(joined)
    assert {f.code for f in found} == {*words}, found


def test_a_missing_slope_away_from_the_starts_is_a_warning():
    model = rate(lambda t, x, u, p: 0.1 * maths.sqrt(maths.maximum(x.level - 0.8, 0.0)))
    found = check_model(model)
    assert [(f.severity, f.code) for f in found] == [("warning", "model-slope")], found


def test_dimensions_are_written_by_base_units():
    assert words(dimension("Pa")) == "m-1.kg.s-2"
    assert words(dimension("rad/s")) == "s-1"
    assert words(dimension("1")) == "1"


def test_every_component_of_gemel_declares_rightly_and_agrees_in_dimension():
    from gemel.dynamics import check, components

    for name in components.__all__:
        model = getattr(components, name)()
        found = [f for look in (check_declared, check._traced, check._dimensions) for f in look(model)]
        assert not found, (name, found)


@pytest.mark.parametrize("name", ["PidController", "Tank", "ControlValve", "CascadedTanks"])  # those that switch, spill, choke
def test_components_of_gemel_that_switch_pass_all_checks(name):
    from gemel.dynamics import components

    assert check_model(getattr(components, name)()) == []
