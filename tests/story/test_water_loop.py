"""Real input: the SKAB rig's files through a real mosquitto into a running twin, at a hundred times real time.

The data are not ours to ship; where they are not, this is skipped.
"""

import csv
import json
import signal
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from story_kit import Face, child, end

from gemel.bench.site import running, wait

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "water-loop"
RIG = "skoltech/water-loop/bench/rig"
COLUMNS = {  # of the files, and the signals that the example makes of them
    "Accelerometer1RMS": "vibration_1", "Accelerometer2RMS": "vibration_2", "Current": "current", "Pressure": "pressure",
    "Temperature": "engine_temperature", "Thermocouple": "fluid_temperature", "Voltage": "voltage",
    "Volume Flow RateRMS": "flow",
}  # fmt: skip
BEAT_S, GAP_S, JITTER_S = 1.0, 5.0, 0.05


def cut(source, target, first, last):
    """Some lines of a file of the rig, as a file of its own; gives its rows as [(seconds since 1970, {signal: value})]."""
    lines = source.read_text().splitlines(keepends=True)
    target.write_text("".join([lines[0], *lines[first:last]]))
    with target.open() as file:
        return [
            (datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC).timestamp(), {s: float(row[c]) for c, s in COLUMNS.items()})
            for row in csv.DictReader(file, delimiter=";")
        ]


def expected_timing(rows):
    """Gaps and jitter as the glossary has them, counted from the file."""
    times = sorted(t for t, _ in rows)
    steps = [b - a for a, b in zip(times, times[1:])]
    gaps = sum(s > GAP_S * BEAT_S for s in steps)
    return gaps, sum(abs(s - BEAT_S) > JITTER_S for s in steps) - gaps


@contextmanager
def water_loop(tmp_path, broker):
    plant = tmp_path / "water-loop"
    plant.mkdir()
    text = (EXAMPLE / "plant.yaml").read_text()
    assert "mqtt://127.0.0.1:1883" in text
    (plant / "plant.yaml").write_text(text.replace("mqtt://127.0.0.1:1883", broker.url))
    with running(plant, tmp_path / "data") as site:
        yield plant, site


class Replay:
    """`gemel replay` as a process of its own."""

    def __init__(self, tmp_path, plant, files, *more):
        self.out = tmp_path / f"replay-{len(list(tmp_path.glob('replay-*')))}"
        self.process = child(self.out, "replay", plant, *files, "--json", *more)

    def report(self):
        assert self.process.wait(180) == 0, self.out.read_text()
        return json.loads(self.out.read_text().splitlines()[-1])


def everything(face):
    return {signal: face.rows(f"{RIG}/{signal}") for signal in COLUMNS.values()}


def assert_each_once(face, rows):
    """Every row sent is there once, with its value and the rig's own time, and nothing besides."""
    for signal in COLUMNS.values():
        sent = sorted((t, values[signal]) for t, values in rows)
        found = [(datetime.fromisoformat(t).timestamp(), v) for t, v, _ in face.rows(f"{RIG}/{signal}")]
        assert found == sent, signal


@pytest.fixture
def files(skab, tmp_path):
    """Two pieces of the rig's morning; in the second the logger slept for over a minute."""
    valve1 = skab / "valve1"
    with (valve1 / "2.csv").open() as file:
        times = [datetime.fromisoformat(row["datetime"]) for row in csv.DictReader(file, delimiter=";")]
    slept = max(range(1, len(times)), key=lambda i: times[i] - times[i - 1])
    assert (times[slept] - times[slept - 1]).total_seconds() > 60
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    rows = cut(valve1 / "1.csv", first, 1, 501), cut(valve1 / "2.csv", second, max(slept - 200, 1), slept + 200)
    return (first, second), rows


def test_a_real_rig_at_a_hundred_times_real_time(files, mosquitto, tmp_path):
    (first, second), (rows_1, rows_2) = files
    with water_loop(tmp_path, mosquitto) as (plant, site):
        face = Face(site.settings.port)
        assert wait(face.connected, 60)
        replay = Replay(tmp_path, plant, [second, first], "--speed", "100", "--max-pause", "2")
        report = replay.report()
        rows = rows_1 + rows_2
        assert (report["rows"], report["values"], report["acknowledged"]) == (len(rows), len(rows) * len(COLUMNS), report["sent"])
        assert set(report["left_over"]) == {"anomaly", "changepoint"}
        assert wait(lambda: all(len(face.rows(f"{RIG}/{s}")) >= len(rows) for s in COLUMNS.values()), 60)
        assert_each_once(face, rows)
        assert wait(lambda: all(face.quality()[0][f"{RIG}/{s}"]["stored"] >= len(rows) for s in COLUMNS.values()), 60)

        quality, _ = face.quality()
        gaps, jitter = expected_timing(rows)
        assert gaps == 2  # the hour between the files, and the logger's sleep
        assert jitter > 20  # the rig's clock leaves a second out now and then
        for signal in COLUMNS.values():
            told = quality[f"{RIG}/{signal}"]
            assert (told["gaps"], told["jitter"]) == (gaps, jitter), signal
            assert (told["received"], told["stored"], told["duplicate"]) == (len(rows), len(rows), 0)

        plant_time = datetime.fromisoformat(face.get("health")["plant_time"]).timestamp()
        assert max(t for t, _ in rows) <= plant_time < max(t for t, _ in rows) + 60, "plant time follows the rig"
        trend = face.get("history", signal=f"{RIG}/flow", start="2020-03-09T10:00:00Z", end="2020-03-09T12:00:00Z", points=200)
        assert trend["value"].count(None) >= 1, "a gap is drawn as a gap"
        assert [v for v in trend["value"] if v is not None]

        again = Replay(tmp_path, plant, [first], "--speed", "max").report()
        assert again["rows"] == len(rows_1)
        assert wait(lambda: all(face.quality()[0][f"{RIG}/{s}"]["duplicate"] >= len(rows_1) for s in COLUMNS.values()), 60)
        assert_each_once(face, rows)
        for signal in COLUMNS.values():
            told = face.quality()[0][f"{RIG}/{signal}"]
            assert (told["received"], told["stored"], told["duplicate"]) == (len(rows) + len(rows_1), len(rows), len(rows_1))


def test_the_twin_started_again_in_between_loses_nothing(files, mosquitto, tmp_path):
    (first, second), (rows_1, rows_2) = files
    with water_loop(tmp_path, mosquitto) as (plant, site):
        face = Face(site.settings.port)
        assert wait(face.connected, 60)
        replay = Replay(tmp_path, plant, [first, second], "--speed", "100", "--max-pause", "2")
        again = None
        try:
            assert wait(lambda: len(face.rows(f"{RIG}/flow")) > 50, 60)
            replay.process.send_signal(signal.SIGSTOP)  # a twin that takes long to end is not to miss the rest of the rows
            assert replay.process.poll() is None, "it was to be stopped while rows are under way"
            site.stop()
            replay.process.send_signal(signal.SIGCONT)
            again = site.again()
            replay.report()
            sent = len(rows_1) + len(rows_2)
            assert wait(lambda: all(len(face.rows(f"{RIG}/{s}")) >= sent for s in COLUMNS.values()), 60)
            assert_each_once(face, rows_1 + rows_2)
            quality, _ = face.quality()
            assert (quality[f"{RIG}/flow"]["gaps"], quality[f"{RIG}/flow"]["jitter"]) == expected_timing(rows_1 + rows_2)
        finally:
            end(replay.process)
            if again:
                again.stop()
