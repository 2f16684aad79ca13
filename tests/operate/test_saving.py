"""A snapshot written by a fork: the state of one moment, or nothing; and nothing of the twin's is held meanwhile."""

import asyncio
import errno
import fcntl
import os
import signal
import time

import numpy as np
import pytest

from gemel.operate.saving import FORKS, Saving
from gemel.operate.snapshots import SnapshotFolder
from gemel.samples import Batch, Snapshot
from tests.operate.fold_kit import SECOND, owner, partition

pytestmark = pytest.mark.skipif(not FORKS, reason="no Linux: the state is copied instead")


def rows(n, first=1):
    return Batch.of(
        signal=np.arange(n) % 3, time=(first + np.arange(n)) * SECOND, received=(first + np.arange(n)) * SECOND + np.arange(n) % 2,
        value=np.arange(n) * 0.5, status=np.zeros(n),
    )


def test_what_is_written_is_byte_for_byte_the_copied_snapshot(tmp_path):
    part = partition()
    for n in range(5):
        part.fold(rows(7, 10 * n + 1), n + 1, None)
    copied = part.snapshot().to_bytes()
    saving = Saving(tmp_path / "1.snap", part.snapshot)
    part.fold(rows(9, 100), 6, None)  # after the moment: not in it
    saving.keep()
    assert (tmp_path / "1.snap").read_bytes() == copied
    assert part.snapshot().to_bytes() != copied
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.snap"]


def test_a_snapshot_that_cannot_be_written_says_why_and_leaves_nothing(tmp_path):
    def full(copied):
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError) as told:
        Saving(tmp_path / "1.snap", full).keep()
    assert told.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


def test_a_writer_that_is_killed_leaves_nothing(tmp_path):
    saving = Saving(tmp_path / "1.snap", lambda copied: time.sleep(60))
    os.kill(saving._child, signal.SIGKILL)
    with pytest.raises(OSError, match="ended early"):
        saving.keep()
    assert not list(tmp_path.iterdir())


def test_a_writer_that_hangs_is_killed_and_leaves_neither_file_nor_process(tmp_path, monkeypatch):
    monkeypatch.setattr("gemel.operate.saving.PATIENCE_S", 0.2)
    saving = Saving(tmp_path / "1.snap", lambda copied: time.sleep(600))
    child = saving._child
    with pytest.raises(TimeoutError, match="writer was killed: 0 bytes"):
        saving.keep()
    assert saving.ended() and not list(tmp_path.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_writer_on_a_slow_disk_is_given_the_time_that_its_bytes_take(tmp_path, monkeypatch):
    class Slow:
        def write(self, out):
            out.write(b"x" * 1000)
            out.flush()
            time.sleep(1)

    monkeypatch.setattr("gemel.operate.saving.PATIENCE_S", 0.2)
    monkeypatch.setattr("gemel.operate.saving.SLOWEST", 1)  # byte a second
    saving = Saving(tmp_path / "1.snap", lambda copied: Slow())
    while not (tmp_path / "1.snap.new").exists() or not (tmp_path / "1.snap.new").stat().st_size:
        time.sleep(0.01)
    saving.keep()
    assert (tmp_path / "1.snap").stat().st_size == 1000


def test_no_second_writer_is_begun_while_the_disk_holds_a_killed_one(tmp_path):
    folder = SnapshotFolder(tmp_path)
    held = folder.begin(1, lambda copied: time.sleep(600))  # as a process is that the kernel does not let die
    with pytest.raises(TimeoutError, match="snapshot before"):
        folder.begin(2, lambda copied: None)
    held.discard()
    folder.keep(folder.begin(3, partition().snapshot))
    assert [s.name.split("-")[1] for s in tmp_path.iterdir()] == ["3.snap"]


def test_a_writer_that_hangs_is_told_and_the_next_snapshot_is_kept(tmp_path, monkeypatch):
    class Log:
        async def bounds(self, stream):
            return 0, 0, 0

        async def trim(self, stream, upto):
            kept.set()

    kept = asyncio.Event()
    monkeypatch.setattr("gemel.operate.saving.PATIENCE_S", 0.2)
    monkeypatch.setattr("gemel.operate.keeping.SNAPSHOT_S", 0.01)
    twin = owner(tmp_path, bus=Log())
    sound, seen = twin.partition.snapshot, []

    def take(copied):
        return time.sleep(600) if not (seen or twin.problems) else sound(copied)

    twin.partition.snapshot = take
    async def story():
        running = asyncio.create_task(twin._keeping.run(twin.bus, twin.max_log_bytes))
        async with asyncio.timeout(60):
            while not twin.problems:
                await asyncio.sleep(0.01)
            seen.append(twin.problems)
            monkeypatch.setattr("gemel.operate.saving.PATIENCE_S", 60)
            await kept.wait()
            while twin.problems:
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(story())
    assert "the snapshot's writer was killed" in seen[0]["snapshot"]


def test_what_is_discarded_leaves_neither_file_nor_process(tmp_path):
    saving = Saving(tmp_path / "1.snap", lambda copied: time.sleep(60))
    child = saving._child
    saving.discard()
    assert not list(tmp_path.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_writer_holds_no_lock_of_a_twin_that_lets_go(tmp_path):
    """A twin that dies while its snapshot is written must not keep the next one out of the history."""
    held = (tmp_path / "lock").open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    begun, told = os.pipe()

    def take(copied):  # the pipe is closed with everything else: its end tells that the child let go
        time.sleep(60)

    saving = Saving(tmp_path / "1.snap", take)
    os.close(told)
    assert os.read(begun, 1) == b""  # waits for the child's copy of `told` to be closed
    os.close(begun)
    held.close()
    with (tmp_path / "lock").open("w") as next_one:
        fcntl.flock(next_one, fcntl.LOCK_EX | fcntl.LOCK_NB)
    saving.discard()


def test_no_snapshot_is_kept_whose_rows_could_not_be_stored(tmp_path):
    """A snapshot ahead of the history would let rows go that only the log has."""

    class Full:
        def commit(self, *given):
            raise OSError(errno.ENOSPC, "full")

    twin = owner(tmp_path, store=Full())
    twin._effect(twin.partition.fold(rows(4), 1, None), 1)
    with pytest.raises(OSError, match="full"):
        asyncio.run(twin.save())
    assert not list((tmp_path / "snapshots").iterdir())


def test_thinning_follows_a_snapshot_that_was_written_beside(tmp_path):
    folder = SnapshotFolder(tmp_path)
    for n in range(1, 6):
        folder.keep(folder.begin(n, lambda copied, n=n: Snapshot(0, n, 0, 0, "", {"a": np.zeros(1)}, {})))
    assert [s.sequence for s in folder.sound()] == [5, 4, 1]  # and what is ten minutes older
