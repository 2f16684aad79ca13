"""Answers do not depend on how the rows were cut into commits, merged, or held in the tail; they equal brute force."""

import tempfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemel.errors import AssetError
from gemel.history import AGGREGATES, Reader, Store
from gemel.history.answers import WEIGHTED
from gemel.samples import Batch
from history_kit import DAY, SECOND, START, random_batch, rows, winners

END = START + 200 * SECOND
few = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def lake():
    """One store for many examples: each takes a partition of its own, and signals of its own."""
    with tempfile.TemporaryDirectory() as path, Store.open(path) as store, Reader(path) as reader:
        yield Lake(store, reader)


class Lake:
    def __init__(self, store, reader):
        self.store, self.reader, self.examples = store, reader, 0

    def fresh(self, batch, cuts):
        """Store a batch cut at these places, under signals nobody used; gives the first signal."""
        self.examples += 1
        base = self.examples * 10
        batch = batch.with_columns(signal=batch.signal + np.int32(base))
        edges = [0, *sorted(c % (len(batch) + 1) for c in cuts), len(batch)]
        epoch = self.store.take_over(self.examples)
        for number, (a, b) in enumerate(zip(edges, edges[1:], strict=False), 1):
            self.store.commit(self.examples, epoch, number, batch[a:b])
        return base, batch


@few
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 440), max_size=4), kept=st.integers(0, 440), compact=st.booleans())
def test_cuts_merges_and_tail_change_no_answer(lake, seed, cuts, kept, compact):
    batch = random_batch(seed)
    base, stored = lake.fresh(batch[: max(kept, 1)], cuts)
    if compact:
        lake.store.compact(grace_s=0)
    tail = batch[max(kept - 50, 0) :].with_columns(signal=batch.signal[max(kept - 50, 0) :] + np.int32(base))
    whole = batch.with_columns(signal=batch.signal + np.int32(base))
    signals = np.arange(base, base + 4)
    best = winners(whole)
    assert rows(lake.reader.raw(signals, START, END, tail=tail)) == rows(best)
    assert rows(lake.reader.raw(signals, START, END, limit=37, tail=tail)) == rows(best[:37])
    one = best.take(best.signal == base)
    assert rows(lake.reader.raw([base], START, END, limit=7, tail=tail)) == rows(one[:7])
    assert rows(lake.reader.raw(signals, START, END, tail=tail, corrected=True)) == sorted(set(rows(whole)))
    assert rows(lake.reader.decimated(base, START, END, 1000, tail=tail)) == rows(one)


@few
@given(seed=st.integers(0, 10**6), known=st.integers(0, 205), at=st.integers(-5, 205))
def test_known_and_at_equal_brute_force(lake, seed, known, at):
    base, stored = lake.fresh(random_batch(seed), [seed, seed // 2])
    signals, at, known = np.arange(base, base + 5), START + at * SECOND, START + known * SECOND
    assert rows(lake.reader.raw(signals, START, END, known=known)) == rows(winners(stored, known))
    then = winners(stored.take(stored.time <= at), known)
    last = then.take(np.append(then.signal[1:] != then.signal[:-1], [True] * bool(len(then))).astype(bool))
    assert rows(lake.reader.at(signals, at, known)) == rows(last)
    recent = last.take(last.time > at - 3 * SECOND)
    assert rows(lake.reader.at(signals, at, known, back_ns=3 * SECOND - 1)) == rows(recent)


@few
@given(seed=st.integers(0, 10**6), interval=st.integers(1, 70), aggregate=st.sampled_from([a for a in AGGREGATES if a != WEIGHTED]))
def test_aggregates_equal_numpy(lake, seed, interval, aggregate):
    base, stored = lake.fresh(random_batch(seed), [seed])
    best = winners(stored)
    one = best.take(best.signal == base)
    found = lake.reader.aggregated(base, START, END, interval * SECOND, aggregate)
    assert found.times.tolist() == list(range(START, END, interval * SECOND))
    for i, start in enumerate(found.times.tolist()):
        inside = one.take((one.time >= start) & (one.time < min(start + interval * SECOND, END)))
        usable = inside.value[inside.status < 0x80000000]
        assert found.counts[i] == len(usable)
        assert found.worst[i] == (inside.status.max() if len(inside) else 0)
        np.testing.assert_allclose(found.values[i], expected(aggregate, usable, inside.status), rtol=1e-12, atol=1e-15)  # sums may cancel


def expected(aggregate, usable, status):
    if aggregate == "count":
        return len(usable)
    if aggregate == "worst":
        return status.max() if len(status) else np.nan
    if not len(usable):
        return np.nan
    return {"mean": np.mean, "min": np.min, "max": np.max, "sum": np.sum, "first": lambda v: v[0], "last": lambda v: v[-1]}[aggregate](usable)


@few
@given(seed=st.integers(0, 10**6))
def test_existing_tells_the_row_that_was_received_before(lake, seed):
    base, stored = lake.fresh(random_batch(seed), [seed])
    r = np.random.default_rng(seed)
    asked = stored.take(r.integers(0, len(stored), 50))
    asked = asked.with_columns(received=asked.received + r.integers(-2, 3, 50) * SECOND, signal=asked.signal + (r.random(50) < 0.1).astype(np.int32) * 5)
    found = lake.reader.existing(asked)
    for i in range(len(asked)):
        twins = stored.take((stored.signal == asked.signal[i]) & (stored.time == asked.time[i]) & (stored.received < asked.received[i]))
        assert found.found[i] == bool(len(twins))
        if len(twins):
            best = winners(twins)
            assert (found.value[i], found.status[i], found.received[i]) == (best.value[0], best.status[0], best.received[0])
        else:
            assert np.isnan(found.value[i])


def test_existing_looks_for_years_without_reading_where_nothing_is(lake, monkeypatch):
    """A back-fill asks for times spread over years: found are those that are there, and only their files are read."""
    n = 4000
    time = START - np.arange(n) * DAY // 4
    base, stored = lake.fresh(Batch.of(signal=np.zeros(n), time=time, received=time, value=np.arange(n), status=np.zeros(n)), [n // 2])
    asked = stored.take(np.arange(0, n, 7))
    asked = Batch.concat([asked.with_columns(received=asked.received + 1), asked.with_columns(time=asked.time + 1)])
    found = lake.reader.existing(asked)
    half = len(asked) // 2
    assert found.found.tolist() == [True] * half + [False] * half
    assert found.value[:half].tolist() == asked.value[:half].tolist()
    monkeypatch.setattr("gemel.history.groups._read", lambda *_: pytest.fail("a file was read"))
    before = asked.with_columns(time=asked.time - 3000 * DAY)
    assert not lake.reader.existing(before).found.any()
    assert not lake.reader.existing(before[:0]).found.any()


@few
@given(seed=st.integers(0, 10**6), points=st.integers(5, 200))
def test_decimation_keeps_every_extreme_and_only_real_rows(lake, seed, points):
    r = np.random.default_rng(seed)
    n = 3000
    value = r.normal(size=n)
    value[r.integers(0, n, 3)] *= 100
    time = START + np.sort(r.choice(200_000, n, replace=False)) * (SECOND // 1000)
    status = np.where(r.random(n) < 0.002, 0x80000000, 0)
    base, stored = lake.fresh(Batch.of(signal=np.zeros(n), time=time, received=time, value=value, status=status), [1000, 2000])
    found = lake.reader.decimated(base, START, END, points)
    assert len(found) <= max(2 * points, 10)
    assert set(rows(found)) <= set(rows(stored))
    assert (np.diff(found.time) > 0).all()
    usable, kept = stored.value[status == 0], found.value[found.status == 0]
    assert (kept.min(), kept.max()) == (usable.min(), usable.max())
    assert found.status.max() == status.max()
    assert (found.time[0], found.time[-1]) == (time[0], time[-1])


def test_large_ranges_settle_corrections_in_the_same_way(lake):
    """Beyond the few rows that are settled at once, only the competing ones are: the answer must be the same."""
    n = 120_000
    time = START + np.arange(n) * (SECOND // 1000)
    first = Batch.of(signal=np.zeros(n), time=time, received=time, value=np.arange(n) % 100, status=np.zeros(n))
    again = first.take(np.arange(0, n, 997)).with_columns(value=np.full(121, 500.0), received=time[::997] + SECOND)
    base, _ = lake.fresh(Batch.concat([first, again]), [n])
    tail = again[:50].with_columns(signal=np.full(50, base, np.int32), value=np.full(50, 900.0), received=again.received[:50] + SECOND)
    want = first.value.copy()
    want[::997] = 500.0
    want[: 50 * 997 : 997] = 900.0
    end = int(time[-1]) + 1
    assert lake.reader.aggregated(base, START, end, end - START, "sum", tail=tail).values[0] == want.sum()
    assert lake.reader.raw([base], START, end, tail=tail).value.tolist() == want.tolist()
    assert lake.reader.raw([base], START, end, limit=60_000, tail=tail).value.tolist() == want[:60_000].tolist()
    few = lake.reader.decimated(base, START, end, 100, tail=tail)
    assert few.value.max() == 900.0 and len(few) <= 200


def test_gaps_stay_gaps(lake):
    time = np.array([START, START + 100 * SECOND])
    base, _ = lake.fresh(Batch.of(signal=[0, 0], time=time, received=time, value=[1, 2], status=[0, 0]), [])
    found = lake.reader.aggregated(base, START, END, 50 * SECOND, "mean")
    assert found.counts.tolist() == [1, 0, 1, 0]
    assert np.isnan(found.values).tolist() == [False, True, False, True]


def test_what_cannot_be_asked_is_refused_with_words(lake):
    for bad in ({"aggregate": "median"}, {"interval_ns": 0}, {"interval_ns": 1}):
        asked = {"interval_ns": SECOND, "aggregate": "mean", **bad}
        with pytest.raises(AssetError) as refused:
            lake.reader.aggregated(0, START, END, **asked)
        assert refused.value.remedy


def test_a_lake_that_is_not_there_yet_answers_from_the_tail(tmp_path):
    tail = random_batch(1)
    with Reader(tmp_path / "none") as reader:
        assert rows(reader.raw(range(4), START, END, tail=tail)) == rows(winners(tail))
        assert len(reader.raw([0], START, END)) == 0
        assert reader.rows_count() == 0 and reader.latest() is None
        assert len(reader.at([0, 1], END)) == 0
        assert not reader.existing(tail).found.any()


def test_many_scattered_signals_and_days(tmp_path):
    """More signals than are written into a query, over more days than make a file each."""
    n = 3000
    r = np.random.default_rng(0)
    signal, time = r.integers(0, 500, n) * 3, START + r.integers(0, 100, n) * DAY
    batch = Batch.of(signal=signal, time=time, received=time, value=r.normal(size=n), status=np.zeros(n))
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.commit(0, store.take_over(0), 1, batch)
        some = np.arange(0, 1500, 6)
        want = winners(batch.take(np.isin(batch.signal, some)))
        assert rows(reader.raw(some, START, START + 100 * DAY)) == rows(want)
        assert len(reader.at(some, START + 100 * DAY)) == len(np.unique(want.signal))
        assert reader.latest() == time.max()
        assert reader.rows_count() == n
        assert reader.rows_count(some) == int(np.isin(signal, some).sum())
        assert reader.rows_count(end=START + 50 * DAY) == int((time < START + 50 * DAY).sum())


def test_several_aggregates_at_once_are_each_what_it_is_alone(tmp_path):
    batch = random_batch(3, 4000, signals=2)
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.commit(0, store.take_over(0), 1, batch)
        start, end = int(batch.time.min()), int(batch.time.max()) + 1
        step = (end - start) // 7 + 1
        which = ("min", "max", "mean", "count", WEIGHTED)
        found = reader.aggregates(1, start, end, step, which)
        assert tuple(found) == which
        for name in which:
            alone = reader.aggregated(1, start, end, step, name)
            assert np.array_equal(found[name].values, alone.values, equal_nan=True)
            assert np.array_equal(found[name].counts, alone.counts)
