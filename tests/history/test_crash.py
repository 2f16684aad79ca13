"""A writer may be killed at any moment, and the disk may fill: what is in progress is in the rows, once, and nothing else."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from gemel.errors import StorageError
from gemel.history import Progress, Reader, Store, catalogue
from gemel.samples import Batch
from history_kit import SECOND, START, rows
from writer_child import ROWS, numbered

CHILD = Path(__file__).with_name("writer_child.py")
FOREVER = 2**62


def check(path):
    """Every committed sequence is there exactly once, and nothing of the one that was cut off."""
    with Store.open(path) as store, Reader(path) as reader:
        last = store.progress()[0].sequence
        found = reader.raw([0, 1, 2], 0, FOREVER, corrected=True)
        assert reader.rows_count() == last * ROWS
        assert rows(found) == sorted(r for k in range(1, last + 1) for r in rows(numbered(k)))
    return last


@pytest.mark.parametrize("merge_every", [0, 7])
def test_a_writer_killed_anywhere_leaves_a_lake_that_agrees_with_its_progress(tmp_path, merge_every):
    chance = random.Random(merge_every)
    last = 0
    for _ in range(5):
        child = subprocess.Popen([sys.executable, CHILD, tmp_path, str(merge_every)], stdout=subprocess.PIPE, text=True)
        told = last
        killer = threading.Timer(chance.uniform(0.5, 1.5), child.kill)
        for line in child.stdout:
            if line.strip() != "open":
                if told == last:  # a machine that is busy may need the whole time for the first one
                    killer.start()
                told = int(line)
        killer.cancel()
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        now = check(tmp_path)
        assert now in (told, told + 1)  # what was told is there; the one after it may be
        assert now > last
        last = now


def test_readers_see_whole_commits_while_another_process_writes_and_merges(tmp_path):
    child = subprocess.Popen([sys.executable, CHILD, tmp_path, "5"], stdout=subprocess.PIPE, text=True)
    try:
        with Reader(tmp_path) as one, Reader(tmp_path) as two:
            last = 0
            for line in child.stdout:
                if line.strip() == "open":
                    continue
                told = int(line)
                for reader in (one, two):
                    found = reader.raw([0, 1, 2], 0, FOREVER)
                    assert len(found) % ROWS == 0 and len(found) >= told * ROWS
                    assert reader.at([0], FOREVER).value[0] >= told
                    assert len(found) >= last
                    last = len(found)
                if told >= 40:
                    break
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_a_question_whose_files_were_taken_away_is_asked_again(tmp_path, monkeypatch):
    """However slow a query is, it never takes files that were merged away for rows that never were."""
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        epoch = store.take_over(0)
        for number in range(1, 13):
            store.commit(0, epoch, number, numbered(number))
        newest, asked = catalogue.newest, []

        def slow(connection):
            asked.append(1)
            if len(asked) == 1:
                store.compact(grace_s=0)
            return newest(connection)

        monkeypatch.setattr(catalogue, "newest", slow)
        assert reader.at([0, 1, 2], FOREVER).value.tolist() == [12, 12, 12]
        assert len(asked) > 1


def test_strays_are_swept_when_the_writer_opens(tmp_path):
    with Store.open(tmp_path) as store:
        store.commit(0, store.take_over(0), 1, numbered(1))
    folder = next(tmp_path.rglob("*.parquet")).parent
    (folder / "torn.parquet").write_bytes(b"PAR1 and no more")
    with Reader(tmp_path) as reader:
        assert reader.rows_count() == ROWS  # a reader never looked at it
    assert check(tmp_path) == 1
    assert not (folder / "torn.parquet").exists()


def noise(n):
    """Rows that do not pack."""
    r = np.random.default_rng(n)
    time = START + np.arange(n) * (SECOND // 1000)
    return Batch.of(signal=np.zeros(n), time=time, received=time + r.integers(0, SECOND, n), value=r.normal(size=n), status=np.zeros(n))


def full_then_free(path, fill, free):
    """Commit, fill the disk, be refused, free it, commit again: nothing is lost or harmed."""
    with Store.open(path) as store, Reader(path) as reader:
        epoch = store.take_over(0)
        store.commit(0, epoch, 1, numbered(1))
        fill()
        with pytest.raises(StorageError) as refused:
            store.commit(0, epoch, 2, noise(300_000))
        assert refused.value.code == "disk-full", refused.value.context
        assert refused.value.remedy
        free()
        assert store.progress() == {0: Progress(epoch, 1)}
        assert reader.rows_count() == ROWS
        assert store.commit(0, epoch, 2, noise(300_000)).rows == 300_000
        assert reader.rows_count() == ROWS + 300_000
    with Store.open(path) as store, Reader(path) as reader:
        assert store.progress() == {0: Progress(1, 2)}
        assert len(list(path.rglob("*.parquet"))) == 2


def test_a_file_that_may_not_grow_is_refused_with_words_and_retried(tmp_path):
    """RLIMIT_FSIZE stands for a full disk: the write fails half-way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        full_then_free(
            tmp_path, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard)),
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard)),
        )  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)


def test_a_catalogue_that_cannot_be_written_keeps_its_last_state(tmp_path):
    """The file of rows fits, the transaction does not: the file goes again, and the same commit works later."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
            epoch = store.take_over(0)
            store.commit(0, epoch, 1, numbered(1))
            assert next(tmp_path.rglob("*.parquet")).stat().st_size < 12_000 < (tmp_path / "catalogue.sqlite").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, hard))
            with pytest.raises(StorageError):
                store.commit(0, epoch, 2, numbered(2))
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert reader.rows_count() == ROWS
            assert len(list(tmp_path.rglob("*.parquet"))) == 1
            assert store.commit(0, epoch, 2, numbered(2)).rows == ROWS
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)
    assert check(tmp_path) == 2


def test_a_full_disk_is_refused_with_words_and_retried(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root with CAP_SYS_ADMIN")
    ballast = disk / "ballast"

    def fill():
        with ballast.open("wb", buffering=0) as out:
            try:
                while True:
                    out.write(bytes(4096))
            except OSError:
                pass

    try:
        full_then_free(disk / "lake", fill, ballast.unlink)
    finally:
        subprocess.run(["umount", disk], check=True, capture_output=True)
