"""The first day: what goes wrong then is said in words, with what to do about it, and an exit code for scripts."""

import csv
import json
import socket
from contextlib import contextmanager

import pytest
from story_kit import ALWAYS, Face, add_person, child, end, gemel

from gemel.bench.site import running, wait
from gemel.bus.server import free_port

ROOT = "test/first"
PLANT = """
plant: test/first
types:
  Rig:
    signals:
      level: {unit: m, range: [0, 10]}
      flow: {unit: m3/h}
assets:
  rig: {type: Rig, at: hall}
"""
LEVEL = f"{ROOT}/hall/rig/level"


def written(tmp_path, text=PLANT):
    folder = tmp_path / "plant"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.yaml").write_text(text)
    return folder


def said(done):
    return done.stdout + done.stderr


@contextmanager
def family(plant, data):
    with running(plant, data) as site:
        yield site, Face(site.settings.port, add_person(data, "olga", "operator"))


def send(face, *values):
    status, told = face.post_rows([{"signal": LEVEL, "time": f"2026-03-01T10:00:{n:02}Z", "value": v} for n, v in values])
    assert (status, told) == (200, {"accepted": len(values), "rejected": []})


def refused(done, *words):
    """A clean no: exit code 2, the words, what to do, and no traceback."""
    assert done.returncode == 2, said(done)
    assert "Traceback" not in said(done)
    for word in words:
        assert word in said(done)
    assert "\x1b[" not in said(done), "no colours in a pipe"


def test_the_second_start_goes_on_and_a_twin_that_runs_is_looked_into(tmp_path):
    plant, data = written(tmp_path), tmp_path / "data"
    doctor = gemel("doctor", "--data", data, "--json")
    assert doctor.returncode == 1
    told = json.loads(doctor.stdout)
    assert told["running"] is False and told["problems"][0]["code"] == "not-running" and told["problems"][0]["remedy"]

    with family(plant, data) as (site, face):
        first = (data / "run.log").read_text()
        for word in (str(data), str(data / "logs"), "kept: default", "stored in UTC", "systemd", face_url(site)):
            assert word in first
        send(face, (1, 1.5), (2, 2.5))
        assert wait(lambda: len(face.rows(LEVEL)) == 2, 60)

        assert wait(lambda: gemel("doctor", "--data", data).returncode == 0, 60), "all of it is up, and nothing waits"
        doctor = gemel("doctor", "--data", data, "--json")
        assert doctor.returncode == 0, doctor.stdout
        told = json.loads(doctor.stdout)
        assert told["running"] is True and told["problems"] == [] and told["status"] == "ok"
        assert {p["state"] for p in told["processes"].values()} == {"up"}
        assert "nothing is wrong" in gemel("doctor", "--data", data).stdout

        busy = gemel("run", plant, "--data", tmp_path / "other", "--port", site.settings.port)
        refused(busy, f"port {site.settings.port}", "is taken", "--port")
        changed = written(tmp_path / "second", PLANT + "title: Another\n")
        refused(gemel("run", changed, "--data", data, "--port", free_port()), "a twin runs on", str(data), "--data")
        settings = json.loads((data / "settings.json").read_text())
        assert (settings["port"], settings["plant"]) == (site.settings.port, str(plant)), "what it restarts with is left alone"
        assert "Another" not in (data / "applied" / "plant.yaml").read_text()
        assert wait(lambda: face.get("health")["status"] == "ok", 60), "the first one was not disturbed"
        assert face.rows(LEVEL)[-1][1] == 2.5

        answers = gemel("history", plant, "--data", data, "--signal", "rig/level", "--start", "2026-03-01", "--csv", "-")
        assert answers.returncode == 0 and "\x1b[" not in said(answers)
        lines = list(csv.DictReader(answers.stdout.splitlines()))
        assert [float(r["value"]) for r in lines] == [1.5, 2.5]
        assert [r["time"][:19] for r in lines] == ["2026-03-01T10:00:01", "2026-03-01T10:00:02"]

    assert gemel("doctor", "--data", data).returncode == 1
    out = tmp_path / "level.csv"
    exported = gemel("history", plant, "--data", data, "--signal", "rig/level", "--start", "2026-03-01", "--csv", out)
    assert exported.returncode == 0 and "2 readings" in exported.stderr
    assert list(csv.DictReader(out.read_text().splitlines())) == lines, "the same from the lake of a twin that is stopped"
    refused(gemel("history", plant, "--data", data, "--signal", "rig/colour"), "rig/colour", "lists them")

    with running(plant, data) as site:
        face = Face(site.settings.port)
        assert "goes on from what is there" in (data / "run.log").read_text()
        assert [v for _, v, _ in face.rows(LEVEL)] == [1.5, 2.5]
        assert wait(lambda: face.shown(f"{ROOT}/hall/rig")["level"]["value"] == 2.5, 60)


def face_url(site):
    return f"http://127.0.0.1:{site.settings.port}"


def test_a_changed_plant_file(tmp_path):
    plant, data = written(tmp_path), tmp_path / "data"
    with family(plant, data) as (_, face):
        send(face, (1, 1.0))
        assert wait(lambda: len(face.rows(LEVEL)) == 1, 60)

    for changed, words in (
        (PLANT.replace("      flow: {unit: m3/h}\n", ""), ("flow", "--accept-loss")),
        (PLANT.replace("unit: m,", "unit: kg,"), ("level", "kg", "--accept-loss")),
        (PLANT.replace("plant: test/first", "plant: test/second"), ("test/second", "undo these changes, or start with another --data")),
    ):
        assert changed != PLANT
        written(tmp_path, changed)
        refused(gemel("run", plant, "--data", data, "--port", free_port()), *words)

    written(tmp_path, PLANT.replace("      flow:", "      colour: {unit: '1'}\n      flow:"))
    with running(plant, data) as site:
        face = Face(site.settings.port)
        assert "new signal colour of hall/rig" in (data / "run.log").read_text()
        assert f"{ROOT}/hall/rig/colour" in {s["path"] for s in face.get("signals")["items"]}
        assert [v for _, v, _ in face.rows(LEVEL)] == [1.0], "history stands where it stood"
        assert len(face.facts("PlantApplied")) == 2

    written(tmp_path, PLANT.replace("range: [0, 10]", "rnage: [0, 10]"))
    refused(gemel("run", plant, "--data", data, "--port", free_port()), "plant.yaml:6", "rnage", "range")


def test_from_elsewhere_only_with_people(tmp_path):
    plant, data = written(tmp_path), tmp_path / "data"
    port = free_port()
    refused(gemel("run", plant, "--data", data, "--host", "0.0.0.0", "--port", port), "0.0.0.0", "gemel user add")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1)
    person, port = add_person(data, "emil", "engineer"), free_port()
    process = child(tmp_path / "said", "run", plant, "--data", data, "--host", "0.0.0.0", "--port", port, "--reserve", 1 << 30)
    try:
        assert wait(lambda: "page" in (tmp_path / "said").read_text() or process.poll() is not None, 180)
        assert process.poll() is None, (tmp_path / "said").read_text()
        assert Face(port).ask("GET", "assets")[0] == 401, "nobody looks without a log-in"
        assert Face(port, person).ask("GET", "assets")[0] == 200
    finally:
        assert end(process) == 0


def test_used_wrongly_it_says_how(tmp_path):
    refused(gemel("run", tmp_path / "nowhere"), "no plant file", "gemel init")
    refused(gemel("doctor"), "--data")
    refused(gemel("sing"), "sing")
    refused(gemel("history", written(tmp_path), "--data", tmp_path / "nothing"), "gemel run")
    for name in ("run", "demo", "replay", "history", "doctor", "check", "init", "bench", "user"):
        told = gemel(name, "--help")
        assert told.returncode == 0 and "Example" in told.stdout, name
        assert "\x1b[" not in told.stdout
