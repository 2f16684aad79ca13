"""A fleet's table is judged by columns: the same words as row by row, and a hundred thousand assets in a second or two."""

import time

import pytest
from pace_kit import allowed
from plants import fleet

from gemel.assets import check, load
from gemel.bench.fleet import write_fleet
from gemel.errors import DefectError
from gemel.samples import Registry

TYPE = "types: {Pump: {signals: {flow: {unit: m3/h, source: {topic: \"a/{asset}/{tag}\"}}}, parameters: {head: {unit: m, range: [0, 50]}}}}\n"


def problems(tmp_path, csv, entry="{type: Pump, table: t.csv}"):
    tmp_path.mkdir(exist_ok=True)
    connection = 'connections: {field: {mqtt: "mqtt://127.0.0.1:1"}}\n'
    (tmp_path / "plant.yaml").write_text(f"plant: acme/site\n{connection}{TYPE}assets:\n  f: {entry}\n")
    (tmp_path / "t.csv").write_text(csv)
    return [(p.line, p.message) for p in check(tmp_path)[1] if p.severity == "error"]


def test_each_wrong_cell_is_said_with_its_line(tmp_path):
    csv = "name,at,tag,parameters.head\np1,a/b,x,3\np 2,a/b,x,3 ft\np1,a/b,+,3\np3,a//b,x,60\n,a,x,\np4,a,,three\np\u00a05,a,x,\n"
    found = problems(tmp_path, csv)
    assert [line for line, _ in found] == [3, 4, 4, 5, 5, 6, 7, 7, 8]
    said = " ".join(message for _, message in found)
    for words in ("'p 2' cannot be the name", "p1 is already taken", "a filter of many topics", "at cannot be 'a//b'",
                  "head = 60 lies outside", "a row without a name", "has no tag", "'p\\xa05' cannot be the name"):  # fmt: skip
        assert words in said


def test_a_parameter_with_a_unit_is_converted_and_an_empty_one_is_not_known(tmp_path):
    assert not problems(tmp_path, "name,tag,parameters.head\np1,x,3\np2,x,\np3,x,100 cm\np4,x,1e1\n")
    heads = load(tmp_path).assets.parameters["head"]
    assert heads.tolist()[0] == 3.0 and heads[1] != heads[1] and heads.tolist()[2:] == [1.0, 10.0]


def test_an_asset_that_is_called_like_a_signal_of_its_whole_is_refused(tmp_path):
    assert problems(tmp_path, "name,at,tag\np1,,x\nflow,p1,x\nspeed,p1,x\n") == [
        (3, "acme/site/p1/flow is a signal of 'p1' already")
    ]


def test_the_entry_says_what_a_cell_leaves_open(tmp_path):
    assert not problems(tmp_path, "name,at,title,tag\np1,,T,x\np2,b,,x\n", "{type: Pump, table: t.csv, at: a, title: all}")
    assets = load(tmp_path).assets
    assert (assets.at, assets.titles) == (["a", "b"], ["T", "all"])


def test_the_numbers_of_signals_are_found_where_the_registry_has_another_order(tmp_path):
    plant = load(fleet(tmp_path, 5))
    own = plant.own_registry
    turned = Registry(own.table.take(list(range(len(own)))[::-1]))
    assert plant.numbers(turned).tolist() == list(range(len(own)))[::-1]
    with pytest.raises(DefectError, match="does not know"):
        plant.numbers(Registry(own.table.slice(1)))


def test_a_hundred_thousand_assets_are_read_in_seconds(tmp_path):
    write_fleet(tmp_path, 100_000)
    began = time.perf_counter()
    plant = load(tmp_path)
    assert time.perf_counter() - began < allowed(5)
    assert (len(plant.assets), len(plant.layout)) == (100_000, 500_000)
    assert plant.assets.find("bench/fleet/area-004/line-56/pump-0045678") == 45_678
