"""FMUs for co-simulation are parts of a system, too: each by its own solver, coupled at communication points, to second order."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import FOLLOWED, ZERO, Lag, lag, plant, third
from plants import HEAD

import gemel
from gemel.assets import load
from gemel.dynamics import Quantity, compile_model
from gemel.dynamics.fixed import trajectory
from gemel.dynamics.solution import Profile
from gemel.dynamics.solve import solve
from gemel.dynamics.system import System
from gemel.errors import ModelError
from gemel.estimate.calibrate import Settings
from gemel.estimate.record import Record
from gemel.operate.calibrating import calibrate
from gemel.operate.fmi import Limits, fmu
from gemel.operate.fmi.coupled import Coupled, joined
from gemel.operate.machine import machine_of
from gemel.operate.models_check import model_problems

AREA = "acme/site/hall"
TWO = "  heater-2: {type: Heater, at: hall}\nrelations:\n  - heater-1:x feeds heater-2:u\n"
JOINTS = [("a/x", "b/u"), ("b/x", "c/u")]
P = np.tile([120.0, 1.0], 3)
X = np.full(3, ZERO + 20)
U = np.array([ZERO + 80.0])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return fmu(lag(tmp_path_factory.mktemp("lag"), "CoSimulation"))


class Drum:
    """The speed of `WORN` in Python: 30 s behind its drive."""

    states = {"speed": Quantity("1", 100.0)}
    inputs = {"drive": Quantity("1", 100.0)}
    outputs = {"speed": Quantity("1")}
    parameters = {}

    def derivative(self, t, x, u, p):
        return {"speed": (u.drive - x.speed) / 30.0}

    def output(self, t, x, u, p):
        return {"speed": x.speed}


@pytest.fixture(scope="module")
def drum(tmp_path_factory):
    """One whose own steps are exact."""
    return fmu(third(tmp_path_factory.mktemp("drum"), "WORN"))


CHAIN = [("a/speed", "b/drive"), ("b/speed", "c/drive")]
RING = [*CHAIN, ("c/speed", "a/drive")]


def ring(t):
    """Three in a ring, the first at 200, the others at 100: what the first is at, by the eigenvalues of the ring."""
    modes = np.exp(2j * np.pi * np.arange(3) / 3)
    return 100 + 100 * float(np.real(np.exp((modes - 1) * t / 30.0).sum()) / 3)


@pytest.mark.parametrize(("which", "joints"), [("abc", CHAIN), ("ac", CHAIN), ("b", CHAIN), ("abc", RING), ("ac", RING)])
def test_its_error_is_of_second_order_in_the_step_whatever_of_it_is_an_fmu_and_in_a_loop_too(drum, which, joints):
    model = compile_model(joined({c: drum if c in which else Drum() for c in "abc"}, joints))
    assert isinstance(model.model, Coupled)
    x, at = model.x0.copy(), 60.0
    s = at / 30.0
    want = 200 - 100 * np.exp(-s) * (1 + s + s**2 / 2)
    if joints is RING:
        x[model.place("states", "a/speed")], want = 200.0, ring(at)
    off = []
    for h in (5.0, 2.5, 1.25):
        found = solve(model, x, np.full(len(model.inputs), 200.0), model.p0, np.arange(0.0, at + 1e-9, h))
        assert found.ok, found.words
        off.append(found.states[-1, model.place("states", "a/speed" if joints is RING else "c/speed")] - want)
    assert 3.2 < off[0] / off[1] < 4.8
    assert 3.2 < off[1] / off[2] < 4.8
    assert abs(off[2]) < 0.1


def test_names_and_joined_inputs_are_those_of_a_system(whole):
    ours, theirs = Coupled({c: whole for c in "abc"}, JOINTS), System({c: Lag() for c in "abc"}, JOINTS)
    for kind in ("states", "inputs", "outputs", "parameters"):
        assert list(getattr(ours, kind)) == list(getattr(theirs, kind)), kind
    found = solve(compile_model(ours), X, U, P, np.arange(0.0, 361.0, 10.0))
    seen = dict(zip(ours.outputs, found.outputs.T, strict=True))
    assert np.array_equal(seen["b/u"], seen["a/x"]) and np.array_equal(seen["c/u"], seen["b/x"])


def test_runs_side_by_side_are_those_that_each_would_be_alone_also_along_a_profile(whole):
    model = Coupled({"a": whole, "b": Lag()}, JOINTS[:1])
    at = np.arange(0.0, 121.0, 10.0)
    runs = [(X[:2] + i, Profile([0.0, 50.0], [U, U - 10 * i], "held"), P[:4] * (1 + 0.1 * i)) for i in range(3)]
    together = model.free_runs(runs, at)
    for one, run in zip(together, runs, strict=True):
        assert np.array_equal(one.states, model.free_runs([run], at)[0].states)
    assert len({float(s.states[-1, 1]) for s in together}) == 3


def test_a_tunable_parameter_changes_on_the_way_and_a_fixed_one_does_not(tmp_path):
    tank = fmu(third(tmp_path, "TANK"))
    model = Coupled({"a": tank}, [])
    at = np.arange(0.0, 61.0, 10.0)
    p = np.repeat([[2.0], [8.0]], [3, 4], axis=0)
    found = model.free_runs([(np.zeros(0), Profile(at, np.full((7, 1), 0.03), "held"), p)], at)[0]
    alone = tank.free_runs([(np.zeros(0), Profile(at, np.full((7, 1), 0.03), "held"), p)], at)[0]
    assert found.outputs == pytest.approx(alone.outputs, rel=1e-9)
    assert model.tunable == {"a/area"}


def test_a_component_that_crashes_ends_the_run_in_words(tmp_path):
    bad = replace(fmu(lag(tmp_path, "CoSimulation", body="if (m->x > 100) *(volatile int *)0 = 1; return 1.0;")), limits=Limits(time_s=20.0))
    found = solve(compile_model(Coupled({"a": Lag(), "b": bad}, [("a/x", "b/u")])), X[:2], U, P[:4], np.arange(0.0, 121.0, 10.0))
    assert found.status == "child" and "SIGSEGV" in found.words


def test_who_wants_equations_at_a_point_is_refused_in_words(whole):
    model = compile_model(Coupled({"a": whole}, []))
    with pytest.raises(ModelError, match="run as a whole") as refused:
        model.rate(0.0, model.x0, model.u0, model.p0)
    assert refused.value.code == "model-foreign"


def test_a_what_if_of_an_area_halves_its_step_until_the_coupling_no_longer_matters(tmp_path):
    folder = plant(tmp_path / "plant", lag(tmp_path, "CoSimulation"))
    file = folder / "plant.yaml"
    file.write_text(file.read_text() + TWO)
    assert [p.message for p in model_problems(load(folder), folder, evaluate=False)] == []
    with gemel.open(folder) as twin:
        told = twin.whatif(AREA, "heater-1/u=+60", horizon="10min", members=4, points=5).told
    assert told["converged"]
    at = [w["name"] for w in told["watch"]].index("heater-2/x")
    assert told["futures"][1]["bands"][at][2][-1] - told["futures"][0]["bands"][at][2][-1] == pytest.approx(60 * (1 - 6 * np.exp(-5)), abs=0.5)


def test_a_fit_of_an_area_finds_what_its_second_machine_has(tmp_path):
    folder = plant(tmp_path / "plant", lag(tmp_path, "CoSimulation"))
    file = folder / "plant.yaml"
    file.write_text(file.read_text() + TWO)
    machine, rng = machine_of(load(folder), AREA), np.random.default_rng(1)
    u = ZERO + np.repeat(rng.uniform(20, 90, 4), 20)[:, None]
    theirs = compile_model(System({n: Lag() for n in ("heater-1", "heater-2")}, [("heater-1/x", "heater-2/u")]))
    x, _ = trajectory(theirs, X[:2] + 20, u, np.array([120.0, 1.0, 90.0, 1.0]), 10.0, substeps=4)
    shown = {"heater-1/x": x[:, 0], "heater-2/u": x[:, 0], "heater-2/x": x[:, 1]}
    y = np.stack([np.asarray(shown[n]) for n in machine.model.outputs], 1) + 0.1 * rng.standard_normal((80, 3))
    found = calibrate(machine, ["heater-2/lag"], [Record(10.0, u, y, np.ones(y.shape))], settings=Settings(starts=1, candidates=2))
    fitted = found.fit.parameters["heater-2/lag"]
    assert fitted.low < 90.0 < fitted.high
    assert fitted.value == pytest.approx(90.0, rel=0.02)


@pytest.mark.parametrize(("how", "words"), [({}, "cannot save its state"), ({"saves": True}, "the parameter 'heater-1/gain' is to be followed, and models/lag.fmu calls it fixed")])
def test_an_area_that_cannot_be_followed_is_told_by_line(tmp_path, how, words):
    folder = plant(tmp_path / "plant", lag(tmp_path, "CoSimulation", **how), head=HEAD, **FOLLOWED)
    file = folder / "plant.yaml"
    file.write_text(file.read_text() + TWO + "estimates: {hall: {}}\n")
    told = [p for p in model_problems(load(folder), folder, evaluate=False) if p.severity == "error"]
    line = file.read_text().split("\n").index("estimates: {hall: {}}") + 1
    assert any(p.line == line and words in p.message for p in told), told
