"""The state of a moment is kept under a name by an operator, seen by all, and given up."""

from serve_fake import START, SECOND
from gemel.samples.clock import iso


def test_now_or_a_past_time_is_forked_listed_and_given_up(operator, anybody, twin):
    now = operator.post("/forks", json={"name": "now", "why": "to try"})
    assert (now.status_code, now.headers["Location"]) == (201, "/api/v1/forks/now")
    assert (now.json()["by"], now.json()["state"], now.json()["at"]) == ("otto", "ready", iso(START))
    then = operator.post("/forks", json={"name": "then", "at": iso(START - SECOND)}).json()
    assert (then["state"], then["origin"], then["at"]) == ("making", "log", iso(START - SECOND))
    assert [f["name"] for f in anybody.get("/forks").json()["items"]] == ["then", "now"]
    assert anybody.get("/forks/now").json()["why"] == "to try"
    assert operator.delete("/forks/now").status_code == 200
    assert anybody.get("/forks/now").status_code == 404
    assert [f.kind for f in twin.record if f.kind.startswith("Fork")] == ["ForkMade", "ForkMade", "ForkDeleted"]


def test_looking_is_not_enough_to_fork(anybody, operator):
    assert anybody.post("/forks", json={"name": "x"}).status_code == 403
    assert operator.post("/forks", json={"name": "../x"}).status_code == 422
    assert operator.post("/forks", json={"name": "x"}).status_code == 201
    assert operator.post("/forks", json={"name": "x"}).status_code == 409
    assert anybody.delete("/forks/x").status_code == 403


def test_a_what_if_begins_with_what_is_kept_under_a_name(operator, anybody, twin):
    operator.post("/forks", json={"name": "then", "at": iso(START - SECOND)})
    asset = twin.plant.assets.paths[0]
    asked = {"asset": asset, "fork": "then", "at": iso(START), "scenarios": [{"name": "s"}]}
    both = operator.post("/scenarios", json=asked)
    assert (both.status_code, both.json()["code"]) == (409, "fork-time")
    gone = anybody.get("/whatif", params={"asset": asset, "fork": "never"})
    assert gone.status_code == 404 and "no fork" in gone.json()["detail"]
