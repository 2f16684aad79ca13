"""The gate: every "no" has its reason, every step is a fact, and nothing is written twice."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from gemel.errors import ConflictError, NotFoundError, RefusedError
from gemel.twin import commands
from gemel.twin.commands import Gate, Reading

sys.path.insert(0, str(Path(__file__).parent))
from command_kit import GUARDED, PLAIN, PUMP, T, WELL, Spec, ask, at, take


def sent(gate, **given):
    take(gate, ask(gate, **given))
    id = given.get("id", "c1")
    take(gate, gate.sending(id, at=at(1)))
    take(gate, gate.sent(id, at=at(2)))
    return gate


def state(gate, id="c1"):
    return gate.view(id)["state"]


def test_a_command_goes_from_wish_to_read_back():
    gate = Gate()
    decision = take(gate, ask(gate))
    assert [d.kind for d in decision.drafts] == ["CommandRequested"] and decision.refusal is None
    assert [c.id for c in gate.ready()] == ["c1"]
    take(gate, gate.sending("c1", at=at(1)))
    assert gate.ready() == [] and state(gate) == "approved"
    take(gate, gate.sent("c1", at=at(2)))
    assert gate.watched() == [f"{PUMP}/speed"]
    assert gate.on_reading(f"{PUMP}/speed", 1400, time=at(3), at=at(3)) == []
    assert gate.on_reading(f"{PUMP}/flow", 1500, time=at(3), at=at(3)) == []
    assert gate.on_reading(f"{PUMP}/speed", 1500, time=at(1), at=at(3)) == []  # from before the write
    (draft,) = gate.on_reading(f"{PUMP}/speed", 1475, time=at(4), at=at(5))
    gate.apply(draft)
    assert gate.view("c1") == {
        "id": "c1", "asset": PUMP, "command": "set_speed", "value": 1500.0, "unit": "rpm", "state": "confirmed",
        "requested_by": "olga", "requested": "2020-09-13T12:26:40.000000000Z", "reason": "more water", "approval": None,
        "approved_by": None, "refusal": None, "sent": "2020-09-13T12:26:42.000000000Z", "read_back": 1475,
        "confirmed": "2020-09-13T12:26:45.000000000Z", "failure": None,
        "steps": [
            {"state": "approved", "at": "2020-09-13T12:26:40.000000000Z", "by": "olga", "note": "more water"},
            {"state": "sending", "at": "2020-09-13T12:26:41.000000000Z", "by": "gemel", "note": ""},
            {"state": "sent", "at": "2020-09-13T12:26:42.000000000Z", "by": "gemel", "note": ""},
            {"state": "confirmed", "at": "2020-09-13T12:26:45.000000000Z", "by": "gemel", "note": "reads back 1475 rpm"},
        ],
    }  # fmt: skip
    assert gate.watched() == []


REFUSALS = [
    ("writes-off", {"situation": replace(WELL, writes=False)}, "takes no commands"),
    ("not-wired", {"situation": replace(WELL, wired=False)}, "not wired"),
    ("role", {"role": "viewer"}, "a viewer cannot command"),
    ("role", {"role": "king"}, "a king cannot command"),
    ("not-a-number", {"value": math.nan}, "not a number"),
    ("not-a-number", {"value": math.inf}, "not a number"),
    ("out-of-limits", {"value": 599.0}, "outside 600 to 3000 rpm"),
    ("out-of-limits", {"value": 3001.0}, "outside 600 to 3000 rpm"),
    ("too-fast", {"value": 1501.0, "situation": replace(WELL, changed=at(-10))}, "allow 500 after 10 s"),
    ("too-fast", {"value": 1001.0, "situation": replace(WELL, changed=at(5))}, "allow 0 after 0 s"),
    ("current-unknown", {"situation": replace(WELL, current=None)}, "not known"),
    ("current-unknown", {"situation": replace(WELL, current=math.nan)}, "not known"),
    ("rests-on", {"situation": replace(WELL, rests_on={"speed": Reading(1.0)})}, "flow has never been seen"),
    ("rests-on", {"situation": replace(WELL, rests_on={**WELL.rests_on, "flow": Reading(1.0, stale=True)})}, "flow is stale"),
    ("rests-on", {"situation": replace(WELL, rests_on={**WELL.rests_on, "speed": Reading(1.0, usable=False)})}, "speed is Bad"),
]


@pytest.mark.parametrize(("code", "given", "words"), REFUSALS)
def test_a_refusal_says_why_and_is_one_fact(code, given, words):
    gate = Gate()
    decision = take(gate, ask(gate, **given))
    assert decision.refusal.code == code and words in decision.refusal.message and decision.refusal.remedy
    assert [d.kind for d in decision.drafts] == ["CommandRefused"]
    assert decision.drafts[0].body["code"] == code and msgspec.json.encode(decision.drafts[0])
    view = gate.view("c1")
    assert view["state"] == "refused" and words in view["refusal"] and gate.ready() == []
    with pytest.raises(RefusedError, match=words):
        decision.check()


def test_the_limits_themselves_and_the_largest_step_are_allowed():
    assert ask(Gate(), 1500.0, situation=replace(WELL, changed=at(-10))).refusal is None
    assert ask(Gate(), 500.0, situation=replace(WELL, changed=at(-10))).refusal.code == "out-of-limits"
    assert ask(Gate(), 600.0).refusal is None and ask(Gate(), 3000.0).refusal is None
    step = Spec(max_rate_per_s=0.1, low=None, high=None)
    assert ask(Gate(), 0.3, spec=step, situation=replace(WELL, current=0.0, changed=at(-3))).refusal is None


def test_a_quiet_time_earns_a_minute_of_ramp_at_most():
    slow = Spec(max_rate_per_s=10.0)
    assert ask(Gate(), 1600.0, spec=slow).refusal is None
    no = ask(Gate(), 1601.0, spec=slow, situation=replace(WELL, changed=at(-3600))).refusal
    assert no.code == "too-fast" and "1600 rpm now" in no.remedy
    down = ask(Gate(), 700.0, spec=Spec(max_rate_per_s=1.0), situation=replace(WELL, current=1000.0)).refusal
    assert "940 rpm now" in down.remedy


@pytest.mark.parametrize("rate", [None, math.nan])
def test_without_a_rate_any_step_is_allowed(rate):
    assert ask(Gate(), 3000.0, spec=Spec(max_rate_per_s=rate), situation=replace(WELL, current=None, changed=T)).refusal is None


def test_what_was_written_counts_as_the_last_change():
    gate = sent(Gate())
    gate.apply(gate.on_reading(f"{PUMP}/speed", 1500, time=at(3), at=at(3))[0])
    no = ask(gate, 1600.0, id="c2", t=2, situation=replace(WELL, current=1500.0)).refusal
    assert no.code == "too-fast" and "allow 50 after 1 s" in no.message
    assert ask(gate, 1550.0, id="c2", t=2, situation=replace(WELL, current=None)).refusal is None


def test_one_open_command_for_a_set_point():
    gate = Gate()
    take(gate, ask(gate))
    decision = take(gate, ask(gate, id="c2", spec=replace(PLAIN, name="slow_down")))
    assert decision.refusal.code == "open-command" and state(gate, "c2") == "refused"
    with pytest.raises(ConflictError, match="olga"):
        decision.check()
    assert ask(gate, id="c3", spec=replace(PLAIN, asset="acme/site/pump-2")).refusal is None


def test_an_id_is_used_once():
    gate = Gate()
    take(gate, ask(gate))
    assert ask(gate).refusal.code == "id-used" and ask(gate).drafts == ()


def approve(gate, user="eva", role="engineer", t=10.0, spec=GUARDED, situation=WELL, id="c1"):
    return gate.approve(id, user, role, at=at(t), spec=spec, situation=situation, reason="fine")


def test_a_second_person_approves():
    gate = Gate()
    take(gate, ask(gate, spec=GUARDED))
    assert state(gate) == "awaiting_approval" and gate.ready() == []
    assert gate.sending("c1", at=at(1)).refusal.kind == "conflict"
    take(gate, approve(gate))
    assert gate.view("c1")["approved_by"] == "eva" and [c.id for c in gate.ready()] == ["c1"]
    again = approve(gate)
    assert again.refusal.code == "decided" and again.drafts == ()
    with pytest.raises(ConflictError):
        again.check()


@pytest.mark.parametrize(("user", "role", "code"), [("olga", "engineer", "own-command"), ("otto", "operator", "role")])
def test_who_may_not_decide_is_told_and_the_attempt_is_kept(user, role, code):
    gate = Gate()
    take(gate, ask(gate, spec=GUARDED))
    for decide in (lambda: approve(gate, user, role), lambda: gate.reject("c1", user, role, at=at(11))):
        decision = take(gate, decide())
        assert decision.refusal.code == code and decision.drafts[0].kind == "CommandRefused"
        with pytest.raises(RefusedError):
            decision.check()
    view = gate.view("c1")
    assert view["state"] == "awaiting_approval" and view["refusal"] is None
    assert [s["by"] for s in view["steps"]] == ["olga", user, user] and len(set(gate.get("c1").facts)) == 3
    assert take(gate, approve(gate)).refusal is None


def test_a_plant_file_that_became_stricter_is_obeyed():
    gate = Gate()
    take(gate, ask(gate, spec=Spec(approval="operator")))
    assert approve(gate, "otto", "operator").refusal.code == "role"


def test_everything_is_checked_again_at_approval():
    gate = Gate()
    take(gate, ask(gate, spec=GUARDED))
    decision = take(gate, approve(gate, situation=replace(WELL, rests_on={**WELL.rests_on, "flow": Reading(1.0, stale=True)})))
    assert decision.refusal.code == "rests-on" and state(gate) == "refused"
    assert "flow is stale" in gate.view("c1")["refusal"] and approve(gate).refusal.code == "decided"


@pytest.mark.parametrize("situation", [replace(WELL, writes=False), replace(WELL, wired=False), replace(WELL, changed=at(9))])
def test_what_changed_before_the_approval_refuses_it(situation):
    gate = Gate()
    take(gate, ask(gate, spec=GUARDED))
    assert take(gate, approve(gate, situation=situation)).refusal and state(gate) == "refused"


def test_rejected_and_cancelled_commands_are_over():
    gate = Gate()
    take(gate, ask(gate, spec=GUARDED))
    take(gate, gate.reject("c1", "eva", "engineer", at=at(5), reason="not now"))
    assert state(gate) == "rejected" and gate.view("c1")["steps"][-1]["note"] == "not now"
    take(gate, ask(gate, id="c2"))
    assert take(gate, gate.cancel("c2", "otto", "viewer", at=at(6))).refusal.code == "role"
    take(gate, gate.cancel("c2", "olga", "operator", at=at(6)))
    assert state(gate, "c2") == "cancelled" and gate.ready() == []
    for decision in (gate.cancel("c2", "olga", "operator", at=at(7)), gate.reject("c1", "eva", "engineer", at=at(7)),
                     gate.sending("c2", at=at(7)), gate.sent("c2", at=at(7))):
        assert decision.refusal.kind == "conflict" and decision.drafts == ()


def test_what_is_being_written_cannot_be_taken_back_nor_written_again():
    gate = Gate()
    take(gate, ask(gate))
    take(gate, gate.sending("c1", at=at(1)))
    assert gate.cancel("c1", "olga", "operator", at=at(2)).refusal.kind == "conflict"
    assert gate.sending("c1", at=at(2)).refusal.kind == "conflict"
    take(gate, gate.sent("c1", at=at(2)))
    assert gate.sent("c1", at=at(2)).refusal.kind == "conflict"


def test_unknown_commands_are_told_so():
    gate = Gate()
    for decision in (approve(gate), gate.reject("c1", "e", "engineer", at=T), gate.cancel("c1", "e", "engineer", at=T),
                     gate.sending("c1", at=T), gate.sent("c1", at=T)):
        with pytest.raises(NotFoundError):
            decision.check()
    assert gate.view("c1") is None and gate.get("c1") is None


def test_approvals_expire():
    gate = Gate()
    take(gate, ask(gate, spec=GUARDED))
    assert gate.on_tick(at(899)) == []
    assert approve(gate, t=900).refusal.code == "expired"
    (draft,) = gate.on_tick(at(900))
    gate.apply(draft)
    assert state(gate) == "cancelled" and "900 s" in gate.view("c1")["steps"][-1]["note"] and gate.on_tick(at(999)) == []


def test_what_was_approved_is_not_written_much_later():
    gate = Gate()
    take(gate, ask(gate))
    assert gate.sending("c1", at=at(30)).refusal.code == "too-late"
    gate.apply(gate.on_tick(at(30))[0])
    assert state(gate) == "failed" and "not written in time" in gate.view("c1")["failure"]


def test_a_missing_read_back_fails_and_says_what_is_read_instead():
    gate = sent(Gate())
    assert gate.on_tick(at(61.9)) == []
    (draft,) = gate.on_tick(at(62), {f"{PUMP}/speed": 1003.0})
    gate.apply(draft)
    view = gate.view("c1")
    assert view["failure"] == "not read back within 60 s: it reads 1003 rpm" and view["read_back"] == 1003
    assert gate.on_reading(f"{PUMP}/speed", 1500, time=at(70), at=at(70)) == []  # too late is too late


def test_a_write_that_failed_says_so():
    gate = Gate()
    take(gate, ask(gate))
    take(gate, gate.sending("c1", at=at(1)))
    take(gate, gate.sent("c1", at=at(2), failure="the broker refused it"))
    assert gate.view("c1")["failure"] == "the broker refused it" and gate.watched() == []


def test_a_write_of_which_nothing_is_heard_fails_as_unknown():
    gate = Gate()
    take(gate, ask(gate))
    take(gate, gate.sending("c1", at=at(1)))
    gate.apply(gate.on_tick(at(61))[0])
    assert gate.view("c1")["failure"] == commands.UNKNOWN_OUTCOME


def test_a_command_without_read_back_ends_when_sent():
    gate = sent(Gate(), spec=Spec(read_back=None))
    assert state(gate) == "sent" and gate.watched() == [] and gate.on_tick(at(999)) == []
    assert ask(gate, id="c2", t=100).refusal is None


def test_a_restart_ends_what_was_cut_off():
    gate = Gate()
    take(gate, ask(gate, id="sending"))
    take(gate, gate.sending("sending", at=at(1)))
    take(gate, ask(gate, id="approved", spec=replace(PLAIN, asset="acme/site/p2")))
    take(gate, ask(gate, id="waiting", spec=replace(GUARDED, asset="acme/site/p3")))
    sent(gate, id="sent", spec=replace(PLAIN, asset="acme/site/p4"))
    for draft in gate.recover(at(3)):
        gate.apply(draft)
    assert gate.view("sending")["failure"] == commands.UNKNOWN_OUTCOME
    assert gate.view("approved")["failure"] == commands.INTERRUPTED
    assert state(gate, "waiting") == "awaiting_approval" and state(gate, "sent") == "sent"
    assert gate.recover(at(4)) == []


def test_the_second_of_two_racing_decisions_changes_nothing():
    gate = Gate()
    take(gate, ask(gate, spec=GUARDED))
    approved, rejected = approve(gate), gate.reject("c1", "eva", "engineer", at=at(10))
    take(gate, rejected), take(gate, approved)
    assert state(gate) == "rejected" and gate.view("c1")["approved_by"] is None and len(gate.view("c1")["steps"]) == 3


def test_facts_name_the_person_the_subject_and_what_they_follow_from():
    gate = Gate()
    (asked,) = take(gate, ask(gate, spec=GUARDED)).drafts
    (approved,) = take(gate, approve(gate)).drafts
    assert (asked.actor, asked.subject, asked.cause) == ("olga", f"{PUMP}/set_speed", "")
    assert (approved.actor, approved.subject, approved.cause) == ("eva", f"{PUMP}/set_speed", asked.id)
    assert asked.body["rested_on"] == {"speed": 1000.0, "flow": 80.0} and asked.body["before"] == 1000.0


def test_other_facts_and_facts_of_forgotten_commands_are_passed_over():
    gate = Gate()
    (asked,) = ask(gate).drafts
    gate.apply(msgspec.structs.replace(asked, kind="AlarmRaised"))
    gate.apply(msgspec.structs.replace(asked, kind="CommandSent", body={"command": "gone"}))
    assert gate.views() == []


def test_views_are_newest_first_and_by_asset():
    gate = Gate()
    take(gate, ask(gate, id="a"))
    take(gate, ask(gate, id="b", spec=replace(PLAIN, asset="acme/site/p2")))
    assert [v["id"] for v in gate.views()] == ["b", "a"] and [v["id"] for v in gate.views(PUMP)] == ["a"]


def test_memory_of_closed_commands_is_bounded():
    gate = Gate()
    for i in range(commands.KEPT + 5):
        take(gate, ask(gate, id=f"c{i}", role="viewer"))
    assert len(gate.views()) == commands.KEPT and gate.view("c4") is None and gate.view("c5")


def test_a_snapshot_is_plain_json():
    gate = sent(Gate())
    other = Gate()
    other.from_notes(json.loads(json.dumps(gate.to_notes())))
    assert other.to_notes() == gate.to_notes() and other.watched() == gate.watched()
