"""`gemel replay` sends every row through a real broker once, as the plant file says it looks."""

import json
import subprocess
import sys

import numpy as np
import pytest
from mosquitto_kit import program

from gemel.connect.files import TIME, Files

PLANT = """
plant: acme/lab
clock: data
connections:
  field: {mqtt: "mqtt://127.0.0.1:1883", version: 5}
types:
  Rig:
    source: {from: field, topic: "lab/{asset}", time: "$.time", time_unit: s}
    signals:
      current: {unit: A, range: [0, 50]}
      flow: {unit: L/min, range: [0, 200]}
assets:
  rig:
    type: Rig
    at: loop
    signals:
      current: {path: "$.Current"}
      flow: {path: '$["Volume Flow RateRMS"]'}
"""


def replay(*argv):
    run = subprocess.run([sys.executable, "-c", "from gemel.cli import main; main()", "replay", *map(str, argv)],
                         capture_output=True, timeout=120, text=True)  # fmt: skip
    return run


@pytest.fixture
def plant(tmp_path):
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "plant.yaml").write_text(PLANT)
    return folder


def listener(broker, topic):
    base = [program("mosquitto_sub"), "-p", str(broker.port), "-V", "5", "-t", topic, "-q", "1", "-c", "-i", "ear", "-x", "3600"]
    subprocess.run([*base, "-E"], check=True, timeout=10)

    def hear(count):
        out = subprocess.run([*base, "-C", str(count), "-W", "60"], capture_output=True, timeout=90, check=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    return hear


def test_the_rows_of_the_real_rig_arrive_once_in_order_of_time(plant, skab, mosquitto):
    """Two days of SKAB, files given in a strange order: a foreign client hears each row, value and time exact."""
    paths = [skab / "valve1" / "1.csv", skab / "valve1" / "0.csv", skab / "anomaly-free" / "anomaly-free.csv"]
    expected = Files(paths)
    hear = listener(mosquitto, "lab/rig")
    run = replay(plant, *paths, "--speed", "max", "--broker", mosquitto.url, "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["rows"] == report["sent"] == report["acknowledged"] == expected.length > 11_000
    assert report["values"] == 2 * expected.length
    assert report["topics"] == ["lab/rig"]
    assert report["columns"] == ["Current", "Volume Flow RateRMS"]
    assert "Thermocouple" in report["left_over"]
    assert "replay" not in run.stderr, "no progress bar into a pipe"
    heard = hear(expected.length)
    rows = [row for chunk in expected.chunks() for row in chunk.to_pylist()]
    assert [h["time"] * 10**9 for h in heard] == [r[TIME] for r in rows]
    assert [h["Current"] for h in heard] == [r["Current"] for r in rows]
    assert [h["Volume Flow RateRMS"] for h in heard] == [r["Volume Flow RateRMS"] for r in rows]


def test_pauses_are_shortened_and_the_speed_is_held(plant, mosquitto, tmp_path):
    """Ten rows a second apart at 20x, with a pause of a day: half a second and one pause of 0.2 s."""
    file = tmp_path / "x.csv"
    times = np.r_[np.arange(10), 86_400 + np.arange(2)] + 1_583_748_873
    file.write_text("time,flow\n" + "".join(f"{t},{i}\n" for i, t in enumerate(times)))
    run = replay(plant, file, "--speed", "20", "--max-pause", "0.2s", "--broker", mosquitto.url, "--json", "--map", "flow=rig/flow")
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["acknowledged"] == 12
    assert 0.65 <= report["seconds"] < 3
    assert (report["first"], report["last"][:10]) == ("2020-03-09T10:14:33.000000000Z", "2020-03-10")


def test_wrong_use_is_said_with_what_to_do(plant, tmp_path):
    from gemel.bus.server import free_port

    file = tmp_path / "x.csv"
    file.write_text("time,strange\n1583748873,1\n")
    nobody = f"mqtt://127.0.0.1:{free_port()}"
    for argv, word in (
        ([plant, file, "--broker", nobody], "--map COLUMN=SIGNAL"),
        ([plant, file, "--map", "strange=rig/none"], "no signal"),
        ([plant, file, "--connection", "other"], "no MQTT connection"),
        ([plant, file, "--speed", "-1"], "is no speed"),
        ([plant, file, "--map", "x"], "COLUMN=SIGNAL"),
    ):
        run = replay(*argv)
        assert run.returncode == 2, argv
        assert word in run.stderr
        assert "Traceback" not in run.stderr


def test_help_ends_with_an_example():
    run = replay("--help")
    assert run.returncode == 0
    assert "Example: gemel replay" in run.stdout.splitlines()[-1]
