"""Alarms live as ISA-18.2 says: limits with delay and dead band, acknowledgement, shelving, floods."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from gemel.errors import ConflictError, DefectError, NotFoundError, RefusedError
from gemel.samples import Fact
from gemel.samples.clock import DAY, SECOND
from gemel.samples.status import BAD_COMMUNICATION, BAD_OUT_OF_RANGE, UNCERTAIN
from gemel.twin import alarm_facts

sys.path.insert(0, str(Path(__file__).parent))
from alarm_kit import A0, Limit, T, alarms, registry, rows, told


def state(a, name=A0):
    return a.one(name)["state"]


def as_fact(draft, seq=1):
    return Fact(**{k: getattr(draft, k) for k in draft.__struct_fields__}, seq=seq, recorded=0)


def test_beyond_the_limit_raises_and_back_by_the_dead_band_clears():
    a = alarms(Limit(0, limit=10, deadband=2))
    assert a.on_rows(rows((0, 1, 10))) == []  # the limit itself is not beyond
    assert told(a.on_rows(rows((0, 2, 10.1)))) == [("AlarmRaised", A0, 2)]
    assert a.on_rows(rows((0, 3, 8.1))) == []
    assert told(a.on_rows(rows((0, 4, 8)))) == [("AlarmCleared", A0, 4)]
    assert state(a) == "returned_unacknowledged"


def test_low_limits_are_the_mirror():
    a = alarms(Limit(0, "low", limit=1, deadband=0.5))
    found = a.on_rows(rows((0, 1, 1), (0, 2, 0.9), (0, 3, 1.4), (0, 4, 1.5)))
    assert [k for k, *_ in told(found)] == ["AlarmRaised", "AlarmCleared"]
    assert [t.draft.at for t in found] == [T + 2 * SECOND, T + 4 * SECOND]


def test_on_delay_passes_by_row_time_or_by_tick_and_gives_the_same_fact():
    by_row, by_tick = (alarms(Limit(0, delay_ns=5 * SECOND)) for _ in "ab")
    assert by_row.on_rows(rows((0, 1, 11), (0, 5.9, 11))) == []
    row = by_row.on_rows(rows((0, 6.5, 11)))
    by_tick.on_rows(rows((0, 1, 11), (0, 5.9, 11)))
    assert by_tick.on_tick(T + int(5.99 * SECOND)) == []
    tick = by_tick.on_tick(T + int(6.2 * SECOND))
    assert told(row) == told(tick) == [("AlarmRaised", A0, 6)]
    assert row[0].draft == tick[0].draft and row[0].draft.body["onset"] == T + SECOND


def test_a_return_within_the_on_delay_raises_nothing():
    a = alarms(Limit(0, delay_ns=5 * SECOND))
    assert a.on_rows(rows((0, 1, 11), (0, 5, 9), (0, 7, 11), (0, 11, 11))) == []
    assert told(a.on_tick(T + 12 * SECOND)) == [("AlarmRaised", A0, 12)]


def test_off_delay_holds_an_alarm_that_comes_straight_back():
    a = alarms(Limit(0, off_delay_ns=5 * SECOND))
    assert [k for k, *_ in told(a.on_rows(rows((0, 1, 11), (0, 2, 9), (0, 4, 11), (0, 8, 9))))] == ["AlarmRaised"]
    assert a.one(A0)["active"]
    assert told(a.on_tick(T + 13 * SECOND)) == [("AlarmCleared", A0, 13)]


def test_an_occurrence_begins_on_the_row_that_finds_the_off_delay_over():
    a = alarms(Limit(0, off_delay_ns=2 * SECOND))
    found = told(a.on_rows(rows((0, 1, 11), (0, 2, 9), (0, 9, 11))))
    assert found == [("AlarmRaised", A0, 1), ("AlarmCleared", A0, 4), ("AlarmRaised", A0, 9)]


def test_bad_stale_and_not_finite_readings_leave_an_alarm_as_it_is():
    a = alarms(Limit(0))
    a.on_rows(rows((0, 1, 11)))
    assert a.on_rows(rows((0, 2, 5, BAD_COMMUNICATION), (0, 3, float("nan")), (0, 4, 99, BAD_OUT_OF_RANGE))) == []
    assert a.on_tick(T + 3600 * SECOND) == []
    assert a.one(A0)["active"]
    assert told(a.on_rows(rows((0, 5, 5, UNCERTAIN)))) == [("AlarmCleared", A0, 5)]


def test_rows_not_newer_than_the_last_say_nothing():
    a = alarms(Limit(0))
    a.on_rows(rows((0, 5, 5)))
    assert a.on_rows(rows((0, 4, 11), (0, 5, 11))) == []
    assert told(a.on_rows(rows((0, 7, 11), (0, 6, 5), (0, 8, 5)))) == [("AlarmRaised", A0, 7), ("AlarmCleared", A0, 8)]


def test_levels_of_one_signal_are_alarms_of_their_own():
    a = alarms(Limit(0, "high", 10), Limit(0, "high_high", 20, priority=1), Limit(0, "low", 1), Limit(0, "low_low", 0))
    names = [t.alarm.split("#")[1] for t in a.on_rows(rows((0, 1, 25), (0, 2, 15), (0, 3, -5)))]
    assert names == ["high", "high_high", "high_high", "high", "low", "low_low"]
    assert a.counts()["unacknowledged"] == 2 and a.counts()["returned"] == 2
    assert [i["level"] for i in a.view()][:2] == ["low", "low_low"]


def test_ids_of_facts_are_the_same_again_and_differ_by_occurrence():
    def run():
        a = alarms(Limit(0))
        return [t.draft.id for t in a.on_rows(rows((0, 1, 11), (0, 2, 9), (0, 3, 11)))]

    assert run() == run() and len(set(run())) == 3


def test_acknowledging_keeps_user_and_comment_and_is_done_once():
    a = alarms(Limit(0))
    with pytest.raises(ConflictError):
        a.on_acknowledge(A0, "olga", "", T)
    a.on_rows(rows((0, 1, 11)))
    (t,) = a.on_acknowledge(A0, "olga", "seen", T + 2 * SECOND)
    assert (t.before, t.after, t.draft.actor, t.draft.reason) == ("unacknowledged", "acknowledged", "olga", "seen")
    assert t.draft.subject == "acme/site/p0/s0" and t.draft.cause == alarm_facts.fact_id(A0, "AlarmRaised", T + SECOND)
    with pytest.raises(ConflictError, match="olga"):
        a.on_acknowledge(A0, "otto", "", T + 3 * SECOND)
    a.on_rows(rows((0, 4, 9)))
    assert state(a) == "normal" and a.view() == []
    a.on_rows(rows((0, 5, 11)))
    assert state(a) == "unacknowledged" and a.one(A0)["acknowledged_by"] is None


def test_a_returned_alarm_waits_for_its_acknowledgement():
    a = alarms(Limit(0))
    a.on_rows(rows((0, 1, 11), (0, 2, 9)))
    assert [t.after for t in a.on_acknowledge(A0, "olga", "", T + 3 * SECOND)] == ["normal"]


def test_asking_changes_nothing_until_the_fact_takes_effect():
    a = alarms(Limit(0))
    a.on_rows(rows((0, 1, 11)))
    draft = a.requests.acknowledge(A0, "olga", "ok", T + 2 * SECOND)
    assert state(a) == "unacknowledged"
    assert len(a.on_fact(as_fact(draft))) == 1 and state(a) == "acknowledged"
    assert a.on_fact(as_fact(draft)) == []


def test_an_acknowledgement_of_an_earlier_occurrence_does_not_touch_the_next():
    a = alarms(Limit(0))
    a.on_rows(rows((0, 1, 11)))
    draft = a.requests.acknowledge(A0, "olga", "", T + 2 * SECOND)
    a.on_rows(rows((0, 3, 9), (0, 4, 11)))
    assert a.on_fact(as_fact(draft)) == [] and state(a) == "unacknowledged"


def test_shelving_is_limited_in_time_and_ends_by_itself():
    a = alarms(Limit(0))
    a.on_rows(rows((0, 1, 11)))
    for reason, until in (("", T + SECOND), ("noise", T), ("noise", T + 2 * DAY)):
        with pytest.raises(RefusedError):
            a.on_shelve(A0, "olga", reason, until, T)
    (t,) = a.on_shelve(A0, "olga", "noise", T + 60 * SECOND, T + 2 * SECOND)
    assert (t.before, t.after) == ("unacknowledged", "shelved") and a.counts()["by_priority"]["2"] == 0
    with pytest.raises(ConflictError):
        a.on_shelve(A0, "olga", "again", T + 70 * SECOND, T + 3 * SECOND)
    assert a.on_tick(T + 59 * SECOND) == []
    (t,) = a.on_tick(T + 61 * SECOND)
    assert (t.kind, t.after, t.draft.at, t.draft.actor) == ("AlarmUnshelved", "unacknowledged", T + 60 * SECOND, "gemel")
    assert a.on_tick(T + 62 * SECOND) == []


def test_a_shelved_alarm_goes_on_in_the_record_but_not_on_the_list():
    a = alarms(Limit(0))
    a.on_shelve(A0, "olga", "noise", T + 60 * SECOND, T)
    found = a.on_rows(rows((0, 1, 11), (0, 2, 9)))
    assert [(t.kind, t.after) for t in found] == [("AlarmRaised", "shelved"), ("AlarmCleared", "shelved")]
    assert found[0].draft.body["state"] == "shelved" and not found[0].draft.body["first_out"]
    assert [t.after for t in a.on_unshelve(A0, "olga", T + 3 * SECOND)] == ["normal"]
    with pytest.raises(ConflictError):
        a.on_unshelve(A0, "olga", T + 4 * SECOND)


@pytest.mark.parametrize("aside", ["suppressed_by_design", "out_of_service"])
def test_suppressed_and_out_of_service_are_states_that_facts_bring_about(aside):
    a = alarms(Limit(0))
    a.on_rows(rows((0, 1, 11)))
    a.on_fact(a.requests.suppress(A0, aside, "eva", "being rebuilt", T + SECOND))
    assert state(a) == aside and a.counts()["suppressed"] == 1 and a.counts()["unacknowledged"] == 0
    with pytest.raises(ConflictError):
        a.requests.suppress(A0, aside, "eva", "", T)
    a.on_fact(a.requests.reinstate(A0, "eva", "rebuilt", T + 2 * SECOND))
    assert state(a) == "unacknowledged"
    with pytest.raises(ConflictError):
        a.requests.reinstate(A0, "eva", "", T)
    with pytest.raises(RefusedError):
        a.requests.suppress(A0, "gone", "eva", "", T)


def test_unknown_alarms_are_told_so():
    a = alarms(Limit(0))
    for name in ("acme/site/p0/s0#low", "nothing#high", "nothing"):
        assert not a.knows(name) and a.one(name) is None
        with pytest.raises(NotFoundError):
            a.on_acknowledge(name, "olga", "", T)
    assert a.on_fact(as_fact(alarm_facts.acknowledged("gone#high", 1, "olga", "", T))) == []
    with pytest.raises(DefectError):
        a.on_rows(rows((77, 1, 5)))


def test_first_out_is_the_first_of_an_asset_until_it_is_free_of_alarms():
    a = alarms(*(Limit(s) for s in range(4)))
    a.on_rows(rows((1, 1, 11), (0, 2, 11), (2, 3, 11)))
    marked = lambda: {i["id"].split("/", 2)[2] for i in a.view() if i["first_out"]}  # noqa: E731
    assert marked() == {"p0/s1#high", "p1/s0#high"}
    a.on_rows(rows((1, 4, 9), (1, 5, 11)))  # the first went and came again while the other was active
    assert marked() == {"p1/s0#high"}
    a.on_rows(rows((0, 6, 9), (1, 6, 9), (0, 7, 11)))
    assert marked() == {"p0/s0#high", "p1/s0#high"}


def test_the_first_out_mark_moves_to_an_earlier_one_that_arrives_later():
    a = alarms(Limit(0), Limit(1))
    a.on_rows(rows((0, 5, 11), (1, 3, 11)))
    assert [i["id"] for i in a.view() if i["first_out"]] == ["acme/site/p0/s1#high"]


def test_flood_is_more_than_ten_in_ten_minutes():
    a = alarms(*(Limit(s) for s in range(12)), n=12)
    a.on_rows(rows(*((s, s + 1, 11) for s in range(10))))
    a.on_tick(T + 20 * SECOND)
    assert not a.flood()
    a.on_rows(rows((10, 30, 11)))
    assert a.flood() and not a.flood(T + 602 * SECOND)


def test_chattering_and_standing_alarms_are_marked():
    a = alarms(Limit(0), Limit(1))
    a.on_rows(rows((1, 1, 11), *((0, i, 11 if i % 20 < 10 else 9) for i in range(5, 60, 10))))
    a.on_tick(T + 60 * SECOND)
    assert a.one(A0)["chattering"] and not a.one("acme/site/p0/s1#high")["chattering"]
    a.on_tick(T + DAY + 2 * SECOND)
    assert not a.one(A0)["chattering"] and a.one("acme/site/p0/s1#high")["standing"]


def test_the_view_has_what_the_page_shows():
    a = alarms(Limit(0, priority=3, deadband=1), Limit(2, "low_low", 1, priority=1))
    a.on_rows(rows((0, 1, 11), (2, 2, 0)))
    first, second = a.view(np.array([7.0, 0, np.nan, 0, 0, 0]), T)
    assert first["id"] == "acme/site/p1/s0#low_low" and first["value"] is None
    assert second == {
        "id": A0, "signal": "acme/site/p0/s0", "asset": "acme/site/p0", "level": "high", "priority": 3,
        "state": "unacknowledged", "active": True, "limit": 10.0, "unit": "bar", "value": 7.0,
        "since": "2020-09-13T12:26:41.000000000Z", "raised": "2020-09-13T12:26:41.000000000Z", "cleared": None,
        "acknowledged_by": None, "comment": None, "first_out": True, "chattering": False, "standing": False,
        "cause": "a cause", "consequence": "a consequence", "response": "a response", "respond_within_s": 60.0,
        "shelved_until": None, "shelved_by": None,
    }
    assert a.counts() == {"unacknowledged": 2, "acknowledged": 0, "returned": 0, "shelved": 0, "suppressed": 0,
                          "by_priority": {"1": 1, "2": 0, "3": 1}}


def test_a_raise_says_why_and_where_from():
    a = alarms(Limit(0, delay_ns=2 * SECOND))
    a.on_rows(rows((0, 1, 12.5)), "samples.0:7")
    (t,) = a.on_rows(rows((0, 4, 13)), "samples.0:8")
    assert t.draft.reason == "12.5 bar is above 10 for 2 s" and t.draft.cause == "samples.0:8"


def test_a_number_without_a_unit_is_said_without_one():
    a = alarms(Limit(0, limit=0.9, deadband=0.1), unit="1")
    (above,), (back,) = a.on_rows(rows((0, 1, 0.97))), a.on_rows(rows((0, 2, 0.5)))
    assert (above.draft.reason, back.draft.reason) == ("0.97 is above 0.9", "0.5 is back by 0.1 from 0.9")


def test_alarms_can_be_rebuilt_from_the_record_alone():
    a = alarms(Limit(0), Limit(1))
    found = a.on_rows(rows((0, 1, 11), (1, 2, 11), (1, 3, 9)))
    found += a.on_acknowledge(A0, "olga", "seen", T + 4 * SECOND)
    b = alarms(Limit(0), Limit(1))
    for t in found:
        b.on_fact(as_fact(t.draft))
        a.on_fact(as_fact(t.draft))  # to those that know it already, it is nothing
    assert a.view() == b.view()
    assert told(b.on_rows(rows((0, 9, 5)))) == [("AlarmCleared", A0, 9)]


def test_a_snapshot_of_a_plant_that_lost_an_alarm_is_read():
    a = alarms(Limit(0), Limit(2))
    a.on_rows(rows((0, 1, 11), (2, 1, 11)))
    notes = json.loads(json.dumps(a.to_notes()))
    b = alarms(Limit(2), n=8)
    b.from_notes(notes)
    assert [i["id"] for i in b.view()] == ["acme/site/p1/s0#high"]


def test_a_thousand_alarms_in_ten_seconds_are_counted_and_ordered():
    n = 1000
    a = alarms(*(Limit(s, priority=s % 3 + 1) for s in range(n)), n=n, per_asset=10)
    found = a.on_rows(rows(*((s, 1 + s / 100, 11) for s in range(n))))
    assert len(found) == n and a.flood(T + 11 * SECOND)
    view = a.view()
    assert [(i["priority"], i["raised"]) for i in view] == sorted((i["priority"], i["raised"]) for i in view)
    assert sum(i["first_out"] for i in view) == 100
    assert a.counts()["by_priority"] == {"1": 334, "2": 333, "3": 333}
