"""What is committed is there, once, whole, in every later reading."""

import numpy as np
import pytest

from gemel.errors import ConflictError, StorageError
from gemel.history import Progress, Reader, Store
from gemel.samples import Batch

SECOND = 1_000_000_000


def batch(n=100, signals=3, start=0, seed=0):
    r = np.random.default_rng(seed)
    time = (start + np.repeat(np.arange(n), signals)) * SECOND
    return Batch.of(
        signal=np.tile(np.arange(signals), n), time=time, received=time + 5_000_123, value=r.normal(size=n * signals),
        status=r.choice([0, 0x40000000, 0x803C0600], n * signals),
    )  # fmt: skip


def same(a, b):
    return all(np.array_equal(getattr(a, c), getattr(b, c), equal_nan=c == "value") for c in ("signal", "time", "received", "value", "status"))


def test_a_commit_is_read_back_bit_for_bit(tmp_path):
    given = batch()
    odd = Batch.of(
        signal=[7] * 6, time=np.arange(6), received=np.arange(6), value=[np.nan, np.inf, -np.inf, -0.0, 5e-324, 0.1 + 0.2], status=[0] * 6
    )
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        epoch = store.take_over(0)
        done = store.commit(0, epoch, 1, Batch.concat([given, odd]))
        assert (done.rows, done.already) == (len(given) + 6, False)
        read = reader.raw([0, 1, 2], 0, 1000 * SECOND)
        assert same(read, given.take(given.order()))
        strange = reader.raw([7], 0, 10)
        assert strange.value.view(np.int64).tolist() == odd.value.view(np.int64).tolist()


def test_a_repeated_commit_is_told_and_stores_nothing(tmp_path):
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        epoch = store.take_over(0)
        store.commit(0, epoch, 5, batch())
        assert store.commit(0, epoch, 5, batch()).already
        assert store.commit(0, epoch, 4, batch()).already
        assert reader.rows_count() == 300
        assert store.progress() == {0: Progress(epoch, 5)}


def test_progress_outlives_the_process(tmp_path):
    with Store.open(tmp_path) as store:
        store.commit(0, store.take_over(0), 9, batch())
    with Store.open(tmp_path) as store:
        assert store.progress() == {0: Progress(1, 9)}
        assert store.take_over(0) == 2


def test_an_owner_that_was_paused_is_shut_out(tmp_path):
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        old = store.take_over(0)
        new = store.take_over(0)
        with pytest.raises(ConflictError):
            store.commit(0, old, 1, batch())
        with pytest.raises(ConflictError):
            store.commit(1, old, 1, batch())
        assert reader.rows_count() == 0
        assert store.commit(0, new, 1, batch()).rows == 300


def test_a_second_writer_is_refused_with_a_remedy(tmp_path):
    with Store.open(tmp_path):
        with pytest.raises(StorageError) as refused:
            Store.open(tmp_path)
        assert refused.value.code == "history-locked" and refused.value.remedy
    Store.open(tmp_path).close()


def test_retention_classes_are_kept_apart_and_read_as_one(tmp_path):
    given = batch()
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.commit(0, store.take_over(0), 1, given, np.array(["default", "fast", "fast"]))
        assert {p.parent.name for p in tmp_path.rglob("*.parquet")} == {"raw_default", "raw_fast"}
        assert same(reader.raw([0, 1, 2], 0, 1000 * SECOND), given.take(given.order()))


def test_the_tail_and_the_lake_answer_together_and_once(tmp_path):
    given = batch()
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        assert same(reader.raw([0, 1, 2], 0, 1000 * SECOND, tail=given), given.take(given.order()))
        store.commit(0, store.take_over(0), 1, given[:200])
        assert same(reader.raw([0, 1, 2], 0, 1000 * SECOND, tail=given[100:]), given.take(given.order()))


def test_one_spike_survives_decimation(tmp_path):
    n = 100_000
    value = np.sin(np.arange(n) / 1000)
    value[54_321] = 9.0
    status = np.zeros(n, np.uint32)
    status[77_777] = 0x803C0000
    given = Batch.of(signal=np.zeros(n), time=np.arange(n) * SECOND, received=np.arange(n) * SECOND, value=value, status=status)
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.commit(0, store.take_over(0), 1, given)
        few = reader.decimated(0, 0, n * SECOND, 500)
        assert len(few) <= 1000
        assert few.value.max() == 9.0 and few.status.max() == 0x803C0000
        assert same(reader.decimated(0, 0, 100 * SECOND, 500), given[:100])


def test_a_lake_that_has_no_rows_yet_answers_with_none(tmp_path):
    with Store.open(tmp_path), Reader(tmp_path) as reader:
        assert len(reader.raw([0], 0, 10)) == len(reader.raw([0], 0, 10, limit=5)) == len(reader.raw([0, 1], 0, 10, limit=5)) == 0
        assert len(reader.at([0], 5)) == len(reader.stood([0], 5)) == len(reader.decimated(0, 0, 10, 5)) == 0
        assert reader.latest() is None and reader.rows_count() == 0
