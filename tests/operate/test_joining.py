"""An area of a plant is one dynamic model: what its relations join is what a hand-made system joins, bit for bit."""

from pathlib import Path

import numpy as np
import pytest

from gemel.assets import check, load
from gemel.dynamics import compile_model
from gemel.dynamics.components import ControlValve, PumpSet, Tank
from gemel.dynamics.system import System
from gemel.errors import ModelError, NotFoundError
from gemel.operate import whatif
from gemel.operate.joining import bind_any, members, parts_of
from gemel.operate.models import compiled

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/pumping-line"
LINE = "example/pumping/line-1"
PLANT = """
plant: a/b
types:
  Motor: {dynamics: "gemel.dynamics.components:InductionMotor"}
  Pump: {dynamics: "gemel.dynamics.components:CentrifugalPump"}
  Pipe: {dynamics: "gemel.dynamics.components:SteadyPipe"}
  Exchanger: {dynamics: "gemel.dynamics.components:Tank"}
  Town: {signals: {flow: {unit: m3/h}}}
assets:
  m: {type: Motor, at: x}
  "p:1": {type: Pump, at: x}
  t: {type: Town, at: x}
  pipe: {type: Pipe, at: x}
  t-2: {type: Exchanger, at: y}
  t-3: {type: Town, at: z}
"""


def plant(folder, *relations, more=""):
    (folder / "plant.yaml").write_text(PLANT + more + "relations: [" + ", ".join(f'"{r}"' for r in relations) + "]\n")
    return load(folder)


def joints(described, asked="a/b/x"):
    return parts_of(described, members(described, asked)).joints


def test_the_example_is_the_system_made_by_hand_bit_for_bit():
    bound = bind_any(load(EXAMPLE), LINE)
    ours = compiled(bound.reference)
    hand = compile_model(System(
        {"pump-1": PumpSet(), "pump-2": PumpSet(), "tank": Tank(), "valve": ControlValve()},
        [("pump-1/discharge", "tank/inlet"), ("pump-2/discharge", "tank/inlet"), ("tank/outlet", "valve/inlet")],
    ))  # fmt: skip
    assert (ours.states, ours.inputs, ours.outputs, ours.parameters) == (hand.states, hand.inputs, hand.outputs, hand.parameters)
    x, u, p = hand.x0 * 0.97, hand.u0 * 1.01, hand.p0
    assert np.array_equal(ours.rate(0.0, x, u, p), hand.rate(0.0, x, u, p))
    assert np.array_equal(ours.observe(0.0, x, u, p), hand.observe(0.0, x, u, p))
    assert "tank/inflow" not in ours.inputs and "tank/inflow" in ours.outputs
    seen = {b.name: b for b in bound}
    assert (seen["pump-2/speed_setpoint"].path, seen["pump-2/speed_setpoint"].unit) == (f"{LINE}/pump-2/setpoint", "rpm")
    assert seen["pump-1/ambient_temperature"].value == pytest.approx(290.15)
    assert compiled(bound.reference) is ours, "compiled once"


def test_a_what_if_about_an_area_begins_with_what_each_of_its_assets_shows(tmp_path):
    described = load(EXAMPLE)
    begun = whatif.begin(described, LINE, {f"{LINE}/pump-1/setpoint": (2000.0, "rpm"), f"{LINE}/tank/level": (3.0, "m")})
    inputs, states = begun["quantities"]["inputs"], begun["quantities"]["states"]
    assert inputs["pump-1/speed_setpoint"]["value"] == pytest.approx(209.44, rel=1e-4)
    assert (inputs["pump-2/speed_setpoint"]["source"], states["tank/level"]["value"]) == ("model", 3.0)
    assert begun["calibrated"] == ["pump-1/wear", "pump-2/wear"]
    assert begun["versions"] == dict.fromkeys((f"{LINE}/{a}" for a in ("pump-1", "pump-2", "tank", "valve")), 0)
    question = {"scenarios": [{"name": "s", "changes": [{"of": "valve/position_setpoint", "how": "set", "value": 90.0, "unit": "%"}]}],
                "horizon_s": 600.0, "members": 4, "points": 3, "watch": ["tank/level"], "kpis": [{"name": "l", "statistic": "last", "of": "tank/level"}]}  # fmt: skip
    found = whatif.run(whatif.spec(begun, question, "2026-01-01T00:00:00Z", described), lambda done: True)
    lower = found["futures"][1]["differences"]["l"]
    assert lower["mean"] < 0 and lower["clear"]
    assert [f["failed"] + f["unsolved"] for f in found["futures"]] == [0, 0]


def test_assets_can_be_named_together_and_one_alone_is_itself():
    described = load(EXAMPLE)
    assert members(described, f"{LINE}/pump-1+{LINE}/tank") == [f"{LINE}/pump-1", f"{LINE}/tank"]
    assert "level" in {b.name for b in bind_any(described, f"{LINE}/tank").states}
    with pytest.raises(NotFoundError):
        members(described, "example/pumping/line-9")


def test_ports_are_joined_by_kind_and_named_where_that_is_not_enough(tmp_path):
    drives = "relation_types: {drives: {joins: [shaft, shaft]}}\n"
    assert joints(plant(tmp_path, "m drives p:1", "p:1 feeds pipe", more=drives)) == (("m/shaft", "p:1/shaft"), ("p:1/discharge", "pipe/inlet"))
    assert joints(plant(tmp_path, "pipe fed_by p:1")) == (("pipe/inlet", "p:1/discharge"),)
    assert joints(plant(tmp_path, "m feeds p:1")) == (("m/shaft", "p:1/shaft"),), "of one kind only"
    assert joints(plant(tmp_path, "m beside p:1", "pipe feeds t")) == ()
    assert joints(plant(tmp_path, "m:shaft moves p:1:shaft")) == (("m/shaft", "p:1/shaft"),)
    assert joints(plant(tmp_path, "p:1:torque tells m:load_torque")) == (("p:1/torque", "m/load_torque"),)


def test_what_is_not_unique_or_has_no_model_is_said(tmp_path):
    from gemel.dynamics.declare import Quantity
    from gemel.dynamics.declared import Declared
    from gemel.dynamics.ports import Port
    from gemel.operate.joining import joined_by

    q = {"a": Quantity("Pa"), "b": Quantity("Pa")}
    two = Declared({}, {}, q, {}, {"hot": Port("hydraulic", "a"), "cold": Port("hydraulic", "b")})
    one = Declared({}, {"a": q["a"]}, {}, {}, {"inlet": Port("hydraulic", "a")})
    described = plant(tmp_path, "p:1 feeds pipe", "p:1:hot feeds pipe")
    relation = described.relations[0]
    with pytest.raises(ModelError, match="could join hot to inlet or cold to inlet") as e:
        list(joined_by(described, ("a/b/x/m", "feeds", "a/b/x/pipe"), two, one))
    assert "m:hot feeds pipe:inlet" in e.value.remedy
    assert described.ports[relation] == (("", ""), ("hot", ""))
    assert list(joined_by(described, ("a/b/x/m", "likes", "a/b/x/pipe"), two, one)) == []
    with pytest.raises(NotFoundError, match="nothing in a/b/z has a dynamic model"):
        members(described, "a/b/z")


def test_a_relation_of_an_unknown_asset_still_dangles(tmp_path):
    (tmp_path / "plant.yaml").write_text(PLANT + 'relations: ["m:shaft drives q:shaft"]\n')
    found, problems = check(tmp_path)
    assert found is None and any("there is no asset 'q'" in p.message for p in problems)


def test_a_joint_that_does_not_fit_is_told_by_line(tmp_path):
    from gemel.operate.models_check import model_problems

    described = plant(tmp_path, "p:1:discharge feeds pipe:nozzle")
    (found,) = [p for p in model_problems(described, tmp_path, evaluate=False) if p.severity == "error"]
    assert (found.line, "no port, input or output 'nozzle'" in found.message) == (16, True), found
