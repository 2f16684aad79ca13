"""Export and the command: every reading once, times to the nanosecond, from the lake or from a running twin."""

import csv
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from click.testing import CliRunner

from gemel.cli.history import command
from gemel.history import Exported, Reader, Store, export_csv, walk
from gemel.operate.places import Places
from gemel.samples import Batch, Registry
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
        {"signal": "acme/odd", "unit": "", "time": "2023-11-14T22:13:20.123456789Z", "value": "", "status": "BadOutOfRange (high)"},
        {"signal": "acme/odd", "unit": "", "time": "2023-11-14T22:13:20.123456790Z", "value": "0.30000000000000004", "status": "Good"},
    ]


@pytest.fixture
def data(tmp_path):
    """A twin's data directory with some history, and nobody running."""
    places = Places(tmp_path / "data")
    places.make()
    registry = Registry.of([{"path": "acme/site/pump-1/flow", "unit": "m3/h"}, {"path": "acme/site/pump-1/speed", "unit": "rpm"}])
    places.registry.write_bytes(registry.to_bytes())
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


class Twin(BaseHTTPRequestHandler):
    """Answers as a running twin would, in two pages, and keeps what it was asked."""

    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        if "/health" in self.path:
            body = {"plant_time": "2023-11-14T22:13:20.5Z"}
        elif "format=csv" in self.path:
            return self.send(b"time,value,status\n2023-11-14T22:13:20.000000000Z,1.5,Good\n")
        else:
            last = "start=1970-01-01T00:00:09.000000000Z" in self.path.replace("%3A", ":")
            body = {"time": [9.25 if last else 1.5], "value": [None if last else 2.0], "status": [0], "next": None if last else "1970-01-01T00:00:09.000000000Z"}
        self.send(json.dumps(body).encode())

    def send(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def running(data):
    with HTTPServer(("127.0.0.1", 0), Twin) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        data.run.write_text(json.dumps({"pid": 1, "url": url, "bus": "", "plant": "", "started": 0}))
        yield data
        server.shutdown()
        thread.join()


def test_a_running_twin_is_asked_page_by_page(running):
    found = json.loads(ask(running, "--signal", "flow", "--json").output)["items"][0]
    assert found["time"] == ["1970-01-01T00:00:01.500000000Z", "1970-01-01T00:00:09.250000000Z"]
    assert found["value"] == [2.0, None]
    assert ask(running, "--signal", "flow", "--interval", "2h", "--aggregate", "max").exit_code == 0
    assert "interval=2h&aggregate=max" in Twin.asked[-2]
    assert ask(running, "--signal", "flow", "--csv", "-").stdout.splitlines()[1] == "acme/site/pump-1/flow,m3/h,2023-11-14T22:13:20.000000000Z,1.5,Good"


def test_a_twin_that_left_its_note_behind_is_not_waited_for(data):
    data.run.write_text(json.dumps({"pid": 1, "url": "http://127.0.0.1:9", "bus": "", "plant": "", "started": 0}))
    assert len(json.loads(ask(data, "--signal", "flow", "--json").output)["items"][0]["value"]) == 3600
