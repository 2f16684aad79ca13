"""A plan says what each change means, and what would be lost by it; nothing is lost that it does not say."""

import pytest
from plants import PUMPS, fleet, plant

from gemel.assets import load


def compared(folder, *edits, base=PUMPS):
    text = base
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return plant(folder / "new", text).planned_from(plant(folder / "old", base))


def words(plan):
    return [str(step) for step in plan.steps]


def test_an_unchanged_file_changes_nothing(tmp_path):
    assert compared(tmp_path).steps == ()


HARMLESS = {
    "asset": ("  tank-1:", "  pump-3: {type: Pump, at: area-2}\n  tank-1:", "new asset area-2/pump-3"),
    "signal": ("level: {unit: m,", "volume: {unit: m3}, level: {unit: m,", "new signal volume of area-1/tank-1"),
    "parameter": ("wear: {", "age: {unit: a}, wear: {", "new parameter age of"),
    "command": ("  Tank: {", "  Tank: {commands: {fill: {sets: level}}, ", "new command fill of area-1/tank-1"),
    "relation": ("[pump-1 feeds tank-1]", "[pump-1 feeds tank-1, pump-2 feeds tank-1]", "new relation area-1/line-1/pump-2 feeds area-1/tank-1"),
    "connection": ("types:", "  more: {mqtt: mqtt://x}\ntypes:", "new connection more"),
    "retention class": ("fast: 30 d", "fast: 30 d, slow: 4000 d", "new retention class slow"),
    "longer roll-ups": ("fast: 30 d", "fast: {raw: 30 d, minutes: 60 d}", "changed retention of roll-ups of fast, minutes: 30 days became 60 days"),
    "longer retention": ("fast: 30 d", "fast: 60 d", "changed retention of fast: 30 days became 60 days"),
    "title": ("title: Riverside", "title: Upstream", "changed title: 'Riverside' became 'Upstream'"),
    "writes": ("writes: true", "writes: false", "changed writes: true became false"),
    "time zone": ("title: Riverside", "title: Riverside\ntimezone: Europe/Berlin", "changed timezone: 'UTC' became 'Europe/Berlin'"),
    "address": ("127.0.0.1:1883", "127.0.0.1:1884", "changed connection field"),
    "retention class of a signal": (", retention: fast", "", "changed retention of running of area-1/line-1/pump-1: fast became default"),
    "unit": ("level: {unit: m, range: [0, 12]}", "level: {unit: cm, range: [0, 1200]}", "signal level of area-1/tank-1: unit 'm' became 'cm': a new signal goes on"),
    "kind": ("level: {unit: m,", "level: {unit: m, kind: total,", "signal level of area-1/tank-1: kind 'analog' became 'total': a new signal goes on"),
    "words of a state": ("[stopped, running]", "[stopped, running, jammed]", "changed states of running of area-1/line-1/pump-1: [stopped, running, jammed]"),
    "moved asset": ("tank-1: {type: Tank, at: area-1}", "tank-1: {type: Tank, at: area-2, formerly: area-1/tank-1}", "asset area-1/tank-1 → area-2/tank-1 moved: it keeps"),
    "renamed asset": ("  tank-1: {type: Tank, at: area-1}\nrelations: [pump-1 feeds tank-1]", "  tank: {type: Tank, at: area-1, formerly: area-1/tank-1}\nrelations: [pump-1 feeds tank]", "asset area-1/tank-1 → area-1/tank renamed: it keeps"),
    "renamed signal": ("level: {unit", "height: {formerly: level, unit", "signal level → height of area-1/tank-1 renamed: it keeps"),
    "version": ("  Tank: {", "  Tank: {version: 2, ", "type Tank: version 1 became 2"),
    "title of an asset": ("title: Pump 1", "title: The pump", "changed title of area-1/line-1/pump-1"),
    "range": ("range: [0, 3600]", "range: [0, 4000]", "changed range of speed of"),
    "rate": ("max_rate: 500 rpm/s", "max_rate: 400 rpm/s", "changed max_rate of speed of"),
    "alarm": ("high: 85", "high: 80", "changed alarm of temperature of"),
    "source": ("topic: plant/p2", "topic: plant/q2", "changed source of temperature of area-1/line-1/pump-2"),
    "limits of a command": ("[600, 3000]", "[700, 3000]", "changed range, tolerance of the command set_speed of"),
    "approval": (", approval: engineer", "", "changed approval of the command set_speed of"),
    "value of a parameter": ("rated_head: 32 m", "rated_head: 33 m", "changed parameter rated_head of area-1/line-1/pump-1: 32 became 33 m"),
}  # fmt: skip


@pytest.mark.parametrize("case", HARMLESS)
def test_what_adds_or_loses_nothing_is_told_as_that(tmp_path, case):
    old, new, told = HARMLESS[case]
    plan = compared(tmp_path, (old, new))
    assert plan.losses == [] and plan.impossible == []
    assert any(line.startswith(told) for line in words(plan)), words(plan)


LOSSES = {
    "states": ("[stopped, running]", "[running, stopped]", "states [stopped, running] became [running, stopped]: what is stored cannot be read so"),
    "another dimension": ("level: {unit: m, range: [0, 12]}", "level: {unit: kg}", "unit 'm' became 'kg': what is stored cannot be read so"),
    "shorter roll-ups": ("fast: 30 d", "fast: {raw: 30 d, hours: 365 d}", "changed retention of roll-ups of fast, hours: 3650 days became 365 days: its hours older than 365 days are dropped"),
    "shorter retention": ("fast: 30 d", "fast: 20 d", "changed retention of fast: 30 days became 20 days: its history older than 20 days is dropped"),
    "moved asset": ("tank-1: {type: Tank, at: area-1}", "tank-1: {type: Tank, at: area-2}", "if it was moved, write there: formerly: area-1/tank-1"),
    "signal gone": ("level: {unit", "height: {unit", "signal level of area-1/tank-1 is gone: nothing more is taken for it"),
    "asset gone": ("  tank-1: {type: Tank, at: area-1}\nrelations: [pump-1 feeds tank-1]\n", "", "asset area-1/tank-1 is gone: nothing more is taken for it"),
}  # fmt: skip


@pytest.mark.parametrize("case", LOSSES)
def test_what_would_be_lost_is_said(tmp_path, case):
    old, new, told = LOSSES[case]
    plan = compared(tmp_path, (old, new))
    assert any(told in str(step) for step in plan.losses), words(plan)


def test_another_clock_is_impossible(tmp_path):
    plan = compared(tmp_path, ("title: Riverside", "title: Riverside\nclock: data"))
    assert [str(s).startswith("clock: wall became data") for s in plan.impossible] == [True]


def test_a_removed_retention_class_drops_nothing(tmp_path):
    plan = compared(tmp_path, (", fast: 30 d", ""), (", retention: fast", ""))
    assert plan.losses == []
    assert "the retention class fast is gone: what is stored under it is no longer dropped" in words(plan)


def test_another_plant_is_impossible_before_anything_else(tmp_path):
    plan = compared(tmp_path, ("plant: acme/riverside", "plant: acme/upstream"), ("high: 85", "high: 80"))
    assert [step.kind for step in plan.steps] == ["impossible"]
    assert words(plan)[0].startswith("plant: acme/riverside became acme/upstream")


def test_an_asset_of_the_same_name_elsewhere_is_no_move(tmp_path):
    table = ("  tank-1: {type: Tank, at: area-1}", "  tank-1: {type: Tank, at: area-1}\n  tanks: {type: Tank, table: t.csv}")
    text = PUMPS.replace(*table).replace("feeds tank-1", "feeds area-1/tank-1")
    plan = plant(tmp_path / "new", text, t__csv="name,at\ntank-1,area-2\n").planned_from(plant(tmp_path / "old", PUMPS))
    assert words(plan) == ["new asset area-2/tank-1"]


def test_two_that_could_be_the_one_that_is_gone_are_not_guessed_at(tmp_path):
    table = ("  tank-1: {type: Tank, at: area-1}\nrelations: [pump-1 feeds tank-1]", "  tanks: {type: Tank, table: t.csv}")
    plan = plant(tmp_path / "new", PUMPS.replace(*table), t__csv="name,at\ntank-1,a\ntank-1,b\n").planned_from(plant(tmp_path / "old"))
    assert [str(s) for s in plan.losses] == ["asset area-1/tank-1 is gone: nothing more is taken for it; what is stored stays readable until its retention is over"]
    assert {"new asset a/tank-1", "new asset b/tank-1"} <= set(words(plan))


def test_a_fleet_says_in_its_table_what_its_assets_were_called(tmp_path):
    text = PUMPS.replace("  tank-1: {type: Tank, at: area-1}\nrelations: [pump-1 feeds tank-1]", "  tanks: {type: Tank, table: t.csv}")
    plan = plant(tmp_path / "new", text, t__csv="name,at,formerly\nt-1,area-9,area-1/tank-1\n").planned_from(plant(tmp_path / "old"))
    assert plan.losses == []
    assert "asset area-1/tank-1 → area-9/t-1 moved: it keeps its signals and their history" in words(plan)


def test_a_relation_of_a_moved_asset_is_the_same_relation(tmp_path):
    plan = compared(tmp_path, ("tank-1: {type: Tank, at: area-1}", "tank-1: {type: Tank, at: area-2, formerly: area-1/tank-1}"))
    assert [step.kind for step in plan.steps] == ["moved"]


def test_a_topic_that_follows_the_new_name_is_said(tmp_path):
    """The device may go on sending under the old one."""
    edits = [("  pump-1: {type: Pump, at: area-1/line-1,", "  pump-9: {formerly: area-1/line-1/pump-1, type: Pump, at: area-1/line-1,"), ("[pump-1 feeds", "[pump-9 feeds")]
    plan = compared(tmp_path, *edits)
    assert [s.kind for s in plan.steps] == ["renamed", "changed"]
    assert words(plan)[1] == "its topic follows the name: station/pump-1/temperature → station/pump-9/temperature"


def test_a_lane_that_is_gone_is_a_loss_and_a_new_one_is_none(tmp_path):
    two = ("level: {unit: m, range: [0, 12]}", "level: {unit: m, range: [0, 12], estimated: {topic: est/level}}")
    more = compared(tmp_path / "more", two)
    assert words(more) == ["new lane estimated of level of area-1/tank-1"] and more.losses == []
    less = plant(tmp_path / "old").planned_from(plant(tmp_path / "new", PUMPS.replace(*two)))
    assert [s.words for s in less.losses] == ["lane estimated of level of area-1/tank-1 is gone"]


def test_a_removed_command_loses_nothing(tmp_path):
    commands = PUMPS[PUMPS.index("    commands:") : PUMPS.index("  Tank:")]
    plan = compared(tmp_path, (commands, ""))
    assert words(plan) == ["command set_speed of area-1/line-1/pump-1 is gone", "command set_speed of area-1/line-1/pump-2 is gone"]
    assert plan.losses == []


def test_the_change_of_a_fleet_is_one_line(tmp_path):
    old = load(fleet(tmp_path / "old", 500))
    folder = fleet(tmp_path / "new", 500)
    file = folder / "plant.yaml"
    file.write_text(file.read_text().replace("range: [0, 10]", "range: [0, 20]"))
    assert words(load(folder).planned_from(old)) == ["changed range of flow of 500 assets such as area-0/line-0/pump-0"]


def test_a_thousand_new_assets_are_told_as_a_few_and_their_number(tmp_path):
    plan = load(fleet(tmp_path / "new", 1_050)).planned_from(load(fleet(tmp_path / "old", 50)))
    assert plan.losses == []
    assert words(plan)[-1] == "new asset … and 980 more"
    assert len(plan.steps) == 21
    assert sum(step.count for step in plan.steps) == 1_000


def test_the_registry_of_a_grown_plant_keeps_the_former_numbers(tmp_path):
    old = plant(tmp_path / "old", PUMPS)
    new = plant(tmp_path / "new", PUMPS.replace("assets:\n", "assets:\n  pump-0: {type: Pump}\n"))
    registry = old.registry().grown(new.registry())
    assert registry.paths[: len(old.registry())] == old.registry().paths
    assert len(new.checks(registry)) == len(registry) == len(old.registry()) + 3
