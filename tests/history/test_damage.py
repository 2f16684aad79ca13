"""A flipped bit in a file of the history is found, and what it costs is bounded: rows, signals, span of time."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from history_kit import SECOND, START

from gemel.errors import StorageError
from gemel.history import Store, damage
from gemel.history.files import ROW_GROUP
from gemel.samples import Batch

SIGNALS = 100
N = 4 * ROW_GROUP


@pytest.fixture
def lake(tmp_path):
    """A lake of one file with four row groups."""
    rng = np.random.default_rng(3)
    time = START + np.arange(N) // SIGNALS * SECOND
    rows = Batch.of(signal=np.arange(N) % SIGNALS, time=time, received=time, value=rng.normal(size=N), status=np.zeros(N))
    with Store.open(tmp_path) as store:
        store.commit(0, store.take_over(0), 1, rows)
    (file,) = tmp_path.rglob("*.parquet")
    return tmp_path, file


def flip(file, at):
    data = bytearray(file.read_bytes())
    data[at] ^= 4
    file.write_bytes(data)


def test_a_sound_lake_has_no_damage(lake):
    folder, file = lake
    looked = damage.look(folder)
    assert (looked.files, looked.rows, looked.bytes, looked.damage) == (1, N, file.stat().st_size, ())


def test_a_flipped_bit_costs_its_row_group_and_no_more(lake):
    folder, file = lake
    group = pq.ParquetFile(file).metadata.row_group(2)
    column = group.column(pq.ParquetFile(file).schema_arrow.get_field_index("value"))
    flip(file, column.data_page_offset + column.total_compressed_size // 2)
    (found,) = damage.look(folder).damage
    assert (found.groups, found.rows) == ((2,), ROW_GROUP)
    assert found.signals[0] >= 40 and found.signals[1] <= 80, "rows are sorted by signal: a quarter of them"
    assert START <= found.start < found.end <= START + (N // SIGNALS + 1) * SECOND


def test_a_flipped_bit_anywhere_is_found(lake):
    folder, file = lake
    whole = file.read_bytes()
    for at in [*np.random.default_rng(5).integers(0, len(whole), 30), 0, len(whole) - 1, *(len(whole) - np.arange(20, 4000, 400))]:
        flip(file, at)
        assert damage.look(folder).damage, at
        file.write_bytes(whole)


def test_a_torn_file_and_a_missing_one_are_bounded_by_the_catalogue(lake):
    folder, file = lake
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    (torn,) = damage.look(folder).damage
    file.unlink()
    (gone,) = damage.look(folder).damage
    for found in (torn, gone):
        assert (found.rows, found.groups) == (N, ())
        assert found.start == START and found.end == START + (N - 1) // SIGNALS * SECOND + 1_000_000
    assert gone.why == "the file is gone"


def test_a_damaged_catalogue_is_said(lake):
    folder, _ = lake
    catalogue = folder / "catalogue.sqlite"
    data = bytearray(catalogue.read_bytes())
    data[4096:12288] = bytes(8192)
    catalogue.write_bytes(data)
    with pytest.raises(StorageError, match="catalogue of the history is damaged") as caught:
        damage.look(folder)
    assert caught.value.code == "catalogue-damaged"
