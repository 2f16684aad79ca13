"""Paths name one value, and what is no such path is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.connect.jsonpath import format_path, parse_path, place
from gemel.errors import AssetError


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("$", ()),
        ("$.value", ("value",)),
        ('$.a.b[0]["x y"]', ("a", "b", 0, "x y")),
        ("$['a.b'].c", ("a.b", "c")),
        ("$[2][-1]", (2, -1)),
        ("$.Volume_Flow.größe", ("Volume_Flow", "größe")),
    ],
)
def test_reads(text, keys):
    assert parse_path(text) == keys


@pytest.mark.parametrize("text", ["", "value", "$.", "$..a", "$.a[*]", "$.a[0:2]", "$.a[?(@.b)]", "$.a[", '$["a', "$.a b", "$[a]"])
def test_refuses_with_words(text):
    with pytest.raises(AssetError, match="not a JSON path"):
        parse_path(text)


KEYS = st.lists(st.one_of(st.text(min_size=1).filter(lambda s: '"' not in s), st.integers(0, 5)), max_size=5).map(tuple)


@given(KEYS)
def test_what_is_written_is_read(keys):
    assert parse_path(format_path(keys)) == keys


@given(st.text(min_size=1), KEYS, st.floats(allow_nan=False))
def test_what_is_placed_is_found(first, rest, value):
    document = {}
    place(document, (first, *rest), value)
    for key in (first, *rest):
        document = document[key]
    assert document == value
