"""Calibrations over HTTP: asked for under the asset, followed, and put in force by somebody who may, with a reason."""

import msgspec
import pytest
from gemel.operate.jobs import Ended
from serve_fake import OTHER, PUMP

GATE = {"passed": True, "against": []}
RESULT = {"gate": GATE, "release": {"values": {"rated_head": 31.0}, "champion": 0, "gate": GATE, "digest": "d"}}


def ask(client, asset=PUMP, **more):
    return client.post(f"/assets/{asset}/calibrations", json={"parameters": ["rated_head"], **more})


def end(server, job, result=RESULT, state="done", problem=""):
    jobs = server.twin.jobs.all
    ended = Ended(wall=1, seconds=0.5, result=result, problem=problem)
    server.do(jobs.__setitem__, job, msgspec.structs.replace(jobs[job], state=state, ended=ended))


@pytest.fixture
def done(server, operator):
    job = ask(operator).json()["id"]
    end(server, job)
    return job


def test_it_is_asked_for_under_the_asset_and_followed_until_its_end(server, operator, anybody):
    got = ask(operator, start="2023-11-14T22:00:00Z", end="2023-11-14T23:00:00Z", running={"speed": [600, None]}, title="after the overhaul")
    job = got.json()
    assert got.status_code == 202 and got.headers["location"] == f"/api/v1/calibrations/{job['id']}"
    assert (job["asset"], job["state"], job["by"], job["start"]) == (PUMP, "queued", "otto", "2023-11-14T22:00:00.000000000Z")
    assert job["wish"]["running"] == {"speed": [600.0, None]}
    end(server, job["id"])
    told = anybody.get(f"/calibrations/{job['id']}").json()
    assert told["state"] == "done" and told["result"]["release"]["values"] == {"rated_head": 31.0}
    assert [j["id"] for j in anybody.get("/calibrations", params={"asset": PUMP}).json()["items"]] == [job["id"]]
    assert anybody.get("/calibrations", params={"asset": OTHER}).json()["items"] == []


def test_a_viewer_may_look_and_not_ask(server, anybody):
    assert ask(anybody).status_code == 403
    assert anybody.post("/releases", json={}).status_code == 403


@pytest.mark.parametrize(
    ("more", "status"), [({"asset": "a/b/none"}, 404), ({"unseen": 1.5}, 422), ({"strange": 1}, 422), ({"running": {"speed": [1]}}, 422)]
)
def test_a_wrong_wish_is_refused(operator, more, status):
    assert ask(operator, **more).status_code == status


def test_one_is_stopped_and_a_what_if_is_none(server, operator, done):
    assert operator.delete(f"/calibrations/{done}").json()["state"] == "cancelled"
    assert operator.get(f"/calibrations/{done}").status_code == 404
    assert operator.get(f"/calibrations/{'0' * 20}").status_code == 404


def test_a_job_is_found_under_its_own_kind_alone(operator, done):
    for kind in ("scenarios", "life/jobs"):
        assert operator.get(f"/{kind}/{done}").status_code == 404
        assert operator.delete(f"/{kind}/{done}").status_code == 404
    assert operator.get(f"/calibrations/{done}").json()["state"] == "done"


def release(client, **more):
    return client.post("/releases", json={"asset": PUMP, "expected": 0, "reason": "monthly", **more})


def test_an_engineer_puts_a_calibration_in_force_and_the_record_tells_who_and_why(server, engineer, operator, done):
    assert release(operator, calibration=done).status_code == 403
    (version,) = release(engineer, calibration=done).json()["items"]
    assert (version["state"], version["values"], version["calibration"]) == ("in_force", {"rated_head": 31.0}, done)
    fact = server.twin.record[-1]
    assert (fact.kind, fact.actor, fact.subject, fact.reason) == ("ParametersReleased", "emil", PUMP, "monthly")
    again = release(engineer, calibration=done, expected=1)
    assert (again.status_code, again.json()["code"]) == (409, "changed-meanwhile")
    late = release(engineer, calibration=done)
    assert (late.status_code, late.json()["code"]) == (409, "changed-meanwhile"), "another version is in force by now"


def test_what_the_gate_refuses_needs_somebody_who_says_so(server, engineer, operator):
    job = ask(operator).json()["id"]
    assert release(engineer, calibration=job).json()["code"] == "job-not-done"
    refused = {"passed": False, "against": ["no better"]}
    end(server, job, {"gate": refused, "release": {**RESULT["release"], "gate": refused}})
    assert release(engineer, calibration=job).json()["code"] == "gate"
    assert release(engineer, calibration=job, despite_gate=True).status_code == 200
    assert server.twin.record[-1].body["despite_gate"] is True


def test_values_of_ones_own_need_the_parameter_and_the_word_that_no_gate_was_asked(engineer):
    assert release(engineer, values={"rated_head": 30.0}).json()["code"] == "gate"
    assert release(engineer, values={"head": 30.0}, despite_gate=True).json()["code"] == "release-parameter"
    assert release(engineer, asset="a/b/none", values={"rated_head": 30.0}, despite_gate=True).status_code == 404
    assert release(engineer).json()["code"] == "release-empty"
    assert release(engineer, values={"rated_head": 30.0}, despite_gate=True).json()["items"][0]["values"] == {"rated_head": 30.0}
    assert release(engineer, calibration="0" * 20).status_code == 404
    assert engineer.post("/releases", json={"asset": PUMP, "values": {"rated_head": 1}, "reason": " ", "expected": 0}).status_code == 422


def test_a_calibration_is_of_its_own_asset(engineer, done):
    assert release(engineer, asset=OTHER, calibration=done).json()["code"] == "release-asset"


def test_who_runs_beside_is_put_in_force_by_a_person_and_the_scores_are_shown(server, engineer, anybody):
    shadow = {"release": RESULT["release"], "champion": 0, "runs": 2}
    told = {"due": 5, "version": 0, "decision": "beside", "words": "better in 2 runs beside", "fidelity": {"flow": 0.8}, "shadow_fidelity": {"flow": 0.9}}
    assert release(engineer, shadow=True).json()["code"] == "release-empty"
    server.do(server.twin.append, "ModelJudged", "gemel", PUMP, {**told, "shadow": shadow})
    (score,) = anybody.get("/fidelity", params={"asset": PUMP}).json()["items"]
    assert (score["fidelity"], score["shadow"], score["decision"]) == ({"flow": 0.8}, {"flow": 0.9}, "beside")
    assert release(engineer, shadow=True, values={"rated_head": 1.0}).json()["code"] == "release-empty"
    assert release(engineer, shadow=True).json()["items"][0]["values"] == {"rated_head": 31.0}
    assert anybody.get("/fidelity", params={"asset": OTHER}).json()["items"] == []
