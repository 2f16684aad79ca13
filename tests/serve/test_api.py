"""The API says what the twin knows, in the shapes that the page and scripts rely on."""

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from gemel.history import Hole
from gemel.samples.clock import iso
from gemel.samples.status import BAD_OUT_OF_RANGE, LIMIT_HIGH
from serve_fake import OTHER, PUMP, ROOT, SECOND, START


def test_the_tree_and_the_lists_name_everything(anybody):
    tree = anybody.get("/tree").json()
    assert tree["path"].startswith("acme")
    paths = [a["path"] for a in anybody.get("/assets").json()["items"]]
    assert paths == [PUMP, OTHER]
    brief = anybody.get("/assets").json()["items"][0]
    assert (brief["title"], brief["type"], brief["signals"], brief["commands"]) == ("Pump 1", "Pump", 4, 1)
    signals = anybody.get("/signals").json()
    assert len(signals["items"]) == 8
    assert signals["next"] is None


def test_lists_come_in_pages(anybody):
    first = anybody.get("/signals", params={"limit": 5}).json()
    rest = anybody.get("/signals", params={"limit": 5, "after": first["next"]}).json()
    assert len(first["items"]) == 5
    assert rest["next"] is None
    assert len({s["path"] for s in first["items"] + rest["items"]}) == 8


def test_an_asset_says_all_that_may_be_said_of_it(anybody):
    asset = anybody.get(f"/assets/{PUMP}").json()
    signals = {s["name"]: s for s in asset["signals"]}
    assert signals["speed"]["range"] == [0, 3600]
    assert signals["speed"]["normal"] == [1000, 3000]
    assert signals["flow"]["alarm"] == {"high": 300, "high_high": 350, "low": None, "low_low": None}
    assert signals["running"]["states"] == ["stopped", "running"]
    assert signals["speed"]["stale_after_s"] == 10
    assert asset["parameters"]["rated_head"] == {"value": 32, "unit": "m"}
    assert asset["relations"] == [{"from": PUMP, "kind": "feeds", "to": OTHER}]
    command = asset["commands"][0]
    assert (command["name"], command["low"], command["high"], command["approval"], command["wired"]) == ("set_speed", 600, 3000, "engineer", True)


def test_state_is_value_quality_and_age(anybody, server, twin):
    server.do(twin.send, {f"{PUMP}/flow": 500.0}, at=START + SECOND, status=BAD_OUT_OF_RANGE | LIMIT_HIGH)
    state = anybody.get(f"/state/{PUMP}").json()
    flow, running = state["properties"]["flow"], state["properties"]["running"]
    assert (flow["value"], flow["quality"], flow["status_name"], flow["unit"]) == (500.0, "bad", "BadOutOfRange (high)", "m3/h")
    assert (running["value"], running["text"], running["quality"], running["age_s"]) == (1.0, "running", "good", 1.0)
    unseen = anybody.get(f"/state/{OTHER}").json()["properties"]["flow"]
    assert (unseen["value"], unseen["quality"], unseen["time"]) == (None, "none", None)


def test_state_at_a_time_is_what_was_so_and_what_was_known(anybody, server, twin):
    server.do(twin.send, {f"{PUMP}/flow": 99.0}, at=START + 100 * SECOND)
    then = anybody.get(f"/state/{PUMP}", params={"at": "2023-11-14T22:13:21Z"}).json()
    assert then["properties"]["flow"]["value"] == 120.5
    late = anybody.get(f"/state/{PUMP}", params={"at": "2023-11-14T22:13:45Z"}).json()
    assert late["properties"]["flow"]["quality"] == "stale"
    before = anybody.get(f"/state/{PUMP}", params={"at": "2023-11-14T22:20:00Z", "known": "2023-11-14T22:00:00Z"}).json()
    assert before["properties"]["flow"]["quality"] == "none"


@pytest.fixture
def filled(twin):
    times = START + np.arange(100) * SECOND
    values = np.sin(np.arange(100.0))
    keep = (np.arange(100) < 40) | (np.arange(100) >= 60)
    twin.fill(f"{OTHER}/flow", times[keep], values[keep])
    return {"signal": f"{OTHER}/flow", "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:15:00Z"}


def test_history_is_columns_and_a_gap_is_a_row_without_value(filled, anybody):
    got = anybody.get("/history", params=filled).json()
    assert (got["mode"], got["rows"], got["unit"], got["next"]) == ("raw", 80, "m3/h", None)
    assert len(got["time"]) == len(got["value"]) == len(got["status"]) == 81
    assert got["value"][40] is None
    assert got["time"][0] == START / SECOND
    assert got["value"][1] == np.sin(1.0)


def test_raw_history_goes_on_where_it_stopped(filled, anybody):
    first = anybody.get("/history", params={**filled, "limit": 30}).json()
    rest = anybody.get("/history", params={**filled, "start": first["next"]}).json()
    assert first["rows"] + rest["rows"] == 80


def test_decimated_history_keeps_the_spike(filled, anybody, twin):
    twin.fill(filled["signal"], [START + 10 * SECOND + 1], [350.0])
    got = anybody.get("/history", params={**filled, "points": 10}).json()
    assert got["mode"] == "decimated"
    assert got["rows"] <= 25
    assert 350.0 in got["value"]
    assert None in anybody.get("/history", params={**filled, "points": 60}).json()["value"]


def test_decimating_makes_no_gaps_where_there_are_none(anybody, twin):
    twin.fill(f"{OTHER}/flow", START + np.arange(2000) * SECOND, np.ones(2000))
    query = {"signal": f"{OTHER}/flow", "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:46:40Z", "points": 60}
    got = anybody.get("/history", params=query).json()
    assert 0 < got["rows"] <= 60
    assert None not in got["value"]


def test_aggregated_history_has_one_value_an_interval(filled, anybody):
    got = anybody.get("/history", params={**filled, "interval": "10s", "aggregate": "count"}).json()
    assert got["mode"] == "aggregated"
    assert got["value"] == [10, 10, 10, 10, None, None, 10, 10, 10, 10]
    got = anybody.get("/history", params={**filled, "interval": "50s", "aggregate": "max"}).json()
    assert got["value"][0] == pytest.approx(np.sin(np.arange(40.0)).max())


def test_more_intervals_than_an_answer_holds_come_in_several(filled, anybody):
    got = anybody.get("/history", params={**filled, "interval": "1ms", "end": "2023-11-14T22:16:00Z"}).json()
    assert len(got["time"]) == 100_000
    assert got["next"] == "2023-11-14T22:15:00.000000000Z"


def test_history_as_csv_keeps_every_digit(filled, anybody, twin):
    got = anybody.get("/history", params={**filled, "format": "csv"})
    assert got.headers["content-type"].startswith("text/csv")
    lines = got.text.splitlines()
    assert lines[0] == "time,value,status,sigma"
    assert len(lines) == 81
    assert lines[2] == f"2023-11-14T22:13:21.000000000Z,{float(np.sin(1.0))!r},Good,"
    decimated = anybody.get("/history", params={**filled, "format": "csv", "interval": "50s"}).text.splitlines()
    assert len(decimated) == 3


@pytest.mark.parametrize(
    ("params", "status"),
    [({"signal": "nothing"}, 404), ({"points": 1}, 422), ({"interval": "0s"}, 422), ({"aggregate": "median", "interval": "1s"}, 422),
     ({"start": "yesterday"}, 422), ({"lane": "dreamt"}, 422), ({"lane": "simulated"}, 404)],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_told_why(filled, anybody, params, status):
    got = anybody.get("/history", params={**filled, **params})
    assert got.status_code == status, got.text
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json()["detail"]


def test_an_empty_range_has_an_empty_history(filled, anybody):
    got = anybody.get("/history", params={**filled, "end": filled["start"]}).json()
    assert (got["rows"], got["time"]) == (0, [])


def test_facts_are_read_in_order_and_verified(anybody, server, twin):
    for i in range(5):
        server.do(twin.append, "AlarmRaised", "gemel", f"{PUMP}/flow", {"n": i})
    first = anybody.get("/facts", params={"limit": 3}).json()
    rest = anybody.get("/facts", params={"after": first["next"], "limit": 3}).json()
    assert [f["seq"] for f in first["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert rest["next"] is None
    assert first["items"][0]["at"].endswith("Z")
    assert anybody.get("/facts", params={"kind": "LoggedIn"}).json()["items"] == []
    assert anybody.get("/facts/verify").json()["ok"] is True


def test_quality_tells_reasons_and_connections(anybody):
    got = anybody.get("/quality").json()
    flow = next(i for i in got["items"] if i["signal"] == f"{PUMP}/flow")
    assert (flow["received"], flow["rejected"], flow["rate_per_s"], flow["jitter_ms"]) == (1, {"out_of_range": 1}, 1.0, None)
    assert (flow["duplicate"], got["since"]) == (0, None)
    assert [c["name"] for c in got["connections"]] == ["field", "http"]
    assert len(anybody.get("/quality", params={"asset": PUMP}).json()["items"]) == 4


def test_quality_of_a_past_span_is_told_from_what_was_kept(anybody, server, twin):
    for second in (0, 1, 2, 60):
        server.do(twin.send, {f"{PUMP}/flow": 100.0 + second}, at=START + (500 + second) * SECOND)

    def flow(at, **more):
        got = anybody.get("/quality", params={"at": iso(START + at * SECOND), "span_s": 100, **more}).json()
        assert (got["since"], got["connections"]) == (iso(START + (at - 100) * SECOND), [])
        return next(i for i in got["items"] if i["signal"] == f"{PUMP}/flow")

    assert (flow(450)["received"], flow(450)["last_time"], flow(450)["good_fraction"]) == (0, None, None)
    then = flow(501)
    assert (then["received"], then["gaps"], then["duplicate"], then["last_time"]) == (2, 0, None, iso(START + 501 * SECOND))
    assert (flow(560)["received"], flow(560)["gaps"]) == (4, 1)
    assert flow(560, known=iso(START + 502 * SECOND))["received"] == 3
    assert anybody.get("/quality", params={"at": iso(START), "span_s": 0}).status_code == 422


def test_health_says_how_the_twin_is(anybody, server, twin):
    got = anybody.get("/health").json()
    assert (got["status"], got["plant"], got["writes"], got["timezone"]) == ("ok", ROOT, True, "Europe/Berlin")
    assert got["processes"]["twin"] == {"state": "up", "restarts": 0}
    twin.up = False
    assert anybody.get("/health").json()["link"]["up"] is False


def test_metrics_are_prometheus_text(anybody):
    got = anybody.get("/metrics")
    assert got.headers["content-type"].startswith("text/plain; version=0.0.4")
    read = {s.name: s.value for family in text_string_to_metric_families(got.text) for s in family.samples}
    assert (read["gemel_up"], read["gemel_signals"], read["gemel_signals_seen"]) == (1, 8, 4)


def test_metrics_give_what_each_process_measures_of_itself(anybody, twin):
    twin.told = {
        "twin": {"measures": {"tail_rows": 12, "readings_total": {"late": 3, "stored": 40}, "of_another_version": 1}},
        "ingest": {"measures": {"connection_up": {'a "b"': 1}, "process_resident_bytes": 5e7}},
        "family": {"processes": {"twin": {"state": "up", "restarts": 2, "pid": 1}, "nats": {"state": "down", "restarts": 0}}},
    }
    text = anybody.get("/metrics").text
    read = {(s.name, frozenset(s.labels.items())): s.value for family in text_string_to_metric_families(text) for s in family.samples}

    def value(measure, **labels):
        return read[measure, frozenset(labels.items())]

    assert value("gemel_tail_rows", process="twin") == 12
    assert value("gemel_readings_total", process="twin", reason="late") == 3
    assert value("gemel_connection_up", process="ingest", connection='a "b"') == 1
    assert value("gemel_process_resident_bytes", process="ingest") == 5e7
    assert value("gemel_process_restarts_total", process="family", name="twin") == 2
    assert value("gemel_process_up", process="family", name="nats") == 0
    assert "another_version" not in text


def test_openapi_is_there_and_the_reference_asks_no_other_host(anybody):
    spec = anybody.get("/openapi.json").json()
    assert "/api/v1/history" in spec["paths"]
    page = anybody.get("/docs").text
    assert "GET /api/v1/history" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nothing", 404, "not-found"), ("GET", "/assets/acme/nothing", 404, None), ("GET", "/state/acme/nothing", 404, "not-found"),
     ("PUT", "/facts", 405, "method-not-allowed"), ("GET", "/telemetry", 405, "method-not-allowed"), ("GET", "/facts?limit=0", 422, "invalid-request"),
     ("GET", "/facts?limit=1001", 422, "invalid-request"), ("GET", "/facts?after=x", 422, "invalid-request"), ("GET", "/commands/none", 404, "not-found")],
)  # fmt: skip
def test_every_refusal_is_a_problem_with_code_and_remedy(anybody, method, path, status, code):
    got = anybody.request(method, path)
    assert got.status_code == status
    assert got.headers["content-type"] == "application/problem+json"
    problem = got.json()
    assert {"type", "title", "status", "detail", "code", "remedy", "context"} <= set(problem)
    assert problem["status"] == status
    assert problem["remedy"]
    assert code in (None, problem["code"])


def test_a_defect_of_ours_is_a_problem_without_its_inside(anybody, twin, monkeypatch):
    async def broken():
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr(twin, "quality", broken)
    got = anybody.get("/quality")
    assert got.status_code == 500
    assert got.json()["code"] == "defect"
    assert "secret" not in got.text


def test_an_answer_says_what_damage_took_of_it(filled, anybody, twin):
    """The rest is there; where readings were lost stands a row without a value, and every form of answer names the span."""
    whole = anybody.get("/history", params=filled)
    assert whole.json()["missing"] == [] and "gemel-missing" not in whole.headers
    time = whole.json()["time"]
    begin, end = int(time[10] * 1e9) + 1, int(time[12] * 1e9)
    twin.holes = [Hole("a.parquet", "raw_default", "cut off", 40, begin, end)]
    answer = anybody.get("/history", params=filled)
    got = answer.json()
    (missing,) = got["missing"]
    assert missing["rows"] == 40 and missing["why"] == "cut off" and missing["start"] < missing["end"]
    lost = [(t, v) for t, v, s in zip(got["time"], got["value"], got["status"], strict=True) if s == 0x809D0000]
    assert lost == [(pytest.approx(begin / 1e9), None)]
    assert got["rows"] == whole.json()["rows"], "what is missing is not counted as a reading"
    span = f"{missing['start']}/{missing['end']}"
    assert answer.headers["gemel-missing"] == span if "gemel-missing" in answer.headers else True
    for path, more in (("/history", {"format": "csv"}), ("/history", {"format": "arrow"}), ("/history/export", {}), ("/history/aligned", {"every": "10s"})):
        assert anybody.get(path, params={**filled, **more}).headers["gemel-missing"] == span
    empty = anybody.get("/history", params={**filled, "start": missing["start"], "end": missing["end"], "interval": "1s"}).json()
    assert empty["status"] == [0, 0x809D0000]
