"""A plant whose machine is an FMU, from outside: up, what-ifs, another FMU applied while it runs, a back-up that holds it."""

import base64
import hashlib
import http.client
import json
import shutil
import time

import numpy as np
import pytest
from fmu_kit import FOLLOWED, PLANT, lag, plant
from heater_kit import ASSET, answered, band
from story_kit import Face, add_person, gemel, reads

from gemel.bench.site import running, wait
from gemel.operate.places import Places


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fmu")


@pytest.fixture(scope="module")
def site(folder):
    plant(folder / "plant")
    with running(folder / "plant", folder / "data") as found:
        shutil.rmtree(folder / "plant" / "models")  # what the twin goes on with is a copy of its own
        yield found


@pytest.fixture(scope="module")
def erna(site):
    face = Face(site.settings.port, add_person(site.places.data, "erna", "engineer"))
    reads(face, ASSET, supply=60.0, temperature=50.0)
    (kept,) = site.places.fmus.iterdir()
    face.first = kept.stem
    return face


def sent(port, person, data):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    head = {"Content-Type": "application/octet-stream", "Authorization": "Basic " + base64.b64encode(":".join(person).encode()).decode()}
    line.request("POST", "/api/v1/plant/fmus", data, head)
    reply = line.getresponse()
    told = json.loads(reply.read())
    line.close()
    return reply.status, told


def test_a_what_if_begins_with_what_the_machine_shows_and_has_bands(erna):
    job = answered(erna)
    assert job["state"] == "done", job
    baseline, warmer = band(job, 0), band(job, 1)
    assert baseline[0] == pytest.approx(273.15 + 50, abs=1e-6)
    assert baseline[-1] == pytest.approx(273.15 + 60, abs=0.3)
    assert warmer[-1] == pytest.approx(273.15 + 100, abs=1.5)
    assert band(job, 1, 4)[2] - band(job, 1, 0)[2] > 0.5


def test_a_calibration_by_the_command_line_finds_the_lag_and_judges_it_on_the_rest(tmp_path):
    rng = np.random.default_rng(5)
    supply, x = np.repeat(rng.uniform(20, 90, 20), 15), [40.0]
    for u in supply[:-1]:
        x.append(u + (x[-1] - u) * np.exp(-10 / 200))
    rows = "".join(f"{1_714_550_400 + 10 * i},{u:.6f},{v + 0.1 * rng.standard_normal():.6f}\n" for i, (u, v) in enumerate(zip(supply, x, strict=True)))
    (tmp_path / "day.csv").write_text("time_s,supply,temperature\n" + rows)
    done = gemel("calibrate", plant(tmp_path / "plant"), "--data", tmp_path / "day.csv", "--first", "0.6", "--starts", "1", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert told["parameters"]["lag"]["value"] == pytest.approx(200, rel=0.02)
    assert told["gate"]["passed"]


def test_the_command_line_gives_the_same_answer(site, erna):
    done = gemel("whatif", site.places.data, "--asset", ASSET, "--set", "u=+40", "--horizon", "10min", "--scenarios", "8", "--uncertain", "lag=10%", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["members"] == 8
    at = [w["name"] for w in told["watch"]].index("x")
    assert told["futures"][1]["bands"][at][2][-1] == pytest.approx(273.15 + 100, abs=1.5)


def test_another_fmu_is_sent_planned_and_applied_over_http_while_it_runs(site, erna, tmp_path):
    other = lag(tmp_path, body="return (m->gain * m->u + 10 - m->x) / (60.0 * m->lag);").read_bytes()
    digest = hashlib.sha256(other).hexdigest()
    files = {"plant.yaml": PLANT.format(head="plant: acme/site\n", followed="", temperature="", signals="", more=""), "fmus.csv": f"models/lag.fmu,{digest}\n"}
    status, told = erna.post("plant/plan", files=files)
    assert (status, told["code"]) == (422, "no-fmu")
    assert sent(site.settings.port, erna.person, b"no archive")[0] == 422
    status, told = sent(site.settings.port, erna.person, other)
    assert (status, told["digest"], told["kind"]) == (201, digest, "ModelExchange")
    status, told = erna.post("plant/plan", files=files)
    assert [s["words"] for s in told["steps"]] == ["changed FMU models/lag.fmu"], told
    assert erna.post("plant/apply", files=files)[1]["applied"]
    assert wait(lambda: erna.get("plant")["digest"] == told["digest"], 30)
    assert band(answered(erna), 0)[-1] == pytest.approx(273.15 + 70, abs=0.4)


def test_a_filter_over_it_applied_while_it_runs_tells_what_nothing_measures(site, erna):
    head = 'plant: acme/site\nconnections: {field: {mqtt: "mqtt://127.0.0.1:1883"}}\n'
    (kept,) = (f.stem for f in site.places.fmus.iterdir() if f.stem != erna.first)
    files = {"plant.yaml": PLANT.format(head=head, more="", **FOLLOWED), "fmus.csv": f"models/lag.fmu,{kept}\n"}
    assert erna.post("plant/apply", files=files)[1]["applied"]

    def told():
        now = time.time()
        erna.post_rows([{"path": f"{ASSET}/{n}", "time": now, "value": v} for n, v in (("temperature", 50.0), ("supply", 60.0))])
        return erna.shown(ASSET)["gain"]["value"] is not None

    assert wait(told, 120)
    gain = erna.get(f"state/{ASSET}?include=provenance")["properties"]["gain"]["provenance"]
    assert gain["sigma"] > 0
    assert gain["origin"]["by"] == "models/lag.fmu"
    assert gain["origin"]["version"].startswith(f"models/lag.fmu@{kept}@")


def test_a_back_up_holds_the_fmus_and_what_is_restored_answers(site, erna, folder):
    shutil.copytree(site.places.fmus, folder / "kept")
    assert gemel("backup", folder / "plant", "--data", site.places.data, "--to", folder / "vault", "--plain").returncode == 0
    done = gemel("restore", folder / "vault", "--data", folder / "again")
    assert done.returncode == 0, done.stderr
    restored = Places(folder / "again").fmus
    assert {f.name: f.read_bytes() for f in restored.iterdir()} == {f.name: f.read_bytes() for f in (folder / "kept").iterdir()}
    assert len(list(restored.iterdir())) == 2
    done = gemel("whatif", folder / "again", "--asset", ASSET, "--set", "u=+40", "--horizon", "10min", "--scenarios", "4", "--json")
    assert done.returncode == 0, done.stderr


def test_one_for_co_simulation_that_saves_its_state_follows_the_machine_too(site, erna, tmp_path):
    other = lag(tmp_path, "CoSimulation", saves=True, gain="tunable").read_bytes()
    status, told = sent(site.settings.port, erna.person, other)
    assert (status, told["kind"]) == (201, "CoSimulation")
    head = 'plant: acme/site\nconnections: {field: {mqtt: "mqtt://127.0.0.1:1883"}}\n'
    files = {"plant.yaml": PLANT.format(head=head, more="", **FOLLOWED), "fmus.csv": f"models/lag.fmu,{told['digest']}\n"}
    status, applied = erna.post("plant/apply", files=files)
    assert applied["applied"], applied

    def gain():
        now = time.time()
        erna.post_rows([{"path": f"{ASSET}/{n}", "time": now, "value": v} for n, v in (("temperature", 50.0), ("supply", 60.0))])
        found = erna.get(f"state/{ASSET}?include=provenance")["properties"]["gain"]
        return found if (found.get("provenance") or {}).get("origin", {}).get("version", "").startswith(f"models/lag.fmu@{told['digest']}@") else None

    assert wait(gain, 120)
    found = gain()
    assert 0 < found["provenance"]["sigma"] < 1
    assert 0.1 < found["value"] < 3
