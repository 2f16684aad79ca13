"""Decide only on what one saw: the ETag of a state names its decisions; somebody who was faster is told."""

from serve_fake import OTHER, PUMP

SPEED = {"asset": PUMP, "command": "set_speed", "value": 1500, "reason": "more water"}
HOLD = {"path": f"{PUMP}/flow", "value": 1, "reason": "no sensor"}


def seen(client, asset=PUMP):
    told = client.get(f"/state/{asset}")
    assert told.headers["etag"] == f'"v{told.json()["version"]}"'
    return told.headers["etag"], told.json()["version"]


def test_readings_do_not_change_the_version_and_decisions_do(operator, twin):
    first = seen(operator)
    twin.send({f"{PUMP}/flow": 130.0})
    assert seen(operator) == first
    assert operator.post("/overrides", json=HOLD).status_code == 201
    assert seen(operator) != first
    assert seen(operator, OTHER) == first


def test_who_was_faster_wins_and_the_other_is_told_by_412_or_409(operator, engineer):
    tag, version = seen(operator)
    assert engineer.post("/overrides", json=HOLD, headers={"If-Match": tag}).status_code == 201
    late = operator.post("/commands", json=SPEED, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "changed-meanwhile")
    assert "OverrideSet by emil" in late.json()["detail"]
    late = operator.post("/commands", json=SPEED | {"expected_version": version})
    assert (late.status_code, late.json()["code"]) == (409, "changed-meanwhile")
    tag, version = seen(operator)
    assert operator.post("/commands", json=SPEED, headers={"If-Match": tag}).status_code == 201


def test_any_and_what_is_no_tag_of_ours(operator):
    assert operator.post("/overrides", json=HOLD, headers={"If-Match": "*"}).status_code == 201
    for wrong in ('"abc"', 'W/"v0"', "v0"):
        other = HOLD | {"path": f"{OTHER}/flow"}
        assert operator.post("/overrides", json=other, headers={"If-Match": wrong}).status_code == 412


def test_an_asset_that_was_seen_is_not_sent_again(anybody):
    first = anybody.get(f"/assets/{PUMP}")
    again = anybody.get(f"/assets/{PUMP}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert anybody.get(f"/assets/{OTHER}", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_the_state_tells_what_is_desired_where_it_is_asked_for(operator, engineer, twin):
    assert "desired" not in operator.get(f"/state/{PUMP}").json()
    made = operator.post("/commands", json=SPEED).json()
    assert operator.get(f"/state/{PUMP}", params={"include": "desired"}).json()["desired"] == []
    twin.append("CommandApproved", "emil", f"{PUMP}/set_speed", {"command": made["id"]})
    (told,) = operator.get(f"/state/{PUMP}", params={"include": "desired"}).json()["desired"]
    assert (told["target"], told["value"], told["unit"], told["by"]) == (f"{PUMP}/speed", 1500.0, "rpm", "otto")
    assert (told["in_sync"], told["read_back"]) == (None, f"{PUMP}/speed")
