"""Value frames: what goes in comes out, through a decoder that knows only the description."""

import numpy as np
import pytest
from gemel.samples import Registry
from gemel.samples.status import BAD_OUT_OF_RANGE, GOOD_LOCAL_OVERRIDE, UNCERTAIN, UNCERTAIN_SUBSTITUTE
from gemel.serve import frames
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reference_frame import decode

# written by hand from the layout in the module's docstring: two signals, the second a totaliser
GOLDEN = (
    "02 01 0200 07000000 000000000000f83f"  # type 2, id 1, n 2, sequence 7, time 1.5 s
    "01 04"  # good, stale
    "0500 ffff"  # 0.5 s, older or never
    "0000"  # padding to 4
    "0000c03f 0000804b"  # 1.5, 16777216 (what float32 makes of it)
    "000000100000 7041"  # 16777217 as float64
).replace(" ", "")


def encode(kind=2, **changes):
    given = {"quality": np.array([1, 4], np.uint8), "age": np.array([5, 65535], np.uint16), "value": np.array([1.5, 16777217.0]),
             "wide": np.array([1])}  # fmt: skip
    return frames.encode(kind, 1, 7, 1.5, **{**given, **changes})


def test_a_frame_is_what_its_description_says():
    assert encode().hex() == GOLDEN


def test_a_totaliser_keeps_its_last_digit():
    assert decode(encode(), [1])["value"] == [1.5, 16777217.0]


@given(st.data())
def test_any_frame_comes_back(data):
    n = data.draw(st.integers(0, 40))
    kind = data.draw(st.sampled_from([1, 2]))
    quality = data.draw(hnp.arrays(np.uint8, n, elements=st.integers(0, 7)))
    age = data.draw(hnp.arrays(np.uint16, n)) if kind == 2 else None
    value = data.draw(hnp.arrays(np.float64, n, elements=st.floats(width=64)))
    wide = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))) if n else [], dtype=np.intp)
    time = data.draw(st.floats(0, 4e9))
    with np.errstate(over="ignore"):
        expected = value.astype(np.float32).astype(np.float64)
    expected[wide] = value[wide]
    got = decode(frames.encode(kind, 3, 2**32 + 5, time, quality=quality, age=age, value=value, wide=wide), wide)
    assert (got["type"], got["id"], got["sequence"], got["time"]) == (kind, 3, 5, time)
    assert got["quality"] == quality.tolist()
    assert got["age"] == (None if age is None else age.tolist())
    np.testing.assert_array_equal(np.array(got["value"], float), expected)


@pytest.mark.parametrize(
    ("status", "stale", "simulated", "word"),
    [
        (0, False, False, "good"),
        (UNCERTAIN, False, False, "uncertain"),
        (BAD_OUT_OF_RANGE, False, False, "bad"),
        (0xC0000000, False, False, "bad"),
        (GOOD_LOCAL_OVERRIDE, False, False, "manual"),
        (UNCERTAIN_SUBSTITUTE, False, False, "substituted"),
        (0, False, True, "simulated"),
        (BAD_OUT_OF_RANGE, False, True, "bad"),
        (0, True, False, "stale"),
        (BAD_OUT_OF_RANGE, True, True, "stale"),
    ],
)
def test_each_quality_has_its_word(status, stale, simulated, word):
    code = frames.code_of(np.array([status], np.uint32), np.array([stale]), np.array([simulated]))
    assert frames.WORDS[code[0]] == word


class Values:
    def __init__(self, n):
        self.status = np.zeros(n, np.uint32)
        self.stale = np.zeros(n, bool)
        self.seen = np.ones(n, bool)
        self.time = np.zeros(n, np.int64)
        self.lane = np.ones(n, np.int8)


def test_while_the_twin_is_not_heard_nothing_looks_live():
    values = Values(3)
    values.status[1] = BAD_OUT_OF_RANGE
    values.seen[2] = False
    assert frames.qualities(values, heard=True).tolist() == [frames.GOOD, frames.BAD, frames.NONE]
    assert frames.qualities(values, heard=False).tolist() == [frames.STALE, frames.STALE, frames.NONE]


def test_ages_are_tenths_of_seconds_and_say_when_they_cannot():
    values = Values(5)
    values.time[:] = [10**10, 10**10 - 50_000_000 * 3, 2 * 10**10, 0, np.iinfo(np.int64).min]
    values.seen[4] = False
    now = 10**10
    assert frames.ages(values, now).tolist() == [0, 2, 0, 100, frames.OLD]
    assert frames.ages(values, 7000 * 10**9).tolist()[3] == frames.OLD


def test_totalisers_travel_wide_and_models_are_told_apart():
    registry = Registry.of(
        [{"path": "a/b/c"}, {"path": "a/b/d", "kind": "total"}, {"path": "a/b/c", "lane": "simulated"}]
    )
    signals = np.array([2, 1, 0], np.int32)
    assert frames.needs_float64(registry, signals).tolist() == [1]
    values = Values(4)
    values.lane[:] = range(4)
    words = [frames.WORDS[code] for code in frames.qualities(values, heard=True)]
    assert words == ["good", "good", "simulated", "simulated"]
