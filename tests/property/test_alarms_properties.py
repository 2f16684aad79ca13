"""Alarms: a cut anywhere, a snapshot anywhere, and the quick way through arrays change nothing."""

import json
import sys
from pathlib import Path

from hypothesis import given, settings, strategies as st

from gemel.samples.clock import SECOND

sys.path.insert(0, str(Path(__file__).parents[1] / "twin"))
from alarm_kit import Limit, T, alarms, rows

BAD = 0x80000000
STATUS = [0, 0, 0, 0, 0x40000000, BAD]
readings = st.tuples(st.integers(0, 1), st.integers(-2, 1), st.sampled_from([-3, 0, 1, 2, 9, 10, 11, 12, 25]), st.sampled_from(STATUS))


def in_time(steps):
    """Let time go on from event to event; a reading comes a little late or early, a number is a tick [s]."""
    events, now = [], 5
    for wait, what in steps:
        now += wait
        events.append(now if what is None else (what[0], now + what[1], *what[2:]))
    return events


step = st.tuples(st.integers(0, 2), st.none() | readings)
events = (st.lists(step, max_size=60) | st.lists(step, min_size=30, max_size=60)).map(in_time)
limits = st.lists(
    st.builds(
        Limit, signal=st.integers(0, 1), level=st.sampled_from(["high", "high_high", "low", "low_low"]),
        limit=st.sampled_from([1.0, 10.0]), delay_ns=st.sampled_from([0, 3 * SECOND]),
        off_delay_ns=st.sampled_from([0, 4 * SECOND]), deadband=st.sampled_from([0.0, 1.0]),
    ),
    min_size=1, max_size=6, unique_by=lambda x: (x.signal, x.level),
)


def play(a, events, cut=lambda: False, reload=lambda a: a):
    """Feed events, rows gathered between ticks and cuts; give machine and what it said."""
    found, gathered = [], []

    def flush():
        found.extend(a.on_rows(rows(*gathered)))
        gathered.clear()

    for e in events:
        if isinstance(e, int):
            flush()
            found += a.on_tick(T + e * SECOND)
        else:
            gathered.append(e)
        if cut():
            flush()
            a = reload(a)
    flush()
    return a, found


class Plain:
    """The same machine for one limit, written the slow and obvious way."""

    def __init__(self, limit):
        self.l, self.phase, self.since, self.last, self.said = limit, "normal", 0, -1, []

    def beyond(self, v):
        return v > self.l.limit if "high" in self.l.level else v < self.l.limit

    def back(self, v):
        return v <= self.l.limit - self.l.deadband if "high" in self.l.level else v >= self.l.limit + self.l.deadband

    def pass_time(self, t):
        if self.phase == "pending" and self.since + self.l.delay_ns <= t:
            self.phase = "active"
            self.said.append(("AlarmRaised", self.since + self.l.delay_ns))
        if self.phase == "clearing" and self.since + self.l.off_delay_ns <= t:
            self.phase = "normal"
            self.said.append(("AlarmCleared", self.since + self.l.off_delay_ns))

    def row(self, t, v, status):
        if status == BAD or t <= self.last:
            return
        self.last = t
        self.pass_time(t)
        if self.phase == "normal" and self.beyond(v):
            self.phase, self.since = "pending", t
        elif self.phase == "pending" and not self.beyond(v):
            self.phase = "normal"
        elif self.phase == "active" and self.back(v):
            self.phase, self.since = "clearing", t
        elif self.phase == "clearing" and not self.back(v):
            self.phase = "active"
        self.pass_time(t)


@settings(max_examples=200)
@given(limits, events)
def test_the_arrays_say_what_the_obvious_machine_says(limits, events):
    a, found = play(alarms(*limits), events)
    for limit in limits:
        plain = Plain(limit)
        for e in events:
            if isinstance(e, int):
                plain.pass_time(T + e * SECOND)
            elif e[0] == limit.signal:
                plain.row(T + e[1] * SECOND, e[2], e[3])
        name = f"acme/site/p{limit.signal // 2}/s{limit.signal % 2}#{limit.level}"
        assert [(t.kind, t.draft.at) for t in found if t.alarm == name] == plain.said


@settings(max_examples=200)
@given(limits, events, st.data())
def test_a_cut_anywhere_and_a_snapshot_anywhere_give_the_same(limits, events, data):
    def reload(a):
        b = alarms(*limits)
        b.from_notes(json.loads(json.dumps(a.to_notes())))
        return b

    whole, said = play(alarms(*limits), events)
    parts, said_in_parts = play(alarms(*limits), events, lambda: data.draw(st.booleans()), reload)
    assert [t.draft for t in said] == [t.draft for t in said_in_parts]
    assert whole.to_notes() == parts.to_notes()
    assert (whole.view(), whole.counts(), whole.flood()) == (parts.view(), parts.counts(), parts.flood())


@settings(max_examples=200)
@given(limits, events)
def test_every_alarm_is_raised_and_cleared_in_turn_under_names_of_their_own(limits, events):
    _, found = play(alarms(*limits), events)
    assert len({t.draft.id for t in found}) == len(found)
    for name in {t.alarm for t in found}:
        kinds = [t.kind for t in found if t.alarm == name]
        assert kinds == ["AlarmRaised", "AlarmCleared"] * (len(kinds) // 2) + ["AlarmRaised"] * (len(kinds) % 2)


@settings(max_examples=200)
@given(limits, events)
def test_what_was_said_alone_rebuilds_what_is_shown(limits, events):
    a, found = play(alarms(*limits), events)
    b = alarms(*limits)
    for t in found:
        b.on_fact(t.draft)
    # values seen since, and marks that moved when an earlier row came late, are not in the record
    kept = lambda x: {k: v for k, v in x.items() if k not in ("value", "first_out", "chattering")}  # noqa: E731
    assert [kept(i) for i in a.view(now=T)] == [kept(i) for i in b.view(now=T)]
