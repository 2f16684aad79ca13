"""FMI 3, compiled of C, with events: a bouncing ball of either kind runs as FMPy runs it, and as the textbook has it."""

import math

import numpy as np
import pytest
from ball_kit import ball

from gemel.dynamics import compile_model
from gemel.dynamics.solution import Profile
from gemel.dynamics.solve import solve
from gemel.operate.fmi import fmu
from gemel.operate.fmi.remembered import Remembered
from gemel.scenarios import Change, Question, Scenario, Start, ask

fmpy = pytest.importorskip("fmpy")
G, E = 9.81, 0.7
TIMES = np.linspace(0.0, 1.5, 31)


def falls(t):
    """Give the height of a ball let go at 1 m: parabolas, each begun with 0.7 of the speed that the one before ended with."""
    begun, speed = math.sqrt(2 / G), E * math.sqrt(2 * G)
    if t <= begun:
        return 1 - G * t * t / 2
    while t > begun + 2 * speed / G:
        begun, speed = begun + 2 * speed / G, E * speed
    return speed * (t - begun) - G * (t - begun) ** 2 / 2


@pytest.fixture(params=["ModelExchange", "CoSimulation"])
def model(request, tmp_path):
    found = compile_model(fmu(ball(tmp_path, request.param)))
    assert found.model.kind == request.param
    return found


def test_it_runs_as_fmpy_runs_it_through_its_events(model):
    found = solve(model, model.x0, model.u0, model.p0, TIMES)
    assert found.ok, found.words
    want = fmpy.simulate_fmu(str(model.model.path), fmi_type=model.model.kind, stop_time=1.5, output_interval=0.05, output=["h", "v"], relative_tolerance=1e-8)
    last = np.append(np.diff(want["time"]) > 0, True)
    for i, name in enumerate(("h", "v")):
        assert found.outputs[:, i] == pytest.approx(np.interp(TIMES, want["time"][last], want[name][last]), abs=1e-6), name
    exact = np.array([falls(t) for t in TIMES])
    assert found.outputs[:, 0] == pytest.approx(exact, abs=1e-5 if model.model.exchanged else 0.02)  # its own steps for co-simulation are coarse


def test_its_states_are_set_on_the_way(model):
    """Thrown up in the air at 0.2 s, it flies as the parabola says, until it bounces."""
    up = Scenario("up", (Change("v", "set", 2.0, start_s=0.2),))
    asked = Question((up,), horizon_s=0.5, step_s=0.01, points=51, members=1, seed=1, watch=("h",), precision="float64")
    answer = ask(model, Start(model.x0, model.u0, model.p0), asked)
    base, hot = (f.bands[2, :, 0] for f in answer.futures)
    after = np.maximum(answer.times - 0.2, 0.0)
    flown = 1 - G * 0.02 + 2.0 * after - G * after**2 / 2
    assert hot[20:] == pytest.approx(flown[20:], abs=2e-3)
    assert hot[:20] == pytest.approx(base[:20], abs=1e-6)


def test_one_for_co_simulation_goes_on_from_what_it_saved_with_a_tunable_parameter_changed(tmp_path):
    model = fmu(ball(tmp_path, "CoSimulation"))
    of = Remembered(model, ("h", "v"))
    p, x = np.tile([[G, E]], (2, 1)), np.array([[1.0, 0.0], [1.0, 0.0]])
    memory, _ = of.begin(x, np.zeros((2, 0)), p)
    for k in range(6):
        p[1, 1] = 0.3  # before it bounces, in the fifth step
        memory, shown = of.step(memory, np.full(2, 0.1 * k), 0.1, (np.zeros((2, 0)), p))
    (whole,) = model.free_runs([(x[0], Profile([0.0], [[]]), np.array([G, E]))], np.arange(7) * 0.1)
    assert shown[0] == pytest.approx(whole.outputs[-1], abs=1e-9)
    assert shown[1, 0] < shown[0, 0] - 0.1


def test_one_with_events_that_offers_both_and_saves_its_state_is_taken_for_co_simulation(tmp_path):
    """What its events set is then kept where it is followed; at points, it would fall through the floor."""
    found = fmu(ball(tmp_path, "both"))
    assert (found.kind, found.saves, found.events) == ("CoSimulation", True, True)
    assert fmu(ball(tmp_path, "ModelExchange")).exchanged
