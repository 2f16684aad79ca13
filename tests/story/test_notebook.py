"""A notebook beside a running twin, and after it: the same answers in a line, and a data frame judged as live readings were."""

import contextlib
import json
import subprocess
import sys

import pandas
import pytest
from certificate_kit import self_signed
from story_kit import child, end, free_port

import gemel
from gemel.bench.site import running, wait
from gemel.history import Reader

PLANT = """
plant: test/kiln
clock: data
connections: {field: {mqtt: "mqtt://127.0.0.1:9"}}
types:
  Kiln:
    source: {from: field, topic: "kiln/{signal}", path: "$.v", time: "$.t"}
    signals:
      heat: {unit: degC, range: [0, 1200], interval: 1 s, alarm: {high: 1150, delay: 2 s}}
      draught: {unit: Pa, interval: 1 s}
    parameters: {volume: {unit: m3}}
  Stack: {signals: {smoke: {unit: "1"}}}
assets:
  kiln-1: {type: Kiln, parameters: {volume: 3 m3}}
  stack-1: {type: Stack}
relations: [kiln-1 feeds stack-1]
"""
SPAN = ("2024-05-01", "2024-05-02")


@pytest.fixture(scope="module")
def frame():
    n = 600
    times = pandas.date_range("2024-05-01T08:00:00Z", periods=n, freq="s")
    heat = [900.0 + i / 2 for i in range(n)]
    heat[100] = 5000.0
    return pandas.DataFrame({"time": times, "heat": heat, "draught": [i / 4 for i in range(n)]})


def same(a, b):
    columns = ["signal", "unit", "time", "value", "status"]
    return a.arrow.select(columns).to_pydict() == b.arrow.select(columns).to_pydict()


def test_a_running_twin_its_data_and_a_frame_say_the_same(tmp_path, frame, monkeypatch):
    monkeypatch.setenv("GEMEL_DATA", str(tmp_path / "home"))
    plant, data = tmp_path / "plant", tmp_path / "data"
    plant.mkdir()
    (plant / "plant.yaml").write_text(PLANT)
    file = tmp_path / "day.csv"
    frame.assign(time=frame["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(file, index=False)
    with running(plant, data) as site:
        argv = [sys.executable, "-m", "gemel", "replay", str(plant), str(file), "--direct", "--data", str(data), "--json"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=180, check=True)
        assert json.loads(done.stdout.splitlines()[-1])["acknowledged"] == 1200
        with gemel.open(data) as inside, gemel.open(f"http://127.0.0.1:{site.settings.port}") as outside:
            assert wait(lambda: len(inside.history("heat", *SPAN)) == 600, 60), "rows are seen before they are in the lake"
            live = {t: (t.history("*kiln-1*", *SPAN), t.aligned(["heat", "draught"], *SPAN, on="heat", how="linear"),
                        t.history("heat", *SPAN, every="5min", aggregate="max"), t.history("heat", *SPAN, points=20)) for t in (inside, outside)}  # fmt: skip
            for mine, theirs in zip(live[inside], live[outside], strict=True):
                assert mine.arrow.equals(theirs.arrow)
            assert [v for v in live[inside][2]["value"] if v is not None] == [1049.5, 1199.5] and len(live[inside][3]) <= 45
            assert outside.state("test/kiln/kiln-1")["property"] == inside.state("test/kiln/kiln-1")["property"] == ["heat", "draught"]
            assert outside.state("test/kiln/kiln-1", at="2024-05-01T08:05:00Z")["value"] == [1050.0, 75.0]
            for twin in (inside, outside):
                assert twin.find(type="Kiln", where="heat>1000").arrow.to_pylist()[0]["heat"] == 1199.5
                assert twin.find(downstream_of="test/kiln/kiln-1")["name"] == ["stack-1"]
                assert wait(lambda: "AlarmRaised" in twin.facts("AlarmRaised")["kind"], 60)
            whole = live[inside][0]
            (plant / "plant.yaml").write_text(PLANT.replace("relations:", "  stack-2: {type: Stack}\nrelations:"))
            subprocess.run([sys.executable, "-m", "gemel", "plan", str(plant), "--apply", "--data", str(data)], timeout=180, check=True)
            for twin in (inside, outside):
                assert wait(lambda: "stack-2" in twin.find(type="Stack")["name"], 60), "a changed plant is followed while one looks"
                assert same(twin.history("*kiln-1*", *SPAN), whole)
        with pytest.raises(gemel.GemelError, match="plant"):
            gemel.open(f"http://127.0.0.1:{site.settings.port}").condition(frame)
    with gemel.open(data) as after:
        assert same(after.history("*kiln-1*", *SPAN), whole)
        assert after.state("test/kiln/kiln-1")["value"] == [1199.5, 149.75]
        assert after.state("test/kiln/kiln-1", at="2024-05-01T08:05:00Z")["value"] == [1050.0, 75.0]
        with pytest.raises(gemel.GemelError) as told:
            after.facts()
        assert told.value.code == "twin-away"
    alone = gemel.open(plant)
    judged = alone.condition(frame)
    assert same(judged, whole), "a frame is judged as the same readings were live"
    assert judged.notes["counts"]["out_of_range"] == 1
    again = alone.replay(frame)
    assert same(again.rows, whole)
    assert again.facts["kind"].count("AlarmRaised") == 1
    assert again.state["value"] == [1199.5, 149.75]


def test_a_certificate_of_its_own_hides_no_reading(tmp_path):
    """Over TLS with a self-signed certificate the commands once read the lake alone, and missed what was not yet in it."""
    plant, data = tmp_path / "plant", tmp_path / "data"
    plant.mkdir()
    (plant / "plant.yaml").write_text(PLANT)
    certificate, key = self_signed(tmp_path)
    port = free_port()
    running = child(tmp_path / "said", "run", plant, "--data", data, "--port", port, "--tls-certificate", certificate, "--tls-key", key,
                    GEMEL_RESERVE_BYTES=str(1 << 30))  # fmt: skip
    try:
        url = f"https://127.0.0.1:{port}"

        def up():
            with contextlib.suppress(gemel.GemelError), gemel.open(url, ca=certificate) as twin:
                return twin.now is not None

        assert wait(up, 60), (tmp_path / "said").read_text()
        sent = 0

        def seen_before_it_is_stored(twin, lake):
            """Send another reading; tell whether it is answered while the lake does not have it yet."""
            nonlocal sent
            file = tmp_path / f"{sent}.csv"
            file.write_text(f"time,heat,draught\n2024-05-01T08:00:{sent:02d}Z,900,1\n")
            argv = [sys.executable, "-m", "gemel", "replay", str(plant), str(file), "--direct", "--data", str(data)]
            subprocess.run(argv, capture_output=True, timeout=180, check=True)
            sent += 1
            assert wait(lambda: len(twin.history("heat", *SPAN)) == sent, 60)
            return lake.rows_count() < 2 * sent

        with gemel.open(data) as twin, Reader(data / "lake") as lake:
            assert wait(lambda: seen_before_it_is_stored(twin, lake), 60)

        def lines(*where):
            argv = [sys.executable, "-m", "gemel", "history", *map(str, where), "--signal", "heat", "--start", SPAN[0], "--end", SPAN[1], "--csv", "-"]
            return subprocess.run(argv, capture_output=True, text=True, timeout=180).stdout.splitlines()

        assert len(lines(plant, "--data", data)) == sent + 1
        assert lines(url, "--ca", certificate) == lines(plant, "--data", data)
    finally:
        end(running)
