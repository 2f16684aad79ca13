"""Versions of parameters over HTTP: who may take one back, what is shown, how faithful each proved."""

import pytest
from serve_fake import OTHER, PUMP

from gemel.operate import models_source

BODY = {"values": {"wear": 0.1}, "intervals": {"wear": [0.08, 0.12]}, "units": {"wear": "1"}, "fidelity": {"flow": 0.97}, "champion": 0}


@pytest.fixture
def released(server):
    for wear in (0.1, 0.2):
        server.twin.append("ParametersReleased", "olga", PUMP, BODY | {"values": {"wear": wear}}, "monthly")


def test_everybody_sees_which_version_is_in_force_and_how_faithful_it_proved(released, anybody):
    items = anybody.get("/releases", params={"asset": PUMP}).json()["items"]
    assert [(r["version"], r["state"], r["values"]) for r in items] == [(1, "superseded", {"wear": 0.1}), (2, "in_force", {"wear": 0.2})]
    assert items[1]["intervals"] == {"wear": [0.08, 0.12]}
    assert anybody.get("/releases", params={"asset": OTHER}).json() == {"items": [], "next": None}
    first = anybody.get("/releases", params={"limit": 1}).json()
    assert (len(first["items"]), first["next"]) == (1, 1)
    assert [f["fidelity"] for f in anybody.get("/fidelity").json()["items"]] == [{"flow": 0.97}] * 2


def test_a_score_says_of_which_kind_its_version_is(released, server, anybody):
    hybrid = {"kind": "hybrid", "digest": "ab" * 32, "good_for": {"parameters": 2}, "hybrid": {}, "fidelity": {"flow": 0.99}, "champion": 0}
    server.twin.append("LearnerReleased", "olga", PUMP, hybrid, "")
    server.twin.append("ModelJudged", "gemel", PUMP, {"due": 1, "version": 2, "fidelity": {"flow": 0.98}, "decision": "kept"}, "")
    told = [(f["kind"], f["version"]) for f in anybody.get("/fidelity").json()["items"]]
    assert told == [("parameters", 1), ("parameters", 2), ("hybrid", 1), ("parameters", 2)]


def test_an_engineer_takes_a_version_back_and_nobody_else(released, engineer, operator):
    asked = {"asset": PUMP, "reason": "it was the sensor"}
    assert operator.post("/releases/roll-back", json=asked).status_code == 403
    assert engineer.post("/releases/roll-back", json={"asset": PUMP, "reason": " "}).status_code == 422
    states = [r["state"] for r in engineer.post("/releases/roll-back", json=asked).json()["items"]]
    assert states == ["in_force", "rolled_back"]
    assert engineer.post("/releases/roll-back", json=asked).status_code == 200
    none = engineer.post("/releases/roll-back", json=asked)
    assert (none.status_code, none.json()["code"]) == (403, "release-none")


def test_a_version_that_was_found_with_other_code_of_its_model_says_so(server, anybody, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(models_source, "LOOK_S", 0.0)
    (tmp_path / "pump_of_ones_own.py").write_text("a = 1")
    named = models_source.named("pump_of_ones_own:Pump")
    server.twin.append("ParametersReleased", "olga", PUMP, BODY | named, "monthly")

    def told():
        return anybody.get("/releases", params={"asset": PUMP}).json()["items"][0]

    assert (told()["models"], told()["rewritten"]) == (named["models"], False)
    (tmp_path / "pump_of_ones_own.py").write_text("a = 2")
    assert told()["rewritten"]


def test_the_scores_tell_when_a_version_was_taken_back_by_whom_and_what_is_in_force_since(released, engineer):
    engineer.post("/releases/roll-back", json={"asset": PUMP, "reason": "it was the sensor"})
    *_, back = engineer.get("/fidelity", params={"asset": PUMP}).json()["items"]
    assert (back["decision"], back["version"], back["fidelity"]) == ("rolled_back", 1, {})
    assert back["words"].startswith("version 2 was taken back by ") and back["words"].endswith(": it was the sensor")
    (first, second) = engineer.get("/releases", params={"asset": PUMP}).json()["items"]
    assert first["ended"] is None and second["ended"]["at"] == back["at"] and second["ended"]["reason"] == "it was the sensor"
