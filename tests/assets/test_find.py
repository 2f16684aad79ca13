"""Assets are found by what they are, where they stand, what they belong to, and what is known of them."""

import time
from dataclasses import replace

import numpy as np
import pytest
from pace_kit import allowed

from gemel.assets import Condition, Plant, Query, find, load
from gemel.assets.fleet import FleetBuilder
from gemel.assets.spec import Parameter, Signal, Template
from gemel.errors import AssetError, NotFoundError

PLANT = """
plant: acme/river
types:
  Machine: {signals: {wear: {unit: "1"}}}
  Pump:
    extends: Machine
    signals:
      flow: {unit: m3/h}
      running: {kind: state, states: [stopped, running]}
    parameters: {rated_head: {unit: m, default: 30 m}}
  Tank: {signals: {level: {unit: m}}}
  Motor: {extends: Machine}
assets:
  well: {type: Tank, at: west}
  pump-1: {type: Pump, at: west/line-1}
  pump-2: {type: Pump, at: west/line-1, parameters: {rated_head: 12 m}}
  motor-1: {type: Motor, at: west/line-1/pump-1}
  tower: {type: Tank, at: east}
  pump-3: {type: Pump, at: east}
  spare: {type: Motor, at: east}
relations:
  - well feeds pump-1
  - well feeds pump-2
  - tower fed_by pump-1
  - pump-2 feeds tower
  - tower feeds pump-3
  - spare part_of pump-3
  - motor-1 drives pump-1
"""
SHOWN = {"pump-1/wear": 0.1, "pump-2/wear": 0.3, "pump-3/wear": 0.5, "motor-1/wear": 0.9, "pump-1/flow": 100.0, "pump-1/running": 1.0, "pump-2/running": 0.0}


class Known:
    """What is shown, by asset and property; whatever is left out was never seen."""

    def __init__(self, plant, shown):
        paths = [p.removeprefix("acme/river/") for p in plant.layout.paths(plant.assets)]
        short = ["/".join(p.split("/")[-2:]) for p in paths]
        self.told = np.array([shown.get(p, np.nan) for p in short])

    def values(self, positions):
        return self.told[positions]

    def quality(self, word):
        return np.flatnonzero(np.isnan(self.told) == (word == "none"))


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plant")
    (folder / "plant.yaml").write_text(PLANT)
    return load(folder)


@pytest.fixture
def names(plant):
    def ask(**query):
        query["where"] = [Condition.read(w) for w in query.pop("where", [])]
        found = find(plant, Query(**query), Known(plant, SHOWN))
        assert found.count == len(found.rows) and found.next is None
        return [plant.assets.names[row] for row in found.rows]

    return ask


def path(name, at="west/line-1"):
    return f"acme/river/{at}/{name}"


def test_without_parameters_everything_is_found_in_the_order_of_the_plant(names, plant):
    assert names() == list(plant.assets.names)


def test_a_type_also_finds_what_extends_it(names):
    assert names(type="Pump") == ["pump-1", "pump-2", "pump-3"]
    assert names(type="Machine") == ["pump-1", "pump-2", "motor-1", "pump-3", "spare"]


def test_under_is_the_hierarchy_and_a_name_that_only_begins_alike_is_not_under(names):
    assert names(under="acme/river/west") == ["well", "pump-1", "pump-2", "motor-1"]
    assert names(under="acme/river/wes") == []
    assert names(under="acme") == names()
    assert names(under=path("pump-1")) == ["motor-1"]


def test_parts_are_told_by_the_hierarchy_and_by_relations(names):
    assert names(part_of=path("pump-1")) == ["motor-1"]
    assert names(part_of=path("pump-3", "east")) == ["spare"]
    assert names(part_of="acme/river/east") == ["tower", "pump-3", "spare"]


def test_downstream_and_upstream_go_over_others_and_both_ends_of_a_relation_say_it(names):
    assert names(downstream_of=path("well", "west")) == ["pump-1", "pump-2", "tower", "pump-3"]
    assert names(downstream_of=path("well", "west"), depth=1) == ["pump-1", "pump-2"]
    assert names(upstream_of=path("pump-3", "east")) == ["well", "pump-1", "pump-2", "tower"]
    assert names(upstream_of=path("tower", "east"), depth=1) == ["pump-1", "pump-2"]


def test_assets_may_be_called_by_their_name_or_from_the_site_on(names):
    assert names(downstream_of="well") == names(downstream_of="west/well") == names(downstream_of=path("well", "west"))
    assert names(under="west/line-1") == names(under=path("pump-1").rpartition("/")[0])
    assert names(part_of="pump-1") == ["motor-1"] and names(part_of="east") == ["tower", "pump-3", "spare"]


def test_any_word_can_be_followed_either_way(names):
    assert names(related_to=path("motor-1", "west/line-1/pump-1"), relation="drives") == ["pump-1"]
    assert names(related_to=path("pump-1"), relation="drives", direction="in") == ["motor-1"]
    assert names(related_to=path("tower", "east"), relation="fed_by", depth=1) == ["pump-1", "pump-2"]
    assert names(related_to=path("pump-2"), direction="both", depth=1) == ["well", "tower"]


def test_all_pumps_downstream_of_this_tank_whose_wear_exceeds(names):
    assert names(type="Pump", downstream_of=path("well", "west"), where=["wear>0.2"]) == ["pump-2", "pump-3"]
    assert names(type="Pump", downstream_of=path("well", "west"), where=["wear>0.2", "running=stopped"]) == ["pump-2"]


def test_conditions_take_units_states_and_parameters(names):
    assert names(where=["flow >= 1 m3/min"]) == ["pump-1"]
    assert names(where=["running=running"]) == ["pump-1"]
    assert names(where=["rated_head<2000 cm"]) == ["pump-2"]
    assert names(where=["wear!=0.1"]) == ["pump-2", "motor-1", "pump-3"]


def test_what_is_not_known_never_holds(names):
    assert "spare" not in names(where=["wear<=9"]) + names(where=["wear>9"]) + names(where=["wear!=9"])
    assert names(where=["running!=running"]) == ["pump-2"]


def test_a_quality_finds_assets_with_a_property_of_it(names):
    assert names(quality="none", type="Motor") == ["spare"]


@pytest.mark.parametrize(
    ("query", "code", "remedy"),
    [
        ({"type": "Pmp"}, "type", "Pump"),
        ({"where": ["waer>1"]}, "condition", "wear"),
        ({"where": ["wear"]}, "condition", "wear>0.2"),
        ({"where": ["running=runing"]}, "condition", "states"),
        ({"where": ["flow>1 kg"]}, "wrong-dimension", "m3/h"),
        ({"related_to": "acme/river/west/well", "relation": "feds"}, "relation", "feeds"),
    ],
)
def test_what_cannot_be_asked_is_told_with_a_remedy(names, query, code, remedy):
    with pytest.raises(AssetError) as told:
        names(**query)
    assert told.value.code == code and remedy in told.value.remedy


@pytest.mark.parametrize("word", ["downstream_of", "upstream_of", "related_to", "part_of"])
def test_an_unknown_asset_is_not_found(names, word):
    with pytest.raises(NotFoundError):
        names(**{word: "acme/river/nowhere"})


N = 1_000_000


@pytest.fixture(scope="module")
def million(plant):
    """A million pumps in a thousand lines; each feeds the next of its line."""
    builder = FleetBuilder("acme/river")
    per = 1000
    for line in range(N // per):
        block = [f"p{line}-{i}" for i in range(per)]
        builder.add(block, at=[f"a{line % 10}/l{line}"] * per, titles=[""] * per, description="", type_name="Pump", template=0,
                    columns={}, parameters={"rated_head": np.full(per, 30.0)})  # fmt: skip
    fleet = builder.build()
    signals = tuple(Signal(n, "1") for n in ("wear", "a", "b", "c", "d"))
    one = Template("Pump", ("Pump",), signals=signals, parameters=(Parameter("rated_head", "m"),))
    links = [(fleet.paths[i], "feeds", fleet.paths[i + 1]) for i in range(0, 200_000) if (i + 1) % per]
    return replace(plant, assets=fleet, templates=(one,), relations=links)


class Wear:
    def __init__(self, plant):
        self.told = np.random.default_rng(1).random(len(plant.layout))

    def values(self, positions):
        return self.told[positions]


def test_a_million_assets_are_paged_by_keyset_each_once(million: Plant):
    live, query = Wear(million), Query(type="Pump", under="acme/river/a3", where=[Condition("wear", ">", "0.2")])
    want = find(million, query, live).rows
    after, got, spent = None, [], []
    while True:
        began = time.perf_counter()
        page = find(million, query, live, after=after, limit=10_000)
        spent.append(time.perf_counter() - began)
        got.append(page.rows)
        if page.next is None:
            break
        after = page.next
    assert np.array_equal(np.concatenate(got), want) and len(want) > 70_000
    print(f"a page of 1,000,000 assets: {np.median(spent) * 1e3:.1f} ms, worst {max(spent) * 1e3:.1f} ms")
    assert np.median(spent) < allowed(0.5)


def test_a_page_goes_on_behind_its_last_row_whatever_changed_in_between(million: Plant):
    live, query = Wear(million), Query(where=[Condition("wear", ">", "0.5")])
    first = find(million, query, live, limit=100)
    live.told[: 5 * 50] = 0.0  # some that were given hold no more: an offset would leave out as many
    second = find(million, query, live, after=first.next, limit=100)
    assert second.rows[0] > first.rows[-1]
    assert np.array_equal(second.rows, find(million, query, live).rows[(find(million, query, live).rows > first.rows[-1])][:100])


def test_a_long_way_downstream_is_walked_in_arrays(million: Plant):
    began = time.perf_counter()
    found = find(million, Query(downstream_of=million.assets.paths[0]), Wear(million))
    assert found.count == 999
    print(f"999 steps downstream: {(time.perf_counter() - began) * 1e3:.0f} ms, tables made")
