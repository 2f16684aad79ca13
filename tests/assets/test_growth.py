"""A changed plant file: what adds is taken, what would lose data or change their meaning is refused, in words."""

import pytest
from plants import PUMPS, fleet, plant

from gemel.assets import load


def compared(folder, *edits, base=PUMPS):
    text = base
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return plant(folder / "new", text).grown_from(plant(folder / "old", base))


def test_an_unchanged_file_changes_nothing(tmp_path):
    assert compared(tmp_path) == ([], [])


TAKEN = {
    "asset": ("  tank-1:", "  pump-3: {type: Pump, at: area-2}\n  tank-1:", "new asset area-2/pump-3"),
    "signal": ("level: {unit: m,", "volume: {unit: m3}, level: {unit: m,", "new signal volume of area-1/tank-1"),
    "parameter": ("wear: {", "age: {unit: a}, wear: {", "new parameter age of"),
    "command": ("  Tank: {", "  Tank: {commands: {fill: {sets: level}}, ", "new command fill of area-1/tank-1"),
    "relation": ("[pump-1 feeds tank-1]", "[pump-1 feeds tank-1, pump-2 feeds tank-1]", "new relation area-1/line-1/pump-2 feeds area-1/tank-1"),
    "connection": ("types:", "  more: {mqtt: mqtt://x}\ntypes:", "new connection more"),
    "retention class": ("fast: 30 d", "fast: 30 d, slow: 4000 d", "new retention class slow"),
    "longer retention": ("fast: 30 d", "fast: 60 d", "changed retention of fast: 30 days became 60 days"),
    "title": ("title: Riverside", "title: Upstream", "changed title: 'Riverside' became 'Upstream'"),
    "writes": ("writes: true", "writes: false", "changed writes: true became false"),
    "time zone": ("title: Riverside", "title: Riverside\ntimezone: Europe/Berlin", "changed timezone: 'UTC' became 'Europe/Berlin'"),
    "address": ("127.0.0.1:1883", "127.0.0.1:1884", "changed connection field"),
    "title of an asset": ("title: Pump 1", "title: The pump", "changed title of area-1/line-1/pump-1"),
    "range": ("range: [0, 3600]", "range: [0, 4000]", "changed range of speed of"),
    "rate": ("max_rate: 500 rpm/s", "max_rate: 400 rpm/s", "changed max_rate of speed of"),
    "alarm": ("high: 85", "high: 80", "changed alarm of temperature of"),
    "source": ("topic: plant/p2", "topic: plant/q2", "changed source of temperature of area-1/line-1/pump-2"),
    "limits of a command": ("[600, 3000]", "[700, 3000]", "changed range, tolerance of the command set_speed of"),
    "approval": (", approval: engineer", "", "changed approval of the command set_speed of"),
    "value of a parameter": ("rated_head: 32 m", "rated_head: 33 m", "changed parameter rated_head of area-1/line-1/pump-1: 32 became 33 m"),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_what_adds_or_is_harmless_is_taken_and_told(tmp_path, case):
    old, new, words = TAKEN[case]
    taken, refused = compared(tmp_path, (old, new))
    assert refused == []
    assert any(line.startswith(words) for line in taken), taken


REFUSED = {
    "unit": ("level: {unit: m,", "level: {unit: cm,", "signal level of area-1/tank-1: unit 'm' became 'cm'"),
    "kind": ("level: {unit: m,", "level: {unit: m, kind: total,", "signal level of area-1/tank-1: kind 'analog' became 'total'"),
    "states": ("[stopped, running]", "[running, stopped]", "states [stopped, running] became [running, stopped]"),
    "retention class of a signal": (", retention: fast", "", "retention 'fast' became 'default'"),
    "shorter retention": ("fast: 30 d", "fast: 20 d", "retention of fast: 30 days became 20 days: history would be dropped"),
    "clock": ("title: Riverside", "title: Riverside\nclock: data", "clock: wall became data"),
    "moved asset": ("tank-1: {type: Tank, at: area-1}", "tank-1: {type: Tank, at: area-2}", "asset area-1/tank-1 moved to area-2/tank-1"),
    "signal renamed": ("level: {unit", "height: {unit", "signal level of area-1/tank-1 is gone"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_lose_data_or_change_their_meaning_is_refused(tmp_path, case):
    old, new, words = REFUSED[case]
    _, refused = compared(tmp_path, (old, new))
    assert len([line for line in refused if words in line]) >= 1, refused


def test_a_removed_asset_is_refused(tmp_path):
    _, refused = compared(tmp_path, ("  tank-1: {type: Tank, at: area-1}\nrelations: [pump-1 feeds tank-1]\n", ""))
    assert refused == ["asset area-1/tank-1 is gone: its history would be orphaned"]


def test_a_removed_retention_class_is_refused(tmp_path):
    _, refused = compared(tmp_path, (", fast: 30 d", ""), (", retention: fast", ""))
    assert any("the retention class fast is gone" in line for line in refused)


def test_another_plant_is_refused_before_anything_else(tmp_path):
    taken, refused = compared(tmp_path, ("plant: acme/riverside", "plant: acme/upstream"), ("high: 85", "high: 80"))
    assert taken == []
    assert len(refused) == 1
    assert refused[0].startswith("plant: acme/riverside became acme/upstream")


def test_an_asset_of_the_same_name_elsewhere_is_no_move(tmp_path):
    table = ("  tank-1: {type: Tank, at: area-1}", "  tank-1: {type: Tank, at: area-1}\n  tanks: {type: Tank, table: t.csv}")
    text = PUMPS.replace(*table).replace("feeds tank-1", "feeds area-1/tank-1")
    old = plant(tmp_path / "old", PUMPS)
    taken, refused = plant(tmp_path / "new", text, t__csv="name,at\ntank-1,area-2\n").grown_from(old)
    assert (taken, refused) == (["new asset area-2/tank-1"], [])


def test_a_removed_command_is_taken_and_told(tmp_path):
    commands = PUMPS[PUMPS.index("    commands:") : PUMPS.index("  Tank:")]
    taken, refused = compared(tmp_path, (commands, ""))
    assert (taken, refused) == (["command set_speed of area-1/line-1/pump-1 is gone", "command set_speed of area-1/line-1/pump-2 is gone"], [])


def test_the_change_of_a_fleet_is_one_line(tmp_path):
    old = load(fleet(tmp_path / "old", 500))
    folder = fleet(tmp_path / "new", 500)
    file = folder / "plant.yaml"
    file.write_text(file.read_text().replace("range: [0, 10]", "range: [0, 20]"))
    taken, refused = load(folder).grown_from(old)
    assert refused == []
    assert taken == ["changed range of flow of 500 assets such as area-0/line-0/pump-0"]


def test_a_thousand_new_assets_are_told_as_a_few_and_their_number(tmp_path):
    taken, refused = load(fleet(tmp_path / "new", 1_050)).grown_from(load(fleet(tmp_path / "old", 50)))
    assert refused == []
    assert taken[-1] == "new asset … and 980 more"
    assert len(taken) == 21


def test_the_registry_of_a_grown_plant_keeps_the_former_numbers(tmp_path):
    old = plant(tmp_path / "old", PUMPS)
    new = plant(tmp_path / "new", PUMPS.replace("assets:\n", "assets:\n  pump-0: {type: Pump}\n"))
    registry = old.registry().grown(new.registry())
    assert registry.paths[: len(old.registry())] == old.registry().paths
    assert len(new.checks(registry)) == len(registry) == len(old.registry()) + 3
