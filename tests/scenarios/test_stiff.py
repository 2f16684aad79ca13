"""A what-if of a model that says it is stiff is right at steps far above its shortest time constant; where it does not say so, the answer names that."""

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model
from gemel.scenarios import Change, Kpi, Question, Scenario, Start, Uncertain, ask

KPIS = (Kpi("heat", "integral", "flow"), Kpi("hottest", "max", "wall"), Kpi("end", "last", "tank"))


class Wall:
    """A thin wall (0.2 ms) between a heater and a tank that keeps its heat: all is known by hand."""

    stiff = True
    states = {"wall": Quantity("K", 300.0), "tank": Quantity("K", 300.0)}
    inputs = {"power": Quantity("W", 1000.0)}
    outputs = {"flow": Quantity("W")}
    parameters = {"exchange": Quantity("W/K", 500.0, low=100.0, high=1000.0)}

    def derivative(self, t, x, u, p):
        flow = p.exchange * (x.wall - x.tank)
        return {"wall": (u.power - flow) / 0.1, "tank": flow / 4000.0}

    def output(self, t, x, u, p):
        return {"flow": p.exchange * (x.wall - x.tank)}


def asked(model, members=16):
    more = Scenario("more", (Change("power", "scale", 2.0, start_s=1800.0),))
    question = Question((more,), 3600.0, uncertain=(Uncertain("exchange", 0.1),), members=members, kpis=KPIS, step_s=60.0, points=61)
    compiled = compile_model(model)
    return ask(compiled, Start(compiled.x0, compiled.u0, compiled.p0), question)


@pytest.fixture(scope="module")
def told():
    return asked(Wall())


def test_bands_and_figures_are_those_known_by_hand(told):
    assert told.converged and "JAX" in told.engine
    for future, tank, heat in zip(told.futures, (300 + 900.0, 300 + 450.0 + 900.0), (3.6e6, 5.4e6), strict=True):
        assert future.failed == 0
        assert future.figures["end"].mean == pytest.approx(tank, rel=1e-4)
        assert future.figures["heat"].mean == pytest.approx(heat, rel=1e-4), "what flows in the step in which the wall leaps counts"
        assert future.figures["hottest"].mean > tank - 60.0


def test_the_same_model_that_does_not_say_so_fails():
    told = asked(type("Silent", (Wall,), {"stiff": False})(), members=2)
    assert [f.failed for f in told.futures] == [2, 2]


def test_a_leap_of_the_input_reaches_the_wall_at_once(told):
    wall = told.watch.index("wall")
    over = told.futures[1].bands[2][:, wall] - told.futures[1].bands[2][:, told.watch.index("tank")]
    assert over[1:30] == pytest.approx(2.0, abs=0.05)
    assert over[32:] == pytest.approx(4.0, abs=0.05)
