"""Machines that are to be estimated and of which nothing is read: `gemel check` and the running twin say which, why, and what to write."""

import pytest
from plants import HEAD, plant, write

from gemel.assets import check
from gemel.operate.models_check import model_problems

TANKS = HEAD + """types:
  Tanks:
    dynamics: gemel.dynamics.components.cascaded_tanks:CascadedTanks
    estimates: {every: 2 s}
    signals:
      pump: {unit: V, PUMP}
      lower: {unit: V, accuracy: 50 mV, estimated: {dynamics: true}, LOWER}
      upper: {unit: V, dynamics: true}
assets:
  rig-1: {type: Tanks, at: bench}
"""
SOURCE = "from: field, topic: '{asset}/{signal}'"
OTHER = "  rig-2: {type: Tanks, at: bench, source: {from: field, topic: '{asset}/{signal}'}}\n"


def found(folder, text):
    """Give what is said of the models, as (severity, line, message, remedy)."""
    made, problems = check(write(folder, text))
    assert made is not None, problems
    return [(p.severity, p.line, p.message, p.remedy) for p in model_problems(made, folder, evaluate=False)]


def written(pump=SOURCE, lower=SOURCE):
    return TANKS.replace("{unit: V, PUMP}", f"{{unit: V, {pump}}}" if pump else "{unit: V}").replace(", LOWER", f", {lower}" if lower else "")


def test_where_all_is_read_nothing_is_said(tmp_path):
    assert found(tmp_path, written()) == []


REMEDY = "give one of them a source, as in lower: {unit: V, source: {from: …, topic: …}, estimated: {dynamics: true}}; what is posted or derived is not listened to"


def test_a_type_of_which_nothing_is_read_is_refused_and_told_what_to_write(tmp_path):
    (told,) = found(tmp_path, written("", ""))
    assert told == ("error", 5, "nothing of Tanks is estimated: nothing that the model gives (upper, lower) has a source", REMEDY)


def test_what_is_told_to_write_is_estimated(tmp_path):
    said = REMEDY.partition("as in ")[2].partition("; ")[0].replace("{from: …, topic: …}", "{" + SOURCE + "}")
    lines = written().splitlines(keepends=True)
    text = "".join(f"      {said}\n" if "lower:" in line else line for line in lines)
    assert text != written()
    assert [t for t in found(tmp_path, text) if t[0] == "error"] == []


def test_where_no_signal_could_be_read_it_is_said_which_to_add(tmp_path):
    text = written().replace("      lower: {unit: V, accuracy: 50 mV, estimated: {dynamics: true}, " + SOURCE + "}\n", "")
    (told,) = found(tmp_path, text)
    assert told[:2] == ("error", 5)
    assert told[3].startswith("give one of them a source, as in lower: {unit: V, source: {from: …, topic: …}}; ")


def test_of_some_machines_of_a_type_they_are_named(tmp_path):
    text = written("", "").replace("rig-1: {type: Tanks, at: bench}", "rig-1: {type: Tanks, at: bench}\n  rig-3: {type: Tanks, at: bench}")
    told = found(tmp_path, text + OTHER)
    assert [t[:3] for t in told] == [
        ("warning", 5, "nothing of rig-1, rig-3 of Tanks is estimated: nothing that the model gives (upper, lower) has a source")
    ]
    assert found(tmp_path, written("", "").replace("  rig-1: {type: Tanks, at: bench}\n", OTHER)) == []


@pytest.mark.parametrize("pump", ["", "derived: 2 * lower"])
def test_an_input_that_is_not_read_stands_still_and_this_is_said(tmp_path, pump):
    (told,) = found(tmp_path, written(pump))
    assert told[:3] == ("warning", 8, "'pump' of Tanks has no source: estimates take 3 V for it, always")


BASIN = HEAD + """types:
  Basin:
    dynamics: gemel.dynamics.components:Tank
    estimates: {states: [level]}
    source: {from: field, topic: "line/{asset}/{signal}"}
    signals:
      level: {unit: m, dynamics: true}
      temperature: {unit: degC, accuracy: 1 K}
assets:
  basin: {type: Basin, at: line-1}
"""


def test_a_state_that_is_read_and_not_followed_is_no_sensor(tmp_path):
    """It is taken as it is read: there is nothing to hold the followed ones against."""
    (told,) = found(tmp_path, BASIN)
    assert told[:3] == (
        "error", 5, "nothing of Basin is estimated: nothing that the model gives (level, pressure, volume, spill, outflow_delivered) has a source"
    )  # fmt: skip
    assert found(tmp_path, BASIN.replace("states: [level]", "")) == []


def test_the_running_twin_names_the_machines_too(tmp_path):
    pytest.importorskip("jax")
    from gemel.operate.estimates_areas import followed

    made, left = plant(tmp_path, written("", "") + OTHER), []
    (kind,) = followed(made, made.registry(), lambda name, why: left.append((name, why.code, why.message, why.remedy)))
    assert kind.assets == ("acme/riverside/bench/rig-2",)
    assert left == [(
        "type Tanks", "unbound", "of acme/riverside/bench/rig-1, nothing that the model gives (upper, lower) has a source",
        REMEDY,
    )]  # fmt: skip
