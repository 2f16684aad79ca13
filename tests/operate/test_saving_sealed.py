"""A snapshot of sealed data written by a fork: sealed on its way, whole or not there."""

import errno
import os
import signal
import time

import pytest

from gemel import sealing
from gemel.operate.saving import FORKS, Saving
from gemel.operate.snapshots import SnapshotFolder
from tests.operate.fold_kit import partition

pytestmark = pytest.mark.skipif(not FORKS, reason="no Linux: the state is copied instead")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GEMEL_SECRET_REST", "the secret of data at rest")
    sealing.seal(tmp_path, "rest")
    (tmp_path / "snapshots").mkdir()
    return tmp_path / "snapshots"


def test_what_is_written_is_the_copied_snapshot_and_sealed(folder):
    part = partition()
    Saving(folder / "1-1.snap", part.snapshot).keep()
    assert sealing.read(folder / "1-1.snap") == part.snapshot().to_bytes()
    assert sealing.sealed_file(folder / "1-1.snap") and b"GML2" not in (folder / "1-1.snap").read_bytes()
    SnapshotFolder(folder).save(part.snapshot())
    assert all(sealing.sealed_file(f) for f in folder.iterdir())
    assert SnapshotFolder(folder).newest().to_bytes() == part.snapshot().to_bytes()


def test_a_writer_that_fails_or_is_killed_leaves_nothing(folder):
    def full(copied):
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError) as told:
        Saving(folder / "1.snap", full).keep()
    assert told.value.errno == errno.ENOSPC
    saving = Saving(folder / "1.snap", lambda copied: time.sleep(60))
    os.kill(saving._child, signal.SIGKILL)
    with pytest.raises(OSError, match="ended early"):
        saving.keep()
    Saving(folder / "1.snap", lambda copied: time.sleep(60)).discard()
    assert not list(folder.iterdir())


def test_a_disk_that_does_not_take_it_ends_its_writer_too(folder, monkeypatch):
    part = partition()
    saving = Saving(folder / "1.snap", part.snapshot)
    child = saving._child

    def full(out):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(sealing, "end", full)
    with pytest.raises(OSError) as told:
        saving.keep()
    assert told.value.errno == errno.ENOSPC
    assert not list(folder.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_writer_that_hangs_is_killed(folder, monkeypatch):
    monkeypatch.setattr("gemel.operate.saving.PATIENCE_S", 0.2)
    saving = Saving(folder / "1.snap", lambda copied: time.sleep(600))
    child = saving._child
    with pytest.raises(TimeoutError, match="writer was killed"):
        saving.keep()
    assert not list(folder.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
