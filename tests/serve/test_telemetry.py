"""Telemetry: four ways of writing the same rows; each row that cannot be taken is told, the others are."""

import json

import numpy as np
import pyarrow as pa
import pytest
from gemel.connect.http import MOST_ROWS, UnreadableBodyError, decode, settle
from hypothesis import given
from hypothesis import strategies as st
from serve_fake import PUMP, START

STATES = {"a/flow": [], "a/on": ["off", "on"]}.get
NS = 1_700_000_000_123_456_789


def taken(media_type, body):
    given, refusals = decode(media_type, body)
    rows, places, more = settle(given, STATES)
    assert all(len(r) == 5 for r in rows)
    return [r[:4] for r in rows], places, {r.row: r.code for r in [*refusals, *more]}


def uncertain(media_type, body):
    given, _ = decode(media_type, body)
    rows, _, refused = settle(given, STATES)
    return [r[4] for r in rows], [r.code for r in refused]


def arrow(columns, options=None):
    sink = pa.BufferOutputStream()
    table = pa.table(columns)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def test_the_same_row_four_ways():
    wanted = [("a/flow", NS, 1.5, None)]
    row = {"path": "a/flow", "time": NS, "value": 1.5}
    assert taken("application/json", json.dumps([row]).encode())[0] == wanted
    assert taken("application/x-ndjson", json.dumps(row).encode() + b"\n")[0] == wanted
    assert taken("text/plain", f"a flow=1.5 {NS}".encode())[0] == wanted
    assert taken("application/vnd.apache.arrow.stream", arrow({"path": ["a/flow"], "time": [NS], "value": [1.5]}))[0] == wanted


@pytest.mark.parametrize(
    ("time", "ns"),
    [(NS, NS), (1_700_000_000, 1_700_000_000 * 10**9), (1_700_000_000_123, 1_700_000_000_123 * 10**6), ("2023-11-14T22:13:20.5Z", START + 500_000_000),
     ("2023-11-14T23:13:20+01:00", START), (None, None)],
)  # fmt: skip
def test_a_time_is_iso_text_or_a_number_by_its_size(time, ns):
    assert taken("application/json", json.dumps([{"path": "a/flow", "time": time, "value": 1}]).encode())[0] == [("a/flow", ns, 1.0, None)]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"path": "a/none", "value": 1}, "unknown_signal"),
        ({"value": 1}, "wrong_row"),
        ({"path": "a/flow"}, "wrong_row"),
        ({"path": 7, "value": 1}, "wrong_row"),
        (7, "wrong_row"),
        ({"path": "a/flow", "value": "fast"}, "wrong_type"),
        ({"path": "a/flow", "value": None}, "wrong_type"),
        ({"path": "a/flow", "value": [1]}, "wrong_type"),
        ({"path": "a/flow", "value": 2**53 + 1}, "integer_too_large"),
        ({"path": "a/flow", "value": 1, "time": "soon"}, "absurd_time"),
        ({"path": "a/flow", "value": 1, "time": True}, "wrong_type"),
        ({"path": "a/flow", "value": 1, "time": -5}, "absurd_time"),
        ({"path": "a/flow", "value": 1, "time": "2200-01-01T00:00:00Z"}, "absurd_time"),
        ({"path": "a/flow", "value": 1, "status": -1}, "wrong_status"),
        ({"path": "a/flow", "value": 1, "status": True}, "wrong_status"),
        ({"path": "a/flow", "value": 1, "sigma": -0.1}, "wrong_sigma"),
        ({"path": "a/flow", "value": 1, "sigma": "0.1"}, "wrong_sigma"),
        ({"path": "a/flow", "value": 1, "sigma": True}, "wrong_sigma"),
        ({"path": "a/flow", "value": 1, "sigma": 1e39}, "wrong_sigma"),
        ({"path": "a/on", "value": "ajar"}, "unknown_state"),
        ({"path": "a/on", "value": 2}, "unknown_state"),
        ({"path": "a/on", "value": 0.5}, "unknown_state"),
    ],
)
def test_a_row_that_cannot_be_is_refused_alone(row, code):
    body = json.dumps([{"path": "a/flow", "value": 1}, row, {"path": "a/on", "value": "on"}]).encode()
    rows, places, refused = taken("application/json", body)
    assert refused == {1: code}
    assert (places, rows) == ([0, 2], [("a/flow", None, 1.0, None), ("a/on", None, 1.0, None)])


def test_a_row_may_come_with_its_standard_uncertainty():
    rows = [{"path": "a/flow", "value": 1, "sigma": 0.25}, {"path": "a/flow", "value": 1, "sigma": 0}, {"path": "a/flow", "value": 1}]
    assert uncertain("application/json", json.dumps(rows).encode()) == ([0.25, 0.0, None], [])
    assert uncertain("application/x-ndjson", b"\n".join(json.dumps(r).encode() for r in rows)) == ([0.25, 0.0, None], [])
    table = arrow({"path": ["a/flow"] * 3, "value": [1.0] * 3, "sigma": pa.array([0.25, None, np.nan], pa.float32())})
    assert uncertain("application/vnd.apache.arrow.stream", table) == ([0.25, None, None], [])


@pytest.mark.parametrize("body", [b"", b"{", b'{"path": 1}', b"[NaN]", b'[{"path":"a/flow","value":Infinity}]', b"\xff", b"[" * 100_000, b"7"])
def test_a_body_that_is_not_rows_is_refused_as_a_whole(body):
    with pytest.raises(UnreadableBodyError):
        decode("application/json", body)


def test_too_many_rows_are_refused_before_they_are_made():
    for media_type, body in [("application/json", b"[" + b"[]," * (6 * MOST_ROWS) + b"1,1]"), ("application/x-ndjson", b"{}\n" * (MOST_ROWS + 1)),
                             ("text/plain", b"a f=1\n" * (MOST_ROWS + 1)),
                             ("application/vnd.apache.arrow.stream", arrow({"path": pa.array(["a"] * (MOST_ROWS + 1)), "value": np.zeros(MOST_ROWS + 1)}))]:  # fmt: skip
        with pytest.raises(UnreadableBodyError) as refused:
            decode(media_type, body)
        assert refused.value.code == "too-many-rows", media_type


def test_ndjson_lines_stand_alone():
    body = b'{"path":"a/flow","value":1}\n\nnot json\n{"path":"a/flow","value":NaN}\n{"path":"a/on","value":true}\n'
    rows, places, refused = taken("application/x-ndjson", body)
    assert (places, refused) == ([0, 4], {2: "not_json", 3: "not_json"})
    assert rows[1] == ("a/on", None, 1.0, None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a flow=1.5", [("a/flow", None, 1.5)]),
        (b"a,host=x,line\\ 1=y flow=2i,on=t 7", [("a/flow", 7, 2.0), ("a/on", 7, 1.0)]),
        (b'a on="on" 7', [("a/on", 7, 1.0)]),
        (b"  a flow=-1e3   9  ", [("a/flow", 9, -1000.0)]),
        (b"# a comment", []),
        (b"", []),
    ],
)
def test_line_protocol_is_read(line, expected):
    rows, _, refused = taken("text/plain", line)
    assert refused == {}
    assert [r[:3] for r in rows] == expected


@pytest.mark.parametrize(
    ("line", "code"),
    [(b"a", "wrong_line"), (b"a flow", "wrong_line"), (b"a flow=", "wrong_line"), (b"a flow=1 2 3", "wrong_line"), (b"a flow=x", "wrong_line"),
     (b'a flow="x', "wrong_line"), (b"a flow=nan", "not_finite"), (b"a flow=1 -5", "absurd_time"), (b"a none=1", "unknown_signal"),
     (b"a flow=9007199254740993i", "integer_too_large"), (b"a flow=1" + b"," * 70_000, "wrong_line")],
)  # fmt: skip
def test_a_line_that_cannot_be_is_refused_alone(line, code):
    rows, _, refused = taken("text/plain", b"a flow=1\n" + line + b"\na flow=2")
    assert refused == {1: code}
    assert [r[2] for r in rows] == [1.0, 2.0]


def test_arrow_takes_dictionaries_and_timestamps():
    body = arrow({
        "path": pa.array(["a/flow", "a/on", "a/flow"]).dictionary_encode(), "value": pa.array([1.0, 1.0, float("nan")]),
        "time": pa.array([NS // 1000] * 3, pa.timestamp("us", "UTC")), "status": pa.array([0, 0x40000000, 0], pa.uint32()),
    })  # fmt: skip
    rows, places, refused = taken("application/vnd.apache.arrow.stream", body)
    assert rows == [("a/flow", NS // 1000 * 1000, 1.0, 0), ("a/on", NS // 1000 * 1000, 1.0, 0x40000000)]
    assert (places, refused) == ([0, 1], {2: "not_finite"})


@pytest.mark.parametrize(
    "body",
    [b"", b"not arrow", arrow({"value": [1.0]}), arrow({"path": ["a"]}), arrow({"path": [1], "value": [1.0]}),
     arrow({"path": ["a"], "value": [[1.0]]}), arrow({"path": ["a"], "value": [1.0], "time": ["now"]}),
     arrow({"path": ["a"], "value": [1.0]})[:-40]],
)  # fmt: skip
def test_an_arrow_stream_that_cannot_be_is_refused_as_a_whole(body):
    with pytest.raises(UnreadableBodyError):
        decode("application/vnd.apache.arrow.stream", body)


def test_a_compressed_stream_is_not_taken_for_it_may_be_a_bomb():
    bomb = arrow({"path": ["a/flow"] * 1000, "value": np.zeros(1000)}, pa.ipc.IpcWriteOptions(compression="zstd"))
    with pytest.raises(UnreadableBodyError, match="compressed"):
        decode("application/vnd.apache.arrow.stream", bomb)


@given(st.sampled_from(["application/json", "application/x-ndjson", "text/plain", "application/vnd.apache.arrow.stream"]), st.binary(max_size=200))
def test_no_bytes_are_worse_than_a_refusal(media_type, body):
    try:
        given_rows, refusals = decode(media_type, body)
    except UnreadableBodyError:
        return
    rows, places, more = settle(given_rows, STATES)
    assert len(rows) + len(more) == len(given_rows)
    assert all(r.message for r in [*refusals, *more])


@given(st.data())
def test_a_damaged_arrow_stream_is_refused_or_read(data):
    good = arrow({"path": ["a/flow", "a/on"], "value": [1.0, 0.0], "time": [NS, NS]})
    at = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:at] + data.draw(st.binary(min_size=1, max_size=4)) + good[at + 1 :]
    try:
        settle(decode("application/vnd.apache.arrow.stream", damaged)[0], STATES)
    except UnreadableBodyError:
        pass


def test_rows_reach_the_twin_and_refusals_of_all_kinds_are_told_by_row(operator, anybody, twin):
    rows = [{"path": "nothing", "value": 1}, {"path": f"{PUMP}/flow", "value": 77, "time": START}, {"path": f"{PUMP}/flow", "value": 13},
            {"path": f"{PUMP}/running", "value": "stopped"}]  # fmt: skip
    got = operator.post("/telemetry", json=rows).json()
    assert got["accepted"] == 2
    assert [(r["row"], r["code"]) for r in got["rejected"]] == [(0, "unknown_signal"), (2, "unlucky")]
    properties = anybody.get(f"/state/{PUMP}").json()["properties"]
    assert (properties["flow"]["value"], properties["running"]["text"]) == (77, "stopped")
    http = anybody.get("/quality").json()["connections"][-1]
    assert (http["values"], http["refused"]) == (2, {"unknown_signal": 1, "unlucky": 1})


def test_an_unknown_media_type_is_told_which_are_taken(operator):
    got = operator.post("/telemetry", content=b"x", headers={"Content-Type": "image/png"})
    assert got.status_code == 415
    assert "application/x-ndjson" in got.json()["detail"]


def test_what_cannot_be_read_is_counted_and_shown(operator, anybody):
    assert operator.post("/telemetry", content=b"{oops", headers={"Content-Type": "application/json"}).status_code == 422
    http = anybody.get("/quality").json()["connections"][-1]
    assert http["refused"] == {"unreadable_body": 1}
    assert http["examples"][0]["text"] == "{oops"


def test_more_than_16_mib_are_refused(operator):
    got = operator.post("/telemetry", content=b" " * ((16 << 20) + 1), headers={"Content-Type": "application/json"})
    assert got.status_code == 413
