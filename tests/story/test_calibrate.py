"""A twin's parameters are fitted to its own history, released as a fact, and rolled back by one command."""

import json

import numpy as np
from story_kit import Face, gemel

from gemel.assets import load
from gemel.bench.site import running
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
        back = gemel("calibrate", plant, "--data", data, "--roll-back", "--reason", "a trial", "--json")
        assert json.loads(back.stdout)["version"] == 0, back.stderr
        (gone,) = face.facts("ParametersRolledBack")
        assert gone["body"]["released"] == fact["seq"]
