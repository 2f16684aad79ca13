"""What wears out is declared on a type: its law, its signals, its threshold; what does not fit is told with its line."""

import pytest
from plants import write

from gemel.assets import check
from gemel.samples.clock import DAY

PLANT = """plant: acme/works
types:
  Pump:
    signals:
      speed: {unit: rpm}
      torque: {unit: N.m}
      running: {kind: state, states: [stopped, running]}
      head_loss: {unit: "%", accuracy: 0.5 %}
    parameters: {rated_speed: {unit: rpm, default: 2900}, wear: {unit: "1"}, rated_torque: {unit: N.m, default: 20}}
    degradation:
      wheel:
        rate: if running then 1.5e-4 * (speed / rated_speed)^3 / 1 h else 0 %/h
        indicator: head_loss
        threshold: 15 %
        start: wear
        drives: {load: torque}
        maintenance: {overhaul: 0 %, polish: 50 %}
        warning: {within: 30 d, probability: 10 %, response: plan an overhaul}
      bearing:
        rate: 1e-5 * (torque / rated_torque)^3 / 1 h
        threshold: 1
        every: 10 min
assets:
  pump-1: {type: Pump}
"""


def read(tmp_path, text=PLANT):
    write(tmp_path, text)
    plant, problems = check(tmp_path)
    return plant, [p for p in problems if p.severity == "error"]


def test_a_degradation_is_a_law_and_the_signals_its_prognosis_is_kept_in(tmp_path):
    plant, problems = read(tmp_path)
    assert problems == []
    wheel, bearing = plant.templates[0].degradations
    assert (wheel.unit, wheel.threshold, wheel.start, wheel.maintenance) == (
        "%",
        15.0,
        "wear",
        {"overhaul": 0.0, "polish": 0.5},
    )
    assert (bearing.unit, bearing.threshold, bearing.every_ns * 144) == ("1", 1.0, DAY)
    kept = {s.name: s for s in plant.templates[0].signals if s.prognosis == "wheel"}
    assert list(kept) == list(wheel.signals.values())
    assert {s.lane for s in kept.values()} == {"estimated"} and not any(s.computed for s in kept.values())
    assert (kept["wheel_life"].unit, kept["wheel_degradation"].unit, kept["wheel_risk"].unit) == (
        "d",
        "%",
        "%",
    )
    registry = plant.registry()
    assert registry.index("acme/works/pump-1/wheel_life", "estimated") >= 0
    assert registry.find("acme/works/pump-1/wheel_life", "measured") is None


def test_its_alarm_never_outranks_one_of_the_plant(tmp_path):
    plant, _ = read(tmp_path)
    (alarm,) = (s.alarm for s in plant.templates[0].signals if s.alarm)
    assert (dict(alarm.limits), dict(alarm.priorities), alarm.response) == (
        {"high": 10.0},
        {"high": 3},
        "plan an overhaul",
    )
    _, problems = read(tmp_path, PLANT.replace("{within: 30 d,", "{priority: 1, within: 30 d,"))
    assert "never outranks" in problems[0].remedy


@pytest.mark.parametrize(
    ("was", "now", "line", "words"),
    [
        ("rate: 1e-5 * (torque / rated_torque)^3 / 1 h", "rate: torque / 1 h", 20, "a number in"),
        ("rate: 1e-5 * (torque / rated_torque)^3 / 1 h", "rate: load / 1 h", 20, "nothing is called 'load'"),
        ("rate: 1e-5 * (torque / rated_torque)^3 / 1 h", "state: bearing_damage", 20, "the type has none"),
        ("        rate: 1e-5 * (torque / rated_torque)^3 / 1 h\n", "", 19, "no law"),
        ("indicator: head_loss", "indicator: head", 13, "no signal 'head'"),
        ("indicator: head_loss", "indicator: running", 13, "is meant"),
        ("threshold: 15 %", "threshold: 0", 14, "same value"),
        ("start: wear", "start: rated_speed", 15, "is meant"),
        ("polish: 50 %", "polish: 150 %", 17, "leaves more"),
        ("{load: torque}", "{load: flow}", 16, "no signal 'flow'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_line(tmp_path, was, now, line, words):
    _, problems = read(tmp_path, PLANT.replace(was, now))
    told = next(p for p in problems if words in p.message)
    assert told.line == line and told.remedy


def test_a_law_that_no_load_drives_is_doubted(tmp_path):
    write(tmp_path, PLANT.replace("1e-5 * (torque / rated_torque)^3 / 1 h", "1e-5 / 1 h"))
    assert any("whatever the load" in p.message for p in check(tmp_path)[1])


def test_an_heir_has_what_its_parent_wears_by(tmp_path):
    plant, problems = read(
        tmp_path,
        PLANT.replace(
            "assets:\n",
            "  Big: {extends: Pump, degradation: {wheel: {threshold: 20 %}}}\nassets:\n  pump-2: {type: Big}\n",
        ),
    )
    assert problems == []
    big = next(t for t in plant.templates if t.type == "Big")
    assert {d.name: d.threshold for d in big.degradations} == {"wheel": 20.0, "bearing": 1.0}
