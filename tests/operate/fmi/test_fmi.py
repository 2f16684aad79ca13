"""A model from another tool runs as FMPy runs it, in SI; whatever its code does is a result, and the twin goes on."""

from dataclasses import replace

import numpy as np
import pytest
from fmu_kit import lag, third

from gemel.dynamics import compile_model
from gemel.dynamics.solution import Profile
from gemel.dynamics.solve import solve
from gemel.errors import ModelError
from gemel.operate.fmi import Limits, fmu

@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fmus")
    return {name: third(folder, name) for name in ("TANK", "DECAY", "MISBEHAVING")}


@pytest.fixture(scope="module", params=["CoSimulation", "ModelExchange"])
def second(request, tmp_path_factory):
    """An FMU of FMI 2, compiled of C."""
    return lag(tmp_path_factory.mktemp("fmi2"), request.param), request.param


def run(model, u, times, **how):
    compiled = compile_model(model)
    return solve(compiled, how.get("x0", compiled.x0), u, how.get("p", compiled.p0), times)


def test_an_fmu_of_fmi_3_runs_as_fmpy_runs_it(built):
    import fmpy

    model = fmu(built["TANK"])
    assert (list(model.inputs), list(model.outputs), list(model.parameters)) == (["inflow"], ["level", "outflow"], ["area"])
    assert model.parameters["area"].start == 2.0
    times = np.arange(0.0, 11.0)
    found = run(model, np.array([0.02]), times, p=np.array([0.5]))
    assert found.ok, found.words
    given = np.array([(0.0, 0.02), (20.0, 0.02)], [("time", float), ("inflow", float)])
    want = fmpy.simulate_fmu(str(built["TANK"]), stop_time=10, output_interval=1.0, input=given, start_values={"area": 0.5}, output=["level", "outflow"])
    assert found.outputs[-1, 0] != pytest.approx(1.0)
    assert np.allclose(found.outputs[:, 0], want["level"], rtol=1e-6, atol=1e-6)
    assert np.allclose(found.outputs[:, 1], want["outflow"], rtol=1e-6, atol=1e-6)


def test_held_inputs_of_an_fmu_change_at_their_instants(built):
    found = run(fmu(built["TANK"]), Profile([0.0, 5.0], [[0.01], [0.03]]), np.arange(0.0, 11.0))
    level = found.outputs[:, 0]
    assert np.allclose(level[:6], 1.0, atol=1e-9)
    assert np.all(np.diff(level[5:]) > 0.005)


def test_model_exchange_of_fmi_3_shows_its_states_as_fmpy_does(built):
    import fmpy

    model = fmu(built["DECAY"])
    assert model.kind == "ModelExchange"
    assert list(model.states) == ["x"]
    found = run(model, np.zeros(0), np.linspace(0, 4, 9), p=np.array([0.75]))
    assert found.ok, found.words
    assert np.allclose(found.states[:, 0], np.exp(-0.75 * found.times), atol=1e-5)
    want = fmpy.simulate_fmu(str(built["DECAY"]), fmi_type="ModelExchange", stop_time=4, output_interval=0.5, start_values={"k": 0.75}, output=["x"],
                             relative_tolerance=1e-8, validate=False)  # fmt: skip
    assert np.allclose(found.states[:, 0], want["x"], rtol=0, atol=1e-6)


def test_an_fmu_of_fmi_2_runs_in_si(second):
    import fmpy

    path, kind = second
    model = fmu(path)
    assert model.kind == kind
    assert model.outputs["x"].unit == "K**1"
    assert model.outputs["x"].start == pytest.approx(293.15)
    assert model.parameters["lag"].start == 60.0
    assert model.parameters["lag"].low == pytest.approx(0.6)
    assert list(model.states) == ["x"]  # for co-simulation: what may be set before it begins
    times = np.linspace(0.0, 240.0, 25)
    found = run(model, np.array([273.15 + 80.0]), times, p=np.array([120.0, 1.0]))
    assert found.ok, found.words
    assert np.allclose(found.outputs[:, 0], 273.15 + 80 - 60 * np.exp(-times / 120), atol=0.02)
    given = np.array([(0.0, 80.0), (999.0, 80.0)], [("time", float), ("u", float)])
    want = fmpy.simulate_fmu(
        str(path), fmi_type=kind, stop_time=240, output_interval=10, input=given, start_values={"lag": 2.0}, output=["x"], relative_tolerance=1e-8, validate=False
    )
    assert np.allclose(found.outputs[:, 0] - 273.15, want["x"][: len(times)], atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "words"),
    [(1.0, "SIGSEGV"), (2.0, "did not end within 2 s|SIGXCPU"), (3.0, "memory|MemoryError|Exception|fmi3")],
)
def test_a_crash_an_endless_loop_and_hunger_are_results(built, mode, words):
    import re

    model = fmu(built["MISBEHAVING"], Limits(time_s=30.0))
    found = run(replace(model, limits=Limits(time_s=2.0 if mode == 2.0 else 30.0)), np.array([mode]), np.arange(0.0, 4.0))
    assert found.status == "child"
    assert not found.ok
    assert re.search(words, found.words), found.words
    assert np.isnan(found.outputs).all()


def test_what_an_fmu_prints_is_not_its_answer(built):
    found = run(fmu(built["MISBEHAVING"]), np.array([0.0]), np.arange(0.0, 4.0))
    assert found.ok, found.words


def test_what_is_no_fmu_is_refused_in_words(tmp_path):
    with pytest.raises(ModelError) as refused:
        fmu(tmp_path / "nothing.fmu")
    assert refused.value.code == "no-fmu"
    (tmp_path / "text.fmu").write_text("no archive")
    with pytest.raises(ModelError, match="text.fmu: ") as refused:
        fmu(tmp_path / "text.fmu")
    assert refused.value.code == "fmu"


def test_an_fmu_for_co_simulation_has_no_equations_and_says_so(built):
    from gemel.dynamics.system import System

    model = fmu(built["TANK"])
    compiled = compile_model(model)
    with pytest.raises(ModelError, match="has no equations at a point") as refused:
        compiled.rate(0.0, compiled.x0, compiled.u0, compiled.p0)
    assert refused.value.code == "model-foreign"
    with pytest.raises(ModelError, match="a process of its own"):
        System({"tank": model})
