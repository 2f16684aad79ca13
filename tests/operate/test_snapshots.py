"""Snapshots: which one is gone on from, and which are thinned, whatever the machine's clock did."""

import time

import numpy as np
import pytest

from gemel.operate.snapshots import SnapshotFolder
from gemel.samples import Snapshot

HOUR = 3600 * 1_000_000_000
NOW = 1_750_000_000_000_000_000


@pytest.fixture
def clock(monkeypatch):
    at = [NOW]
    monkeypatch.setattr(time, "time_ns", lambda: at[0])
    return at


def snapshot(position):
    return Snapshot(0, position, 0, 0, "", {"a": np.zeros(1)}, {})


def test_the_newest_is_the_one_that_is_furthest_in_the_log(tmp_path, clock):
    """A machine whose clock was set back wrote the later snapshot at the earlier hour."""
    folder = SnapshotFolder(tmp_path)
    for position, at in ((1, NOW), (2, NOW + 30), (3, NOW - HOUR), (4, NOW - HOUR + 30)):
        clock[0] = at
        folder.save(snapshot(position))
    assert [s.sequence for s in folder.sound()][:2] == [4, 3]
    assert folder.oldest_needed() == 3


def test_snapshots_of_a_wrong_year_do_not_hold_the_log_for_years(tmp_path, clock):
    folder = SnapshotFolder(tmp_path)
    clock[0] = NOW + 40_000 * HOUR
    for position in (1, 2):
        folder.save(snapshot(position))
    for n in range(200):  # an hour and more of the right year
        clock[0] = NOW + n * HOUR // 120
        folder.save(snapshot(3 + n))
    assert folder.oldest_position() > 50


def test_an_hour_is_kept_thinly(tmp_path, clock):
    folder = SnapshotFolder(tmp_path)
    for n in range(240):  # two hours, one each 30 s
        clock[0] = NOW + n * HOUR // 120
        folder.save(snapshot(n + 1))
    kept = [s.sequence for s in folder.sound()]
    assert kept[:2] == [240, 239]
    assert 5 <= len(kept) <= 9 and 110 <= folder.oldest_position() <= 140


def test_what_a_kill_left_is_swept(tmp_path, clock):
    SnapshotFolder(tmp_path).save(snapshot(1))
    (tmp_path / "00000000000000000009-9.snap.new").write_bytes(b"half")
    folder = SnapshotFolder(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1 and folder.newest().sequence == 1
