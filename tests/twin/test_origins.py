"""Where samples came from, in one number each."""

import numpy as np

from gemel.twin.origins import MOST, Origin, Origins, packed


def test_a_position_and_a_producer_are_read_back():
    origins = Origins()
    one, two = origins.code("ingest-1", "0.1"), origins.code("ingest-2", "0.1")
    assert origins.code("ingest-1", "0.1") == one != two
    assert origins.read(packed(2**50, two)) == Origin(2**50, "ingest-2", "0.1")
    assert origins.read(0) == Origin(0, "", "")


def test_whoever_made_nothing_that_is_in_memory_is_forgotten_before_the_table_is_full():
    origins = Origins()
    kept = np.array([packed(7, origins.code("first", "1"))])
    for n in range(3 * MOST):
        assert origins.code(f"p{n}", "1") != 0
        origins.tidy([kept])
    assert origins.read(int(kept[0])) == Origin(7, "first", "1")


def test_a_full_table_names_nobody_rather_than_the_wrong_one():
    origins = Origins()
    codes = {origins.code(f"p{n}", "1") for n in range(MOST + 5)}
    assert codes == set(range(MOST))
    assert origins.code("one more", "1") == 0


def test_a_snapshot_names_the_same():
    origins, again = Origins(), Origins()
    code = origins.code("ingest-1", "0.1")
    again.from_notes(origins.to_notes())
    assert again.read(packed(3, code)) == origins.read(packed(3, code))
    assert again.code("ingest-2", "0.1") == origins.code("ingest-2", "0.1")
