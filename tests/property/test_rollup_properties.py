"""Laws of roll-ups: what is given equals a plain recomputation from raw, whatever came late; a snapshot changes nothing."""

import math

import numpy as np
import pytest
from derived_kit import SECOND, Feed, partition_of, plant_of, resolved, stored_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemel.samples import Batch, Snapshot
from gemel.samples.status import BAD_COMMUNICATION, BAD_NO_DATA, BAD_NOTHING_TO_DO, UNCERTAIN

PLANT = """\
plant: acme/riverside
types:
  Machine:
    signals:
      state: {states: [stopped, running, jammed], stale_after: 40 s}
      power: {unit: kW, stale_after: 25 s}
      produced: {unit: "1", kind: total, stale_after: 40 s}
    rollups:
      energy: {by: energy, of: power, per: 60 s, unit: kW.s}
      mean: {by: time_weighted, of: power, per: 60 s}
      peak: {by: max, of: power, per: 60 s}
      up: {by: availability, of: state, running: [running], planned: [running, jammed], per: 60 s, unit: "1"}
      pace: {by: effectiveness, of: state, running: [running], produced: produced, ideal_cycle: 2 s, per: 60 s, unit: "1"}
  Line:
    rollups:
      energy: {by: energy, of: power, over: parts, per: 60 s, unit: kW.s}
assets:
  line: {type: Line}
  m1: {type: Machine, at: line}
  m2: {type: Machine, at: line}
"""
PATHS = [f"line/m{n}/{s}" for n in (1, 2) for s in ("power", "state", "produced")]
LENGTH = 60 * SECOND
reading = st.tuples(st.integers(0, 5), st.sampled_from([0, 0, 0, 0, -1, -3, -30, -90]), st.integers(0, 2), st.sampled_from([0, 0, 0, 0, UNCERTAIN, BAD_COMMUNICATION]))
step = st.one_of(st.lists(reading, min_size=1, max_size=5), st.integers(1, 80))
relaxed = settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    return plant_of(PLANT, tmp_path_factory.mktemp("plant"))


def play(feed, items, now=6000):
    """A number lets so many seconds pass; readings come in time, or up to a window and a half late."""
    for item in items:
        if isinstance(item, int):
            now += item
            feed.tick(now)
            continue
        now += 1
        feed.frame(Batch.of(
            signal=[feed.signal(PATHS[p]) for p, *_ in item], time=[(now + t) * SECOND for _, t, *_ in item], received=[now * SECOND + i for i in range(len(item))],
            value=[float(v) for _, _, v, _ in item], status=[s for *_, s in item],
        ))  # fmt: skip
        feed.tick(now)
    return now


def held(history, start, stale, until):
    """Give (value or NaN, status, seconds) of each piece of the window, one reading after another."""
    times = sorted(t for t in history)
    for t, following in zip(times, [*times[1:], until]):
        a, b = max(t, start), min(following, t + stale, start + LENGTH)
        if b > a:
            value, status = history[t]
            yield (math.nan if status >= 0x80000000 else value), status, (b - a) / SECOND


def rise(history, start, stale):
    times = sorted(t for t in history if t < start + LENGTH)
    before = [t for t in times if t < start and t == max(u for u in times if u < start) and t + stale > start]
    last = math.nan if not before or history[before[-1]][1] >= 0x80000000 else history[before[-1]][0]
    total = 0.0
    for t in times:
        value, status = history[t]
        if t < start or status >= 0x80000000:
            continue
        if not math.isnan(last):
            total += value - last if value >= last else value
        last = value
    return total


def plainly(rows, feed, machine, start):
    """Work out a machine's roll-ups of a window from its resolved raw rows."""
    h = {s: resolved(rows, feed.signal(f"line/{machine}/{s}")) for s in ("power", "state", "produced")}
    power = [p for p in held(h["power"], start, 25 * SECOND, start + LENGTH)]
    state = [p for p in held(h["state"], start, 40 * SECOND, start + LENGTH)]
    known = sum(s for v, _, s in power if not math.isnan(v))
    joules = sum(v * s for v, _, s in power if not math.isnan(v))
    made = sum(s for v, _, s in held(h["produced"], start, 40 * SECOND, start + LENGTH) if not math.isnan(v))
    run, plan = (sum(s for v, _, s in state if v in codes) for codes in ((1.0,), (1.0, 2.0)))
    peaks = [v for v, _, _ in power if not math.isnan(v)]
    return {
        "energy": joules, "mean": joules / known if known else math.nan, "peak": max(peaks, default=math.nan),
        "up": run / plan if plan else math.nan, "pace": 2 * rise(h["produced"], start, 40 * SECOND) / run if run and made else math.nan,
    }, {"power": known, "state": sum(s for v, _, s in state if not math.isnan(v)), "made": made}  # fmt: skip


@relaxed
@given(st.lists(step, min_size=4, max_size=12))
def test_roll_up_equals_raw(plant, items):
    feed = Feed(partition_of(plant))
    feed.part.stored = stored_of(feed)
    now = play(feed, items)
    feed.tick(now + 130)
    rows = Batch.concat(feed.rows)
    for start in range(5820 * SECOND, (now + 60) * SECOND, LENGTH):
        total, seen = 0.0, 0.0
        for machine in ("m1", "m2"):
            expected, known = plainly(rows, feed, machine, start)
            total, seen = total + expected["energy"], seen + known["power"]
            for name, value in expected.items():
                found = feed.history(f"line/{machine}/{name}").get(start + LENGTH)
                if not known["power" if name in ("energy", "mean", "peak") else "state"]:
                    assert found is None or math.isnan(found[0]), (machine, name, start)
                elif math.isnan(value):
                    none = BAD_NO_DATA if name == "pace" and not known["made"] else BAD_NOTHING_TO_DO
                    assert math.isnan(found[0]) and found[1] == none, (machine, name, start)
                else:
                    assert found[0] == pytest.approx(value, rel=1e-12, abs=1e-12), (machine, name, start)
        found = feed.history("line/energy").get(start + LENGTH)
        if seen:
            assert found[0] == pytest.approx(total, rel=1e-12, abs=1e-12)
        else:
            assert found is None or math.isnan(found[0])  # it may have been said, and taken back


@settings(relaxed, max_examples=60)
@given(st.lists(step, max_size=12), st.integers(0, 12))
def test_a_snapshot_between_two_steps_changes_nothing(plant, items, cut):
    whole, first, then = (Feed(partition_of(plant)) for _ in range(3))
    for feed in (whole, first, then):
        feed.part.stored = stored_of(feed)
    play(whole, items)
    now = play(first, items[:cut])
    then.part.restore(Snapshot.from_bytes(first.part.snapshot().to_bytes()))
    then.frames, then.position, then.rows = first.frames, first.position, list(first.rows)
    play(then, items[cut:], now)
    a, b = whole.part.snapshot(), then.part.snapshot()
    assert a.arrays.keys() == b.arrays.keys()
    for name in a.arrays:
        assert np.asarray(a.arrays[name]).tobytes() == np.asarray(b.arrays[name]).tobytes(), name
    assert Batch.concat(whole.rows).value.tobytes() == Batch.concat(then.rows).value.tobytes()
