"""`gemel init`: what it writes passes `gemel check`, and its sources take up the very messages it saw."""

import csv
import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gemel.assets import check
from gemel.cli import group
from gemel.connect.columns import match_columns
from gemel.connect.files import Files
from gemel.connect.payload import Decoder
from gemel.connect.plan import compile_plan


def init(*args):
    return CliRunner().invoke(group, ["init", *map(str, args)])


def drafted(folder):
    plant, problems = check(folder)
    assert plant is not None, [str(p) for p in problems]
    return plant


class Devices:
    """Sends the same messages again and again, until it is stopped."""

    def __init__(self, port, messages, user=None):
        self.messages = messages
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="devices")
        if user:
            self.client.username_pw_set(*user)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._send)

    def _send(self):
        turn = 0
        while not self.over.wait(0.1):
            turn += 1
            for topic, payload in self.messages(turn):
                self.client.publish(topic, payload if isinstance(payload, str | bytes) else json.dumps(payload))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.client.disconnect()
        self.client.loop_stop()


def iso(turn):
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def station(turn):
    for pump in ("pump-1", "pump-2"):
        yield f"station/{pump}/speed_rpm", {"value": 1000.5 + turn, "time": iso(turn)}
        yield f"station/{pump}/running", {"value": ["stopped", "running"][turn % 2], "time": iso(turn)}
    yield "tank", {"ts": time.time(), "level": {"value": 3.5, "unit": "m"}, "temp_degC": 12, "note": "all well"}
    yield "Hall 3/door", str(turn % 2)
    yield "blob", b"\x00\xff\xfe"


def test_topics_become_assets_and_their_messages_are_understood(tmp_path, mosquitto):
    with Devices(mosquitto.port, station):
        done = init(mosquitto.url, "--out", tmp_path / "plant", "--listen", 2, "--plant", "acme/works")
    assert done.exit_code == 0, done.output
    plant = drafted(tmp_path / "plant")
    assert plant.root == "acme/works"
    assert plant.clock == "wall"
    registry = plant.registry()
    rows = {row["path"].removeprefix("acme/works/"): row for row in registry.table.to_pylist()}
    assert set(rows) == {
        "station/pump-1/speed", "station/pump-1/running", "station/pump-2/speed", "station/pump-2/running",
        "tank/level", "tank/temp", "Hall-3/door",
    }  # fmt: skip
    assert (rows["station/pump-1/speed"]["unit"], rows["tank/level"]["unit"], rows["tank/temp"]["unit"]) == ("rpm", "m", "degC")
    assert sorted(rows["station/pump-2/running"]["states"]) == ["running", "stopped"]
    assert len({plant.template(plant.assets.find(f"acme/works/station/pump-{n}")) for n in (1, 2)}) == 1
    assert "blob" in done.output
    messages = [(topic, payload if isinstance(payload, bytes) else payload.encode() if isinstance(payload, str) else json.dumps(payload).encode(), time.time_ns()) for topic, payload in station(7)]
    batch, refused = Decoder(compile_plan(plant.sources("field", registry), registry)).decode(messages)
    assert len(batch) == 7
    assert set(refused.counts) == {"unknown_topic"}


def test_only_the_topics_that_are_named_are_looked_at(tmp_path, mosquitto):
    with Devices(mosquitto.port, lambda turn: [(f"hall-{i}/pump/speed", str(turn)) for i in (1, 2, 3)]):
        done = init(mosquitto.url, "--out", tmp_path / "plant", "--listen", 1, "--topic", "hall-1/#", "--topic", "hall-3/+/speed")
    assert done.exit_code == 0, done.output
    assert sorted(drafted(tmp_path / "plant").assets.at) == ["hall-1", "hall-3"]
    for wrong in ("hall#", "#/speed", ""):
        assert init(mosquitto.url, "--out", tmp_path / "other", "--topic", wrong).exit_code == 2
    (tmp_path / "a.csv").write_text("time,v\n")
    assert init(tmp_path / "a.csv", "--out", tmp_path / "other", "--topic", "a/#").exit_code == 2


def test_intervals_are_measured(tmp_path, mosquitto):
    with Devices(mosquitto.port, lambda turn: [("a/b/c", {"v": turn, "t": 1_700_000_000 + 5 * turn})]):
        assert init(mosquitto.url, "--out", tmp_path / "plant", "--listen", 1).exit_code == 0
    plant = drafted(tmp_path / "plant")
    [signal] = plant.templates[0].signals
    assert signal.interval_ns == 5_000_000_000
    assert plant.clock == "data"  # the times are of 2023


def test_a_broker_with_a_password_gets_a_secret_by_reference(tmp_path, mosquitto_with, monkeypatch):
    broker = mosquitto_with(passwords={"twin": "hunter2"})
    monkeypatch.setenv("GEMEL_SECRET_FIELD", "hunter2")
    with Devices(broker.port, lambda turn: [("a/b/c", str(turn))], user=("twin", "hunter2")):
        done = init(broker.url, "--out", tmp_path / "plant", "--listen", 1, "--user", "twin")
    assert done.exit_code == 0, done.output
    text = (tmp_path / "plant" / "plant.yaml").read_text()
    assert "hunter2" not in text
    assert drafted(tmp_path / "plant").connections["field"].options == {"user": "twin", "password": {"secret": "field"}}
    assert "GEMEL_SECRET_FIELD" in done.output


def test_a_broker_that_speaks_311_only_is_written_down_as_such(tmp_path, nats_gateway):
    with Devices(nats_gateway.port, lambda turn: [("a/b/c", str(turn))]):
        done = init(f"127.0.0.1:{nats_gateway.port}", "--out", tmp_path / "plant", "--listen", 1)
    assert done.exit_code == 0, done.output
    assert drafted(tmp_path / "plant").connections["field"].options == {"version": "3.1.1"}


def test_a_silent_broker_ends_with_1_and_writes_nothing(tmp_path, mosquitto):
    done = init(mosquitto.url, "--out", tmp_path / "plant", "--listen", 0.3)
    assert done.exit_code == 1
    assert "0 messages of 0 topics" in done.output
    assert not (tmp_path / "plant").exists()


def test_what_is_neither_broker_nor_file_ends_with_2(tmp_path):
    assert init("nowhere.csv", "--out", tmp_path / "plant").exit_code == 2
    assert init("a.csv", "--plant", "one", "--out", tmp_path / "plant").exit_code == 2


def test_a_plant_that_is_there_is_not_written_over(tmp_path):
    (tmp_path / "plant.yaml").write_text("mine")
    assert "is there already" in str(init("127.0.0.1:1", "--out", tmp_path).exception)
    assert (tmp_path / "plant.yaml").read_text() == "mine"


def write_csv(file, rows, delimiter=";"):
    with file.open("w", newline="") as out:
        csv.writer(out, delimiter=delimiter).writerows(rows)
    return file


BEGAN = datetime(2020, 3, 9, 10, 0, tzinfo=UTC)


def test_columns_become_signals_that_replay_finds_again(tmp_path):
    (tmp_path / "loop").mkdir()
    head = ["datetime", "Volume Flow RateRMS", "Temperature (degC)", "Mode", "Remark"]
    rows = [[str(BEGAN + timedelta(seconds=2 * i))[:19], 32 + i / 10, 20.5, ["auto", "hand"][i % 2], f"row {i}"] for i in range(20)]
    a = write_csv(tmp_path / "loop" / "1.csv", [head, *rows[:10]])
    b = write_csv(tmp_path / "loop" / "2.csv", [[*head, "Pressure_bar"], *[[*row, 1.5] for row in rows[10:]]])
    done = init(a, b, "--out", tmp_path / "plant")
    assert done.exit_code == 0, done.output
    plant = drafted(tmp_path / "plant")
    assert plant.clock == "data"
    registry = plant.registry()
    units = {row["path"]: (row["unit"], row["states"]) for row in registry.table.to_pylist()}
    assert units == {
        "my/plant/loop/volume_flow_rate_rms": ("1", []), "my/plant/loop/temperature": ("degC", []),
        "my/plant/loop/mode": ("1", ["auto", "hand"]), "my/plant/loop/pressure": ("bar", []),
    }  # fmt: skip
    assert {s.interval_ns for s in plant.templates[0].signals} == {2_000_000_000}
    assert "Remark" in done.output
    matched = match_columns(Files((a, b)).names, plant.sources("field", registry), registry)
    assert set(matched.row_of) == {"Volume Flow RateRMS", "Temperature (degC)", "Mode", "Pressure_bar"}


def test_parquet_is_read_too(tmp_path):
    times = pa.array([BEGAN + timedelta(minutes=i) for i in range(5)], pa.timestamp("ms", tz="UTC"))
    pq.write_table(pa.table({"when": times, "power_kW": [1.0, 2, 3, 4, 5]}), tmp_path / "meter-7.parquet")
    assert init(tmp_path / "meter-7.parquet", "--out", tmp_path / "plant").exit_code == 0
    plant = drafted(tmp_path / "plant")
    assert plant.registry().paths == ["my/plant/meter-7/power"]
    [power] = plant.templates[0].signals
    assert (power.unit, power.interval_ns) == ("kW", 60_000_000_000)


def test_a_file_without_numbers_ends_with_1(tmp_path):
    file = write_csv(tmp_path / "a.csv", [["time", "remark"], *[[str(BEGAN + timedelta(seconds=i))[:19], f"row {i}"] for i in range(3)]])
    done = init(file, "--out", tmp_path / "plant")
    assert done.exit_code == 1
    assert "remark" in done.output


@pytest.mark.parametrize("assets", [3, 60])
def test_a_large_fleet_is_a_table(tmp_path, mosquitto, assets):
    with Devices(mosquitto.port, lambda turn: [(f"line-{i % 2}/meter-{i}/power", str(turn)) for i in range(assets)]):
        assert init(mosquitto.url, "--out", tmp_path / "plant", "--listen", 1).exit_code == 0
    plant = drafted(tmp_path / "plant")
    assert len(plant.assets) == assets
    assert len(list((tmp_path / "plant").glob("*.csv"))) == (assets > 50)
    assert {t.split("/")[1] for t in plant.sources("field", plant.registry()).topic} == {f"meter-{i}" for i in range(assets)}


def test_two_assets_of_one_name_are_told_apart_by_their_place(tmp_path, mosquitto):
    with Devices(mosquitto.port, lambda turn: [(f"line-{i}/pump/speed", str(turn)) for i in (1, 2)]):
        assert init(mosquitto.url, "--out", tmp_path / "plant", "--listen", 1).exit_code == 0
    plant = drafted(tmp_path / "plant")
    assert plant.assets.paths == ["my/plant/line-1/pump", "my/plant/line-2/pump"]
    assert sorted(plant.sources("field", plant.registry()).topic) == ["line-1/pump/speed", "line-2/pump/speed"]
