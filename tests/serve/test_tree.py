"""The hierarchy over HTTP: a small one as a whole, a large one in pieces whose size does not grow with the plant."""

import time

import pytest
from pace_kit import allowed
from serve_fake import ROOT

import gemel
from gemel.assets import load
from gemel.bench.fleet import write_fleet

ASSETS = 100_000
SITE = "bench/fleet"


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    write_fleet(folder, ASSETS)
    return load(folder)


@pytest.fixture
def many(server, twin, large):
    """The API of a plant of many assets."""
    server.do(setattr, twin, "plant", large)
    with server.client() as client:
        yield client


def nodes(told):
    return sum(1 + nodes(child) for child in told["children"])


def test_a_small_plant_is_given_as_a_whole_as_it_always_was(anybody, plant):
    told = anybody.get("/tree").json()
    assert told == plant.tree() and "next" not in told and "count" not in told


def test_a_piece_of_a_small_plant_is_given_where_it_is_asked_for(anybody):
    site = anybody.get("/tree", params={"under": ROOT}).json()
    assert site["path"] == ROOT and site["count"] == len(site["children"]) > 0 and site["next"] is None
    assert all(child["children"] == [] for child in site["children"])
    deep = anybody.get("/tree", params={"under": ROOT, "depth": 9}).json()
    assert nodes(deep) > len(site["children"])


def test_what_is_not_there_is_told(anybody):
    told = anybody.get("/tree", params={"under": "acme/nowhere"})
    assert told.status_code == 404 and told.json()["code"] == "not-found"
    assert anybody.get("/tree", params={"limit": 1001}).status_code == 422


def test_a_large_plant_is_bounded_without_parameters_and_says_what_it_leaves_out(many):
    answer = many.get("/tree")
    told = answer.json()
    assert nodes(told) == 1000 and len(answer.content) < 200_000
    site = told["children"][0]
    assert site["count"] == len(site["children"]) == 10 and site["next"] is None
    lines = [line for area in site["children"] for line in area["children"]]
    assert {line["count"] for line in lines} == {100}
    assert sum(area["count"] for area in site["children"]) == 1000 > len(lines), "some are left out, and said to be"


def test_every_node_says_how_many_assets_there_are_below_it(many, anybody):
    told = many.get("/tree", params={"depth": 3}).json()
    assert told["assets"] == ASSETS == told["children"][0]["assets"]
    assert {area["assets"] for area in told["children"][0]["children"]} == {10_000}
    line = many.get("/tree", params={"under": f"{SITE}/area-003/line-07"}).json()
    assert line["assets"] == 100 and {leaf["assets"] for leaf in line["children"]} == {1}


def test_an_asset_with_parts_counts_itself_and_them(tmp_path):
    (tmp_path / "plant.yaml").write_text("plant: acme/site\ntypes: {Any: {signals: {flow: {unit: m3/h}}}}\nassets: {pump: {type: Any, at: hall}, motor: {type: Any, at: hall/pump}, bearing: {type: Any, at: hall/pump/motor}, tank: {type: Any}}\n")
    branches = load(tmp_path).branches
    told = {path: branches.piece(path)["assets"] for path in ("", "acme/site", "hall", "hall/pump", "hall/pump/motor", "hall/pump/motor/bearing", "tank")}
    assert list(told.values()) == [4, 4, 3, 3, 2, 1, 1]


def test_every_asset_of_an_area_is_come_to_by_pages_once(many):
    seen, answers = [], 0
    stack = [f"{SITE}/area-004"]
    while stack:
        under, after = stack.pop(), None
        while True:
            answer = many.get("/tree", params={"under": under, "limit": 1000, "depth": 2, **({} if after is None else {"after": after})})
            piece, answers = answer.json(), answers + 1
            assert nodes(piece) <= 1000 and len(answer.content) < 200_000
            for child in piece["children"]:
                if child["kind"] == "asset":
                    seen.append(child["path"])
                if len(child["children"]) == child["count"]:
                    seen.extend(leaf["path"] for leaf in child["children"] if leaf["kind"] == "asset")
                    stack += [leaf["path"] for leaf in child["children"] if leaf["kind"] != "asset"]
                else:
                    stack.append(child["path"])
            after = piece["next"]
            if after is None:
                break
    assert len(seen) == len(set(seen)) == 10_000 and answers < 110


def test_a_piece_of_a_large_plant_is_answered_at_once(many, capsys):
    many.get("/tree", params={"under": SITE})
    took = []
    for line in range(50):
        began = time.perf_counter()
        answer = many.get("/tree", params={"under": f"{SITE}/area-003/line-{line:02d}"})
        took.append(1000 * (time.perf_counter() - began))
        assert len(answer.json()["children"]) == 100 and len(answer.content) < 25_000
    took.sort()
    with capsys.disabled():
        print(f"\n  100 children of one of {ASSETS:,} assets: median {took[25]:.1f} ms, most {took[-1]:.1f} ms, {len(answer.content):,} bytes")
    assert took[25] < allowed(30)


def test_thousands_beside_each_other_come_in_pages_in_their_order(server, twin, tmp_path):
    n = 25_000
    (tmp_path / "plant.yaml").write_text("plant: bench/flat\ntypes: {Pump: {signals: {flow: {unit: m3/h}}}}\nassets: {fleet: {type: Pump, table: t.csv}}\n")
    (tmp_path / "t.csv").write_text("name,at\n" + "".join(f"p{i * 7919 % n},hall\n" for i in range(n)))
    server.do(setattr, twin, "plant", load(tmp_path))
    with gemel.open(server.url) as face:
        found = face.children("hall")
        assert found["name"] == [f"p{i * 7919 % n}" for i in range(n)]
        assert set(found["count"]) == {0} and set(found["kind"]) == {"asset"}
        assert face.children()["path"] == ["bench/flat"] and face.children("bench/flat")["count"] == [n]


def test_the_rest_is_asked_for_from_behind_what_was_given(many):
    told = many.get("/tree", params={"under": f"{SITE}/area-000", "depth": 2, "limit": 10}).json()
    assert nodes(told) == 10 and told["count"] == 100 and told["next"] is not None
    rest = many.get("/tree", params={"under": f"{SITE}/area-000", "after": told["next"]}).json()
    names = [child["name"] for child in told["children"] + rest["children"]]
    assert names == [f"line-{i:02d}" for i in range(100)] and rest["next"] is None
