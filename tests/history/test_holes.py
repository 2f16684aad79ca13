"""A broken file of the history costs what is broken of it, and no more: answers go on, say what they lack, and the background does too."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from history_kit import SECOND, START, rows

from gemel import sealing
from gemel.history import Reader, Store
from gemel.history.files import ROW_GROUP
from gemel.samples import Batch

HOUR = 3600 * SECOND
SIGNALS = 20
BEGIN = START // (24 * HOUR) * 24 * HOUR


def readings(first, n, rng):
    time = BEGIN + (first + np.arange(n)) * SECOND
    time = np.repeat(time, SIGNALS)
    signal = np.tile(np.arange(SIGNALS), n)
    return Batch.of(signal=signal, time=time, received=time + 5, value=rng.normal(size=len(time)), status=np.zeros(len(time)))


@pytest.fixture(params=["in the clear", "sealed"])
def lake(tmp_path, request, monkeypatch):
    """A lake of three files, of 20 signals for 600 s each, with its rows."""
    if request.param == "sealed":
        monkeypatch.setenv("GEMEL_SECRET_LAKE", "a word that is long enough to be one")
        sealing.seal(tmp_path, "lake")
    rng = np.random.default_rng(7)
    batches = [readings(600 * k, 600, rng) for k in range(3)]
    with Store.open(tmp_path) as store:
        epoch = store.take_over(0)
        for k, batch in enumerate(batches):
            store.commit(0, epoch, k + 1, batch)
    return tmp_path, batches


def files(folder, table="raw_default"):
    return sorted((folder / "files" / "main" / table).glob("*.parquet"))


def flip(file, at=None):
    data = bytearray(file.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 4
    file.write_bytes(data)


def tear(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def lose(file):
    file.unlink()


HARMS = [flip, tear, lose]
EVERY = np.arange(SIGNALS)
ALL = (BEGIN, BEGIN + 1800 * SECOND)


@pytest.mark.parametrize("harm", HARMS)
def test_a_query_answers_the_rest_and_says_which_span_is_missing(lake, harm):
    folder, batches = lake
    harm(files(folder)[1])
    rest = Batch.concat([batches[0], batches[2]])
    with Reader(folder) as reader:
        drawn = reader.decimated(3, *ALL, 10_000)
        (hole,) = reader.holes([3], *ALL)
        found = reader.raw(EVERY, *ALL)
        counted = reader.aggregated(3, *ALL, 600 * SECOND, "count")
        assert reader.at([3], BEGIN + 1799 * SECOND).time.tolist() == [BEGIN + 1799 * SECOND]
    assert rows(drawn) == rows(rest.take(rest.signal == 3))
    assert rows(found) == rows(rest)
    assert counted.values.tolist() == [600, 0, 600]
    assert BEGIN + 600 * SECOND == hole.start and hole.end <= BEGIN + 1200 * SECOND
    assert hole.rows == 600 * SIGNALS


def test_a_hole_is_not_told_where_nothing_is_missing(lake):
    folder, _ = lake
    tear(files(folder)[1])
    with Reader(folder) as reader:
        reader.raw(EVERY, *ALL)
        assert reader.holes([3], BEGIN, BEGIN + 600 * SECOND) == []
        assert reader.holes([SIGNALS], *ALL) == []


@pytest.mark.parametrize("harm", HARMS)
def test_what_a_reader_met_its_writer_takes_aside(lake, harm):
    folder, batches = lake
    broken = files(folder)[1]
    harm(broken)
    with Reader(folder) as reader:
        reader.decimated(3, *ALL, 10_000)
        with Store.open(folder) as store:
            assert store.patrol()
            (hole,) = store.holes
            assert (hole.file, hole.settled) == (broken.name, True)
            assert not any(store.patrol() for _ in range(3)), "it is told once"
            assert broken not in reader.files()
        assert harm is lose or (folder / "damaged" / broken.name).exists(), "it is kept for whoever can repair it"
        rest = Batch.concat([batches[0], batches[2]])
        assert rows(reader.raw(EVERY, *ALL)) == rows(rest)
        assert reader.holes([3], *ALL) == [hole]
    with Reader(folder) as fresh:
        assert rows(fresh.raw(EVERY, *ALL)) == rows(rest) and fresh.holes([3], *ALL) == [hole]


@pytest.mark.parametrize("harm", HARMS)
def test_merging_and_rolling_up_go_on_with_the_other_files(lake, harm):
    folder, batches = lake
    harm(files(folder)[1])
    rest = Batch.concat([batches[0], batches[2]])
    with Store.open(folder) as store, Reader(folder) as reader:
        done = store.roll_up(BEGIN + 2 * HOUR, 60.0)
        assert not done.behind
        (hole,) = store.holes
        assert reader.aggregated(3, BEGIN, BEGIN + HOUR, HOUR, "count").values.tolist() == [1200]
        epoch = store.take_over(0)
        later = readings(86_400, 10, np.random.default_rng(1))  # the next day: what is left of this one may be merged
        store.commit(0, epoch, 4, later)
        assert store.compact(60.0, grace_s=0).files == 2
        assert store.holes == (hole,)
        assert rows(reader.raw(EVERY, *ALL)) == rows(rest)


@pytest.mark.parametrize("harm", HARMS)
def test_a_merge_that_meets_a_broken_file_goes_on_without_it(lake, harm):
    folder, batches = lake
    harm(files(folder)[0])
    with Store.open(folder) as store, Reader(folder) as reader:
        store.commit(0, store.take_over(0), 4, readings(86_400, 10, np.random.default_rng(1)))
        assert store.compact(60.0, grace_s=0).files == 2
        assert len(store.holes) == 1
        assert rows(reader.raw(EVERY, *ALL)) == rows(Batch.concat(batches[1:]))


def test_of_a_large_file_only_the_broken_rows_are_lost(tmp_path):
    n = 4 * ROW_GROUP
    time = BEGIN + np.arange(n) // 100 * SECOND
    batch = Batch.of(signal=np.arange(n) % 100, time=time, received=time, value=np.random.default_rng(3).normal(size=n), status=np.zeros(n))
    with Store.open(tmp_path) as store:
        store.commit(0, store.take_over(0), 1, batch)
        (file,) = files(tmp_path)
        content = pq.ParquetFile(file)
        column = content.metadata.row_group(2).column(content.schema_arrow.get_field_index("value"))
        flip(file, column.data_page_offset + column.total_compressed_size // 2)
        assert store.patrol()
        (hole,) = store.holes
        assert hole.rows == ROW_GROUP and 40 <= hole.low < hole.high <= 80
        with Reader(tmp_path) as reader:
            assert reader.rows_count() == n - ROW_GROUP
            assert reader.holes([10], BEGIN, BEGIN + HOUR) == []
            assert reader.holes([60], BEGIN, BEGIN + HOUR) == [hole]


def test_a_changed_bit_that_costs_no_row_costs_none(lake):
    folder, batches = lake
    file = files(folder)[1]
    if sealing.sealed_file(file):
        pytest.skip("no bit of a sealed file costs nothing")
    flip(file, file.stat().st_size - 200)  # in the footer
    with Store.open(folder) as store, Reader(folder) as reader:
        while not store.patrol():
            pass
        (hole,) = store.holes
        lost = 0 if hole.rows == 0 else len(batches[1])
        assert len(reader.raw(EVERY, *ALL)) == sum(map(len, batches)) - lost
        assert bool(reader.holes(EVERY, *ALL)) == bool(lost)


@pytest.mark.parametrize("kind", ["roll", "pick"])
@pytest.mark.parametrize("level", ["1s", "1m", "1h"])
def test_a_broken_roll_up_is_made_anew_of_its_readings(lake, kind, level):
    folder, batches = lake
    with Store.open(folder) as store, Reader(folder) as reader:
        store.roll_up(BEGIN + 2 * HOUR, 60.0)
        stored = files(folder, f"{kind}_{level}_default")
        if not stored:
            pytest.skip("readings of each second are not worth a level of seconds")
        before = reader.aggregated(3, BEGIN, BEGIN + HOUR, HOUR, "mean"), rows(reader.decimated(3, BEGIN, BEGIN + HOUR, 50))

        def same():
            now = reader.aggregated(3, BEGIN, BEGIN + HOUR, HOUR, "mean")
            assert np.allclose(now.values, before[0].values) and (now.counts == before[0].counts).all()
            assert rows(reader.decimated(3, BEGIN, BEGIN + HOUR, 50)) == before[1]

        with Reader(folder) as reader:
            tear(stored[0])
            same()
            store.patrol()
            same()
            assert not store.roll_up(BEGIN + 2 * HOUR, 60.0).behind
            same()
            assert reader.holes([3], BEGIN, BEGIN + HOUR) == [], "nothing is lost"
            assert len(files(folder, f"{kind}_{level}_default")) >= 1


@pytest.mark.parametrize("step", ["_end", "_settle"])
def test_a_crash_half_way_is_ended_at_the_next_start(lake, monkeypatch, step):
    folder, batches = lake
    broken = files(folder)[1]
    flip(broken)
    with monkeypatch.context() as m:
        m.setattr(f"gemel.history.aside.Aside.{step}", _power_cut)
        with Store.open(folder) as store, pytest.raises(PowerCut):
            for _ in range(3):
                store.patrol()
    with Store.open(folder) as store, Reader(folder) as reader:
        (hole,) = store.holes
        assert hole.settled and hole.file == broken.name
        assert len(reader.raw(EVERY, *ALL)) == sum(map(len, batches)) - hole.rows


class PowerCut(Exception):
    """The machine stops here."""


def _power_cut(*_):
    raise PowerCut


def test_a_hole_is_forgotten_when_its_class_keeps_nothing_so_old(lake):
    folder, _ = lake
    tear(files(folder)[1])
    with Store.open(folder) as store:
        while not store.patrol():
            pass
        store.retain(BEGIN + 100 * HOUR, {"default": 3600.0})
        assert store.holes == () and not list((folder / "damaged").iterdir())
