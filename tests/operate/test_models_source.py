"""What a what-if follows from names the code of a model of one's own, and a process never computes with other code than was named."""

import asyncio
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from life_kit import Remembered
from own_tank_kit import TANK

from gemel.assets import load
from gemel.errors import ModelError
from gemel.estimate.record import Record
from gemel.operate import calibrate_job, calibrating, jobs, life, life_law, life_record, models_source, whatif
from gemel.operate.foretelling import Foretelling
from gemel.operate.jobs import digest
from gemel.operate.machine import machine_of
from gemel.operate.models_source import sources

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


def test_what_a_rewritten_model_declares_is_shown_at_once_by_who_answers_people(path, monkeypatch):
    monkeypatch.setattr(models_source, "LOOK_S", 0.0)
    model = "tank_that_is_shown:Tank"
    (path / "plant.yaml").write_text(PLANT % model)
    (path / "tank_that_is_shown.py").write_text(TANK)
    plant = load(path)

    def highest():
        return whatif.begin(plant, "a/b/x", {})["quantities"]["parameters"]["area"]["high"]

    assert highest() == 10.0
    (path / "tank_that_is_shown.py").write_text(TANK.replace("high=10.0", "high=7.5"))
    assert highest() == 7.5


FITTED = """plant: a/b
types:
  T:
    dynamics: '%s'
    signals: {level: {unit: m}, inflow: {unit: m3/s, interval: 1 min}}
    parameters: {area: {unit: m2, default: 2, calibrate: true, range: [0.1, 10]}}
    degradation: {silt: {state: level, threshold: 4 m, unit: m, drives: {load: inflow}}}
assets: {x: {type: T}}
"""


def fitted(path, model):
    (path / "plant.yaml").write_text(FITTED % model)
    return load(path)


def test_a_calibration_names_the_code_of_its_model_and_so_does_what_it_releases(path):
    model = "tank_that_is_fitted:Tank"
    (path / "tank_that_is_fitted.py").write_text(TANK)
    plant, wish = fitted(path, model), calibrate_job.wish({"starts": 1})
    before = calibrate_job.spec(machine_of(plant, "a/b/x"), wish, (0, 1), "d")
    assert before["versions"]["models"] == sources(model)
    machine = machine_of(plant, "a/b/x")
    u = np.repeat([0.01, 0.02, 0.005, 0.03], 25)[:, None]
    record = Record(60.0, u, 1.0 + np.cumsum(60.0 * (u - 0.01), axis=0) / 3.0, np.ones((100, 1)))
    found = calibrating.calibrate(machine, ("area",), [record], settings=calibrating.Settings(starts=1))
    assert calibrating.released_body(found, ["f.csv"])["models"] == sources(model)

    (path / "tank_that_is_fitted.py").write_text(TANK.replace("u.inflow - 0.01", "u.inflow - 0.3"))
    after = calibrate_job.spec(machine_of(plant, "a/b/x", computing=False), wish, (0, 1), "d")
    assert digest("calibrate", after) != digest("calibrate", before)
    with pytest.raises(ModelError, match="changed") as e:
        calibrate_job.run({**after, "bytes": b""}, lambda done: True)
    assert e.value.code == "model-changed"


def test_a_life_names_the_code_of_its_model_and_is_foretold_anew_by_a_rewritten_one(path, monkeypatch):
    monkeypatch.setattr(models_source, "LOOK_S", 0.0)
    model = "tank_that_silts:Tank"
    (path / "tank_that_silts.py").write_text(TANK)
    twin = Remembered(fitted(path, model), {"inflow": np.full(3000, 0.01)})
    now = 1_767_225_600 * 10**9 + 3000 * 60 * 10**9

    def asked():
        (one,) = life_law.wearing(twin.plant, "a/b/x", "silt")
        return json.loads(json.dumps(asyncio.run(life_record.spec(twin, one, {}, now))))

    before = asked()
    assert life.run(before, lambda done: True)["versions"]["models"] == sources(model)

    n, made = len(twin.registry), []
    twin.values = SimpleNamespace(time=np.full(n, now), seen=np.ones(n, bool), plant_time=now + 10**12)
    twin.jobs = SimpleNamespace()

    async def listed(kind):
        return [jobs.Job(asked=jobs.Asked(id="0" * 20, kind="life", title="", by="gemel", made=0, spec=before), state="done")]

    async def ask(kind, spec, title, by):
        made.append(spec)
        raise ModelError("seen")

    twin.jobs.listed, twin.jobs.ask = listed, ask
    assert asyncio.run(Foretelling(twin).look()) == 0 and not made  # it is not due, by the code that it was made with
    (path / "tank_that_silts.py").write_text(TANK.replace("0.01 * x.level", "0.02 * x.level"))
    after = asked()
    assert digest("life", after) != digest("life", before)
    with pytest.raises(ModelError) as e:
        life.run(after, lambda done: True)
    assert e.value.code == "model-changed"
    with pytest.raises(ModelError, match="seen"):
        asyncio.run(Foretelling(twin).look())
    assert made[0]["versions"]["models"] == sources(model)
