"""Signals that a dynamic model gives: lanes of their own where something measures them too, named by the model."""

import pytest
from plants import HEAD, plant, write

from gemel.assets import check

TANKS = HEAD + """types:
  Tanks:
    dynamics: gemel.dynamics.components.cascaded_tanks:CascadedTanks
    estimates: {every: 2 s}
    source: {from: field, topic: "tanks/{asset}/{signal}"}
    signals:
      pump: {unit: V}
      lower: {unit: mV, accuracy: 50 mV, estimated: {dynamics: true}}
      upper: {unit: mV, dynamics: true}
assets:
  rig-1: {type: Tanks, at: bench}
  rig-2: {type: Tanks, at: bench, source: {from: field, topic: "other/{asset}/{signal}"}}
"""


def test_what_nothing_measures_stands_on_the_estimated_lane_and_names_its_model(tmp_path):
    found = plant(tmp_path, TANKS)
    registry = found.registry()
    for rig in (1, 2):
        path = f"acme/riverside/bench/rig-{rig}"
        assert registry.lanes_of(f"{path}/upper").keys() == {"estimated"}
        assert registry.lanes_of(f"{path}/lower").keys() == {"measured", "estimated"}
    for template in found.templates:
        given = [lane for s in template.signals for lane in s.lanes if lane.modelled]
        assert [(s.name, s.lane, s.by, s.interval_ns, s.source) for s in given] == [
            (name, "estimated", template.dynamics, 2 * 10**9, None) for name in ("lower", "upper")
        ]


@pytest.mark.parametrize(("old", "new", "words"), [
    ("    dynamics: gemel.dynamics.components.cascaded_tanks:CascadedTanks\n", "", "its type names none"),
    ("upper: {unit: mV, dynamics: true}", 'upper: {unit: mV, dynamics: true, topic: "x"}', "comes from elsewhere too"),
    ("upper: {unit: mV, dynamics: true}", "upper: {unit: mV, dynamics: true, derived: pump}", "comes from elsewhere too"),
    ("upper: {unit: mV, dynamics: true}", "upper: {states: [a, b], dynamics: true}", "no analog value"),
    ("estimated: {dynamics: true}", "simulated: {dynamics: true}", "gives the lane estimated"),
    ("every: 2 s", "every: 2 m", "every"),
    ("estimated: {dynamics: true}", "estimated: {dynamics: true}, simulated: {topic: x, priority: 2}", "has an alarm of its own"),
])  # fmt: skip
def test_what_a_model_cannot_give_is_refused_on_its_line(tmp_path, old, new, words):
    text = TANKS.replace(old, new)
    assert text != TANKS
    _, problems = check(write(tmp_path, text))
    wrong = [p for p in problems if p.severity == "error"]
    assert words in " ".join(p.message for p in wrong)
    assert all(p.line and p.remedy for p in wrong)


def test_estimates_of_nothing_are_told(tmp_path):
    text = TANKS.replace(", estimated: {dynamics: true}", "").replace("      upper: {unit: mV, dynamics: true}\n", "")
    found, problems = check(write(tmp_path, text))
    assert found is not None
    assert any("nothing is estimated" in p.message for p in problems)
