"""Laws of figures: whatever drives a run, and whichever engine ran it, a limit is passed as often and as long as the trajectory shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gemel.dynamics import Quantity, compile_model
from gemel.scenarios import Kpi
from gemel.scenarios.batched import BatchedEngine
from gemel.scenarios.engine import MachineEngine
from gemel.scenarios.machine import FLOAT32, FLOAT64
from gemel.scenarios.plan import Members, Plan
from gemel.scenarios.referee import Referee

STEPS, DT = 24, 10.0
KPIS = (
    Kpi("long", "time_outside", "v", below=-0.5, above=0.5), Kpi("often", "times_outside", "v", below=-0.5, above=0.5),
    Kpi("above", "time_above", "v", limit=0.5), Kpi("below", "time_below", "v", limit=-0.5),
    Kpi("amount", "integral", "v"), Kpi("per", "ratio", "v", per="one"), Kpi("warm", "mean", "v", factor=2.0, offset=5.0),
)  # fmt: skip


class Wire:
    """What comes in goes out."""

    states = {"x": Quantity("1", 0.0)}
    inputs = {"v": Quantity("1", 0.0)}
    outputs = {"one": Quantity("1")}
    parameters = {"w": Quantity("1", 1.0)}

    def derivative(self, t, x, u, p):
        return {"x": 0.0 * u.v}

    def output(self, t, x, u, p):
        return {"one": 2.0 + 0.0 * u.v}


@pytest.fixture(scope="module")
def engines():
    referee = Referee(KPIS, ("v",), STEPS * DT)
    plan = Plan(compile_model(Wire()), DT, STEPS, 1, 1, ("v",), referee.gauges, 0, (0,))
    return referee, [MachineEngine(plan, FLOAT64), MachineEngine(plan, FLOAT32), BatchedEngine(plan)]


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, STEPS, elements=st.sampled_from([-2.0, -0.75, -0.5, 0.0, 0.25, 0.5, 0.625, 3.0])))
def test_every_engine_counts_what_the_trajectory_shows(engines, v):
    referee, all_ = engines
    members = Members(np.zeros((1, 1)), np.ones((1, 2)), np.zeros((1, 2)), v[:, None], referee.limits)
    away = np.array([v > 0.5, v < -0.5])
    entered = (away[:, 0] + (away[:, 1:] & ~away[:, :-1]).sum(axis=1)).sum()
    true = [DT * away.sum(), entered, DT * away[0].sum(), DT * away[1].sum(), DT * v.sum(), v.mean() / 2.0, 2.0 * v.mean() + 5.0]
    for engine in all_:
        raw = engine.run(members, lambda done: True)
        found = referee.figures(raw)[:, 0]
        np.testing.assert_allclose(found, true, rtol=1e-5, atol=1e-5, err_msg=engine.name)
        counted = [i for i, g in enumerate(referee.gauges) if g.reading.startswith("times")]
        np.testing.assert_array_equal(raw.late[counted, 0], away[:, -1])
