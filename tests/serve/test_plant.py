"""The plant file over HTTP: planned by whoever may change it, applied with what it loses only where that is said."""

import http.client

import pytest
from serve_fake import PLANT


def files(old="", new=""):
    assert not old or PLANT.count(old) == 1
    return {"files": {"plant.yaml": PLANT.replace(old, new) if old else PLANT}}


def applied(twin):
    return [f.reason for f in twin.record if f.kind == "PlantApplied"]


def test_anybody_sees_which_plant_is_in_force(anybody, twin):
    assert anybody.get("/plant").json() == {"digest": twin.plant.digest, "registry": twin.registry.digest, "applied_by": "emil"}


def test_an_engineer_sees_what_a_change_would_do(engineer, twin):
    told = engineer.post("/plant/plan", json=files("title: Riverside pumping station", "title: Upstream")).json()
    assert (told["changes"], told["applied"], told["losses"]) == (True, False, 0)
    assert [s["words"] for s in told["steps"]] == ["changed title: 'Riverside pumping station' became 'Upstream'"]
    assert engineer.post("/plant/plan", json=files()).json()["changes"] is False
    assert applied(twin) == []


def test_what_loses_is_applied_only_where_that_is_said(engineer, twin):
    less = files("      volume: {unit: m3, kind: total, interval: 1 s, stale_after: 10 s}\n")
    refused = engineer.post("/plant/apply", json=less)
    assert (refused.status_code, refused.json()["code"]) == (403, "plant-loses")
    assert "volume" in refused.json()["detail"] and applied(twin) == []
    done = engineer.post("/plant/apply", json={**less, "accept_loss": True, "reason": "the meter is gone"})
    assert done.status_code == 200 and done.json()["applied"]
    assert applied(twin) == ["the meter is gone"]


def test_a_file_that_is_no_plant_is_refused_with_its_line(engineer):
    wrong = engineer.post("/plant/plan", json=files("unit: rpm, range: [0, 3600]", "unti: rpm, range: [0, 3600]"))
    assert wrong.status_code == 422
    assert "unti" in wrong.json()["detail"]


@pytest.mark.parametrize("name", ["../plant.yaml", "a/b.yaml", ".plant.yaml", "plant.txt", "plant.yaml\n"])
def test_a_name_that_leads_elsewhere_is_no_file_of_a_plant(engineer, name):
    assert engineer.post("/plant/plan", json={"files": {name: PLANT}}).status_code == 422


@pytest.mark.parametrize("path", ["plan", "apply"])
def test_who_is_no_engineer_changes_no_plant(operator, anybody, path):
    assert operator.post(f"/plant/{path}", json=files()).status_code == 403
    assert anybody.post(f"/plant/{path}", json=files()).status_code == 403


def test_an_fmu_is_sent_before_the_plant_file_that_names_it(engineer, twin):
    binary = {"content-type": "application/octet-stream"}
    kept = engineer.post("/plant/fmus", content=b"PK of an FMU", headers=binary)
    assert (kept.status_code, kept.json()["kind"], kept.json()["states"]) == (201, "ModelExchange", ["x"])
    assert len(kept.json()["digest"]) == 64
    refused = engineer.post("/plant/fmus", content=b"no archive", headers=binary)
    assert (refused.status_code, refused.json()["code"]) == (422, "fmu")
    assert twin.fmus == [b"PK of an FMU"]


def test_an_fmu_may_be_larger_than_other_bodies_and_has_a_limit(engineer):
    assert engineer.post("/plant/fmus", content=b"PK" + bytes(2 << 20)).status_code == 201
    line = http.client.HTTPConnection("127.0.0.1", engineer.base_url.port, timeout=20)
    line.putrequest("POST", "/api/v1/plant/fmus")
    line.putheader("Content-Length", str(200 << 20))
    line.putheader("Authorization", engineer.auth._auth_header)
    line.endheaders()
    assert line.getresponse().status == 413
    line.close()


def test_who_is_no_engineer_sends_no_fmu(operator, anybody, twin):
    for person in (operator, anybody):
        assert person.post("/plant/fmus", content=b"PK").status_code in (401, 403)
    assert twin.fmus == []
