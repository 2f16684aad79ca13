"""Signals side by side: whatever the pieces, the table is the same, and it says what each column is."""

import numpy as np
import pytest

import pyarrow as pa
from gemel.errors import AssetError
from gemel.history import aligned
from gemel.history.aligned import Aligned, Alignment
from gemel.history.align import Rows, align, Grid, of_means
from gemel.history import Reader, Store
from gemel.samples import Batch
from gemel.samples.status import BAD_NO_DATA
from history_kit import SECOND, START

N = 3000


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Three signals: one a second, one each 7 s with a hole, a state that changes seldom."""
    path = tmp_path_factory.mktemp("lake")
    fast = START + np.arange(N) * SECOND
    slow = START + np.arange(0, N, 7) * SECOND + 250_000_000
    slow = slow[(slow < START + 1000 * SECOND) | (slow > START + 1500 * SECOND)]
    state = START + np.array([0, 500, 900, 2000]) * SECOND
    status = np.zeros(N)
    status[100:110] = 0x80000000
    parts = [(0, fast, np.sin(np.arange(N) / 50), status), (1, slow, np.arange(len(slow), dtype=float), np.zeros(len(slow))), (2, state, np.array([0.0, 1, 2, 0]), np.zeros(4))]
    with Store.open(path) as store:
        rows = [Batch.of(signal=np.full(len(t), s), time=t, received=t, value=v, status=q) for s, t, v, q in parts]
        store.commit(0, store.take_over(0), 1, Batch.concat(rows))
    with Reader(path) as reader:
        yield reader


SIGNALS = [
    Aligned(0, "fast", "acme/a/fast", "bar", 5 * SECOND, SECOND),
    Aligned(1, "slow", "acme/a/slow", "m3/h", 40 * SECOND),
    Aligned(2, "running", "acme/a/running", "", 10_000 * SECOND, stepped=True),
]


def table(lake, **given):
    plan = Alignment(SIGNALS, START, START + N * SECOND, **given)
    return pa.Table.from_batches([plan.piece(c, lake.raw(plan.numbers, c.start, c.end)) for c in plan.chunks()], plan.schema)


@pytest.mark.parametrize(
    "given",
    [{"every": 10 * SECOND}, {"every": 10 * SECOND, "how": "linear"}, {"every": 30 * SECOND, "how": "mean"}, {"on": 1, "how": "linear"},
     {"at": [START + s * SECOND for s in (5, 1, 105, 2000)]}],
)  # fmt: skip
def test_pieces_put_together_are_the_whole(lake, given, monkeypatch):
    whole = table(lake, **given)
    monkeypatch.setattr(aligned, "CELLS", 30)
    monkeypatch.setattr(aligned, "ROWS", 100)
    monkeypatch.setattr(aligned, "APART", 60 * SECOND)
    assert len(list(Alignment(SIGNALS, START, START + N * SECOND, **given).chunks())) > 1
    assert table(lake, **given).equals(whole)
    assert whole.num_rows == {"every": N // (given.get("every", SECOND) // SECOND), "on": 0, "at": 4}[next(iter(given))] or "on" in given


def test_columns_say_what_they_are_and_what_is_missing_is_null_with_its_reason(lake):
    got = table(lake, every=10 * SECOND)
    assert got.column_names == ["time", "fast", "fast.status", "slow", "slow.status", "running", "running.status"]
    assert got.schema.field("slow").metadata == {b"path": b"acme/a/slow", b"unit": b"m3/h"}
    hole = got.slice(120, 1).to_pylist()[0]
    assert (hole["slow"], hole["slow.status"], hole["running"]) == (None, BAD_NO_DATA, 2.0)
    assert hole["time"].isoformat() == "2023-11-14T22:33:20+00:00"


def test_as_of_join_on_another_signal_has_its_times(lake):
    got = table(lake, on=1)
    slow = lake.raw([1], START, START + N * SECOND)
    assert got["time"].cast(pa.int64()).to_pylist() == slow.time.tolist()
    assert got["slow"].to_pylist() == slow.value.tolist()
    assert got["fast"][1].as_py() == np.sin(7 / 50)


def test_a_state_has_nothing_in_between(lake):
    got = table(lake, every=7 * SECOND, how="linear")
    assert set(got["running"].to_pylist()) <= {0.0, 1.0, 2.0}


def test_means_that_the_store_makes_are_those_of_the_rows(lake):
    rows = lake.raw([0], START, START + N * SECOND)
    every = 60 * SECOND
    own = align(Rows(rows.time, rows.value, rows.status), Grid(START + np.arange(N // 60) * every, every), "mean", 0)
    made = lake.aggregated(0, START, START + N * SECOND, every, "mean")
    stored = of_means(made.values, made.counts, made.worst)
    assert np.allclose(own.value, stored.value)
    assert own.status.tolist() == stored.status.tolist()


@pytest.mark.parametrize(
    "given", [{}, {"every": SECOND, "on": 1}, {"every": 0}, {"every": 1}, {"on": 1, "how": "mean"}, {"every": SECOND, "how": "best"}]
)  # fmt: skip
def test_what_makes_no_sense_is_refused(given):
    with pytest.raises(AssetError) as told:
        Alignment(SIGNALS, START, START + N * SECOND, **given)
    assert told.value.code == "alignment" and told.value.remedy
