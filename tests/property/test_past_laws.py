"""The past, asked of history and of the record, is what the folds gave at that time."""

import sys
from pathlib import Path

import numpy as np
from hypothesis import given, settings, strategies as st

from gemel.history import Reader
from gemel.operate.past import folded
from gemel.samples import Batch, Fact
from gemel.samples.clock import SECOND
from gemel.twin.alarm_past import PastLimit, alarms_at, go_on
from gemel.twin.lanes import NEVER, Lanes
from gemel.errors import GemelError

sys.path.insert(0, str(Path(__file__).parents[1] / "twin"))
from alarm_kit import A0, T, alarms, rows
from test_alarms_properties import events, limits

N = 4
row = st.tuples(
    st.integers(0, N - 1), st.integers(0, 50), st.integers(0, 5), st.sampled_from([1.0, 2.0, -0.0, 0.0, float("nan")]),
    st.sampled_from([0, 0, 0x40000000, 0x80000000, 0x80230000]),
)  # fmt: skip


def batch(given):
    columns = list(zip(*given, strict=True)) or [[]] * 5
    time = np.array(columns[1], np.int64) * SECOND
    return Batch.of(signal=columns[0], time=time, received=time + np.array(columns[2], np.int64) * SECOND, value=columns[3], status=columns[4])


def same(a, b):
    for name in ("signal", "time", "received", "value", "status"):
        assert np.ascontiguousarray(getattr(a, name)).tobytes() == np.ascontiguousarray(getattr(b, name)).tobytes(), name


def of_history(rows, at, known, folder):
    with Reader(folder / "no lake") as reader:
        asked = np.array([3, 1, 0, 2], np.int32)
        return asked, folded(asked, reader.stood(asked, at, known, tail=rows))


def by_hand(rows, signal):
    """(newest time, newest usable time and value) of a signal, where the latest word on a time counts."""
    words = {}
    for s, t, r, v, q in zip(rows.signal, rows.time, rows.received, rows.value, rows.status, strict=True):
        if s == signal and q & 0xFFFF0000 != 0x80230000:
            words[t] = max(words.get(t, (0, 0, 0)), (r, int(np.float64(v).view(np.uint64)), q))
    usable = [(t, w[1]) for t, w in words.items() if w[2] < 0x80000000]
    return max(words, default=None), max(usable, default=None)


@settings(deadline=None, max_examples=100)
@given(st.lists(row, max_size=40), st.integers(0, 55), st.integers(0, 60))
def test_the_state_at_a_time_is_what_was_said_by_then_and_not_taken_back(tmp_path_factory, given_rows, at, known):
    rows = batch(given_rows)
    asked, stood = of_history(rows, at * SECOND, known * SECOND, tmp_path_factory.getbasetemp())
    then = rows.take((rows.time <= at * SECOND) & (rows.received <= known * SECOND))
    for i, signal in enumerate(asked.tolist()):
        newest, usable = by_hand(then, signal)
        assert stood.heard[i] == (NEVER if newest is None else newest)
        if usable is not None:
            assert (stood.shown.time[i], stood.shown.value[i : i + 1].view(np.uint64)[0]) == usable


@settings(deadline=None, max_examples=100)
@given(st.lists(row, max_size=40), st.integers(0, 60))
def test_the_state_at_a_time_is_what_the_fold_had_then(tmp_path_factory, given_rows, known):
    """Where nothing is taken back; of what was, the fold remembers less than history does."""
    rows = batch(given_rows)
    arrived = rows.take(np.argsort(rows.received, kind="stable"))
    then = arrived.take(arrived.received <= known * SECOND)
    said = {(s, t, q >= 0x80000000) for s, t, q in zip(then.signal.tolist(), then.time.tolist(), then.status.tolist(), strict=True)}
    live = Lanes(N)
    for i in range(len(then)):
        live.fold(then[i : i + 1])
    asked, stood = of_history(rows, 100 * SECOND, known * SECOND, tmp_path_factory.getbasetemp())
    even = np.array([not any(s == signal and (s, t, not bad) in said for s, t, bad in said) for signal in asked], np.bool_)
    same(stood.shown.take(even), live.shown(asked).take(even))
    assert stood.heard.tolist() == live.latest.time[asked].tolist()


asking = st.tuples(st.integers(0, 60), st.sampled_from(["acknowledge", "shelve", "unshelve", "suppress", "reinstate"]), st.integers(0, 5))


@settings(deadline=None, max_examples=150)
@given(limits, events, st.lists(asking, max_size=12))
def test_the_record_alone_gives_the_alarms_as_they_stood(limits, events, asked):
    """Every raise, clear, note and shelf is a fact: folding them shows what the live machine showed."""
    live, facts = alarms(*limits, n=2), []
    names = [f"acme/site/p0/s{x.signal}#{x.level}" for x in limits]
    asked = sorted(asked)

    def keep(transitions):
        for t in transitions:
            d = t.draft
            told = {name: getattr(d, name) for name in d.__struct_fields__}
            facts.append(Fact(seq=len(facts) + 1, recorded=d.at, **told))

    def ask(what, name, now):
        r, at = live.requests, T + now * SECOND
        try:
            keep(live.on_fact({
                "acknowledge": lambda: r.acknowledge(name, "ann", "seen", at),
                "shelve": lambda: r.shelve(name, "ann", "noise", at + 7 * SECOND, at),
                "unshelve": lambda: r.unshelve(name, "ann", at),
                "suppress": lambda: r.suppress(name, "out_of_service", "ann", "repair", at),
                "reinstate": lambda: r.reinstate(name, "ann", "repaired", at),
            }[what]()))  # fmt: skip
        except GemelError:
            pass

    now = 0
    for event in events:
        if not isinstance(event, int):
            keep(live.on_rows(rows(event)))
            continue
        now = max(now, event)
        keep(live.on_tick(T + now * SECOND))
        while asked and asked[0][0] <= now:
            _, what, index = asked.pop(0)
            ask(what, names[index % len(names)], now)
    declared = dict(zip(names, limits, strict=True))

    def today(name):
        return PastLimit(0, declared[name].level, declared[name].limit, declared[name].priority), "bar"

    then = alarms_at(facts, today)
    at = T + now * SECOND
    left_out = {"value", "cause", "consequence", "response", "respond_within_s"}

    def shown(machine):
        return sorted(({k: v for k, v in item.items() if k not in left_out} for item in machine.view(now=at)), key=lambda i: i["id"])

    assert shown(then) == shown(live)
    assert then.flood(at) == live.flood(at)
    for cut in {0, len(facts) // 3, len(facts)}:  # and from any place on the way
        begun = go_on(facts[:cut], today, None)
        later = alarms_at(facts[cut:], today, begun)
        assert shown(later) == shown(then) and later.flood(at) == then.flood(at)


def test_limits_of_their_day_stand_though_the_plant_file_has_them_no_more():
    live = alarms(Limit0(), n=2)
    facts = [
        Fact(seq=1, recorded=0, **{n: getattr(t.draft, n) for n in t.draft.__struct_fields__})
        for t in live.on_rows(rows((0, 1, 20.0)))
    ]
    item = alarms_at(facts).one(A0)
    assert (item["state"], item["limit"], item["unit"], item["priority"]) == ("unacknowledged", 10.0, "bar", 2)


def Limit0():
    from alarm_kit import Limit

    return Limit(0)
