"""Merging and retention: fewer files, the same answers, whole files dropped, the disk given back."""

import numpy as np
import pytest

from gemel.errors import ConfigError, StorageError
from gemel.history import Reader, Store, catalogue, compact, lake
from gemel.history.catalogue import Stored
from gemel.history.compact import FAN, LARGEST, plan
from gemel.history.lock import WriterLock
from gemel.samples import Batch
from history_kit import DAY, SECOND, START, random_batch, rows


def day_of_rows(day, number=0, n=1000):
    time = START // DAY * DAY + day * DAY + (np.arange(n) * 20 + number) * SECOND
    return Batch.of(signal=np.arange(n) % 7, time=time, received=time, value=np.arange(n) * 0.1, status=np.zeros(n))


def parquet(path):
    return sorted(path.rglob("*.parquet"))


def test_merging_leaves_few_files_and_the_same_rows(tmp_path):
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        epoch = store.take_over(0)
        for number in range(25):
            store.commit(0, epoch, number + 1, day_of_rows(number // 15, number))
        before = reader.raw(range(7), 0, 2**62)
        done = store.compact(grace_s=0)
        assert (done.files, done.rows, done.deleted) == (15, 15_000, 15)
        assert len(parquet(tmp_path)) == 1 + 10  # the day that is over is one file; the one that goes on waits for a dozen
        assert rows(reader.raw(range(7), 0, 2**62)) == rows(before)
        assert store.compact(grace_s=0).files == 0
        assert store.progress()[0].sequence == 25


def test_no_merge_is_begun_after_its_budget(tmp_path):
    """Two groups wait: a budget that is used up begins neither, and says that there is more to do."""
    with Store.open(tmp_path) as store:
        epoch = store.take_over(0)
        for number in range(2 * FAN):
            store.commit(0, epoch, number + 1, day_of_rows(number // FAN * 40, number))
        done = store.compact(0.0, grace_s=0)
        assert (done.files, done.behind) == (0, True)
        done = store.compact(60.0, grace_s=0)
        assert (done.files, done.behind) == (2 * FAN, False)


def small(number):
    return day_of_rows(0, number, n=3)


def test_files_of_a_few_rows_are_merged_once_and_go(tmp_path):
    """DuckLake notes the deletion of up to ten rows apart from their file: the file stayed, and was merged without end."""
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        epoch = store.take_over(0)
        for number in range(FAN):
            store.commit(0, epoch, number + 1, small(number))
        before = rows(reader.raw(range(7), 0, 2**62))
        done = store.compact(5.0, grace_s=0)
        assert (done.files, done.deleted, len(parquet(tmp_path))) == (FAN, FAN, 1)
        assert store.compact(5.0, grace_s=0).files == 0
        assert rows(reader.raw(range(7), 0, 2**62)) == before


def test_files_emptied_by_the_first_version_go_too(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "keep_rows_in_files", lambda *_: None)
    with Store.open(tmp_path) as store:
        epoch = store.take_over(0)
        for number in range(FAN):
            store.commit(0, epoch, number + 1, small(number))
        store.compact(5.0, grace_s=0)
        assert len(parquet(tmp_path)) == FAN + 1, "as version 0.1.0 left it"
    monkeypatch.undo()
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.commit(0, store.take_over(0), FAN + 1, Batch.empty())
        store.compact(5.0, grace_s=0)
        assert len(parquet(tmp_path)) == 1
        assert reader.rows_count() == FAN * 3


def test_a_replaced_file_stays_for_those_who_still_read_it(tmp_path):
    with Store.open(tmp_path) as store:
        epoch = store.take_over(0)
        for number in range(FAN):
            store.commit(0, epoch, number + 1, day_of_rows(0, number))
        assert store.compact(grace_s=3600).deleted == 0
        assert len(parquet(tmp_path)) == FAN + 1
        assert store.compact(grace_s=0).deleted == FAN
        assert len(parquet(tmp_path)) == 1


def test_the_catalogue_does_not_grow_with_commits(tmp_path):
    """Former versions of `progress` are kept inside the catalogue; tidying gives them up too."""
    with Store.open(tmp_path) as store:
        epoch = store.take_over(0)

        def kept():
            return store._connection.execute(f"SELECT count(*) FROM __ducklake_metadata_lake.{inlined}").fetchone()[0]

        inlined = store._connection.execute(
            "SELECT i.table_name FROM __ducklake_metadata_lake.ducklake_inlined_data_tables i "
            "JOIN __ducklake_metadata_lake.ducklake_table t USING (table_id) WHERE t.table_name = 'progress'"
        ).fetchone()[0]
        for number in range(20):
            store.commit(0, epoch, number + 1, Batch.empty())
        assert kept() > 20
        store.compact(grace_s=0)
        assert kept() == 1
        assert store.progress()[0].sequence == 20
        assert store._connection.execute("SELECT count(*) FROM __ducklake_metadata_lake.ducklake_snapshot").fetchone() == (1,)


def test_retention_drops_whole_days_by_class_and_no_row_too_many(tmp_path):
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        epoch = store.take_over(0)
        classes = np.array(["default"] * 4 + ["fast"] * 3)
        for day in range(6):
            store.commit(0, epoch, day + 1, day_of_rows(day), classes)
        now = START // DAY * DAY + 6 * DAY
        gone = store.retain(now, {"default": 4 * 86_400, "fast": 86_400.0})
        kept = reader.raw(range(7), 0, 2**62)
        day = (kept.time - START // DAY * DAY) // DAY
        assert sorted(set(day[kept.signal < 4].tolist())) == [2, 3, 4, 5]
        assert sorted(set(day[kept.signal >= 4].tolist())) == [5]
        assert gone == 6000 - len(kept)
        assert store.retain(now, {"default": 4 * 86_400, "fast": 86_400}) == 0
        store.compact(grace_s=0)
        assert len(parquet(tmp_path)) == 5
        assert reader.latest() == kept.time.max()


def test_a_long_backfill_makes_files_by_month_not_by_day(tmp_path):
    n = 1000
    time = START + np.arange(n) * DAY // 2
    batch = Batch.of(signal=np.zeros(n), time=time, received=time, value=np.zeros(n), status=np.zeros(n))
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        assert store.commit(0, store.take_over(0), 1, batch).files == 17
        assert rows(reader.raw([0], 0, 2**62)) == rows(batch)
        store.retain(START + 200 * DAY, {"default": 100 * 86_400})
        assert START + 60 * DAY < reader.raw([0], 0, 2**62).time[0] <= START + 100 * DAY


def stored(rows, day=0, last=None):
    return Stored("raw_default", f"{rows}-{day}", rows, rows, day * 86_400_000, (day if last is None else last) * 86_400_000 + 1)


def test_what_is_merged_next():
    assert plan([]) == []
    assert plan([stored(1000)] * (FAN - 1)) == []  # the day goes on: wait for a dozen
    assert len(plan([stored(1000)] * FAN)) == FAN
    assert len(plan([stored(1000)] * 3 + [stored(5, day=1)])) == 3  # the day is over: what is left
    assert plan([stored(1_000_000), stored(10), stored(5, day=1)]) == []  # one straggler is not worth a large rewrite
    assert plan([stored(LARGEST)] * 20) == []
    assert sum(f.rows for f in plan([stored(LARGEST // 3)] * FAN)) <= LARGEST
    assert plan([stored(10, 3, last=20), stored(10, 4), stored(5, 40)]) == []  # files of different spans never merge
    assert len(plan([stored(10, 3, last=20), stored(10, 4, last=30), stored(5, 40)])) == 2


def test_merging_beside_a_commit(tmp_path):
    """A merge reads and writes without the catalogue, so a commit in between is kept; a dropped input makes it start anew."""
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        epoch = store.take_over(0)
        for number in range(FAN):
            store.commit(0, epoch, number + 1, random_batch(number))
        from gemel.history import upkeep as module

        merge, calls = module.merge, []

        def meanwhile(group, *rest):
            merged = merge(group, *rest)
            if not calls:
                calls.append(1)
                store.commit(0, epoch, FAN + 1, random_batch(99))
                store.retain(START + 400 * DAY, {"default": 1.0})
            return merged

        module.merge = meanwhile
        try:
            store.compact(grace_s=0)
        finally:
            module.merge = merge
        assert reader.rows_count() == 0 and parquet(tmp_path) == []


def test_a_newer_format_is_refused_by_writer_and_reader(tmp_path):
    with Store.open(tmp_path) as store:
        store._connection.execute("UPDATE lake.format SET version = 4")
    for use in (lambda: Store.open(tmp_path), lambda: Reader(tmp_path).rows_count()):
        with pytest.raises(StorageError) as refused:
            use()
        assert refused.value.code == "history-format" and "4" in str(refused.value)
    WriterLock(tmp_path / "writer.lock").release()  # the refusal let the lock go


def test_a_lake_can_be_moved(tmp_path):
    with Store.open(tmp_path / "here") as store:
        store.commit(0, store.take_over(0), 1, day_of_rows(0))
    (tmp_path / "here").rename(tmp_path / "there")
    with Store.open(tmp_path / "there") as store, Reader(tmp_path / "there") as reader:
        assert len(reader.raw(range(7), 0, 2**62)) == 1000
        assert store.commit(0, 1, 2, day_of_rows(1)).rows == 1000


def test_any_name_can_be_a_retention_class(tmp_path):
    names = ['x"; drop', "Fast", "fast", "30-days", "ganz lang", "ä", ""]
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.commit(0, store.take_over(0), 1, day_of_rows(0), np.array(names))
        assert len({p.parent.name for p in parquet(tmp_path)}) == 7
        assert len(reader.raw(range(7), 0, 2**62)) == 1000
        assert store.retain(START + 40 * DAY, {"Fast": 1.0}) == len(reader.raw([2], 0, 2**62))
        assert len(reader.raw([1], 0, 2**62)) == 0


def test_a_missing_extension_is_told_with_its_remedy():
    with pytest.raises(ConfigError) as refused:
        lake.extension("no_such_thing")
    assert "pip install" in refused.value.remedy


@pytest.mark.parametrize("long", [-1, 1 << 40])
def test_merged_rows_are_the_same_bits_however_they_are_merged(tmp_path, monkeypatch, long):
    """By stored columns, and where a signal is long by value: grids, oddities, corrections, nanoseconds and all."""
    monkeypatch.setattr(compact, "LONG", long)
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e300, 0.1 + 0.2, 7.0])
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        epoch = store.take_over(0)
        for number in range(FAN):
            batch = random_batch(number, 900, signals=5)
            value = batch.value.copy()
            value[:: number + 2] = odd[np.arange(len(value[:: number + 2])) % len(odd)]
            batch = batch.with_columns(value=value, time=batch.time + (number % 3) * 7)
            store.commit(0, epoch, number + 1, batch)
        before, known = (reader.raw(range(5), 0, 2**62, known=k) for k in (None, START + 150 * SECOND))
        assert store.compact(grace_s=0).files == FAN
        after, then = (reader.raw(range(5), 0, 2**62, known=k) for k in (None, START + 150 * SECOND))
    for one, other in ((before, after), (known, then)):
        for name in ("signal", "time", "received", "status"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
        assert np.array_equal(one.value.view(np.int64), other.value.view(np.int64))
        assert len(one)
