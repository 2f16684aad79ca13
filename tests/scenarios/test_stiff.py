"""A what-if of a model that says it is stiff is right at steps far above its shortest time constant; where it does not say so, the answer names that."""

import numpy as np
import pytest

from gemel.dynamics import Quantity, compile_model
from gemel.dynamics.system import System
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


def test_a_system_of_which_a_part_is_stiff_is_solved_with_its_loop():
    """The heater gives gain·(hot − surface), the surface is wall + 0.01·heat: 20·300 / 1.2 W at the beginning."""

    class Source:
        states = {}
        inputs = {"surface": Quantity("K", 300.0)}
        outputs = {"heat": Quantity("W", nominal=1000.0)}
        parameters = {"hot": Quantity("K", 600.0)}

        def derivative(self, t, x, u, p):
            return {}

        def output(self, t, x, u, p):
            return {"heat": 20.0 * (p.hot - u.surface)}

    class Faced(Wall):
        inputs = {"heat": Quantity("W", 1000.0)}
        outputs = {"surface": Quantity("K", nominal=300.0)}

        def derivative(self, t, x, u, p):
            flow = p.exchange * (x.wall - x.tank)
            return {"wall": (u.heat - flow) / 0.1, "tank": flow / 4000.0}

        def output(self, t, x, u, p):
            return {"surface": x.wall + 0.01 * u.heat}

    model = compile_model(System({"source": Source(), "wall": Faced()}, [("source/heat", "wall/heat"), ("wall/surface", "source/surface")]))
    question = Question((Scenario("hotter", (Change("source/hot", "set", 700.0),)),), 300.0, members=2, step_s=10.0, points=4)
    answer = ask(model, Start(model.x0, model.u0, model.p0), question)
    tank = answer.watch.index("wall/tank")
    fade = np.exp(-300.0 / 4000.0 / (1.2 / 20.0 + 1.0 / 500.0))
    for future, hot in zip(answer.futures, (600.0, 700.0), strict=True):
        assert (future.failed, future.unsolved) == (0, 0)
        assert future.bands[2][-1, tank] == pytest.approx(hot - (hot - 300.0) * fade, rel=1e-4)
