"""What is reached along relations is what a walk from asset to asset reaches, in any plant."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.assets.graph import Adjacency

ROWS = 12
edges = st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1)), max_size=40)


def walked(pairs, seeds, depth):
    """One asset after another, as a person would."""
    reached, front = set(seeds), set(seeds)
    for _ in range(ROWS if depth is None else depth):
        front = {b for a, b in pairs if a in front} - reached
        reached |= front
    return sorted(reached - set(seeds))


@settings(max_examples=200)
@given(edges, st.sets(st.integers(0, ROWS - 1), min_size=1, max_size=3), st.one_of(st.none(), st.integers(0, 4)))
def test_reached_is_what_a_walk_reaches(pairs, seeds, depth):
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    table = Adjacency.of(ends[:, 0], ends[:, 1], ROWS)
    assert table.reached(np.array(sorted(seeds)), depth).tolist() == walked(pairs, seeds, depth)


@given(edges, st.integers(0, ROWS - 1), st.integers(0, ROWS - 1))
def test_downstream_and_upstream_mirror_each_other(pairs, a, b):
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    down, up = Adjacency.of(ends[:, 0], ends[:, 1], ROWS), Adjacency.of(ends[:, 1], ends[:, 0], ROWS)
    assert (b in down.reached(np.array([a]))) == (a in up.reached(np.array([b])))
