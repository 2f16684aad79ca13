"""Whatever stands where: a node of the tree says how many assets are at and below it, and search finds what a plain look would."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.assets.branches import Branches
from gemel.assets.fleet import FleetBuilder
from gemel.assets.named import named

NAMES = st.sampled_from(["a", "b", "Pump-1", "pump-10", "x.y"])
PLACES = st.lists(NAMES, max_size=3).map("/".join)
WORDS = st.lists(st.text("abx1PUMpump-./", min_size=1, max_size=6).filter(lambda w: w[0] != "/"), max_size=2).map(" ".join)
PATHS = st.lists(st.tuples(PLACES, NAMES), min_size=1, max_size=20, unique=True)


def fleet_of(paths):
    builder = FleetBuilder("acme/site")
    at, names = [p for p, _ in paths], [n for _, n in paths]
    titles = ["Big One" if i % 3 else "" for i in range(len(paths))]
    builder.add(names, at=at, titles=titles, description="", type_name="T", template=0, columns={}, parameters={})
    return builder.build()


def whole(place, name):
    return "/".join(part for part in ("acme/site", place, name) if part)


@settings(max_examples=150, deadline=None)
@given(PATHS)
def test_every_node_counts_the_assets_at_and_below_it(paths):
    branches = Branches(fleet_of(paths), "")
    assets = {whole(*path) for path in paths}
    nodes, line = 0, [branches.piece(depth=9)]
    for node in line:
        path, nodes = node["path"], nodes + 1
        assert node["assets"] == sum(one == path or one.startswith(f"{path}/") for one in assets)
        assert node["count"] == len(node["children"])
        line += node["children"]
    assert nodes == branches.nodes


@settings(max_examples=150, deadline=None)
@given(PATHS, WORDS)
def test_search_finds_what_has_every_word_in_its_path_or_title(paths, words):
    fleet = fleet_of(paths)

    def has(i, word):
        below = whole(*paths[i]).removeprefix("acme/site/").lower()
        return word.lower() in below or word.lower() in fleet.titles[i].lower()

    want = [all(has(i, word) for word in words.split()) for i in range(len(paths))]
    assert named(fleet, words).tolist() == want
    assert np.array_equal(named(fleet, words), named(fleet, words.upper()))
