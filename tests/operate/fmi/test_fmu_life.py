"""What wears in an FMU for co-simulation is foretold by running it: begun at each level, under each load."""

import asyncio
import json

import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import third
from life_kit import START, Remembered

from gemel.assets import load
from gemel.dynamics import compile_model
from gemel.errors import ModelError
from gemel.operate import life, life_law, life_record
from gemel.operate.fmi import fmu
from gemel.operate.life_duty import ruled
from gemel.operate.life_whole import whole_tables
from gemel.operate.models_check import model_problems

ASSET = "acme/works/drum-1"
PLANT = """plant: acme/works
types:
  Drum:
    dynamics: {fmu: worn.fmu, names: {drive: pull}}
    signals: {pull: {unit: "1", interval: 1 min}}
    parameters: {pace: {unit: "1", default: 0.00000000001}}
    degradation: {rim: {state: wear, unit: "1", threshold: 1, spread: 1 %, horizon: 1 a}}
assets: {drum-1: {type: Drum}}
"""


@pytest.fixture(scope="module")
def drum(tmp_path_factory):
    return third(tmp_path_factory.mktemp("drum"), "WORN").rename(tmp_path_factory.mktemp("plant") / "worn.fmu")


def test_its_rate_is_that_of_its_law_once_its_speed_has_settled_at_each_level_and_load(drum):
    model = compile_model(fmu(drum))
    levels, loads = np.array([0.0, 0.5, 0.9]), np.array([[50.0], [200.0]])
    at = np.column_stack((np.full(3, 100.0), levels))
    (found,) = whole_tables(model, model.place("states", "wear"), at, [loads], np.array([3e-12]))
    assert found == pytest.approx(3e-12 * (1 + 4 * levels[:, None]) * loads[:, 0] ** 2, rel=2e-3)


def test_what_gains_as_much_as_from_a_level_to_the_next_while_all_else_settles_has_no_rate(drum):
    model = compile_model(fmu(drum))
    at = np.column_stack((np.full(2, 100.0), [0.0, 0.1]))
    (found,) = whole_tables(model, model.place("states", "wear"), at, [np.array([[100.0]])], np.array([1e-6]))
    assert np.isnan(found).all()


def test_a_prognosis_by_it_ends_where_the_integral_says(drum):
    (drum.parent / "plant.yaml").write_text(PLANT)
    plant, days = load(drum.parent), 20
    assert [p.message for p in model_problems(plant, drum.parent, False) if p.severity == "error"] == []
    (one,) = life_law.wearing(plant, ASSET, "rim")
    twin = Remembered(plant, {"pull": np.full(days * 1440, 100.0)})
    question = {"scenarios": [], "members": 500, "horizon_s": 3e8}
    spec = json.loads(json.dumps(asyncio.run(life_record.spec(twin, one, question, START + days * 86_400 * 10**9))))
    rate = 1e-11 * 100.0**2
    assert 1.0 / ruled(spec).rates[0][0] == pytest.approx(np.log(5.0) / 4.0 / rate, rel=5e-3)
    told = life.run(spec, lambda done: True)
    assert told["state"]["name"] == "wear" and told["state"]["bends"] > 4.0
    assert told["level"]["value"] == pytest.approx(np.expm1(4 * rate * days * 86_400) / 4, rel=0.05)
    end = days * 86_400 + told["futures"][0]["event"]["q50"]
    assert end == pytest.approx(np.log(5.0) / 4.0 / rate, rel=0.05)


def test_one_that_may_not_be_begun_at_a_level_is_refused_by_line(drum, tmp_path):
    third(tmp_path, "TANK").rename(tmp_path / "worn.fmu")
    (tmp_path / "plant.yaml").write_text(PLANT.replace("names: {drive: pull}", "names: {inflow: pull}").replace("pace:", "area:").replace("state: wear", "state: level"))
    plant = load(tmp_path)
    assert any("no state 'level'" in p.message for p in model_problems(plant, tmp_path, False))
    (one,) = life_law.wearing(plant, ASSET, "rim")
    with pytest.raises(ModelError, match="no such state"):
        asyncio.run(life_record.spec(Remembered(plant, {"pull": np.ones(1440)}), one, {"scenarios": [], "members": 10, "horizon_s": 1e6}, START + 86_400 * 10**9))
