"""Drawing reads no more of the fine levels than the edges that only they can draw."""

import numpy as np
import pytest

from gemel.history import Reader, Store, groups
from gemel.history.levels import level_of
from gemel.samples import Batch
from history_kit import DAY, SECOND, START

DAYS = 12
MIDNIGHT = START // DAY * DAY


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Twelve days of a reading each four seconds, rolled up."""
    folder = tmp_path_factory.mktemp("lake")
    time = MIDNIGHT + np.arange(DAYS * 21_600) * 4 * SECOND
    wave = np.sin(np.arange(len(time)) / 3000)
    rows = Batch.of(signal=np.zeros(len(time)), time=time, received=time, value=wave, status=np.zeros(len(time)))
    with Store.open(folder) as store:
        store.commit(0, store.take_over(0), 1, rows)
        store.roll_up(MIDNIGHT + (DAYS + 3) * DAY, 60.0)
    return folder


def test_a_range_off_the_hour_at_both_ends_reads_minutes_of_its_edges_alone(lake, monkeypatch):
    read = []
    tables = groups.tables

    def counted(stored, *rest):
        stored = list(stored)
        read.extend(file.path.parent.name for file in stored if level_of(file.path.parent.name))
        return tables(stored, *rest)

    monkeypatch.setattr(groups, "tables", counted)
    start, end = MIDNIGHT + 20 * 60 * SECOND, MIDNIGHT + DAYS * DAY - 25 * 60 * SECOND
    with Reader(lake) as reader:
        drawn = reader.decimated(0, start, end, 100)
    assert start <= drawn.time[0] < start + 4 * SECOND
    assert end - 5 * SECOND < drawn.time[-1] < end
    minutes = [name for name in read if name.startswith("pick_1m")]
    assert len(minutes) == 2, "a file of minutes covers a day: only the first and the last are read"
