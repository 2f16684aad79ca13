"""Remaining life over HTTP: who may ask, what is declared, what a prognosis follows from, what is recorded."""

import msgspec
import pytest
from serve_fake import OTHER, PLANT, PUMP, SECOND, START
from turning_kit import turning

from gemel.assets import load
from gemel.operate import jobs, life
from gemel.samples.clock import iso

WEARS = PLANT.replace(
    "    commands:\n",
    """    degradation:
      wheel:
        rate: 2e-3 * (speed / 1450 rpm)^3 / 1 h
        threshold: 1
        drives: {load: speed}
        maintenance: {overhaul: 0 %}
        warning: {probability: 10 %}
    commands:
""",
    1,
)


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wears")
    (folder / "plant.yaml").write_text(WEARS)
    return load(folder)


@pytest.fixture
def twin(plant):
    twin = turning(plant)
    twin.say(f"{PUMP}/wheel_life", "estimated", 20.5)
    return twin


def test_everybody_sees_what_wears_out_and_what_was_last_foretold(server):
    with server.client() as anybody:
        (wheel,) = anybody.get("/life", params={"asset": PUMP}).json()["items"]
        assert (wheel["threshold"], wheel["drives"], wheel["words"]) == (1.0, {"speed": "rpm"}, {"load": "speed"})
        assert wheel["told"]["life"]["value"] == 20.5 and wheel["told"]["life"]["lane"] == "estimated"
        assert wheel["maintenance"] == {"overhaul": 0.0}
        assert anybody.get("/life", params={"asset": "acme/none"}).status_code == 404
        assert anybody.get("/life", params={"asset": OTHER}).json()["items"][0]["told"]["life"]["quality"] == "none"


def test_the_last_prognosis_of_the_twin_itself_is_there_for_everybody_and_else_how_much_there_is_for_one(server):
    with server.client() as anybody:
        assert anybody.get("/life/last", params={"asset": PUMP}).json() == {"item": None, "readings": 120}
        spec = anybody.get("/life/record", params={"asset": PUMP}).json() | {"members": 100}
        asked = jobs.Asked(id="a" * 20, kind="life", title="", by="gemel", made=START, spec=spec)
        ended = jobs.Ended(wall=0, seconds=0.2, result=life.run(spec, lambda done: True))
        server.twin.jobs.all[asked.id] = jobs.Job(asked=asked, state="done", ended=ended)
        found = anybody.get("/life/last", params={"asset": PUMP, "of": "wheel"}).json()["item"]
        assert found["result"]["futures"][0]["name"] == "baseline" and found["by"] == "gemel"
        assert anybody.get("/life/last", params={"asset": PUMP, "of": "gear"}).status_code == 404
        then = anybody.get("/life/last", params={"asset": PUMP, "at": iso(START - 3600 * SECOND)}).json()
        assert then == {"item": None, "readings": 60}, "an hour before it was made there was none, and half of the readings"


def test_an_operator_asks_and_a_viewer_does_not(server):
    wish = {"asset": PUMP, "changes": [{"of": "load", "how": "scale", "value": 1.15}], "members": 200}
    with server.client("vera") as vera, server.client("otto") as otto:
        assert vera.post("/life", json=wish).status_code == 403
        job = otto.post("/life", json=wish)
        assert (job.status_code, job.json()["of"], job.json()["state"]) == (202, "wheel", "queued")
        assert otto.post("/life", json=wish).json()["id"] == job.json()["id"]
        name = job.json()["id"]
        kept = server.twin.jobs.all[name]
        ended = jobs.Ended(wall=0, seconds=0.2, result=life.run(kept.asked.spec, lambda done: True))
        server.twin.jobs.all[name] = msgspec.structs.replace(kept, state="done", ended=ended)
        result = vera.get(f"/life/jobs/{name}").json()["result"]
        assert result["differences"][0]["clear"] and result["differences"][0]["ratio"] == pytest.approx(1.15**-3, abs=0.12)
        assert result["versions"]["learner"] and len(result["futures"][0]["times_s"]) == len(result["futures"][0]["survival"])
        assert otto.get(f"/scenarios/{'0' * 20}").status_code == 404
        assert vera.delete(f"/life/jobs/{name}").status_code == 403
        assert otto.delete(f"/life/jobs/{name}").status_code == 200


def test_the_record_that_it_follows_from_is_there_for_who_computes_elsewhere(server):
    with server.client() as anybody:
        found = anybody.get("/life/record", params={"asset": PUMP, "change": ["load=+15%"], "maintain": ["overhaul@2d"]}).json()
        assert found["futures"][0]["renewals"] == [[172_800.0, 0.0]]
        assert found["futures"][0]["rate"][0] == pytest.approx(1.15**3 * found["rate"][0])
        refused = anybody.get("/life/record", params={"asset": PUMP, "change": ["flow=+15%"]})
        assert (refused.status_code, refused.json()["code"]) == (404, "no-drive")
        assert anybody.get("/life/record", params={"asset": PUMP, "change": ["nonsense"]}).status_code == 422


def test_maintenance_is_recorded_by_who_may_and_what_it_left_counts(server):
    done = {"asset": PUMP, "action": "overhaul", "at": "2023-11-14T21:40:00Z"}
    with server.client("vera") as vera, server.client("otto") as otto:
        assert vera.post("/life/maintenance", json=done).status_code == 403
        assert otto.post("/life/maintenance", json=done | {"action": "dance"}).status_code == 404
        assert otto.post("/life/maintenance", json=done).status_code == 201
        assert 0.0 in otto.get("/life/record", params={"asset": PUMP}).json()["keep"]
    assert server.twin.record[-1].actor == "otto"
