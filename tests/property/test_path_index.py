"""Paths are found as a dictionary would find them, one at a time or many at once, whatever the paths are."""

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemel.samples import LANES, Registry
from gemel.samples.pathindex import PathIndex, key_of, keys_of

part = st.text(st.sampled_from("ab-ü°"), max_size=3)
path = st.lists(part, min_size=1, max_size=4).map("/".join)
paths = st.lists(path, max_size=40)


@settings(deadline=None)  # one example has five thousand letters
@given(paths, paths)
@example(["a" * 5000, "a" * 4096, "b/" + "a" * 5000], ["a" * 5000])
@example(["", "/", "//", "a", "/a"], ["", "/", "a/"])
def test_a_path_is_found_as_a_dictionary_would_find_it(known, asked):
    index = PathIndex.of(pa.array(known, pa.string()))
    rows = {p: [i for i, q in enumerate(known) if q == p] for p in [*known, *asked]}
    assert {p: index.find(p) for p in rows} == rows
    assert index.numbers(list(rows)).tolist() == [min(r, default=-1) for r in rows.values()]


@given(paths, paths)
def test_the_children_of_a_path_are_those_one_level_below_it(known, asked):
    index = PathIndex.of(pa.array(known, pa.string()))
    for p in [*known, *asked]:
        want = [i for i, q in enumerate(known) if "/" in q and q.rpartition("/")[0] == p]
        assert p == "" or index.children(p).tolist() == want


@given(paths)
def test_a_column_gives_the_same_keys_however_it_is_cut(known):
    column = pa.array(["x", *known, "y"], pa.string()).slice(1, len(known))
    assert keys_of(column).tolist() == [int(key_of(p)) for p in known]


def test_two_paths_of_one_key_are_told_apart_by_their_letters(monkeypatch):
    one = np.uint64(7)
    monkeypatch.setattr("gemel.samples.pathindex.keys_of", lambda paths: np.full(len(paths), one))
    monkeypatch.setattr("gemel.samples.pathindex.key_of", lambda path: one)
    index = PathIndex.of(pa.array(["a", "b", "c", "b"]))
    assert [index.find(p) for p in "abcd"] == [[0], [1, 3], [2], []]
    assert index.numbers(["c", "b", "d"]).tolist() == [2, 1, -1]


@given(st.lists(st.tuples(path, st.sampled_from(LANES)), max_size=30, unique=True))
def test_of_many_paths_each_gets_the_lane_that_was_asked_for_or_the_first_in_precedence(rows):
    registry = Registry.of([{"path": p, "lane": lane} for p, lane in rows])
    numbers = {row: i for i, row in enumerate(rows)}
    asked = [p for p, _ in rows]
    for lane in LANES:
        assert registry.numbers(asked, lane).tolist() == [numbers.get((p, lane), -1) for p in asked]
    first = [next(numbers[p, lane] for lane in LANES if (p, lane) in numbers) for p in asked]
    assert registry.numbers(asked).tolist() == first
    assert [registry.index(p, None) for p in asked] == first
