"""Any time can be asked for: states in bulk, alarms, commands, what differs, and the record from its end."""

import csv
import io

from gemel.samples.clock import iso
from serve_fake import OTHER, PUMP, ROOT, SECOND, START


def at(seconds):
    return iso(START + seconds * SECOND)


def test_many_assets_are_asked_for_at_once(anybody, server, twin):
    server.do(twin.send, {f"{PUMP}/flow": 99.0, f"{OTHER}/flow": 7.0}, at=START + 100 * SECOND)
    both = anybody.get("/state", params={"asset": [OTHER, PUMP, "no/such"]}).json()
    assert [i["asset"] for i in both["items"]] == [OTHER, PUMP]
    assert [i["properties"]["flow"]["value"] for i in both["items"]] == [7.0, 99.0]
    then = anybody.get("/state", params={"under": ROOT, "at": at(1)}).json()
    assert (then["at"], then["next"]) == (at(1), None)
    assert [i["properties"]["flow"]["value"] for i in then["items"]] == [120.5, None]


def test_states_of_an_area_come_in_pages(anybody):
    first = anybody.get("/state", params={"under": ROOT, "limit": 1}).json()
    rest = anybody.get("/state", params={"under": ROOT, "limit": 1, "after": first["next"]}).json()
    assert [i["asset"] for i in first["items"] + rest["items"]] == [PUMP, OTHER]
    assert rest["next"] is None


def test_what_else_stood_is_given_where_it_is_asked_for(anybody, server, twin):
    server.do(twin.append, "PlantApplied", "ann", ROOT, {"digest": "abc"})
    server.do(twin.raise_alarm, f"{PUMP}/flow")
    plain = anybody.get(f"/state/{PUMP}").json()
    assert not {"alarms", "commands", "plant"} & set(plain)
    for when in ({}, {"at": at(5)}):
        told = anybody.get(f"/state/{PUMP}", params={**when, "include": ["alarms", "commands", "plant"]}).json()
        assert [a["state"] for a in told["alarms"]] == ["unacknowledged"]
        assert (told["commands"], told["plant"]["digest"], told["plant"]["since"]) == ([], "abc", at(0))
    before = anybody.get(f"/state/{PUMP}", params={"at": at(-5), "include": ["alarms", "plant"]}).json()
    assert (before["alarms"], before["plant"]) == ([], None)
    assert anybody.get(f"/state/{OTHER}", params={"include": "alarms"}).json()["alarms"] == []


def test_alarms_and_commands_are_given_as_they_stood(anybody, operator, server, twin):
    server.do(twin.raise_alarm, f"{PUMP}/flow")
    operator.post("/commands", json={"asset": PUMP, "command": "set_speed", "value": 1500})
    for path in ("/alarms", "/commands"):
        assert len(anybody.get(path, params={"at": at(1)}).json()["items"]) == 1
        assert anybody.get(path, params={"at": at(-1)}).json()["items"] == []


def test_the_difference_of_two_times_is_values_alarms_and_the_facts_between(anybody, server, twin):
    server.do(twin.send, {f"{PUMP}/flow": 310.0}, at=START + 100 * SECOND)
    server.do(twin.raise_alarm, f"{PUMP}/flow")
    told = anybody.get(f"/state/{PUMP}/diff", params={"from": at(1), "to": at(101)}).json()
    flow = next(p for p in told["properties"] if p["property"] == "flow")
    assert (flow["before"]["value"], flow["after"]["value"], flow["delta"], flow["changed"]) == (120.5, 310.0, 189.5, ["value"])
    volume = next(p for p in told["properties"] if p["property"] == "volume")
    assert volume["changed"] == ["quality"]  # silent since: it became stale
    assert told["alarms"] == [{"id": f"{PUMP}/flow#high", "before": "normal", "after": "unacknowledged"}]
    assert [f["kind"] for f in told["facts"]] == ["AlarmRaised"]
    same = anybody.get(f"/state/{PUMP}/diff", params={"from": at(101), "to": at(101)}).json()
    assert all(p["changed"] == [] and p["delta"] in (0.0, None) for p in same["properties"])
    assert anybody.get("/state/acme/none/diff", params={"from": at(1)}).status_code == 404


def test_the_record_is_read_from_its_end(anybody, server, twin):
    for n in range(5):
        server.do(twin.append, "Tried", "ann", f"{PUMP}/flow", {"n": n})
    first = anybody.get("/facts", params={"order": "newest", "limit": 2}).json()
    assert [f["seq"] for f in first["items"]] == [5, 4]
    rest = anybody.get("/facts", params={"order": "newest", "limit": 4, "after": first["next"]}).json()
    assert ([f["seq"] for f in rest["items"]], rest["next"]) == ([3, 2, 1], None)
    assert anybody.get("/facts", params={"order": "newest", "until": at(-1)}).json()["items"] == []


def test_a_fact_says_what_was_before_and_what_is_after(anybody, server, twin):
    body = {"before": 1200.0, "value": 1500.0, "unit": "rpm"}
    server.do(twin.append, "CommandRequested", "ann", f"{PUMP}/set_speed", body)
    server.do(twin.append, "AlarmShelved", "ann", f"{PUMP}/flow", {"until": START + 60 * SECOND})
    server.do(twin.append, "LoggedIn", "ann")
    told = [(f["before"], f["after"]) for f in anybody.get("/facts").json()["items"]]
    assert told == [("1200 rpm", "1500 rpm"), ("shown", f"shelved until {at(60)}"), (None, None)]


def test_the_record_comes_as_csv_that_no_spreadsheet_calculates(anybody, server, twin):
    server.do(twin.append, "AlarmAcknowledged", "=1+1", f"{PUMP}/flow", {"comment": 'a "word", and\nmore'}, "because")
    for _ in range(3):
        server.do(twin.append, "Tried", "ann")
    answer = anybody.get("/facts", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv") and "gemel-facts.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [r["seq"] for r in rows] == ["1", "2", "3", "4"]
    assert (rows[0]["actor"], rows[0]["before"], rows[0]["after"], rows[0]["reason"]) == ("'=1+1", "unacknowledged", "acknowledged", "because")
    assert 'a \\"word\\", and\\nmore' in rows[0]["body"]
    only = anybody.get("/facts", params={"format": "csv", "kind": "Tried"}).text
    assert only.count("Tried") == 3 and "AlarmAcknowledged" not in only


def test_a_fact_is_taken_back_by_an_engineer_with_a_reason_and_once(engineer, operator, anybody, server, twin):
    server.do(twin.append, "AlarmAcknowledged", "otto", f"{PUMP}/flow")
    assert anybody.post("/facts/1/revert", json={"reason": "wrong one"}).status_code == 403
    assert operator.post("/facts/1/revert", json={"reason": "wrong one"}).status_code == 403
    assert engineer.post("/facts/1/revert", json={"reason": " "}).status_code == 422
    assert engineer.post("/facts/99/revert", json={"reason": "wrong one"}).status_code == 404
    first = engineer.post("/facts/1/revert", json={"reason": "wrong one"}).json()
    again = engineer.post("/facts/1/revert", json={"reason": "once more"}).json()
    assert (first["kind"], first["actor"], first["reason"], first["before"], first["after"]) == (
        "AlarmUnacknowledged", "emil", "wrong one", "acknowledged", "unacknowledged")
    assert again["seq"] == first["seq"]
