"""Files as people write them are read alike, and many of them as one stream sorted by time."""

import asyncio
import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gemel.connect.files import TIME, FileOptions, Files, read_file
from gemel.connect.files.sniff import dialect, time_column
from gemel.errors import ConnectError

AT = 1_583_748_873 * 10**9


@pytest.mark.parametrize(
    "text",
    [
        "datetime;Flow;note\n2020-03-09 10:14:33;1.5;a\n2020-03-09 10:14:34;2.5;b\n",
        "datetime,Flow,note\n2020-03-09T10:14:33Z,1.5,a\n2020-03-09T10:14:34Z,2.5,b\n",
        "datetime\tFlow\tnote\n2020-03-09 10:14:33\t1.5\ta\n2020-03-09 10:14:34\t2.5\tb\n",
        "datetime;Flow;note\n2020-03-09 10:14:33;1,5;a\n2020-03-09 10:14:34;2,5;b\n",
        "ts|Flow|note\n1583748873|1.5|a\n1583748874|2.5|b\n",
        "note,Flow,ts\na,1.5,1583748873000\nb,2.5,1583748874000\n",
        "Flow,note,when\n2.5,b,2020-03-09T10:14:34+00:00\n1.5,a,2020-03-09T11:14:33+01:00\n",
    ],
)
def test_dialects(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text)
    table = read_file(path)
    assert table.times.tolist() == [AT, AT + 10**9]
    assert table.rows.column("Flow").to_pylist() == [1.5, 2.5]
    assert table.rows.column("note").to_pylist() == ["a", "b"]


def test_gzip_and_latin_1(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress("time,Druck (µbar)\n2020-03-09T10:14:33Z,5\n".encode("latin-1")))
    assert read_file(path).rows.column("Druck (µbar)").to_pylist() == [5]


def test_parquet_keeps_nanoseconds(tmp_path):
    path = tmp_path / "x.parquet"
    times = np.array([AT + 7, AT], dtype="datetime64[ns]")
    pq.write_table(pa.table({"flow": [2.0, 1.0], "at": times}), path)
    table = read_file(path)
    assert table.times.tolist() == [AT, AT + 7]
    assert table.rows.column("flow").to_pylist() == [1.0, 2.0]


def test_a_format_that_is_not_iso(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("time;v\n09.03.2020 10:14;1\n")
    assert read_file(path, FileOptions(format="%d.%m.%Y %H:%M")).times.tolist() == [AT - 33 * 10**9]


def test_rows_without_a_time_are_set_apart(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("time,v\n1583748873,1\n,2\n-5,3\n99999999999,4\n")
    table = read_file(path, FileOptions(unit="s"))
    assert table.rows.column("v").to_pylist() == [1]
    assert table.timeless == 3


def test_errors_say_what_to_do(tmp_path):
    nameless = tmp_path / "x.csv"
    nameless.write_text("a,b\n1,2\n")
    for path, options in ((nameless, FileOptions()), (nameless, FileOptions("zeit")), (tmp_path / "none.csv", FileOptions())):
        with pytest.raises(ConnectError) as why:
            read_file(path, options)
        assert why.value.remedy
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(b"PAR1 no")
    with pytest.raises(ConnectError):
        read_file(torn)


def test_files_that_overlap_are_merged_and_others_follow(tmp_path):
    rng = np.random.default_rng(3)
    expected = []
    for name, start, end in (("late", 5000, 6000), ("a", 0, 1000), ("b", 500, 1500), ("after", 2000, 3000)):
        times = np.sort(rng.choice(np.arange(start, end), 300, replace=False))
        (tmp_path / f"{name}.csv").write_text("time,v_%s\n" % name + "".join(f"{AT + t},{t}\n" for t in times))
        expected += times.tolist()
    files = Files(sorted(tmp_path.glob("*.csv")), FileOptions(unit="ns"))
    got = [t - AT for chunk in files.chunks(77) for t in chunk.column(TIME).to_pylist()]
    assert got == sorted(expected)
    assert files.length == 1200
    assert set(files.names) == {"v_late", "v_a", "v_b", "v_after"}
    assert (files.first, files.last) == (AT + min(expected), AT + max(expected))


def test_time_columns_are_found_by_name_or_looks():
    assert time_column(["x", "Zeit"], []) == "Zeit"
    assert time_column(["x", "when"], ["5", "2020-03-09 10:14:33"]) == "when"
    assert time_column(["x", "y"], ["5", "6"]) is None


def test_the_real_rig(skab):
    """All of SKAB is one stream of 27,565 rows, sorted, though its files are named 0, 1, 10, 11 …"""
    files = Files(sorted(skab.glob("*/*.csv")))
    times = np.concatenate([c.column(TIME).to_numpy() for c in files.chunks(1000)])
    assert len(times) == files.length == 27_565
    assert (np.diff(times) > 0).all()
    assert dialect(skab / "valve1" / "0.csv").delimiter == ";"
