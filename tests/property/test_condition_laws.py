"""The laws of `gemel.condition`, tried on streams that hold everything at once."""

from dataclasses import replace

import numpy as np
import pytest
from condition_reference import Reference, word
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.assets.checks import Checks
from gemel.condition import REASONS, Conditioner
from gemel.condition import late as late_module
from gemel.condition import rate as rate_module
from gemel.samples import Batch
from gemel.samples.status import BAD_COMMUNICATION, BAD_INVALID_TIMESTAMP, UNCERTAIN

MS = 1_000_000
START = 1_600_000_000_000 * MS
SIGNALS = 4
LATENESS = 1000 * MS


def checks_of(n=SIGNALS):
    """Signals that differ in what is checked of them; signal 0 has no unit to convert."""
    i = np.arange(n)
    return Checks(
        scale=np.where(i % 4 == 1, 2.0, 1.0),
        offset=np.where(i % 4 == 1, -1.5, 0.0),
        low=np.where(i % 4 == 3, np.nan, -50.0),
        high=np.where(i % 4 == 3, np.nan, 50.0),
        max_rate=np.where(i % 2 == 0, 10.0, np.nan),
        stuck_after=np.where(i % 4 < 2, 500 * MS, 0),
        interval=np.where(i % 4 == 2, 0, 100 * MS),
        stale_after=np.full(n, 10_000 * MS),
        lateness=LATENESS,
        future_tolerance=300 * MS,
        jitter_tolerance=50 * MS,
    )


COLUMNS = ("scale", "offset", "low", "high", "max_rate", "stuck_after", "interval", "stale_after")
VALUES = [0.0, -0.0, 1.0, 1.0, 1.5, 2.0, 20.0, 45.0, 60.0, -70.0, float("nan"), float("inf")]


@st.composite
def streams(draw, late_by=2500, wobble=60):
    """Rows and ticks in the order of the log: ("row", signal, time, received, value, status) or ("tick", time)."""
    now = START
    out = []
    for _ in range(draw(st.integers(0, 40))):
        now += draw(st.sampled_from([0, 0, 20, 100, 100, 300])) * MS
        if draw(st.integers(0, 7)) == 0:
            out.append(("tick", now))
            continue
        behind = draw(st.sampled_from([0, 0, 0, 0, 40, 100, 200, 300, 400, 700, -100, -500, late_by]))
        time = (now - min(behind, late_by) * MS) // (20 * MS) * (20 * MS)
        received = now - (draw(st.sampled_from([0, 0, 0, wobble])) if wobble else 0) * MS
        status = draw(st.sampled_from([0, 0, 0, 0, UNCERTAIN, BAD_COMMUNICATION]))
        out.append(("row", draw(st.integers(0, SIGNALS - 1)), time, received, draw(st.sampled_from(VALUES)), status))
        if draw(st.integers(0, 9)) == 0:
            again = out[draw(st.integers(0, len(out) - 1))]
            if again[0] == "row" and now - again[2] <= late_by * MS:
                out.append((*again[:3], draw(st.sampled_from([now, max(now - wobble * MS, again[3])])), *again[4:]))
    return out


def batch_of(rows):
    columns = list(zip(*[r[1:] for r in rows], strict=True)) or [[]] * 5
    return Batch.of(**dict(zip(("signal", "time", "received", "value", "status"), columns, strict=True)))


def plain(batch):
    return [
        (int(s), int(t), int(r), word(float(v)), int(q))
        for s, t, r, v, q in zip(batch.signal, batch.time, batch.received, batch.value, batch.status, strict=True)
    ]


def run(events, cuts=(), conditioner=None, keep=False):
    """Give the rows that leave and the conditioner, the stream cut at ticks and at `cuts`."""
    c = conditioner or Conditioner(checks_of())
    out, pending = [], []

    def flush():
        nonlocal c
        out.extend(plain(c.process(batch_of(pending)).rows))
        pending.clear()
        if keep:
            c = Conditioner.restore(checks_of(), {k: v.copy() for k, v in c.state().items()})

    for i, event in enumerate(events):
        if i in cuts:
            flush()
        if event[0] == "tick":
            flush()
            c.advance(event[1])
        else:
            pending.append(event)
    flush()
    return out, c


def same_state(a, b):
    x, y = a.state(), b.state()
    assert x.keys() == y.keys()
    for name in x:
        assert x[name].dtype == y[name].dtype, name
        np.testing.assert_array_equal(x[name], y[name], err_msg=name)


def refer(events, most=256):
    r = Reference(checks_of(), most)
    out = []
    for event in events:
        if event[0] == "tick":
            r.tick(event[1])
        else:
            out += [(*row[:3], word(row[3]), row[4]) for row in r.row(*event[1:])]
    return out, r


@given(streams(), st.integers(1, 60), st.sampled_from([1, 2, 256]))
@settings(max_examples=200, deadline=None)
def test_it_says_what_the_obvious_way_says(events, wide, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_module, "WIDE", wide)
        patch.setattr(late_module, "MOST", most)
        out, c = run(events)
    expected, r = refer(events, most)
    assert out == expected
    for s in range(SIGNALS):
        for i, reason in enumerate(REASONS):
            assert int(c.counts[i, s]) == r.counts[s][reason], (s, reason)


@given(streams(), st.sets(st.integers(0, 45)), st.sampled_from([1, 256]))
@settings(max_examples=120, deadline=None)
def test_a_stream_cut_anywhere_gives_the_same_rows_and_the_same_memory(events, cuts, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late_module, "MOST", most)
        whole, a = run(events)
        parts, b = run(events, cuts)
    assert whole == parts
    same_state(a, b)


@given(streams(), st.sets(st.integers(0, 45)))
@settings(max_examples=60, deadline=None)
def test_a_memory_kept_and_put_back_anywhere_goes_on_the_same(events, cuts):
    whole, a = run(events)
    parts, b = run(events, cuts, keep=True)
    assert whole == parts
    same_state(a, b)


def by_kind():
    """The same checks with constants by kind, in another order, and one kind that nothing is of."""
    checks, order = checks_of(), np.array([2, 0, 3, 1, 0])
    columns = {name: getattr(checks, name)[order] for name in COLUMNS}
    return replace(checks, **columns, kind=np.array([4, 3, 0, 2], np.int32))


@given(streams(), st.sets(st.integers(0, 45)))
@settings(max_examples=60, deadline=None)
def test_constants_by_kind_judge_as_constants_by_signal(events, cuts):
    whole, a = run(events)
    kinds, b = run(events, cuts, Conditioner(by_kind()))
    assert whole == kinds
    same_state(a, b)
    some = np.array([3, 0])
    for name, column in a.report().items():
        np.testing.assert_array_equal(column, b.report()[name], err_msg=name)
        np.testing.assert_array_equal(column[some], b.report(some)[name], err_msg=name)  # of a page only those are told


def believed(rows):
    """What readers see at last: for each (signal, time) the row that was received last."""
    last = {}
    for signal, time, received, value, status in rows:
        if status != BAD_INVALID_TIMESTAMP and (signal, time) in last:
            assert last[signal, time][0] != received
        if status != BAD_INVALID_TIMESTAMP and ((signal, time) not in last or received > last[signal, time][0]):
            last[signal, time] = received, value, status
    return {key: row[1:] for key, row in last.items()}


@given(streams(late_by=900, wobble=0))
@settings(max_examples=100, deadline=None)
def test_after_lateness_statuses_are_those_of_the_stream_sorted_by_time(events):
    out, _ = run(events)
    rows = sorted((e for e in events if e[0] == "row"), key=lambda e: e[2])  # corrections stay as they came
    expected, _ = run(rows)
    assert believed(out) == believed(expected)


@given(streams())
@settings(max_examples=100, deadline=None)
def test_judging_never_makes_a_status_better(events):
    out, _ = run(events)
    given_ = {}
    c = checks_of()
    for e in events:
        if e[0] == "row":
            value = e[4] * c.scale[e[1]] + c.offset[e[1]] if c.scale[e[1]] != 1 else e[4]
            key = e[1], e[2], word(float(value))
            given_[key] = min(given_.get(key, 3), e[5] >> 30)
    assert all(status >> 30 >= given_[signal, time, value] for signal, time, _, value, status in out)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("disorder", [0.0, 0.05])
def test_many_signals_at_once_are_judged_as_each_alone(seed, disorder):
    rng = np.random.default_rng(seed)
    n, m = 90, 3000
    checks = checks_of(n)
    now = START + np.cumsum(rng.integers(0, 4, m)) * MS
    late = rng.random(m) < disorder
    time = np.where(late, now - rng.integers(1, 40, m) * 20 * MS, now)
    value = np.round(np.cumsum(rng.normal(0, 0.02, m)) + np.where(rng.random(m) < 0.15, rng.normal(0, 30, m), 0), 1)
    status = np.where(rng.random(m) < 0.05, np.uint32(BAD_COMMUNICATION), np.uint32(0))
    batch = Batch.of(signal=rng.integers(0, n, m), time=time, received=now, value=value, status=status)
    c, r = Conditioner(checks), Reference(checks)
    out, expected = [], []
    for first in range(0, m, 1000):
        part = batch[first : first + 1000]
        out += plain(c.process(part).rows)
        c.advance(int(part.received[-1]))
        for row in zip(part.signal.tolist(), part.time.tolist(), part.received.tolist(), part.value.tolist(), part.status.tolist(), strict=True):
            expected += [(*x[:3], word(x[3]), x[4]) for x in r.row(*row)]
        r.tick(int(part.received[-1]))
    assert out == expected
    assert c.totals() == {reason: sum(k[reason] for k in r.counts) for reason in REASONS}
