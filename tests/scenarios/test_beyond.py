"""What leaves the range that a model declares is told of each future: which, how far, in how many members, how long."""

import pytest

from gemel.dynamics import Quantity, compile_model
from gemel.scenarios import Change, Question, Scenario, Start, Uncertain, ask


class Sump:
    """dh/dt = u: linear, so that all is known."""

    states = {"level": Quantity("m", 1.0, low=0.0, high=3.0)}
    inputs = {"inflow": Quantity("m/s", 0.0, low=-0.01, high=0.002)}
    outputs = {"seen": Quantity("m")}
    parameters = {}

    def derivative(self, t, x, u, p):
        return {"level": u.inflow}

    def output(self, t, x, u, p):
        return {"seen": x.level}


def told(*changes, uncertain=(), **more):
    model = compile_model(Sump())
    question = Question((Scenario("s", changes),), 1000.0, members=64, uncertain=uncertain, points=101, **more)
    return [f.beyond for f in ask(model, Start(model.x0, model.u0, model.p0), question).futures]


@pytest.mark.parametrize("engine", ["auto", "jax"])
def test_what_stays_within_is_not_told(engine):
    assert told(Change("inflow", "set", 0.002), engine=engine) == [(), ()], "to the very end of both ranges"


def test_inputs_and_states_are_told_with_how_far_and_how_often():
    base, (inflow, level) = told(Change("inflow", "set", 0.005, start_s=500.0), precision="float64")
    assert base == ()
    assert (inflow.of, inflow.end, inflow.furthest, inflow.share) == ("inflow", 0.002, 0.005, 1.0)
    assert inflow.times == pytest.approx(0.5, abs=0.02)
    assert (level.of, level.end, level.share) == ("level", 3.0, 1.0)
    assert level.furthest == pytest.approx(3.5, abs=1e-6) and level.times == pytest.approx(0.1, abs=0.02)


def test_both_ends_are_told_and_in_how_many_members():
    _, found = told(Change("inflow", "set", -0.001), uncertain=(Uncertain("level", 0.5),))
    (level,) = found
    assert (level.of, level.end) == ("level", 0.0)
    assert 0.3 < level.share < 0.7 and -1.0 < level.furthest < -0.5 and 0 < level.times < 1
