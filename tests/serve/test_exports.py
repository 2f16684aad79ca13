"""History leaves by HTTP as files that people's tools read, and side by side at common times."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from serve_fake import OTHER, PUMP, SECOND, START

import gemel
from gemel.history import walk

RANGE = {"start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:15:00Z"}


@pytest.fixture
def filled(twin):
    times = START + np.arange(100) * SECOND
    twin.rows = twin.rows[:0]
    twin.fill(f"{PUMP}/flow", times, np.arange(100.0))
    twin.fill(f"{OTHER}/flow", times[::10] + SECOND // 2, np.arange(10.0))
    twin.fill(f"{OTHER}/running", times[:1], np.array([1.0]))


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow"])
def test_many_signals_leave_as_one_file(filled, anybody, form, monkeypatch):
    monkeypatch.setattr(walk, "ROWS", 30)
    told = anybody.get("/history/export", params={"signal": ["*/flow", "pump-2/running"], "format": form, **RANGE})
    assert told.status_code == 200, told.text
    file = io.BytesIO(told.content)
    if form == "csv":
        lines = told.text.splitlines()
        assert lines[:2] == ["signal,unit,time,value,status,sigma", f"{PUMP}/flow,m3/h,2023-11-14T22:13:20.000000000Z,0.0,Good,"]
        assert len(lines) == 112
        return
    table = pq.read_table(file) if form == "parquet" else pa.ipc.open_stream(file).read_all()
    assert table.num_rows == 111
    assert set(table["signal"].to_pylist()) == {f"{PUMP}/flow", f"{OTHER}/flow", f"{OTHER}/running"}
    assert table["value"].to_pylist()[:100] == list(range(100))
    assert f".{'arrows' if form == 'arrow' else form}" in told.headers["content-disposition"]


def test_the_accept_header_says_the_format(filled, anybody):
    told = anybody.get("/history/export", params={"signal": "pump-1/flow", **RANGE}, headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert pa.ipc.open_stream(told.content).read_all().num_rows == 100
    assert anybody.get("/history/export", params={"signal": "pump-1/flow", **RANGE}).headers["content-type"].startswith("text/csv")


def test_signals_stand_side_by_side(filled, anybody):
    got = anybody.get("/history/aligned", params={"signal": ["pump-1/flow", "pump-2/flow"], "every": "10s", **RANGE}).json()
    assert [c["name"] for c in got["columns"]] == ["pump-1/flow", "pump-2/flow"]
    assert [c["signal"] for c in got["columns"]] == [f"{PUMP}/flow", f"{OTHER}/flow"]
    assert got["columns"][0]["value"] == list(range(0, 100, 10))
    assert got["columns"][1]["value"] == [None, *range(9)]
    assert got["next"] is None


def test_an_as_of_join_has_the_times_of_the_other_signal(filled, anybody):
    table = anybody.get("/history/aligned", params={"signal": "pump-1/flow", "on": "pump-2/flow", "format": "arrow", **RANGE})
    got = pa.ipc.open_stream(table.content).read_all()
    assert got["pump-1/flow"].to_pylist() == list(range(0, 100, 10))
    assert got.num_rows == 10
    linear = {"signal": "pump-1/flow", "on": "pump-2/flow", "how": "linear", **RANGE}
    assert anybody.get("/history/aligned", params=linear).json()["columns"][0]["value"][:2] == [0.5, 10.5]


def test_means_and_tolerance(filled, anybody):
    means = {"signal": "pump-1/flow", "every": "50s", "how": "mean", **RANGE}
    assert anybody.get("/history/aligned", params=means).json()["columns"][0]["value"] == [24.5, 74.5]
    assert anybody.get("/history/aligned", params={**means, "every": "60s"}).json()["columns"][0]["value"] == [29.5, 79.5]
    short = {"signal": "pump-2/flow", "every": "10s", "tolerance": "5s", **RANGE}
    assert anybody.get("/history/aligned", params=short).json()["columns"][0]["value"] == [None] * 10


def test_a_long_answer_says_where_to_go_on(filled, anybody, monkeypatch):
    from gemel.history import aligned
    from gemel.serve.routes import exports

    monkeypatch.setattr(exports, "MOST_CELLS", 40)
    monkeypatch.setattr(aligned, "CELLS", 25)
    asked, start, values = {"signal": "pump-1/flow", "every": "1s", **RANGE}, RANGE["start"], []
    while start:
        got = anybody.get("/history/aligned", params={**asked, "start": start}).json()
        values += got["columns"][0]["value"]
        start = got["next"]
    assert values == list(range(100))


@pytest.mark.parametrize("query", [{}, {"every": "1s", "on": "pump-1/flow"}, {"on": "pump-1/flow", "how": "mean"}])
def test_times_that_make_no_sense_are_refused(filled, anybody, query):
    told = anybody.get("/history/aligned", params={"signal": "pump-1/flow", **query})
    assert (told.status_code, told.json()["code"]) == (422, "alignment")


def test_what_a_value_came_with_as_its_uncertainty_leaves_with_it_in_every_form(operator, anybody, server):
    flow, span = f"{PUMP}/flow", {"start": "2023-11-14T22:13:30Z", "end": "2023-11-14T22:14:00Z"}
    rows = [{"path": flow, "time": START + 20 * SECOND, "value": 7, "sigma": 0.1}, {"path": flow, "time": START + 21 * SECOND, "value": 8}]
    assert operator.post("/telemetry", json=rows).json()["rejected"] == []
    asked = {"signal": "pump-1/flow", **span}
    assert anybody.get("/history/export", params=asked).text.splitlines()[1:] == [
        f"{flow},m3/h,2023-11-14T22:13:40.000000000Z,7.0,Good,0.1", f"{flow},m3/h,2023-11-14T22:13:41.000000000Z,8.0,Good,",
    ]  # fmt: skip
    for path, signal in (("/history/export", "pump-1/flow"), ("/history", flow)):
        for form, read in (("parquet", lambda b: pq.read_table(io.BytesIO(b))), ("arrow", lambda b: pa.ipc.open_stream(b).read_all())):
            table = read(anybody.get(path, params={"signal": signal, "format": form, **span}).content)
            assert table["sigma"].to_pylist() == [pytest.approx(0.1), None], (path, form)
    assert anybody.get("/history", params={"signal": flow, "format": "csv", **span}).text.splitlines()[1].endswith(",7.0,Good,0.1")
    frame = gemel.open(server.url).history("pump-1/flow", span["start"], span["end"])
    assert frame.to_pandas()["sigma"].tolist() == pytest.approx([0.1, np.nan], nan_ok=True)
    assert frame.to_polars()["sigma"].to_list() == [pytest.approx(0.1), None]
    drawn = gemel.open(server.url).history("pump-1/flow", span["start"], span["end"], points=100)
    assert drawn["sigma"][0] == pytest.approx(0.1)


def test_an_unknown_signal_is_not_found(anybody):
    assert anybody.get("/history/export", params={"signal": "flux"}).status_code == 404
    assert anybody.get("/history/aligned", params={"signal": "flux", "every": "1s"}).status_code == 404
