"""A fact and its compensation leave the state as it was before."""

import sys
from pathlib import Path

from hypothesis import assume, given, settings, strategies as st

from gemel.errors import GemelError
from gemel.samples import Fact
from gemel.samples.clock import SECOND
from gemel.twin.alarm_revert import compensation
from gemel.twin.alarm_state import Alarm

sys.path.insert(0, str(Path(__file__).parents[1] / "twin"))
from alarm_kit import T, alarms, rows
from test_alarms_properties import events, limits, play

ASKED = ["acknowledge", "shelve", "suppress"]


def ask(machine, what, name, at):
    r = machine.requests
    return {
        "acknowledge": lambda: r.acknowledge(name, "ann", "seen", at),
        "shelve": lambda: r.shelve(name, "ann", "noise", at + 3600 * SECOND, at),
        "suppress": lambda: r.suppress(name, "out_of_service", "ann", "repair", at),
    }[what]()


def as_fact(draft, seq=7):
    return Fact(seq=seq, recorded=draft.at, **{n: getattr(draft, n) for n in draft.__struct_fields__})


def state(machine):
    notes = machine.to_notes()
    return {**notes, "alarms": {k: v for k, v in notes["alarms"].items() if v != Alarm().notes()}}


@settings(deadline=None, max_examples=300)
@given(limits, events, st.sampled_from(ASKED), st.integers(0, 5))
def test_fact_and_compensation_give_the_state_before(limits, events, what, index):
    machine, _ = play(alarms(*limits, n=2), events)
    name = f"acme/site/p0/s{limits[index % len(limits)].signal}#{limits[index % len(limits)].level}"
    before, at = state(machine), T + 500 * SECOND
    try:
        asked = ask(machine, what, name, at)
    except GemelError:
        assume(False)
    fact = as_fact(asked)
    assert machine.on_fact(fact)
    assert state(machine) != before
    draft = compensation(machine, fact, "emil", "by mistake", at + SECOND)
    assert (draft.id, draft.cause, draft.actor) == ("revert-7", fact.id, "emil")
    machine.on_fact(as_fact(draft, 8))
    assert state(machine) == before
    try:
        compensation(machine, fact, "emil", "again", at + 2 * SECOND)
    except GemelError as e:
        assert e.code == "revert-superseded"
    else:
        raise AssertionError("it does not stand any more")


@settings(deadline=None, max_examples=100)
@given(limits, events, events)
def test_an_alarm_shelved_by_mistake_is_as_if_it_never_was(limits, first, more):
    """Also what happened meanwhile: nobody's note is taken for granted because it was out of sight."""
    name = f"acme/site/p0/s{limits[0].signal}#{limits[0].level}"
    plain, _ = play(alarms(*limits, n=2), first)
    covered, _ = play(alarms(*limits, n=2), first)
    at = T + 400 * SECOND
    try:
        fact = as_fact(ask(covered, "shelve", name, at))
    except GemelError:
        assume(False)
    covered.on_fact(fact)
    covered.on_fact(as_fact(compensation(covered, fact, "emil", "by mistake", at), 8))
    later = [e + 500 if isinstance(e, int) else (e[0], e[1] + 500, *e[2:]) for e in more]
    plain, said = play(plain, later)
    covered, told = play(covered, later)
    assert state(plain) == state(covered)
    assert [t.draft for t in said] == [t.draft for t in told]


def test_a_note_on_a_former_occurrence_is_not_taken_back():
    from alarm_kit import A0, Limit

    machine = alarms(Limit(0, deadband=1.0), n=2)
    machine.on_rows(rows((0, 1, 20.0)))
    fact = as_fact(ask(machine, "acknowledge", A0, T + 2 * SECOND))
    machine.on_fact(fact)
    machine.on_rows(rows((0, 3, 0.0), (0, 4, 20.0)))
    try:
        compensation(machine, fact, "emil", "late", T + 9 * SECOND)
    except GemelError as e:
        assert e.code == "revert-superseded"
    else:
        raise AssertionError("the occurrence is another one")
