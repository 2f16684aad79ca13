"""A lake held still while its writer goes on: files that compaction takes away meanwhile stay readable."""

import shutil

import numpy as np
from history_kit import SECOND, START, rows

from gemel.history import Reader, Store
from gemel.history.hold import HOLD, hold
from gemel.samples import Batch


def some(number, n=200):
    time = START + (np.arange(n) * 20 + number) * SECOND
    return Batch.of(signal=np.arange(n) % 5, time=time, received=time, value=np.arange(n) * 0.5, status=np.zeros(n))


def copied(held, target):
    for name, at in held.files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(at, target / name)
    return target


def test_files_that_are_merged_away_meanwhile_are_still_copied(tmp_path):
    lake, copy = tmp_path / "lake", tmp_path / "copy"
    with Store.open(lake) as store:
        epoch = store.take_over(0)
        for number in range(12):
            store.commit(0, epoch, number + 1, some(number))
        with Reader(lake) as reader:
            before = rows(reader.raw(range(5), 0, 2**62))
        with hold(lake) as held:
            assert store.compact(grace_s=0).deleted == 12
            store.commit(0, epoch, 99, some(99))
            copied(held, copy)
    assert not (lake / HOLD).exists()
    with Store.open(copy) as store, Reader(copy) as reader:
        assert rows(reader.raw(range(5), 0, 2**62)) == before
        assert store.progress()[0].sequence == 12, "as of the moment it was held, not later"
        store.compact(grace_s=0)
        assert rows(reader.raw(range(5), 0, 2**62)) == before


def test_what_a_killed_back_up_held_goes_with_the_next_one(tmp_path):
    with Store.open(tmp_path) as store:
        store.commit(0, store.take_over(0), 1, some(0))
        (tmp_path / HOLD).mkdir()
        (tmp_path / HOLD / "7").write_text("left")
        with hold(tmp_path) as held:
            assert not (tmp_path / HOLD / "7").exists()
            assert len([n for n in held.files if n.endswith(".parquet")]) == 1
        assert not (tmp_path / HOLD).exists()


def test_a_lake_that_is_not_there_holds_nothing(tmp_path):
    with hold(tmp_path) as held:
        assert held.files == {}
