"""Overrides over HTTP: who may, what is asked, how it is shown, now and in the past."""

from serve_fake import OTHER, PUMP, SECOND, START
from test_live import Looking

from gemel.serve import frames, times

FLOW = f"{PUMP}/flow"


def ask(client, **more):
    return client.post("/overrides", json={"path": FLOW, "value": 99.0, "reason": "sensor out", "seconds": 60} | more)


def test_an_operator_overrides_and_everybody_sees_it(operator, anybody):
    made = ask(operator)
    assert made.status_code == 201, made.text
    told = made.json()
    assert made.headers["location"] == f"/api/v1/overrides/{told['id']}"
    assert (told["owner"], told["value"], told["unit"], told["until"]) == ("otto", 99.0, "m3/h", times.text(START + 60 * SECOND))
    flow = anybody.get(f"/state/{PUMP}").json()["properties"]["flow"]
    assert (flow["value"], flow["lane"], flow["quality"], flow["status_name"]) == (99.0, "override", "manual", "GoodLocalOverride")
    assert anybody.get("/overrides", params={"under": PUMP}).json()["items"] == [told]
    assert anybody.get("/overrides", params={"under": OTHER}).json()["items"] == []
    assert anybody.get(f"/overrides/{told['id']}").json() == told


def test_a_viewer_may_not(server):
    with server.client("vera") as viewer:
        assert ask(viewer).status_code == 403
        assert viewer.delete("/overrides/o1").status_code == 403


def test_it_is_cleared_and_the_reading_is_shown_again(operator):
    made = ask(operator).json()
    assert operator.delete(f"/overrides/{made['id']}", params={"reason": "mended"}).json()["id"] == made["id"]
    flow = operator.get(f"/state/{PUMP}").json()["properties"]["flow"]
    assert (flow["value"], flow["lane"]) == (120.5, "measured")
    gone = operator.delete(f"/overrides/{made['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "override-unknown")


def test_a_second_one_must_name_the_first(operator):
    made = ask(operator).json()
    busy = ask(operator, value=50)
    assert (busy.status_code, busy.json()["code"]) == (409, "override-in-force")
    assert ask(operator, value=50, replaces=made["id"]).status_code == 201


def test_a_state_is_overridden_by_its_word(operator):
    made = ask(operator, path=f"{PUMP}/running", value="stopped").json()
    assert (made["value"], made["text"]) == (0.0, "stopped")
    wrong = ask(operator, path=f"{PUMP}/running", value="flying")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "override-value")
    assert "running" in wrong.json()["remedy"]


def test_it_needs_a_reason_and_ends_with_the_shift_unless_it_is_said(operator):
    assert ask(operator, reason=" ").status_code == 422
    until = times.text(START + 3 * SECOND)
    assert ask(operator, until=until).json()["until"] == until
    other = {"path": f"{OTHER}/flow", "value": 1, "reason": "no sensor"}
    assert operator.post("/overrides", json=other).json()["until"] == times.text(START + 8 * 3600 * SECOND)
    past = operator.post("/overrides", json=other | {"until": times.text(START)})
    assert (past.status_code, past.json()["code"]) == (403, "override-time")


def test_the_live_frame_shows_it_as_manual(server, operator):
    with Looking(server) as page:
        page.say(op="subscribe", id=1, signals=[FLOW])
        assert page.frame()["value"] == [120.5]
        ask(operator)
        shown = page.until(lambda m: m["type"] in (1, 2) and m["value"] == [99.0])
        assert shown["quality"] == [frames.MANUAL]


def test_a_past_time_shows_the_override_of_then(operator, twin, server):
    ask(operator, seconds=10)
    then = times.text(START + 5 * SECOND)
    after = times.text(START + 10 * SECOND)
    at = {t: operator.get(f"/state/{PUMP}", params={"at": t}).json()["properties"]["flow"] for t in (then, after)}
    assert (at[then]["value"], at[then]["lane"]) == (99.0, "override")
    assert (at[after]["value"], at[after]["lane"]) == (120.5, "measured")
