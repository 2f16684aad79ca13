"""The stored form: grids are found, every bit comes back, sorting equals a plain sort, the mark of lateness is safe."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.history import Reader, Store
from gemel.history.newest import NEVER, Newest
from gemel.history.order import order
from gemel.history.quantise import Grids
from gemel.samples import Batch
from history_kit import SECOND, START, random_batch, rows, winners

r = np.random.default_rng(7)
STEPS = np.clip(2048 + np.cumsum(r.integers(-8, 9, 2000)), 0, 4095)


def values_of(found):
    """As the query reckons it."""
    return found.grid.base + found.q * found.grid.factor / found.grid.divisor + found.residual


@pytest.mark.parametrize(
    "value",
    [
        STEPS.astype(float), STEPS / 10, STEPS / 1000, STEPS * (100 / 4096), STEPS * (1 / 3), STEPS * 0.7 / 4096,
        -20 + STEPS * (170 / 4096), STEPS / 4095 * 100, 0.1 + STEPS * 0.7 / 4095, -40 + STEPS / 4095 * 165, 1e6 + STEPS / 3, (STEPS > 2048).astype(float), np.full(2000, 4.25), np.zeros(2000),
    ],
)  # fmt: skip
def test_readings_on_a_grid_are_kept_by_their_number(value):
    found = Grids().quantise(np.zeros(2000, np.int32), value)
    assert found.exact.mean() > 0.9
    back = values_of(found)
    assert np.array_equal(back[found.exact].view(np.int64), value[found.exact].view(np.int64))


def test_each_signal_has_its_own_grid_and_noise_has_none():
    value = np.concatenate([STEPS / 10, r.normal(size=2000), STEPS * (100 / 4096), np.full(2000, np.nan)])
    found = Grids().quantise(np.repeat(np.arange(4), 2000).astype(np.int32), value)
    assert found.exact.reshape(4, 2000).mean(axis=1).tolist() == [1, 0, 1, 0]


def test_a_grid_that_changes_is_found_anew():
    grids, signal = Grids(), np.zeros(2000, np.int32)
    assert grids.quantise(signal, STEPS / 10).exact.all()
    assert grids.quantise(signal, STEPS / 1000).exact.all()


@given(st.lists(st.floats(width=64) | st.integers(-(2**53), 2**53).map(float) | st.decimals(-1000, 1000, places=3).map(float), min_size=1))
def test_no_value_is_ever_changed(values):
    value = np.array(values)
    found = Grids().quantise(np.zeros(len(value), np.int32), value)
    back = np.where(found.exact, values_of(found), value)
    assert np.array_equal(back.view(np.int64), value.view(np.int64))


@given(seed=st.integers(0, 10**6), wide=st.booleans(), n=st.integers(0, 300))
def test_order_equals_a_plain_stable_sort(seed, wide, n):
    batch = random_batch(seed, n=max(n, 1))[:n]
    if wide:
        batch = batch.with_columns(signal=batch.signal * np.int32(50_000))
    assert order(batch).tolist() == batch.order().tolist()


@given(seed=st.integers(0, 10**6), cut=st.integers(0, 400), forget=st.booleans())
@settings(deadline=None)
def test_rows_not_marked_late_are_unique(seed, cut, forget):
    batch = random_batch(seed)
    known, sure = Newest(np.zeros(0, np.int64)), []
    for part in (batch[:cut], batch[cut:]):
        part = part.take(part.order())
        late = known.late(part)
        sure += list(zip(part.signal[~late].tolist(), part.time[~late].tolist(), strict=True))
        known = known.after(part)
        if forget:
            known = Newest(np.zeros(0, np.int64), int(batch.time[:cut].max()) if cut else NEVER)
    assert len(sure) == len(set(sure))


@pytest.mark.parametrize("harm", [lambda p: None, lambda p: p.unlink(), lambda p: p.write_bytes(b"PK torn")])
def test_a_correction_after_a_restart_wins_whatever_became_of_the_note(tmp_path, harm):
    first = random_batch(3, n=60_000, span=60_000)
    again = first[:500].with_columns(received=first.received[:500] + 10 * SECOND, value=np.full(500, 77.0))
    with Store.open(tmp_path) as store:
        store.commit(0, store.take_over(0), 1, first)
    harm(tmp_path / "newest.npz")
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.commit(0, store.take_over(0), 2, again)
        want = winners(Batch.concat([first, again]))
        for signal in range(4):
            found = reader.aggregated(signal, START, START + 60_000 * SECOND, 60_000 * SECOND, "count")
            mine = want.take(want.signal == signal)
            assert found.counts[0] == (mine.status < 0x80000000).sum()
        assert rows(reader.raw(range(4), START, START + 60_000 * SECOND, limit=10**6)) == rows(want)


def test_ten_thousand_signals_pack_below_the_promise(tmp_path):
    """At most 1.5 bytes a value with regular times, 3 with +-5 ms of jitter (in ms); shown here in small."""
    n, signals = 50, 2000
    walk = np.clip(2048 + np.cumsum(r.integers(-8, 9, (n, signals)), 0), 0, 4095) * (100 / 4096)
    time = np.repeat(START + np.arange(n) * SECOND, signals)
    status = np.where(r.random(n * signals) < 0.05, 0x40000000, 0)
    received = np.repeat(START + np.arange(n) * SECOND + r.integers(2_000_000, 20_000_000, n), signals)
    for jitter, most in ((0, 1.5), (5, 3.0)):
        scattered = time + r.integers(-jitter, jitter + 1, n * signals) * 1_000_000
        batch = Batch.of(signal=np.tile(np.arange(signals), n), time=scattered, received=received, value=walk.ravel(), status=status)
        with Store.open(tmp_path / str(jitter)) as store:
            done = store.commit(0, store.take_over(0), 1, batch)
        assert done.bytes / done.rows < most


def test_a_file_is_plain_parquet_that_others_can_read(tmp_path):
    batch = random_batch(5)
    with Store.open(tmp_path) as store:
        store.commit(0, store.take_over(0), 1, batch)
    table = pq.read_table(next(tmp_path.rglob("*.parquet")))
    column = {name: table[name].to_numpy() for name in table.column_names}
    value = np.where(np.isnan(column["value"]), column["base"] + column["q"] * column["factor"] / column["divisor"] + column["residual"], column["value"])
    read = Batch.of(
        signal=column["signal"], time=column["ms"] * 1_000_000 + column["ns"], received=column["received"], value=value, status=column["status"]
    )
    assert rows(read) == rows(batch)
