"""What a replay sends is what the decoder reads: the two are each other's inverse."""

import types

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.connect.columns import match_columns
from gemel.connect.compose import compose, shapes
from gemel.connect.pace import Pace
from gemel.connect.payload import Decoder
from gemel.connect.plan import compile_plan
from gemel.errors import AssetError
from gemel.samples import Registry

REGISTRY = Registry.of(
    [{"path": f"acme/site/rig/{n}"} for n in ("flow", "pressure", "temp")]
    + [{"path": "acme/site/rig/mode", "kind": "state", "states": ["off", "on"]}]
)


def sources(unit, paths=("$.flow", '$.a["p p"]', "$.list[2].t", "$.mode"), topics=("t1", "t1", "t2", "t1")):
    return types.SimpleNamespace(
        signal=np.arange(4, dtype=np.int32), topic=list(topics), path=list(paths),
        time_path=["$.meta.ts"] * 4, time_unit=[unit] * 4,
    )  # fmt: skip


VALUE = st.one_of(st.none(), st.floats(allow_nan=True), st.integers(-(2**53), 2**53).map(float))


@given(
    st.lists(st.tuples(st.integers(0, 4 * 10**9), VALUE, VALUE, VALUE, st.sampled_from([None, "off", "on"])), max_size=20),
    st.sampled_from(["s", "ms", "us", "ns", "iso", None]),
)
def test_what_is_sent_is_read(rows, unit):
    """Every finite cell comes back with its value and its time (whole seconds hold in every unit)."""
    s = sources(unit)
    chunk = pa.table(
        {name: pa.array([r[i + 1] for r in rows], pa.float64() if i < 3 else pa.string()) for i, name in enumerate(("flow", "p p", "t", "mode"))}
    )
    times = np.array([r[0] * 10**9 for r in rows], dtype=np.int64)
    matched = match_columns(chunk.column_names, s, REGISTRY)
    messages = [
        (shape.topic, payload, 1)
        for shape in shapes(s, matched.row_of)
        for payload in compose(shape, chunk, times)
        if payload is not None
    ]
    got, refused = Decoder(compile_plan(s, REGISTRY)).decode(messages)
    expected = sorted(
        (signal, time * 10**9, {"off": 0.0, "on": 1.0}.get(cell, cell))
        for time, *cells in rows
        for signal, cell in enumerate(cells)
        if cell is not None and (isinstance(cell, str) or abs(cell) < float("inf"))
    )
    read = list(zip(got.signal.tolist(), got.time.tolist(), got.value.tolist(), strict=True))
    if unit is None:  # without a unit ISO text is written
        assert messages == [] or b'"ts":"' in messages[0][1]
    assert sorted(read) == expected
    assert set(refused.counts) <= {"missing_path"}, "only cells that were empty are missing"


def test_columns_are_matched_by_path_key_and_name_or_refused():
    s = sources("ns")
    assert match_columns(["P_P", "FLOW", "rig/temp", "other"], s, REGISTRY).row_of == {"P_P": 1, "FLOW": 0, "rig/temp": 2}
    assert match_columns(["other"], s, REGISTRY).left_over == ("other",)
    assert match_columns(["x"], s, REGISTRY, {"x": "rig/pressure"}).row_of == {"x": 1}
    with pytest.raises(AssetError, match="no file has"):
        match_columns(["x"], s, REGISTRY, {"y": "rig/pressure"})
    with pytest.raises(AssetError, match="no signal"):
        match_columns(["x"], s, REGISTRY, {"x": "rig/none"})
    with pytest.raises(AssetError, match="all taken for"):
        match_columns(["flow", "x"], s, REGISTRY, {"x": "rig/flow"})
    two = types.SimpleNamespace(**{**vars(s), "path": ["$.value"] * 4})
    with pytest.raises(AssetError, match="may be"):
        match_columns(["value"], two, REGISTRY)


def test_plain_payloads_are_numbers():
    s = sources("ns", paths=(None, None, None, None), topics=("a", "b", "c", "d"))
    chunk = pa.table({"flow": [1.5, None], "mode": ["on", "off"]})
    found = {x.topic: compose(x, chunk, np.array([1, 2])) for x in shapes(s, match_columns(chunk.column_names, s, REGISTRY).row_of)}
    assert found == {"a": [b"1.5", None], "d": [b"on", b"off"]}


@pytest.mark.parametrize("path", ["$", "$[0].x", "$.a[-1]", "$.a[99999999]"])
def test_a_path_that_no_payload_can_have_is_refused(path):
    with pytest.raises(AssetError, match="no payload"):
        shapes(sources("ns", paths=(path, "$.b", "$.c", "$.d")), {"x": 0})


def test_wildcards_cannot_be_sent_to():
    with pytest.raises(AssetError, match="wildcards"):
        shapes(sources("ns", topics=("a/+", "b", "c", "d")), {"flow": 0})


def test_pace_follows_time_shortens_pauses_and_never_waits_at_full_speed():
    times = np.array([0, 1, 1, 3, 1000], dtype=np.int64) * 10**9
    assert Pace(1.0, 5.0).waits(times, None).tolist() == [0, 1, 0, 2, 5]
    assert Pace(100.0, 5.0).waits(times, -(10**9)).tolist() == [0.01, 0.01, 0, 0.02, 5]
    assert Pace(float("inf"), 5.0).waits(times, 0).tolist() == [0, 0, 0, 0, 0]
