"""The one binding of a plant file to a model: names, units, and parameters, the released version before the file's."""

import os

import numpy as np
import pytest

from gemel.assets import check, load
from gemel.errors import ModelError, NotFoundError
from gemel.operate import whatif
from gemel.operate.binding import bind
from gemel.operate.machine import machine_of, parameters_from
from gemel.operate.models import declared
from gemel.samples import Fact
from gemel.twin.releases import Releases

PLANT = """
plant: a/b
types:
  Tank:
    dynamics:
      model: gemel.dynamics.components:Tank
      names: {level: height, inflow_temperature: feed_temperature, area: surface}
    signals:
      height: {unit: cm, range: [0, 1000]}
      inflow: {unit: m3/h}
      temperature: {unit: degC}
    parameters:
      surface: {unit: m2, default: 50, calibrate: true, range: [10, 100]}
      rim: {unit: cm}
      feed_temperature: {unit: degC, default: 12}
assets: {t: {type: Tank, parameters: {rim: 900}}}
"""
FOREIGN = """
import os, signal
from gemel.dynamics import Quantity
class Fine:
    states = {"level": Quantity("m", 1.0)}
    inputs = {}
    outputs = {}
    parameters = {"area": Quantity("m2", 2.0)}
    def derivative(self, t, x, u, p): return {"level": 0.0 * p.area / p.area}
    def output(self, t, x, u, p): return {}
class Dies(Fine):
    def __init__(self): os.kill(os.getpid(), signal.SIGKILL)
"""


def plant(folder, text=PLANT):
    folder.mkdir(exist_ok=True)
    (folder / "plant.yaml").write_text(text)
    return load(folder)


def released(at, **values):
    fact = Fact(seq=7, id="r", kind="ParametersReleased", at=at, recorded=at, actor="x", subject="a/b/t", body={"values": values})
    return Releases().take_all([fact])


def by_name(bound):
    return {b.name: b for b in bound}


def test_names_that_differ_are_mapped_and_units_become_si(tmp_path):
    found = by_name(bind(plant(tmp_path), "a/b/t"))
    assert (found["level"].path, found["level"].source) == ("a/b/t/height", "signal")
    assert found["level"].si(250.0) == pytest.approx(2.5) and found["level"].plain(2.5) == pytest.approx(250.0)
    assert (found["area"].value, found["area"].source, found["area"].high) == (50.0, "plant file", 100.0)
    assert found["rim"].value == pytest.approx(9.0)
    assert found["inflow_temperature"].value == pytest.approx(285.15), "a parameter of the plant file may give an input"
    assert (found["ambient_temperature"].source, found["ambient_temperature"].path) == ("model", "")


def test_the_released_version_comes_before_the_plant_file_and_only_since_it_was_released(tmp_path):
    described, releases = plant(tmp_path), released(100, area=62.0, rim=800.0)
    now = bind(described, "a/b/t", releases)
    found = by_name(now.parameters)
    assert (found["area"].value, found["area"].source, now.versions) == (62.0, "release", {"a/b/t": 1})
    assert found["rim"].value == pytest.approx(8.0), "in the units of the plant file"
    before = bind(described, "a/b/t", releases, at=99)
    assert (by_name(before.parameters)["area"].value, before.versions) == (50.0, {"a/b/t": 0})
    machine = machine_of(described, "a/b/t", releases)
    assert parameters_from(machine, machine.p)["area"] == pytest.approx(62.0)


def test_a_what_if_begins_with_what_is_released_and_tells_units_of_the_plant(tmp_path):
    described = plant(tmp_path)
    shown = {"height": (250.0, "cm"), "temperature": (20.0, "degC")}
    begun = whatif.begin(described, "a/b/t", shown, released(1, area=62.0))
    level, area = begun["quantities"]["states"]["level"], begun["quantities"]["parameters"]["area"]
    assert (level["value"], level["source"], level["shown_unit"]) == (pytest.approx(2.5), "signal", "cm")
    assert (level["value"] - level["offset"]) / level["scale"] == pytest.approx(250.0)
    assert (area["value"], area["source"]) == (62.0, "release")
    spec = whatif.spec(begun, {"scenarios": [{"name": "s"}]}, "2026-01-01T00:00:00Z", described)
    assert spec["versions"]["parameters"] == {"a/b/t": 1} and spec["start"]["parameters"]["area"] == 62.0


def test_a_machine_keeps_what_is_measured_and_holds_the_rest(tmp_path):
    text = PLANT.replace("signals:", "signals:\n      volume: {unit: L}")
    machine = machine_of(plant(tmp_path, text), "a/b/t")
    assert machine.model.inputs == ("inflow",) and machine.model.outputs == ("level", "temperature", "volume")
    assert machine.held["inflow_temperature"] == pytest.approx(285.15)
    x, u = np.array([2.0, 285.0]), np.array([0.03])
    assert np.asarray(machine.model.observe(0.0, x, u, machine.p)) == pytest.approx([2.0, 285.0, 100.0])
    assert np.asarray(machine.model.rate(0.0, x, u, machine.p))[0] == pytest.approx((0.03 - 0.02) / 50.0, rel=1e-3)


def test_what_measures_something_else_is_refused(tmp_path):
    with pytest.raises(ModelError, match="a/b/t/height is in kg, 'level' of its model in m") as e:
        bind(plant(tmp_path, PLANT.replace("height: {unit: cm, range: [0, 1000]}", "height: {unit: kg}")), "a/b/t")
    assert e.value.code == "model-unit"
    with pytest.raises(NotFoundError, match="no dynamic model") as e:
        bind(plant(tmp_path, "plant: a/b\ntypes: {T: {signals: {x: {unit: m}}}}\nassets: {rig: {type: T}}"), "a/b/rig")
    assert e.value.code == "no-dynamics"


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("level: height", "level: hight"), 7, "'level' of the model means 'hight', which is no signal or parameter of the type"),
        (("names:", "nams:"), 7, "unknown key 'nams'"),
        (("model: gemel.dynamics.components:Tank", "names: {}"), 7, "'names' stands here twice"),
    ],
)
def test_a_mapping_that_means_nothing_is_told_by_line(tmp_path, change, line, words):
    (tmp_path / "plant.yaml").write_text(PLANT.replace(*change))
    found, problems = check(tmp_path)
    assert found is None
    assert any(p.line == line and words in p.message for p in problems), problems


def test_a_foreign_model_is_never_run_where_people_are_answered(tmp_path, monkeypatch):
    (tmp_path / "foreign_of_binding_test.py").write_text(FOREIGN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    text = "plant: a/b\ntypes: {T: {dynamics: 'foreign_of_binding_test:%s', signals: {level: {unit: cm}}}}\nassets: {x: {type: T}}"
    begun = whatif.begin(plant(tmp_path, text % "Fine"), "a/b/x", {"level": (50.0, "cm")})
    assert begun["quantities"]["states"]["level"]["value"] == pytest.approx(0.5)
    assert declared("foreign_of_binding_test:Fine").parameters["area"].start == 2.0
    with pytest.raises(ModelError, match="SIGKILL") as e:
        whatif.begin(plant(tmp_path, text % "Dies"), "a/b/x", {})
    assert e.value.code == "model-refused"
    with pytest.raises(ModelError, match="no dynamic model") as e:
        whatif.begin(plant(tmp_path, text % "Gone"), "a/b/x", {})
    assert e.value.code == "unknown-model"
