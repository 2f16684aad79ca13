"""Export and the command: every reading once, times to the nanosecond, from the lake or from what a running twin holds."""

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from gemel.assets import load
from gemel.cli import find as find_command
from gemel.cli.history import command
from gemel.history import Exported, Reader, Store, export_csv, walk
from gemel.operate.places import Places
from gemel.samples import Batch
from history_kit import SECOND, START, random_batch, winners


def test_csv_holds_every_reading_once_to_the_nanosecond(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "ROWS", 7)
    batch = random_batch(2)
    odd = Batch.of(signal=[9, 9], time=[START + 123_456_789, START + 123_456_790], received=[0, 0], value=[np.nan, 0.1 + 0.2], status=[0x803C0600, 0])
    with Store.open(tmp_path) as store, Reader(tmp_path) as reader:
        store.commit(0, store.take_over(0), 1, Batch.concat([batch, odd]))
        out = io.StringIO()
        names = [Exported(i, f"acme/a,{i}", "m3/h") for i in range(4)] + [Exported(9, "acme/odd")]
        written = export_csv(reader, names, START, START + 500 * SECOND, out)
    read = list(csv.DictReader(io.StringIO(out.getvalue())))
    want = winners(batch)
    assert written == len(read) == len(want) + 2
    plain = read[: len(want)]
    assert [r["signal"] for r in plain] == [f"acme/a,{s}" for s in want.signal]
    assert [np.datetime64(r["time"].rstrip("Z"), "ns").astype(int) for r in plain] == want.time.tolist()
    assert [float(r["value"]) for r in plain] == want.value.tolist()
    assert [r["status"] for r in plain] == [{0: "Good", 0x40000000: "Uncertain", 0x80000000: "Bad"}[s] for s in want.status.tolist()]
    assert read[-2:] == [
        {"signal": "acme/odd", "unit": "", "time": "2023-11-14T22:13:20.123456789Z", "value": "", "status": "BadOutOfRange (high)", "sigma": ""},
        {"signal": "acme/odd", "unit": "", "time": "2023-11-14T22:13:20.123456790Z", "value": "0.30000000000000004", "status": "Good", "sigma": ""},
    ]


PLANT = """
plant: acme/site
types: {Pump: {signals: {flow: {unit: m3/h, interval: 1 s}, speed: {unit: rpm}}}}
assets: {pump-1: {type: Pump}}
"""


@pytest.fixture
def data(tmp_path):
    """A twin's data directory with some history, and nobody running."""
    places = Places(tmp_path / "data")
    places.make()
    (places.applied / "plant.yaml").write_text(PLANT)
    places.registry.write_bytes(load(places.applied).registry().to_bytes())
    n = 3600
    time = START + np.arange(n) * SECOND
    with Store.open(places.lake) as store:
        flow = Batch.of(signal=np.zeros(n), time=time, received=time, value=np.arange(n), status=np.zeros(n))
        store.commit(0, store.take_over(0), 1, flow)
    return places


def ask(data, *options):
    return CliRunner().invoke(command, ["nowhere", "--data", str(data.data), *options])


def test_without_a_signal_it_lists_what_there_is(data):
    assert ask(data).output.splitlines() == ["acme/site/pump-1/flow", "acme/site/pump-1/speed"]


def test_raw_decimated_and_aggregated_from_the_lake(data):
    raw = json.loads(ask(data, "--signal", "pump-1/flow", "--json").output)["items"][0]
    assert (raw["signal"], raw["unit"], len(raw["value"])) == ("acme/site/pump-1/flow", "m3/h", 3600)
    assert raw["time"][0] == "2023-11-14T22:13:20.000000000Z"
    few = json.loads(ask(data, "--signal", "flow", "--points", "50", "--json").output)["items"][0]
    assert len(few["value"]) <= 100 and {0.0, 3599.0} <= set(few["value"])
    mean = ask(data, "--signal", "flow", "--start", "2023-11-14T22:13:20Z", "--interval", "10 min")
    assert mean.exit_code == 0 and "299.5" in mean.output and "2023-11-14T22:13:20.000000000Z" in mean.output


def test_csv_goes_to_a_file_or_the_output(data, tmp_path):
    file = tmp_path / "out.csv"
    assert ask(data, "--signal", "*flow", "--csv", str(file)).exit_code == 0
    assert len(file.read_text().splitlines()) == 3601
    assert ask(data, "--signal", "*flow", "--csv", "-").stdout == file.read_text()


def test_nothing_found_and_wrong_use_are_told_by_the_exit_code(data):
    assert ask(data, "--signal", "speed").exit_code == 1
    assert ask(data, "--signal", "flow", "--points", "9", "--interval", "1s").exit_code == 2
    assert ask(data, "--signal", "flow", "--start", "yesterday").exit_code == 2
    unknown = ask(data, "--signal", "flux")
    assert unknown.exit_code != 0 and "flux" in str(unknown.exception)


def test_a_twin_that_left_its_note_behind_is_not_waited_for(data):
    data.run.write_text(json.dumps({"pid": 1, "url": "http://127.0.0.1:9", "bus": "", "plant": "", "started": 0}))
    assert len(json.loads(ask(data, "--signal", "flow", "--json").output)["items"][0]["value"]) == 3600


def test_parquet_and_arrow_go_to_a_file(data, tmp_path):
    file = tmp_path / "out.parquet"
    assert ask(data, "--signal", "*flow", "--parquet", str(file)).exit_code == 0
    assert pq.read_table(file)["value"].to_pylist() == list(range(3600))
    stream = tmp_path / "out.arrows"
    assert ask(data, "--signal", "*", "--start", "2023-11-14", "--arrow", str(stream)).exit_code == 0
    assert pa.ipc.open_stream(stream.read_bytes()).read_all().num_rows == 3600
    assert ask(data, "--signal", "*", "--arrow", "a", "--csv", "b").exit_code == 2


def test_signals_stand_side_by_side(data, tmp_path):
    given = ("--signal", "flow", "--signal", "speed", "--start", "2023-11-14T22:13:20Z", "--how", "mean", "--interval", "1200 s")
    lines = ask(data, *given).output.splitlines()
    assert lines[0] == "time,flow,flow.status,speed,speed.status"
    assert lines[1] == "2023-11-14T22:13:20.000000000Z,599.5,Good,,BadNoData"
    assert len(lines) == 4
    assert ask(data, *given, "--csv", str(tmp_path / "a.csv")).exit_code == 0
    assert (tmp_path / "a.csv").read_text().splitlines() == lines
    joined = ask(data, "--signal", "flow", "--start", "2023-11-14T22:13:20Z", "--how", "last", "--on", "flow").output
    assert len(joined.splitlines()) == 3601
    assert ask(data, "--signal", "flow", "--on", "flow").exit_code == 2


def test_find_tells_paths_and_what_it_looked_at(data):
    def find(*options):
        return CliRunner().invoke(find_command.command, ["nowhere", "--data", str(data.data), *options])

    assert json.loads(find("--where", "flow>3000", "--json").output)["items"][0]["flow"] == 3599.0
    assert find("--type", "Pump").output.startswith("acme/site/pump-1")
    assert find("--where", "flow<0").exit_code == 1
    assert find("--quality", "stale").exit_code == 1 and find("--quality", "good").exit_code == 0
