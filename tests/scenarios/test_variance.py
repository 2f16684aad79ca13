"""Of a figure's variance it is told what goes with each uncertain quantity, also where some vary together."""

import pytest

from gemel.dynamics import Quantity, compile_model
from gemel.scenarios import Kpi, Question, Scenario, Start, Together, Uncertain, indices

SIGMA = 2.0  # of c; a and b have one


class Sum:
    """y = a + b + c."""

    states = {"x": Quantity("1", 0.0)}
    inputs, outputs = {}, {"y": Quantity("1")}
    parameters = {n: Quantity("1", 0.0) for n in "abc"}

    def derivative(self, t, x, u, p):
        return {"x": 0.0 * p.a}

    def output(self, t, x, u, p):
        return {"y": p.a + p.b + p.c}


@pytest.fixture(scope="module")
def model():
    return compile_model(Sum())


def found(model, *together, members=4096):
    spread = {"a": 1.0, "b": 1.0, "c": SIGMA}
    uncertain = tuple(Uncertain(n, s, relative=False) for n, s in spread.items())
    asked = Question((Scenario("same"),), 2.0, 1.0, members, 3, uncertain, together, (Kpi("y", "last", "y"),), points=3, precision="float64")
    return indices(model, Start(model.x0, model.u0, model.p0), asked, "baseline")["y"]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, -0.5])
def test_indices_of_a_sum_of_which_two_vary_together_are_the_published_ones(model, rho):
    """Kucherenko, Tarantola & Annoni (2012), test case 1: b and c are normal with correlation rho."""
    whole = 2 + SIGMA**2 + 2 * rho * SIGMA
    true = {
        "a": (1 / whole, 1 / whole),
        "b": ((1 + rho * SIGMA) ** 2 / whole, (1 - rho**2) / whole),
        "c": ((SIGMA + rho) ** 2 / whole, SIGMA**2 * (1 - rho**2) / whole),
    }
    told = found(model, Together(("b", "c"), ((1.0, rho), (rho, 1.0))))
    for name, shares in true.items():
        assert told[name] == pytest.approx(shares, abs=0.02), name


def test_of_two_that_are_one_either_tells_all_and_neither_is_left_once_the_other_is_known(model):
    told = found(model, Together(("c", "b"), ((1.0, 1.0), (1.0, 1.0))))
    assert told["b"] == pytest.approx(told["c"], abs=0.01) and told["b"][0] == pytest.approx(0.9, abs=0.02) and abs(told["b"][1]) < 1e-9


def test_with_a_correlation_of_none_they_are_those_of_what_varies_by_itself(model):
    apart, together = found(model), found(model, Together(("b", "c"), ((1.0, 0.0), (0.0, 1.0))))
    assert all(apart[name] == pytest.approx(together[name], rel=1e-9) for name in "abc")
