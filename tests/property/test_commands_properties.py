"""The gate, driven at random: what must never happen does not, and the facts alone give the state."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
from hypothesis import given, settings, strategies as st

from gemel.samples import Fact
from gemel.twin.commands import Gate, Reading, fold

sys.path.insert(0, str(Path(__file__).parents[1] / "twin"))
from command_kit import GUARDED, PLAIN, WELL, Spec, at

SPECS = [PLAIN, GUARDED, replace(GUARDED, asset="acme/site/p2"), Spec(approval="operator", read_back=None, asset="acme/site/p3")]
PEOPLE = [("olga", "operator"), ("eva", "engineer"), ("emil", "engineer"), ("vera", "viewer")]
SITUATIONS = [WELL, WELL, replace(WELL, writes=False), replace(WELL, rests_on={"speed": Reading(1.0)})]
IDS = ["a", "b", "c", "d", "e", "f"]

actions = st.one_of(
    st.tuples(st.just("request"), st.sampled_from(IDS), st.integers(0, 3), st.sampled_from([800.0, 1500.0, 9000.0]),
              st.sampled_from(PEOPLE), st.sampled_from(SITUATIONS)),
    st.tuples(st.sampled_from(["approve", "reject", "cancel"]), st.sampled_from(IDS), st.integers(0, 3),
              st.sampled_from(PEOPLE), st.sampled_from(SITUATIONS)),
    st.tuples(st.sampled_from(["sending", "sent", "broken"]), st.sampled_from(IDS)),
    st.tuples(st.just("read"), st.integers(0, 3), st.sampled_from([800.0, 1500.0]), st.integers(-5, 0)),
    st.tuples(st.just("tick")),
    st.tuples(st.just("restart")),
)
goes_on = st.tuples(st.just("goes on"), st.integers(0, 3), st.sampled_from(PEOPLE[:3]))  # the next good step of an open one
good = st.tuples(st.just("request"), st.sampled_from(IDS), st.integers(0, 3), st.just(1500.0), st.just(PEOPLE[0]), st.just(WELL))
# one_of keeps each branch once, so weights need a number
weighed = st.integers(0, 9).flatmap(lambda n: goes_on if n < 6 else good if n < 8 else actions)
steps = st.tuples(weighed, st.sampled_from([1, 1, 1, 1, 1, 1, 1, 1, 0, 5, 5, 40, 1000]))
runs = st.lists(steps, max_size=60) | st.lists(steps, min_size=20, max_size=60)


def draw_drafts(gate, action, now):
    match action:
        case ("request", id, n, value, (user, role), situation):
            return gate.request(id, SPECS[n], value, user, role, at=at(now), situation=situation).drafts
        case ("approve", id, n, (user, role), situation):
            return gate.approve(id, user, role, at=at(now), spec=SPECS[n], situation=situation).drafts
        case (("reject" | "cancel") as verb, id, _, (user, role), _):
            return getattr(gate, verb)(id, user, role, at=at(now)).drafts
        case ("sending", id):
            return gate.sending(id, at=at(now)).drafts
        case (("sent" | "broken") as how, id):
            return gate.sent(id, at=at(now), failure="broken" if how == "broken" else None).drafts
        case ("goes on", n, person):
            return go_on(gate, n, person, now)
        case ("read", n, value, ago):
            return gate.on_reading(f"{SPECS[n].asset}/speed", value, time=at(now + ago), at=at(now))
        case ("tick",):
            return gate.on_tick(at(now))
        case _:
            return gate.recover(at(now))


def go_on(gate, n, person, now):
    commands = [c for i in IDS if (c := gate.get(i)) and c.open]
    if not commands:
        return []
    command = commands[n % len(commands)]
    spec = next(x for x in SPECS if x.asset == command.asset and x.approval == command.approval)
    match command.state:
        case "awaiting_approval":
            return gate.approve(command.id, *person, at=at(now), spec=spec, situation=WELL).drafts
        case "approved":
            return gate.sending(command.id, at=at(now)).drafts
        case "sending":
            return gate.sent(command.id, at=at(now)).drafts
        case _:
            return gate.on_reading(command.read_back_path, command.value, time=at(now), at=at(now))


def drive(run):
    gate, record, now = Gate(), [], 0
    for action, wait in run:
        now += wait
        for draft in draw_drafts(gate, action, now):
            given = {k: getattr(draft, k) for k in draft.__struct_fields__}
            fact = msgspec.json.decode(msgspec.json.encode(Fact(**given, seq=len(record) + 1, recorded=0)), type=Fact)
            gate.apply(fact)
            record.append(fact)
    return gate, record


@settings(max_examples=300)
@given(runs)
def test_what_must_never_happen_does_not(run):
    _, record = drive(run)
    assert len({f.id for f in record}) == len(record)
    for id in IDS:
        facts = [f for f in record if f.body["command"] == id]
        kinds = [f.kind for f in facts if not f.body.get("attempt")]
        if not kinds:
            continue
        asked = facts[0]
        assert kinds[0] in ("CommandRequested", "CommandRefused")
        assert asked.kind == "CommandRequested" or len(facts) == 1  # refused is refused
        assert kinds.count("CommandSending") <= 1 and kinds.count("CommandSent") <= 1  # never sent twice
        for later, sooner in (("CommandSent", "CommandSending"), ("CommandConfirmed", "CommandSent")):
            assert later not in kinds or sooner in kinds[: kinds.index(later)]
        if "CommandSending" in kinds and asked.body["approval"]:
            assert "CommandApproved" in kinds[: kinds.index("CommandSending")]
        for fact in facts:
            if fact.kind in ("CommandApproved", "CommandRejected"):
                assert fact.actor not in (asked.actor, "vera")
                assert asked.body["approval"] == "operator" or fact.actor != "olga"
        ends = [k for k in kinds if k in ("CommandRefused", "CommandRejected", "CommandCancelled", "CommandConfirmed", "CommandFailed")]
        assert len(ends) <= 1 and (not ends or kinds[-1] == ends[0])


@settings(max_examples=200)
@given(runs)
def test_at_most_one_command_is_open_for_a_set_point(run):
    gate = Gate()
    _, record = drive(run)
    for fact in record:
        gate.apply(fact)
        targets = [c.target for i in IDS if (c := gate.get(i)) and c.open]
        assert len(targets) == len(set(targets))


@settings(max_examples=200)
@given(runs, st.data())
def test_facts_alone_give_the_state_and_a_snapshot_anywhere_goes_on(run, data):
    gate, record = drive(run)
    assert fold(record).to_notes() == gate.to_notes()
    cut = data.draw(st.integers(0, len(record)))
    half = Gate()
    half.from_notes(json.loads(json.dumps(fold(record[:cut]).to_notes())))
    again = record[max(cut - 1, 0) : cut]  # facts repeated are folded once
    assert fold([*again, *record[cut:]], half).to_notes() == gate.to_notes()


@given(runs)
def test_asking_changes_nothing(run):
    gate, _ = drive(run)
    before = gate.to_notes()
    for action, _ in run:
        draw_drafts(gate, action, 100)
    assert gate.to_notes() == before
