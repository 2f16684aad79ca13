"""A twin's parameters are fitted to its own history, released as a fact, and rolled back by one command."""

import json

import numpy as np
from story_kit import Face, add_person, gemel

from gemel.assets import load
from gemel.bench.site import running, wait
from gemel.dynamics.fixed import trajectory
from gemel.operate.machine import machine_of, parameters_to

ASSET = "benchmark/cascaded-tanks/bench/rig"
BEGAN = 1_714_550_400  # 2024-05-01T08:00:00Z
STEPS = 500
TRUTH = {"k3": 0.061, "k4": 0.047}


def lived(path, machine):
    """Write what a rig with other parameters than the plant file's would have sent."""
    rng = np.random.default_rng(4)
    u = 2.6 + np.repeat(rng.uniform(-1, 1, STEPS // 25), 25)[:, None]
    _, y = trajectory(machine.model, np.array([4.0, 4.0]), u, parameters_to(machine, TRUTH), 4.0)
    y = np.asarray(y)[:, 0] + 0.01 * rng.standard_normal(STEPS)
    rows = "".join(f"{BEGAN + 4 * i},{u[i, 0]:.6f},{y[i]:.6f}\n" for i in range(STEPS))
    path.write_text("time_s,u_pump_V,y_level_V\n" + rows)
    return path


def test_parameters_follow_the_history_by_a_fact_and_go_back_by_one(tmp_path):
    from pathlib import Path

    plant, data = Path(__file__).resolve().parents[2] / "examples/cascaded-tanks", tmp_path / "data"
    machine = machine_of(load(plant), ASSET)
    with running(plant, data) as site:
        told = gemel("replay", plant, lived(tmp_path / "day.csv", machine), "--direct", "--data", data)
        assert told.returncode == 0, told.stderr
        fit = ["calibrate", plant, "--data", data, "--start", "2024-05-01T08:00:00Z", "--end", "2024-05-01T09:00:00Z", "--first", "0.6"]
        which = ["--parameter", "k3", "--parameter", "k4", "--starts", "1", "--json"]
        done = gemel(*fit, *which, "--release", "--reason", "the rig changed", timeout=240)
        assert done.returncode == 0, done.stderr + done.stdout
        told = json.loads(done.stdout)
        for name, value in TRUTH.items():
            assert abs(told["parameters"][name]["value"] / value - 1) < 0.02
        assert told["gate"]["passed"]
        assert told["released"]["version"] == 1
        face = Face(site.settings.port)
        (fact,) = face.facts("ParametersReleased")
        assert fact["subject"] == ASSET and fact["reason"] == "the rig changed"
        assert fact["body"]["intervals"]["k3"][0] < TRUTH["k3"] < fact["body"]["intervals"]["k3"][1]
        assert fact["body"]["data"]["readings"] == STEPS * 6 // 10
        again = gemel(*fit, *which, "--release", timeout=240)
        refused = json.loads(again.stdout)
        assert again.returncode == 1
        assert (refused["champion"], refused["gate"]["passed"]) == (1, False), "it is no better than what is in force"
        queued = gemel(*fit[:-2], *which, "--job", timeout=240)
        assert queued.returncode == 0, queued.stderr
        assert json.loads(queued.stdout)["champion"] == 1
        back = gemel("calibrate", plant, "--data", data, "--roll-back", "--reason", "a trial", "--json")
        assert json.loads(back.stdout)["version"] == 0, back.stderr
        (gone,) = face.facts("ParametersRolledBack")
        assert gone["body"]["released"] == fact["seq"]
        over_http(site)


def over_http(site):
    """The same over HTTP: an engineer asks, waits, puts in force what he knows the version of, and takes it back."""
    emil = Face(site.settings.port, add_person(site.places.data, "emil", "engineer"))
    span = {"start": "2024-05-01T08:00:00Z", "end": "2024-05-01T09:00:00Z"}
    status, job = emil.post(f"assets/{ASSET}/calibrations", **span, parameters=["k3", "k4"], starts=1, title="by hand")
    assert (status, job["champion"]) == (202, 0), job
    assert wait(lambda: emil.get(f"calibrations/{job['id']}")["state"] not in ("queued", "running"), 120)
    done = emil.get(f"calibrations/{job['id']}")
    assert done["state"] == "done", done
    for name, value in TRUTH.items():
        assert abs(done["result"]["parameters"][name]["value"] / value - 1) < 0.02
    assert emil.post(f"assets/{ASSET}/calibrations", **span, parameters=["k3", "k4"], starts=1)[1]["state"] == "done", "it is remembered"
    asked = {"asset": ASSET, "calibration": job["id"], "reason": "the rig changed"}
    assert emil.post("releases", **asked, expected=7)[0] == 409
    status, told = emil.post("releases", **asked, expected=0)
    assert status == 200 and [r["state"] for r in told["items"]] == ["rolled_back", "in_force"]
    assert emil.facts("ParametersReleased")[-1]["actor"] == "emil"
    assert emil.post("releases/roll-back", asset=ASSET, reason="a trial")[0] == 200
