"""How a type's parameters follow its machines is read in the units of its signals; where nothing is said, every night at two."""

import pytest

from gemel.assets import load
from gemel.assets.spec import Calibrating
from gemel.errors import AssetError
from gemel.operate.recalibrating import following_of

PLANT = """
plant: a/b
types:
  T:
    dynamics: gemel.dynamics.components.cascaded_tanks:CascadedTanks
    %s
    signals: {pump: {unit: mV}, lower: {unit: V, range: [0, 10]}}
    parameters: {k1: {unit: V^0.5/s, calibrate: true}}
assets: {rig: {type: T}}
"""


def read(folder, said="", more=""):
    (folder / "plant.yaml").write_text(PLANT % said + more)
    return load(folder)


def test_every_night_at_two_where_nothing_is_said(tmp_path):
    plant = read(tmp_path)
    assert plant.templates[0].calibration == Calibrating()
    assert following_of(plant) == [(Calibrating(), ["a/b/rig"])]


def test_what_is_said_is_read_in_the_units_of_the_signals(tmp_path):
    said = "calibration: {every: 7 d, at: '05:30', step: 10 s, running: {pump: 1 V, lower: [0.5, 9]}, regimes: {pump: [2 V, 3000]}, promote: person, shadow: 2, most: 5, "
    said += "sensors: [lower], lead: 2 min, hybrid: true}"
    terms = read(tmp_path, said).templates[0].calibration
    day = 86_400_000_000_000
    assert (terms.every_ns, terms.window_ns, terms.at, terms.step_s) == (7 * day, 7 * day, "05:30", 10.0)
    assert terms.running == (("pump", (1000.0, None)), ("lower", (0.5, 9.0))) and terms.regimes == (("pump", (2000.0, 3000.0)),)
    assert (terms.promote, terms.shadow, terms.most) == ("person", 2, 5)
    assert (terms.sensors, terms.lead_s, terms.hybrid) == (("lower",), 120.0, True)


def test_never_is_never_and_so_is_nothing_to_fit_or_no_model(tmp_path):
    assert following_of(read(tmp_path, "calibration: {every: never}")) == []
    (tmp_path / "plant.yaml").write_text((PLANT % "").replace(", calibrate: true", ""))
    assert following_of(load(tmp_path)) == []
    (tmp_path / "plant.yaml").write_text((PLANT % "").replace("dynamics: gemel.dynamics.components.cascaded_tanks:CascadedTanks", ""))
    assert following_of(load(tmp_path)) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [("{every: 10 s}", "every"), ("{at: 25:00}", "at"), ("{running: {speed: 1 V}}", "unknown signal 'speed'"), ("{running: {pump: 1 kg}}", "kg"),
     ("{running: {pump: [3 V, 2 V]}}", "ends before it begins"), ("{regimes: {pump: [3 V, 2 V]}}", "do not ascend"), ("{promote: nobody}", "promote"),
     ("{shadow: -1}", "shadow"), ("{sensors: []}", "sensors"), ("{hybrid: often}", "hybrid"), ("{strange: 1}", "unknown key 'strange'")],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_line(tmp_path, said, words):
    with pytest.raises(AssetError) as told:
        read(tmp_path, f"calibration: {said}")
    assert words in str(told.value)
