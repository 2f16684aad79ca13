"""A degradation that is a state of the type's model goes as the model says: a bearing ends where ISO 281 says it does."""

import asyncio
import json

import numpy as np
import pytest
from life_kit import START, Remembered

from gemel.assets import load
from gemel.dynamics import compile_model
from gemel.dynamics.components import RollingBearing
from gemel.errors import ModelError, NotFoundError
from gemel.estimate.slow import Scales, rates
from gemel.operate import life, life_law, life_record
from gemel.operate.life_duty import POINTS, Bend, ruled
from gemel.operate.models_check import model_problems
from gemel.samples import Fact
from gemel.twin.releases import RELEASED

ASSET = "acme/works/bearing-1"
PLANT = """plant: acme/works
types:
  Bearing:
    dynamics: {model: "gemel.dynamics.components:RollingBearing", names: {radial_load: pull}}
    signals:
      speed: {unit: rpm, interval: 1 min}
      pull: {unit: kN, interval: 1 min}
      growl: {unit: "%", interval: 1 min, accuracy: 0.5 %}
    parameters:
      growth: {unit: "1", default: 0}
      contamination: {unit: "%", default: 60 %, calibrate: true}
    degradation:
      raceway: {state: damage, threshold: 1, spread: 1 %, drives: {load: pull}, maintenance: {replace: 0 %, turn: 50 %}, horizon: 10 a}
      heard: {state: damage, indicator: growl, threshold: 100 %, spread: 50 %}
      unknown: {state: bearing_damage, threshold: 1}
      warm: {state: temperature, unit: m, threshold: 1}
  Fed: {dynamics: "gemel.dynamics.components:RollingBearing", signals: {noise: {unit: dB}}, degradation: {raceway: {state: damage, threshold: 1}}}
assets: {bearing-1: {type: Bearing}, bearing-2: {type: Fed}, spalling: {type: Bearing, parameters: {growth: 4}}}
"""
RPM, KN = 300.0 * 30 / np.pi, 6.0
MODEL = compile_model(RollingBearing())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bearing")
    (folder / "plant.yaml").write_text(PLANT)
    return folder


@pytest.fixture(scope="module")
def plant(folder):
    return load(folder)


def modified_life(kn=KN, contamination=0.6):
    """Modified life of ISO 281 [s] at 300 rad/s, where friction, which does not depend on temperature, is what cools."""
    u, x, p = MODEL.u0.copy(), MODEL.x0.copy(), MODEL.with_parameters({"contamination": contamination})
    u[MODEL.place("inputs", "radial_load")], u[MODEL.place("inputs", "speed")] = 1000.0 * kn, 300.0
    friction = MODEL.outputs.index("friction_power")
    x[MODEL.place("states", "temperature")] = 293.15 + 0.9 * float(MODEL.observe(0.0, x, u, p)[friction])
    return float(MODEL.observe(0.0, x, u, p)[MODEL.outputs.index("modified_life")]) * 2 * np.pi / 300.0


def ran(plant, days=30, pull=KN, **more):
    n = days * 1440
    columns = {"speed": np.full(n, RPM), "pull": np.broadcast_to(pull, n).astype(float), "growl": np.full(n, np.nan)}
    return Remembered(plant, columns | more)


def asked(twin, of="raceway", asset=ASSET, changes=(), maintenance=()):
    changed = [{"name": "changed", "changes": list(changes), "maintenance": list(maintenance)}]
    question = {"scenarios": changed if changes or maintenance else [], "members": 1000, "horizon_s": 3e8}
    (one,) = life_law.wearing(twin.plant, asset, of)
    at = START + len(twin.columns["speed"]) * 60 * 1_000_000_000
    return json.loads(json.dumps(asyncio.run(life_record.spec(twin, one, question, at))))


def test_under_one_load_it_ends_at_its_modified_life(plant):
    spec = asked(ran(plant))
    assert spec["versions"]["parameters"] == 0 and len(spec["state"]["loads"]) == 1 and spec["rate"] is None
    found = ruled(spec)
    assert found.rates[0] == pytest.approx(1.0 / modified_life(), rel=1e-4)
    assert found.told["held"] == [] and found.told["bends"] == pytest.approx(1.0) and found.told["apart"] < 1e-6
    told = life.run(spec, lambda done: True)
    assert told["level"]["value"] == pytest.approx(30 * 86_400 / modified_life(), rel=0.02)
    end = 30 * 86_400 + told["futures"][0]["event"]["q50"]
    assert end == pytest.approx(modified_life(), rel=0.03)
    assert told["state"]["model"].endswith("RollingBearing") and json.dumps(told)


def test_loads_that_alternate_use_it_up_as_palmgren_and_miner_say_and_more_load_does_so_sooner(plant):
    minutes = np.arange(10 * 1440)
    twin = ran(plant, 10, pull=np.where(minutes % 1440 < 0.7 * 1440, 6.0, 9.0))
    spec = asked(twin, changes=[{"of": "load", "how": "scale", "value": 1.15}])
    assert len(spec["state"]["loads"]) == 2
    now, heavier = (np.mean(r) for r in ruled(spec).rates)
    assert now == pytest.approx(0.7 / modified_life(6.0) + 0.3 / modified_life(9.0), rel=1e-4)
    assert heavier == pytest.approx(0.7 / modified_life(6.9) + 0.3 / modified_life(10.35), rel=1e-4)
    difference = life.run(spec, lambda done: True)["differences"][0]
    assert difference["clear"] and difference["earlier"] > 0.99


def test_many_loads_are_put_together_and_little_is_lost(plant):
    rng = np.random.default_rng(0)
    pull, speed = rng.uniform(4.0, 9.0, 30 * 1440), rng.uniform(0.8, 1.2, 30 * 1440) * RPM
    spec = asked(ran(plant, pull=pull, speed=speed))
    assert 100 < len(spec["state"]["loads"]) <= 500
    u = np.tile(MODEL.u0, (len(pull), 1))
    u[:, MODEL.place("inputs", "radial_load")], u[:, MODEL.place("inputs", "speed")] = 1000 * pull, speed * np.pi / 30
    exact = rates(MODEL, Scales(("damage",)), MODEL.x0[None], u, MODEL.p0).mean()  # of every minute
    assert np.mean(ruled(spec).rates[0]) == pytest.approx(exact, rel=5e-3)


def test_a_spalled_raceway_that_spalls_faster_ends_where_the_integral_says(plant):
    twin = ran(plant, 10, 9.0)
    found = ruled(asked(twin, asset="acme/works/spalling"))
    want = modified_life(9.0) * np.log(1 + 4.0) / 4.0  # of dD/dt = (1 + 4 D) / L
    assert 1.0 / found.rates[0][0] == pytest.approx(want, rel=2e-3)
    half = float(found.bend.straight(0.5))
    assert half == pytest.approx(np.log(1 + 4.0 * 0.5) / np.log(5.0), rel=2e-3)
    assert found.bend.back(half) == pytest.approx(0.5) and found.told["bends"] > 4.0
    told = life.run(asked(twin, asset="acme/works/spalling"), lambda done: True)
    assert told["level"]["value"] == pytest.approx(np.expm1(4 * 10 * 86_400 / modified_life(9.0)) / 4, rel=0.03)


def test_parts_of_the_way_and_of_the_time_are_turned_into_each_other_beyond_both_ends_too():
    bend = Bend(np.linspace(1.8, 0.2, POINTS))
    x = np.linspace(-0.3, 1.3, 33)
    assert bend.back(bend.straight(x)) == pytest.approx(x)
    assert bend.straight(np.array([0.0, 1.0])) == pytest.approx([0.0, 1.0]) and np.isnan(bend.straight(np.nan))


def test_what_shows_it_tells_its_pace(plant):
    n, rng = 20 * 1440, np.random.default_rng(1)
    growl = 100.0 * 1.5 * np.arange(n) * 60 / modified_life(10.0) + 0.3 * rng.standard_normal(n)
    told = life.run(asked(ran(plant, 20, 10.0, growl=growl), "heard"), lambda done: True)
    left = modified_life(10.0) / 1.5 - 20 * 86_400
    assert told["futures"][0]["event"]["q05"] < left < told["futures"][0]["event"]["q95"]


def test_a_version_released_is_what_it_goes_by_from_then_on(plant):
    twin = ran(plant)
    body = {"values": {"contamination": 30.0}}
    twin.record = [Fact(seq=1, id="a", kind=RELEASED, at=START, recorded=START, actor="emil", subject=ASSET, body=body, reason="")]
    spec = asked(twin)
    assert spec["versions"]["parameters"] == 1
    assert ruled(spec).rates[0] == pytest.approx(1.0 / modified_life(contamination=0.3), rel=1e-4)


def test_what_cannot_be_is_refused_in_words(plant):
    twin = ran(plant, 1)
    for of, asset, code in (("unknown", ASSET, "unknown-quantity"), ("warm", ASSET, "model-unit"), ("raceway", "acme/works/bearing-2", "no-law")):
        with pytest.raises(ModelError) as e:
            asked(twin, of, asset)
        assert e.value.code == code and e.value.remedy
    with pytest.raises(NotFoundError, match="does not drive"):
        asked(twin, changes=[{"of": "growl", "how": "scale", "value": 2.0}])


def test_the_check_tells_it_by_line_before_anybody_asks(plant, folder):
    lines = PLANT.splitlines()
    found = {(p.severity, lines[p.line - 1].split(":")[0].strip()): p.message for p in model_problems(plant, folder, evaluate=False)}
    assert "no state 'bearing_damage'" in found["error", "unknown"] and "in m, the model's temperature in K" in found["error", "warm"]
    assert "nothing can be foretold" in found["warning", "Fed"]
