"""The loop, thin but whole: asked for, checked, approved, written, read back, and seen in the history; all of it facts."""

import pytest
from story_kit import Face, add_person

from gemel.bench.site import wait

PUMPING = "gemel/riverside/waterworks/pumping"
PUMP_1, PUMP_2 = f"{PUMPING}/pump-1", f"{PUMPING}/pump-2"


@pytest.fixture(scope="module")
def people(demo):
    """The two that the demo made, somebody who may only look, and nobody."""
    olga, emil = demo.face("olga"), demo.face("emil")
    vera = Face(demo.port, add_person(demo.data, "vera", "viewer"))
    wanted = ("speed", "speed_setpoint", "flow", "bearing_temperature")

    def living():
        return all(olga.shown(pump)[name]["quality"] == "good" for pump in (PUMP_1, PUMP_2) for name in wanted)

    assert wait(living, 60), olga.shown(PUMP_1)
    return {"olga": olga, "emil": emil, "vera": vera, "nobody": demo.face()}


def setpoint(face, pump):
    return face.shown(pump)["speed_setpoint"]["value"]


def ask(face, pump, value, reason="the story asks"):
    return face.post("commands", asset=pump, command="set_speed", value=value, reason=reason)


def states(command):
    """The states it went through, each once."""
    seen = [step["state"] for step in command["steps"]]
    return [s for i, s in enumerate(seen) if i == 0 or s != seen[i - 1]]


def told_of(face, command):
    """The facts of a command, as (kind, actor)."""
    return [(f["kind"], f["actor"]) for f in face.get("facts", subject=command["asset"], limit=1000)["items"] if f["body"].get("command") == command["id"]]


def assert_whole(face):
    """The chain of the record holds, over every fact that can be read."""
    told, known = face.get("facts/verify"), face.get("facts", limit=1000)["items"]
    assert told["ok"] and told["checked"] >= len(known) > 4


def confirmed(face, command_id):
    assert wait(lambda: face.get(f"commands/{command_id}")["state"] not in ("approved", "sending", "sent"), 60, 0.2)
    command = face.get(f"commands/{command_id}")
    assert command["state"] == "confirmed", command
    return command


def test_who_may_not_command_is_told_so(people):
    olga = people["olga"]
    before, count = setpoint(olga, PUMP_1), len(olga.facts("CommandSending"))
    for name, code in (("nobody", "person-needed"), ("vera", "role-too-low")):
        status, told = ask(people[name], PUMP_1, before + 10)
        assert (status, told["code"]) == (403, code)
        assert told["detail"] and told["remedy"]
    assert len(olga.facts("CommandSending")) == count
    status, told = Face(olga.port, ("olga", "a wrong password")).post("commands", asset=PUMP_1, command="set_speed", value=before)
    assert status == 401


def test_out_of_limits_is_refused_with_words_and_recorded(people):
    olga = people["olga"]
    status, told = ask(olga, PUMP_1, 3500, "faster than it can")
    assert (status, told["code"]) == (403, "out-of-limits")
    assert "3500 rpm is outside 600 to 3000 rpm" in told["detail"]
    assert told["remedy"] == "ask for a value from 600 to 3000"
    assert wait(lambda: any(c["value"] == 3500 for c in olga.get("commands", asset=PUMP_1)["items"]), 60)
    refused = next(c for c in olga.get("commands", asset=PUMP_1)["items"] if c["value"] == 3500)
    assert (refused["state"], refused["requested_by"], refused["sent"]) == ("refused", "olga", None)
    assert wait(lambda: told_of(olga, refused), 60) and told_of(olga, refused) == [("CommandRefused", "olga")]


def test_pump_1_obeys_and_then_not_too_fast(people):
    olga = people["olga"]
    old = setpoint(olga, PUMP_1)
    new = round(old) + 120
    status, made = ask(olga, PUMP_1, new, "the level falls")
    assert status == 201, made
    assert (made["approval"], made["requested_by"], made["reason"]) == (None, "olga", "the level falls")
    done = confirmed(olga, made["id"])
    assert abs(done["read_back"] - new) <= 30
    assert [s for s in states(done) if s in ("sent", "confirmed")] == ["sent", "confirmed"]
    kinds = [kind for kind, _ in told_of(olga, done)]
    assert kinds == ["CommandRequested", "CommandSending", "CommandSent", "CommandConfirmed"]

    status, told = ask(olga, PUMP_1, 600)
    assert (status, told["code"]) == (403, "too-fast"), told
    assert "rpm/s allow" in told["detail"] and "ask for" in told["remedy"]

    assert wait(lambda: abs(olga.shown(PUMP_1)["speed"]["value"] - new) < 5 and setpoint(olga, PUMP_1) == new, 60)
    assert wait(lambda: abs(olga.rows(f"{PUMP_1}/speed")[-1][1] - new) < 5, 60)
    speeds = [v for _, v, _ in olga.rows(f"{PUMP_1}/speed")]
    assert abs(speeds[0] - old) < 15 and abs(speeds[-1] - new) < 15, "the trend shows from where to where"
    assert any(old + 20 < v < new - 20 for v in speeds), "and how it went there"
    assert_whole(olga)
    assert wait(lambda: olga.rows(f"{PUMP_1}/speed_setpoint")[-1][1] == new, 60)


def test_pump_2_needs_an_engineer_who_is_somebody_else(people):
    olga, emil = people["olga"], people["emil"]
    old = setpoint(emil, PUMP_2)
    new = round(old) - 90
    status, made = ask(emil, PUMP_2, new, "saves power")
    assert status == 201
    assert (made["state"], made["approval"]) == ("awaiting_approval", "engineer")

    status, told = emil.post(f"commands/{made['id']}/approve", reason="mine")
    assert (status, told["code"]) == (403, "own-command")
    status, told = people["vera"].post(f"commands/{made['id']}/approve")
    assert (status, told["code"]) == (403, "role-too-low")
    status, told = olga.post(f"commands/{made['id']}/approve")
    assert (status, told["code"]) == (403, "role")
    status, told = ask(olga, PUMP_2, new)
    assert (status, told["code"]) == (409, "open-command"), "one at a time"
    assert setpoint(olga, PUMP_2) == old
    status, told = olga.post(f"commands/{made['id']}/cancel", reason="by an operator")
    assert (status, told["state"]) == (200, "cancelled")

    status, made = ask(olga, PUMP_2, new, "saves power")
    assert (status, made["state"]) == (201, "awaiting_approval")
    status, told = emil.post(f"commands/{made['id']}/approve", reason="agreed")
    assert (status, told["approved_by"]) == (200, "emil")
    done = confirmed(olga, made["id"])
    assert abs(done["read_back"] - new) <= 30
    for again in ("approve", "reject", "cancel"):
        status, told = emil.post(f"commands/{made['id']}/{again}")
        assert (status, told["code"]) == (409, "decided")
    assert told_of(olga, done) == [
        ("CommandRequested", "olga"), ("CommandApproved", "emil"), ("CommandSending", "gemel"), ("CommandSent", "gemel"),
        ("CommandConfirmed", "gemel"),
    ]  # fmt: skip
    assert wait(lambda: abs(olga.shown(PUMP_2)["speed"]["value"] - new) < 5, 60)
    assert_whole(emil)
