"""Law of the tree in pieces: however it is asked for, each node is given once, where the whole tree has it, in its order."""

import pytest
from derived_kit import plant_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemel.errors import NotFoundError

place = st.lists(st.sampled_from("abc"), max_size=3).map("/".join)
fleets = st.lists(st.tuples(place, st.sampled_from("abcdef")), max_size=14, unique=True)


def whole(branches, limit, depth, under=""):
    """Put a node together out of pieces, as a page does that opens everything."""

    def ask(node):
        after = node["next"] if node["children"] else None
        while len(node["children"]) < node["count"]:
            piece = branches.piece(node["path"], depth=depth, after=after, limit=limit)
            assert 0 < sum(1 for _ in below(piece)) <= limit
            node["children"] += piece["children"]
            after = piece["next"]
            assert (after is None) == (len(node["children"]) == node["count"])
        for child in node["children"]:
            ask(child)
        return node

    return ask(branches.piece(under, depth=depth, limit=limit))


def below(node):
    for child in node["children"]:
        yield child
        yield from below(child)


def plain(node):
    return {**{k: node[k] for k in ("path", "name", "title", "kind")}, "children": [plain(c) for c in node["children"]]}


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fleets, st.integers(1, 5), st.integers(1, 5))
def test_the_pieces_of_a_tree_are_the_tree(tmp_path_factory, fleet, limit, depth):
    rows = "".join(f"  n{i}: {{type: T, at: '{at}', title: T{i}}}\n" if at else f"  n{i}: {{type: T, title: T{i}}}\n" for i, (at, _) in enumerate(fleet))
    for i, (_, name) in enumerate(fleet):  # some stand under others: a place that is an asset too
        rows += f"  {name}{i}: {{type: T, at: 'n{(i * 7) % len(fleet)}/{name}'}}\n"
    text = "plant: acme/riverside\ntitle: Riverside\ntypes: {T: {}}\n" + (f"assets:\n{rows}" if rows else "")
    plant = plant_of(text, tmp_path_factory.mktemp("plant"))
    assert plain(whole(plant.branches, limit, depth)) == plant.tree()
    assert plant.branches.nodes == 1 + len(list(below(plant.tree())))


def test_a_place_may_be_called_from_the_site_on(tmp_path):
    plant = plant_of("plant: acme/riverside\ntypes: {T: {}}\nassets: {x: {type: T, at: hall/line}}\n", tmp_path)
    assert plant.branches.piece("hall")["path"] == "acme/riverside/hall"
    leaf = plant.branches.piece("acme/riverside/hall/line/x")
    assert (leaf["kind"], leaf["count"], leaf["children"], leaf["next"]) == ("asset", 0, [], None)
    with pytest.raises(NotFoundError, match="nothing is called 'hal'"):
        plant.branches.piece("hal")
