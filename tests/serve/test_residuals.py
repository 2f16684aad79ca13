"""What is read against what is expected of it: values with their uncertainty, and who is wrong while one is out of its band."""

import numpy as np
import pytest
from serve_fake import OTHER, PLANT, PUMP, SECOND, START, FakeTwin

from gemel.assets import load
from gemel.assets.spec import Estimates
from gemel.estimate.hybrid import learn
from gemel.estimate.hybrid_kept import kept
from gemel.samples.clock import iso

MODELLED = PLANT.replace(
    "flow: {unit: m3/h,", "flow: {unit: m3/h, accuracy: 0.5, estimated: {dynamics: true},"
).replace("    signals:\n", "    dynamics: gemel.dynamics.components.pump:Pump\n    signals:\n", 1)
FLOW = f"{PUMP}/flow"
VERDICT = {"suspects": [{"kind": "sensor", "name": "flow", "probability": 0.97}], "how": "drifting", "against_nothing_log10": 8.5,
           "substituted": True, "since": START, "read": 130.0, "expected": 120.0, "signal": FLOW}  # fmt: skip


@pytest.fixture
def twin(tmp_path):
    folder = tmp_path / "modelled"
    folder.mkdir()
    (folder / "plant.yaml").write_text(MODELLED)
    twin = FakeTwin(load(folder))
    twin.send({FLOW: 130.0})
    twin.say(FLOW, "estimated", 120.0)
    twin.values.sigma = np.full(len(twin.registry), np.nan, np.float32)
    twin.values.sigma[twin.registry.index(FLOW, "estimated")] = 0.25
    return twin


def of_flow(client):
    told = client.get("/residuals", params={"asset": PUMP})
    assert told.status_code == 200, told.text
    (item,) = told.json()["items"]
    return item


def test_a_residual_is_what_is_read_less_what_is_expected_with_its_uncertainty(anybody):
    item = of_flow(anybody)
    assert (item["signal"], item["read"], item["expected"], item["residual"], item["sigma"]) == (FLOW, 130.0, 120.0, 10.0, 0.25)
    assert (item["by"], item["out"]) == ("gemel.dynamics.components.pump:Pump", None)
    assert len(anybody.get("/residuals").json()["items"]) > 1
    assert anybody.get("/residuals", params={"limit": 1}).json()["next"] == 1


def test_who_is_wrong_is_told_until_it_is_back(anybody, server):
    server.twin.append("ResidualRaised", "gemel", PUMP, VERDICT, "")
    out = of_flow(anybody)["out"]
    assert out["suspects"] == VERDICT["suspects"]
    assert (out["how"], out["substituted"], out["read"]) == ("drifting", True, 130.0)
    assert anybody.get("/residuals", params={"asset": OTHER}).json()["items"][0]["out"] is None
    server.twin.append("ResidualCleared", "gemel", PUMP, {"signal": FLOW, "read": 120.0, "expected": 120.0}, "")
    assert of_flow(anybody)["out"] is None


def test_what_is_believed_instead_of_a_reading_is_told_with_its_reason_until_it_is_heard_again(anybody, server):
    assert of_flow(anybody)["instead"] is None
    for why in ("aside", "missing"):
        server.twin.append("ResidualSubstituted", "gemel", PUMP, {"signal": FLOW, "why": why, "since": START}, "")
        item = of_flow(anybody)
        assert (item["instead"]["why"], item["instead"]["since"][:19], item["out"]) == (why, iso(START)[:19], None)
    server.twin.append("ResidualRaised", "gemel", PUMP, {**VERDICT, "missing": [f"{PUMP}/power"]}, "")
    assert of_flow(anybody)["out"]["missing"] == [f"{PUMP}/power"]
    server.twin.append("ResidualCleared", "gemel", PUMP, {"signal": FLOW, "read": 120.0, "expected": 120.0}, "")
    assert of_flow(anybody)["instead"]["why"] == "missing", "who is back in its band is not heard by that"
    server.twin.append("ResidualHeard", "gemel", PUMP, {"signal": FLOW}, "")
    assert of_flow(anybody)["instead"] is None


def test_what_is_told_before_the_plants_time_has_come_to_it_counts_now(anybody, server):
    server.twin.append("ResidualRaised", "gemel", PUMP, VERDICT, "")
    now = server.twin.values.plant_time
    server.twin.values.plant_time = now + SECOND // 10
    server.twin.append("ResidualCleared", "gemel", PUMP, {"signal": FLOW, "read": 120.0, "expected": 120.0}, "")
    server.twin.values.plant_time = now
    assert of_flow(anybody)["out"] is None


def test_what_is_expected_names_the_version_in_force_and_how_much_of_it_is_physics(anybody, server):
    before = of_flow(anybody)
    assert (before["parameters"], before["hybrid"]) == (0, None)
    learned = {"flow": {"version": "ab12", "physics_share": 0.93, "known": 0.8, "points": []}}
    server.twin.append("ParametersReleased", "ann", PUMP, {"values": {"wear": 0.1}, "hybrid": learned}, "")
    after = of_flow(anybody)
    assert (after["parameters"], after["hybrid"]) == (1, {"version": "ab12", "physics_share": 0.93, "known": 0.8, "known_now": None})
    assert all(i["parameters"] == 0 for i in anybody.get("/residuals").json()["items"] if not i["signal"].startswith(PUMP))
    released = server.twin.record[-1].at
    for at, version in ((released, 1), (released - SECOND, 0)):
        (then,) = anybody.get("/residuals", params={"asset": PUMP, "at": iso(at)}).json()["items"]
        assert (then["parameters"], then["hybrid"] is None) == (version, version == 0)


def learned_of(names):
    """A correction of the flow that was learned from speeds of 140 to 160 rad/s (1337 to 1528 rpm), as a release has it."""
    speeds = np.linspace(140.0, 160.0, 60)[:, None]
    correction = learn("flow", speeds, np.zeros((60, 0)), np.full(60, 0.03), 0.03 + 1e-3 * np.sin(speeds[:, 0]))
    assert correction.helps
    return {"flow": kept(correction) | {"physics_share": 0.93, "known": 0.8, "states": names, "inputs": [], "units": {"speed": "rad/s"}}}


def test_a_hybrid_that_is_asked_outside_of_what_it_was_trained_on_says_so(anybody, server):
    server.twin.append("ParametersReleased", "ann", PUMP, {"values": {"wear": 0.1}, "hybrid": learned_of(["speed"])}, "")
    assert of_flow(anybody)["hybrid"]["known_now"] is None, "nothing is read of what it looks at"
    for speed, near in ((1450.0, 1.0), (2900.0, 0.0)):
        server.do(server.twin.send, {f"{PUMP}/speed": speed})
        assert of_flow(anybody)["hybrid"]["known_now"] == pytest.approx(near, abs=0.1)


def test_of_a_hybrid_that_looks_at_what_no_signal_shows_it_is_not_known(anybody, server):
    server.do(server.twin.send, {f"{PUMP}/speed": 1450.0})
    server.twin.append("ParametersReleased", "ann", PUMP, {"values": {"wear": 0.1}, "hybrid": learned_of(["worn"])}, "")
    assert of_flow(anybody)["hybrid"]["known_now"] is None


def test_an_asset_that_is_followed_with_its_area_is_told_by_physics_alone(anybody, server, monkeypatch):
    learned = {"flow": {"version": "ab12", "physics_share": 0.93, "known": 0.8, "points": []}}
    server.twin.append("ParametersReleased", "ann", PUMP, {"values": {"wear": 0.1}, "hybrid": learned}, "")
    assert of_flow(anybody)["hybrid"] is not None
    monkeypatch.setitem(server.twin.plant.estimates, PUMP.rpartition("/")[0], Estimates())
    told = of_flow(anybody)
    assert (told["parameters"], told["hybrid"]) == (1, None)


def test_a_past_time_tells_what_was_read_expected_and_suspected_then(anybody, server):
    server.twin.append("ResidualRaised", "gemel", PUMP, VERDICT, "")
    raised = server.twin.record[-1].at
    server.do(server.twin.send, {FLOW: 120.0}, at=raised + 20 * SECOND)
    server.do(server.twin.append, "ResidualCleared", "gemel", PUMP, {"signal": FLOW, "read": 120.0, "expected": 120.0}, "")

    def then(at):
        (item,) = anybody.get("/residuals", params={"asset": PUMP, "at": iso(at)}).json()["items"]
        return item["read"], item["out"] and item["out"]["how"]

    assert then(raised + SECOND) == (130.0, "drifting")
    assert then(server.twin.record[-1].at) == (120.0, None)
    assert then(START - SECOND) == (None, None)


def test_the_state_gives_the_estimate_its_own_uncertainty_not_the_declared_one(anybody):
    told = anybody.get(f"/state/{PUMP}", params={"include": "provenance"}).json()["properties"]["flow"]["provenance"]
    assert (told["sigma"], told["lanes"]["estimated"]["sigma"]) == (0.5, 0.25)
