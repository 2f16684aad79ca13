"""What a what-if follows from names the code of a model of one's own, and a process never computes with other code than was named."""

import os
import subprocess
import sys

import pytest

from gemel.assets import load
from gemel.errors import ModelError
from gemel.operate import whatif
from gemel.operate.jobs import digest
from gemel.operate.models_source import sources

TANK = """
from gemel.dynamics import Quantity

class Tank:
    states = {"level": Quantity("m", 1.0, low=0.1, high=4.0)}
    inputs = {"inflow": Quantity("m3/s", 0.01)}
    outputs = {"outflow": Quantity("m3/s")}
    parameters = {"area": Quantity("m2", 2.0, low=0.1, high=10.0)}

    def derivative(self, t, x, u, p):
        return {"level": (u.inflow - 0.01 * x.level) / p.area}

    def output(self, t, x, u, p):
        return {"outflow": 0.01 * x.level}
"""
PLANT = "plant: a/b\ntypes: {T: {dynamics: '%s', signals: {level: {unit: m}}}}\nassets: {x: {type: T}}"


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return tmp_path


def spec(path, model):
    (path / "plant.yaml").write_text(PLANT % model)
    plant = load(path)
    begun = whatif.begin(plant, "a/b/x", {"level": (1.0, "m")})
    question = {"scenarios": [{"name": "s"}], "horizon_s": 60.0, "step_s": 10.0, "members": 2, "points": 2, "leap": "never"}
    return whatif.spec(begun, question, "2026-11-21T10:00:00Z", plant)


def test_a_rewritten_model_is_another_job_and_is_never_computed_with_its_old_code(path):
    (path / "tank_of_source_test.py").write_text(TANK)
    before = spec(path, "tank_of_source_test:Tank")
    assert digest("whatif", before) == digest("whatif", spec(path, "tank_of_source_test:Tank"))
    first = whatif.run(before, lambda done: True)
    assert first["versions"]["models"] == sources("tank_of_source_test:Tank") and len(first["versions"]["models"]) == 1

    (path / "tank_of_source_test.py").write_text(TANK.replace("u.inflow - 0.01", "u.inflow - 0.3"))
    after = spec(path, "tank_of_source_test:Tank")
    assert digest("whatif", after) != digest("whatif", before)
    with pytest.raises(ModelError, match="changed") as e:  # what was imported stays: this process would give the old result
        whatif.run(after, lambda done: True)
    assert e.value.code == "model-changed"


def test_what_lies_in_the_same_package_belongs_to_the_model_and_nothing_of_it_is_run(path):
    (path / "kit_of_source_test").mkdir()
    (path / "kit_of_source_test" / "__init__.py").write_text("raise SystemExit('it was run')")
    (path / "kit_of_source_test" / "tank.py").write_text(TANK)
    one = sources("kit_of_source_test.tank:Tank")
    (path / "kit_of_source_test" / "laws.py").write_text("G = 9.81")
    assert one and sources("kit_of_source_test.tank:Tank") != one


def test_gemels_own_models_and_fmus_are_named_already():
    assert sources("gemel.bench.station:Station") == {} and sources("pump.fmu@" + 64 * "a") == {}
    assert sources("nobody_has_this_module:Tank") == {}


def test_it_is_the_same_in_every_process(path):
    (path / "tank_of_source_test.py").write_text(TANK)
    asked = "from gemel.operate.models_source import sources; print(*sources('tank_of_source_test:Tank').values())"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    assert [told] == list(sources("tank_of_source_test:Tank").values())
