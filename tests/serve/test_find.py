"""GET /assets finds: parameters that all must hold, in pages that go on behind the last asset."""

import pytest
from serve_fake import OTHER, PUMP, ROOT, SECOND, START


@pytest.fixture
def paths(anybody):
    def ask(**query):
        answer = anybody.get("/assets", params=query)
        assert answer.status_code == 200, answer.text
        return [a["path"] for a in answer.json()["items"]]

    return ask


def test_parameters_narrow_the_list(paths):
    assert paths() == [PUMP, OTHER]
    assert paths(type="Pump", under=ROOT) == [PUMP, OTHER]
    assert paths(downstream_of=PUMP) == [OTHER]
    assert paths(upstream_of=OTHER) == [PUMP]
    assert paths(related_to=OTHER, direction="in", depth=1) == [PUMP]
    assert paths(part_of=f"{ROOT}/area-1") == [PUMP, OTHER]
    assert paths(quality="none") == [OTHER]


def test_words_of_the_path_or_the_title_find(paths):
    assert paths(name="PUMP-2") == [OTHER] and paths(name="pump") == [PUMP, OTHER]
    assert paths(name="area-1 mp-1") == [PUMP] and paths(name="line-1/pump-1") == [PUMP] == paths(name=PUMP)
    assert paths(name="ne-1/pump") == [PUMP, OTHER] and paths(name="line-1/ump") == []
    assert paths(name="pump.1") == [] and paths(name="area-1", under=ROOT, type="Pump") == [PUMP, OTHER]


def test_conditions_look_at_what_is_shown_and_say_it(paths, anybody, server, twin):
    server.do(twin.send, {f"{OTHER}/flow": 40.0}, at=START + SECOND)
    assert paths(where=["flow>30"]) == [PUMP, OTHER]
    assert paths(where=["flow>30", "speed>1000"]) == [PUMP]
    assert paths(where=["running=running", "rated_head>=3200 cm"]) == [PUMP]
    item = anybody.get("/assets", params={"where": "flow<100"}).json()["items"][0]
    assert (item["path"], item["values"]) == (OTHER, {"flow": 40.0})


def test_alarms_are_found(paths, server, twin):
    server.do(twin.raise_alarm, f"{PUMP}/flow")
    assert paths(alarm=True) == [PUMP]
    assert paths(alarm=False) == [OTHER]


def test_a_name_narrows_what_has_an_alarm(paths, server, twin):
    server.do(twin.raise_alarm, f"{PUMP}/flow")
    assert paths(alarm=True, name="pump") == [PUMP] and paths(alarm=True, name="pump-2") == []


def test_while_the_twin_is_not_heard_everything_is_stale(paths, server, twin):
    assert PUMP not in paths(quality="stale")
    twin.up = False
    assert PUMP in paths(quality="stale")


def test_pages_go_on_behind_the_last_asset(anybody):
    first = anybody.get("/assets", params={"limit": 1}).json()
    assert ([a["path"] for a in first["items"]], first["count"]) == ([PUMP], 2)
    rest = anybody.get("/assets", params={"limit": 1, "after": first["next"]}).json()
    assert ([a["path"] for a in rest["items"]], rest["next"]) == ([OTHER], None)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [({"type": "Pomp"}, 404, "type"), ({"where": "flux>1"}, 404, "condition"), ({"where": "running>fast"}, 422, "condition"), ({"where": "flow>1 kg"}, 422, "wrong-dimension"),
     ({"related_to": PUMP, "relation": "eats"}, 404, "relation"), ({"downstream_of": "acme/x"}, 404, "not-found")],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_problem_with_a_remedy(anybody, query, status, code):
    told = anybody.get("/assets", params=query)
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert told.json()["remedy"]


def test_what_cannot_be_read_is_refused(anybody):
    assert anybody.get("/assets", params={"where": "flow"}).status_code == 422
    assert anybody.get("/assets", params={"quality": "fine"}).status_code == 422


def test_signals_are_listed_by_pattern(anybody):
    def paths(**query):
        return [s["path"] for s in anybody.get("/signals", params=query).json()["items"]]

    assert paths(signal=["pump-2/flow", "pump-1/*d"]) == [f"{OTHER}/flow", f"{PUMP}/speed"]
    assert paths(signal="*", asset=PUMP) == paths(asset=PUMP)
    assert anybody.get("/signals", params={"signal": "flux"}).status_code == 404
