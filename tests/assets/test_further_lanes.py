"""A property may come by several ways: each is a lane, a signal of its own under the same path."""

import numpy as np
import pytest
from plants import HEAD, plant, write

from gemel.assets import check
from gemel.twin.properties import Properties

SOFT = HEAD + """types:
  Pump:
    source: {from: field, topic: "station/{asset}/{signal}", path: "$.value", time: "$.time"}
    signals:
      speed: {unit: rpm, range: [0, 3600]}
      flow:
        unit: m3/h
        range: [0, 400]
        max_rate: 5 m3/h/s
        interval: 1 s
        accuracy: 0.5 m3/h
        alarm: {high: 300}
        estimated: {topic: "soft/{asset}/flow", path: "$.v", unit: l/s, interval: 10 s, accuracy: 1 l/s}
        simulated: {topic: "sim/{asset}/flow"}
assets:
  pump-1: {type: Pump, at: line-1}
  pump-2: {type: Pump, at: line-1, signals: {flow: {estimated: {topic: "other/p2"}, accuracy: 1}}}
"""
FLOW = "acme/riverside/line-1/pump-{}/flow"


@pytest.fixture
def soft(tmp_path):
    return plant(tmp_path, SOFT)


def test_each_lane_is_a_signal_with_a_uid_of_its_own(soft):
    registry = soft.registry()
    numbers = [registry.index(FLOW.format(1), lane) for lane in ("measured", "estimated", "simulated")]
    assert len({registry.row(n)["uid"] for n in numbers}) == 3
    assert {registry.row(n)["unit"] for n in numbers} == {"m3/h"}
    assert registry.index(FLOW.format(1)) == numbers[0]
    table = Properties.of_registry(registry)
    assert table.lanes_of(np.array(numbers[:1])).tolist() == [[-1, *numbers]]


def test_a_lane_has_its_own_source_rhythm_and_unit_and_no_check_of_a_sensor(soft):
    registry = soft.registry()
    checks = soft.checks(registry)
    measured, estimated = (registry.index(FLOW.format(1), lane) for lane in ("measured", "estimated"))
    assert checks.each("scale")[estimated] == pytest.approx(3.6)
    assert checks.each("interval")[[measured, estimated]].tolist() == [1_000_000_000, 10_000_000_000]
    assert checks.each("stale_after")[[measured, estimated]].tolist() == [5_000_000_000, 50_000_000_000]
    assert checks.each("high")[estimated] == 400
    assert checks.each("max_rate")[measured] == 5
    assert np.isnan(checks.each("max_rate")[estimated])
    sources = soft.sources("field", registry)
    told = dict(zip(sources.signal.tolist(), zip(sources.topic, sources.path, sources.time_path), strict=True))
    assert told[measured] == ("station/pump-1/flow", "$.value", "$.time")
    assert told[estimated] == ("soft/pump-1/flow", "$.v", None)
    assert told[registry.index(FLOW.format(2), "estimated")] == ("other/p2", "$.v", None)


def test_alarms_watch_the_measured_lane_alone(soft):
    registry = soft.registry()
    assert [a.signal for a in soft.alarms(registry)] == [registry.index(FLOW.format(n)) for n in (1, 2)]


def test_the_accuracy_is_in_the_declared_unit_and_unknown_where_nothing_is_said(soft):
    registry = soft.registry()
    accuracy = soft.accuracy(registry)
    assert accuracy[registry.index(FLOW.format(1))] == 0.5
    assert accuracy[registry.index(FLOW.format(2))] == 1.0
    assert accuracy[registry.index(FLOW.format(1), "estimated")] == pytest.approx(3.6)
    assert np.isnan(accuracy[registry.index(FLOW.format(1), "simulated")])


@pytest.mark.parametrize(("wrong", "told"), [
    ("estimated: {topic: x, accuracy: 3 K}", "K"),
    ("estimated: {topic: x, from: elsewhere}", "unknown connection 'elsewhere'"),
    ("estimated: {alarm: {high: 3}}", "unknown key 'alarm'"),
    ("accuracy: -1", "accuracy"),
    ("estimated: {topic: 'x/{nothing}'}", "nothing is known for {nothing}"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path, wrong, told):
    text = HEAD + "types:\n  Pump:\n    signals:\n      flow:\n        unit: m3/h\n        " + wrong + "\nassets: {p: {type: Pump}}\n"
    _, problems = check(write(tmp_path, text))
    assert any(told in p.message for p in problems), [p.message for p in problems]


def test_lanes_are_to_agree_within_their_tolerance_or_twice_their_uncertainty(tmp_path):
    text = SOFT.replace("accuracy: 1 l/s}", "accuracy: 1 l/s, delay: 1 min}").replace('sim/{asset}/flow"}', 'sim/{asset}/flow", tolerance: 2 l/s}')
    site = plant(tmp_path, text)
    registry = site.registry()
    pairs = site.derivations(registry).pairs
    told = {(registry.paths[a][-6], registry.lanes[b]): (t, d) for a, b, t, d in
            zip(pairs.first.tolist(), pairs.other.tolist(), pairs.tolerance.tolist(), pairs.delay.tolist(), strict=True)}  # fmt: skip
    second = 1_000_000_000
    assert told["1", "estimated"] == (pytest.approx(2 * (0.5**2 + 3.6**2) ** 0.5), 60 * second)
    assert told["1", "simulated"] == (pytest.approx(7.2), 30 * second)
    assert set(pairs.first.tolist()) == {registry.index(FLOW.format(n)) for n in (1, 2)}


def test_without_an_uncertainty_or_a_tolerance_nothing_is_compared(tmp_path):
    text = SOFT.replace("accuracy: 0.5 m3/h", "description: x").replace(", accuracy: 1 l/s", "").replace(", accuracy: 1", "")
    site = plant(tmp_path, text)
    assert len(site.derivations(site.registry()).pairs) == 0
