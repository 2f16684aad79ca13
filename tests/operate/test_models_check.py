"""`gemel check` tells what is wrong with a dynamic model, by file and line; one that hangs is told too."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from gemel.assets import check
from gemel.errors import ModelError
from gemel.operate import models, models_check
from gemel.operate.models_check import model_problems

PLANT = """plant: acme/site
types:
  Tank:
    dynamics: {reference}
    signals:
      level: {{unit: cm, range: [0, 400], interval: 1 s}}
      inflow: {{unit: {inflow}, range: [0, 100], interval: 1 s}}
    parameters:
      area: {{unit: m2, default: {area}}}
      {other}: {{unit: "1", default: 1}}
assets:
  tank-1: {{type: Tank, at: area-1}}
"""

MODEL = """
from gemel.dynamics import Quantity, maths

class Tank:
    states = {"level": Quantity("m", 1.0, low=0.1, high=4.0)}
    inputs = {"inflow": Quantity("m3/s", 0.01), "leak": Quantity("m3/s", 0.002)}
    outputs = {"outflow": Quantity("m3/s")}
    parameters = {"area": Quantity("m2", 2.0, low=0.1, high=10.0), "factor": Quantity("1", 1.0)}

    def derivative(self, t, x, u, p):
        return {"level": (u.inflow - u.leak) / p.area}

    def output(self, t, x, u, p):
        return {"outflow": p.factor * u.leak}

class Wrong(Tank):
    def derivative(self, t, x, u, p):
        return {"level": u.inflow}

class Rpm(Tank):
    inputs = {"inflow": Quantity("m3/h")}

class Killed(Tank):
    def __init__(self):
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)

class Endless(Tank):
    def __init__(self):
        while True:
            pass

class Waiting(Tank):
    def __init__(self):
        import threading
        threading.Event().wait()

class EndlessRate(Tank):
    def derivative(self, t, x, u, p):
        while True:
            pass

class Switch(Tank):
    def output(self, t, x, u, p):
        return {"outflow": maths.where(x.level > 2.0, u.leak, 0.0)}
"""


@pytest.fixture
def looked(tmp_path):
    (tmp_path / "own_models_of_test.py").write_text(MODEL)

    def look(name, *options, inflow="m3/h", area="2", other="factor"):
        folder = tmp_path / f"{name}{inflow}{area}".replace("/", "")
        folder.mkdir(exist_ok=True)
        (folder / "plant.yaml").write_text(PLANT.format(reference=f"own_models_of_test:{name}", inflow=inflow, area=area, other=other))
        paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-m", "gemel", "check", str(folder), "--json", "--data", str(tmp_path), *options],
            capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths},
        )
        report = json.loads(done.stdout)
        return done.returncode, [(p["line"], p["severity"], p["message"]) for p in report["problems"] if p["line"] < 11]

    return look


def test_a_model_that_fits_its_plant_file_is_right(looked):
    assert looked("Tank") == (0, [])
    code, problems = looked("Tank", "--models")
    assert code == 0
    assert problems == [(4, "warning", "the model's input 'leak' has no signal: 0.002 m3/s is taken")]


def test_units_ranges_and_names_that_do_not_fit_are_told_by_line(looked):
    code, problems = looked("Tank", inflow="kg/h", area="20", other="faktor")
    assert code == 1
    assert (7, "error", "signal 'inflow' is in kg/h, the model's input of that name in m3/s") in problems
    assert (9, "error", "the default of 'area', 20 m2, is impossible in the model: 0.1 to 10 m2") in problems
    assert (10, "warning", "the model has no parameter 'faktor'") in problems


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Nothing", "no dynamic model 'own_models_of_test:Nothing'"),
        ("Rpm", "input 'inflow': m3/h is no coherent SI unit"),
        ("Killed", "its process was ended by SIGKILL"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_told_at_the_line_that_names_it(looked, name, words):
    code, problems = looked(name)
    assert code == 1
    errors = [p for p in problems if p[1] == "error"]
    assert errors[0][0] == 4
    assert words in errors[0][2], errors


@pytest.fixture
def hurried(tmp_path, monkeypatch):
    """Models of one's own, met with so little time that waiting for it is no burden; the reference of one of them."""
    module = f"models_of_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(MODEL)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    for name, time_s in (("DECLARED", 4.0), ("EVALUATED", 8.0)):
        for where in (models, models_check):
            monkeypatch.setattr(where, name, replace(getattr(models, name), time_s=time_s))
    return lambda name: f"{module}:{name}"


@pytest.mark.parametrize("name", ["Endless", "Waiting"])
def test_a_model_that_never_ends_to_be_made_is_refused_and_the_twin_goes_on(hurried, name):
    assert "level" in models.declared(hurried("Tank")).states, "the time is enough for one that ends"
    with pytest.raises(ModelError, match=f"{name}: it did not end within 4 s") as refused:
        models.declared(hurried(name))
    assert refused.value.code == "model-refused"


def test_gemel_check_tells_a_model_that_never_ends_at_the_line_that_names_it(hurried, tmp_path):
    (tmp_path / "plant.yaml").write_text(PLANT.format(reference=hurried("Endless"), inflow="m3/h", area="2", other="factor"))
    plant, problems = check(tmp_path)
    assert plant is not None, problems
    (found,) = [p for p in model_problems(plant, tmp_path, evaluate=False) if p.severity == "error"]
    assert (found.line, "did not end within 4 s" in found.message) == (4, True), found


def test_equations_that_never_end_are_stopped_before_anybody_computes_with_them(hurried):
    assert models.declared(hurried("EndlessRate")).outputs, "what it declares is well"
    with pytest.raises(ModelError, match="EndlessRate: it did not end within 8 s|SIGXCPU"):
        models.compiled(hurried("EndlessRate"))


def test_a_model_that_jumps_is_refused(looked):
    code, problems = looked("Switch", "--models")
    assert code == 1
    assert [p[:2] for p in problems if "output 'outflow' jumps by 0.00" in p[2]] == [(4, "error")], problems


def test_equations_are_looked_at_when_asked_for(looked):
    code, problems = looked("Wrong", "--models")
    assert code == 1
    assert any("the rate of 'level' comes out in m3.s-1, declared is m.s-1" in p[2] for p in problems), problems
    assert looked("Wrong")[0] == 0


ESTIMATED = """plant: acme/site
connections: {field: {mqtt: "mqtt://127.0.0.1:1883"}}
types:
  Tanks:
    dynamics: gemel.dynamics.components.cascaded_tanks:CascadedTanks
    estimates: {noise: {NOISE}}
    signals:
      pump: {unit: V, from: field, topic: pump}
      lower: {unit: LOWER, from: field, topic: lower, estimated: {dynamics: true}}
      NAME: {unit: UNIT, dynamics: true}
assets:
  rig: {type: Tanks, at: area-1}
"""


@pytest.mark.parametrize(("noise", "lower", "name", "unit", "line", "words"), [
    ("upper: 1 mV", "V", "uper", "V", 10, "the model gives no 'uper'"),
    ("upper: 1 mV", "V", "k1", "m", 10, "'k1' is in m, the model's parameter in"),
    ("k2: 1", "V", "upper", "V", 6, "no state of the model"),
    ("upper: 1 m", "V", "upper", "V", 6, "the noise of 'upper'"),
    ("upper: 1 mV", "m3", "upper", "V", 9, "'lower' is in m3"),
])  # fmt: skip
def test_estimates_that_a_model_cannot_give_are_told_by_line(tmp_path, noise, lower, name, unit, line, words):
    text = ESTIMATED
    for word, given in (("NOISE", noise), ("LOWER", lower), ("NAME", name), ("UNIT", unit)):
        text = text.replace(word, given)
    (tmp_path / "plant.yaml").write_text(text)
    plant, problems = check(tmp_path)
    assert plant is not None, problems
    found = [p for p in model_problems(plant, tmp_path, evaluate=False) if p.severity == "error"]
    assert {(p.line, words in p.message) for p in found} == {(line, True)}
    assert found[0].remedy


@pytest.mark.parametrize(("few", "words"), [
    ("states: [uper]", "no 'uper' among its states"), ("sensors: [lower, uper]", "no 'uper' among its sensors"),
    ("states: [lower]", "'upper' is told and not followed"),
])  # fmt: skip
def test_states_and_sensors_that_are_chosen_wrongly_are_told_by_line(tmp_path, few, words):
    text = ESTIMATED.replace("{noise: {NOISE}}", f"{{{few}}}").replace("LOWER", "V").replace("NAME", "upper").replace("UNIT", "V")
    (tmp_path / "plant.yaml").write_text(text)
    plant, problems = check(tmp_path)
    assert plant is not None, problems
    found = [p for p in model_problems(plant, tmp_path, evaluate=False) if p.severity == "error"]
    assert any(p.line == 6 and words in p.message and p.remedy for p in found), found


WORN = '''
from gemel.dynamics import Quantity

class Wheel:
    states = {"worn": Quantity("1", 0.01, low=0.0, high=0.5), "speed": Quantity("rad/s", 200.0, low=0.0, high=300.0)}
    inputs = {"told": Quantity("rad/s", 200.0, low=0.0, high=300.0)}
    outputs = {"head": Quantity("m")}
    parameters = {"wear": Quantity("1", 0.0, low=0.0, high=0.5), "shutoff": Quantity("m", 30.0, low=1.0, high=90.0), "lag": Quantity("s", 5.0, low=1.0)}

    def derivative(self, t, x, u, p):
        return {"worn": 1e-9 * x.speed, "speed": (u.told - x.speed) / p.lag}

    def output(self, t, x, u, p):
        return {"head": p.shutoff * (1.0 - p.wear - x.worn) * x.speed / 200.0}
'''
WHEEL = """plant: acme/site
types:
  Wheel:
    dynamics: worn_model:Wheel
    calibration: {CALIBRATION}
    signals:
      told: {unit: rad/s, range: [0, 300], interval: 1 s}
      head: {unit: m, range: [0, 90], interval: 1 s, accuracy: 10 mm}
      twice: {unit: m, derived: head * 2}
    parameters:
      wear: {unit: "1", default: 0, calibrate: true}
      shutoff: {unit: m, default: 30, calibrate: true}
assets:
  wheel-1: {type: Wheel, at: area-1}
"""


def test_a_calibrated_parameter_that_is_one_number_with_a_state_is_told_and_so_is_what_a_fit_cannot_listen_to(tmp_path, monkeypatch):
    (tmp_path / "worn_model.py").write_text(WORN)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def found(calibration, evaluate):
        (tmp_path / "plant.yaml").write_text(WHEEL.replace("{CALIBRATION}", calibration))
        plant, problems = check(tmp_path)
        assert plant is not None, problems
        return [(p.severity, p.line, p.message, p.remedy) for p in model_problems(plant, tmp_path, evaluate)]

    (told,) = found("{sensors: [head], running: {told: 60 rpm}}", True)
    assert told[:2] == ("warning", 11) and told[2].startswith("'wear' is marked calibrate and is one number with the model's state 'worn'")
    assert told[3] == "take calibrate off wear: worn follows the machine, by estimates:"
    wrong = found("{sensors: [heat, worn], running: {twice: 3 m}}", False)
    assert {(severity, message) for severity, _, message, _ in wrong} == {
        ("error", "the model has no 'heat' among its states and outputs"), ("error", "nothing reads 'worn'"),
        ("error", "'twice' is no input of the model, nor a sensor that the fit listens to"),
    }  # fmt: skip
