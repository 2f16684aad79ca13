"""Exported history is read by what people use: the same rows, each once, in CSV, Parquet and Arrow."""

import io

import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.errors import ConfigError
from gemel.history import Exported
from gemel.history.export import export
from gemel.history.formats import encoder
from gemel.history.walk import Walk, walked
from gemel.samples import Batch
from history_kit import SECOND, START, random_batch, winners

NAMES = [Exported(i, f"acme/a,{i}", "m3/h" if i % 2 else "") for i in range(6)]


def asking(batch):
    def ask(q):
        keep = np.isin(batch.signal, q.signals) & (batch.time >= q.start) & (batch.time < q.end)
        found = batch.take(keep)
        return found.take(found.order())[: q.limit]

    return ask


@pytest.fixture
def rows():
    odd = Batch.of(signal=[5, 5], time=[START + 123_456_789, START + 123_456_790], received=[START, START], value=[np.nan, 0.1 + 0.2],
                   status=[0x803C0600, 0], sigma=[np.nan, 0.1])  # fmt: skip
    return Batch.concat([winners(random_batch(3)), odd])


def file(rows, form):
    pieces = list(export(asking(rows), NAMES, START, START + 500 * SECOND, form))
    assert pieces[-1][0] == len(rows)
    return io.BytesIO(b"".join(p for _, p in pieces))


def test_parquet_and_arrow_hold_every_row_with_its_times_to_the_nanosecond(rows):
    for table in (pq.read_table(file(rows, "parquet")), pa.ipc.open_stream(file(rows, "arrow")).read_all()):
        assert table["time"].cast(pa.int64()).to_pylist() == rows.time.tolist()
        assert table["received"].cast(pa.int64()).to_pylist() == rows.received.tolist()
        assert table["signal"].to_pylist() == [f"acme/a,{s}" for s in rows.signal]
        assert table["unit"].to_pylist() == ["m3/h" if s % 2 else "" for s in rows.signal]
        assert [np.nan if v is None else v for v in table["value"].to_pylist()] == pytest.approx(rows.value.tolist(), nan_ok=True, abs=0)
        assert table["status"].to_pylist() == rows.status.tolist()
        assert table["sigma"].to_pylist()[-1] == np.float32(0.1) and table["sigma"].null_count == len(rows) - 1


def test_pandas_and_polars_read_them(rows):
    for form, read in (("parquet", pandas.read_parquet), ("csv", pandas.read_csv), ("parquet", polars.read_parquet),
                       ("arrow", polars.read_ipc_stream), ("csv", polars.read_csv)):  # fmt: skip
        frame = read(file(rows, form))
        assert len(frame) == len(rows), (form, read)
        assert [float(v) for v in frame["sigma"].to_numpy() if v == v and v is not None] == pytest.approx([0.1])
        assert float(frame["value"].sum()) == pytest.approx(float(np.nansum(rows.value)))


def test_nothing_found_is_a_file_without_rows():
    none = Batch.empty()
    assert pq.read_table(file(none, "parquet")).num_rows == 0
    assert pa.ipc.open_stream(file(none, "arrow")).read_all().num_rows == 0
    assert file(none, "csv").getvalue() == b"signal,unit,time,value,status,sigma\n"


def test_an_unknown_format_is_refused():
    with pytest.raises(ConfigError):
        encoder("xlsx", pa.schema([]))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 50)), max_size=80, unique=True), st.integers(1, 20))
def test_a_walk_reads_every_row_once_in_order_whatever_an_answer_holds(pairs, most):
    signal, time = zip(*sorted(pairs), strict=True) if pairs else ((), ())
    n = len(pairs)
    batch = Batch.of(signal=signal, time=time, received=[0] * n, value=range(n), status=[0] * n)
    got = list(walked(asking(batch), Walk(range(9), 0, 51, most)))
    assert Batch.concat(got).value.tolist() == batch.value.tolist()
    assert all(len(g) <= most for g in got)


def test_many_quiet_signals_are_asked_for_together():
    asked = []

    def ask(q):
        asked.append(len(q.signals))
        return Batch.empty()

    assert list(walked(ask, Walk(range(10_000), 0, 10))) == []
    assert len(asked) < 10
