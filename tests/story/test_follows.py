"""Parameters follow their machine by themselves: as the plant's time goes by, calibrated, judged, proposed or released, and scored."""

from pathlib import Path

import numpy as np
from story_kit import Face, gemel

from gemel.assets import load
from gemel.bench.site import running, wait
from gemel.dynamics.fixed import trajectory
from gemel.operate.machine import machine_of, parameters_to

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/cascaded-tanks/plant.yaml"
ASSET = "benchmark/cascaded-tanks/bench/rig"
BEGAN = 1_714_550_400  # 2024-05-01T08:00:00Z
STEPS = 1500  # an hour and forty minutes
TRUTH = {"k3": 0.061, "k4": 0.047}


def plant_of(folder):
    """The example, of whose parameters two follow, each half hour."""
    text = EXAMPLE.read_text()
    others = ("k1", "k2", "drop", "bow", "twist", "bend")
    lines = [line.replace(" calibrate: true,", "") if line.strip().startswith(others) else line for line in text.splitlines()]
    text = "\n".join(lines).replace("    dynamics:", "    calibration: {every: 30 min, at: '00:00', window: 30 min}\n    dynamics:")
    folder.mkdir()
    (folder / "plant.yaml").write_text(text + "\n")
    return folder


def lived(folder, machine):
    """Write what a rig with other parameters than the plant file's would have sent: until 9:06, and until 9:40."""
    rng = np.random.default_rng(4)
    u = 2.6 + np.repeat(rng.uniform(-1, 1, STEPS // 25), 25)[:, None]
    _, y = trajectory(machine.model, np.array([4.0, 4.0]), u, parameters_to(machine, TRUTH), 4.0)
    y = np.asarray(y)[:, 0] + 0.01 * rng.standard_normal(STEPS)
    rows = [f"{BEGAN + 4 * i},{u[i, 0]:.6f},{y[i]:.6f}\n" for i in range(STEPS)]
    for name, some in (("first.csv", rows[:1000]), ("then.csv", rows[1000:])):
        (folder / name).write_text("time_s,u_pump_V,y_level_V\n" + "".join(some))


def test_a_machine_that_is_not_what_the_plant_file_says_is_followed_and_scored(tmp_path):
    plant, data = plant_of(tmp_path / "plant"), tmp_path / "data"
    lived(tmp_path, machine_of(load(plant), ASSET))

    def told(face, count):
        assert wait(lambda: len(face.facts("ModelJudged")) >= count, 180), face.get("calibrations")
        return face.facts("ModelJudged")[count - 1]["body"]

    with running(plant, data) as site:
        face = Face(site.settings.port)
        assert gemel("replay", plant, tmp_path / "first.csv", "--direct", "--data", data).returncode == 0
        first = told(face, 1)
        assert (first["due"], first["version"], first["decision"]) == ((BEGAN + 3600) * 1_000_000_000, 0, "proposed"), first
        assert face.get("releases", asset=ASSET)["items"] == [], "one sensor alone says so: a person must"
        assert "only " + ASSET + "/lower tells k" in gemel("release", plant, "--data", data).stdout
        assert gemel("release", plant, "rig", "--data", data).returncode == 2, "without a reason"
        done = gemel("release", plant, "rig", "--data", data, "--reason", "the gauge was checked")
        assert done.returncode == 0 and "version 1 is in force" in done.stdout, done.stderr
        (version,) = face.get("releases", asset=ASSET)["items"]
        assert version["state"] == "in_force" and version["by"] != "gemel"
        assert gemel("release", plant, "--data", data).stdout.strip() == "nothing is proposed"
        for name, value in TRUTH.items():
            assert abs(version["values"][name] / value - 1) < 0.02
        assert gemel("replay", plant, tmp_path / "then.csv", "--direct", "--data", data).returncode == 0
        then = told(face, 2)
        assert (then["version"], then["decision"]) == (1, "kept"), then
        assert then["fidelity"]["lower"] > 0.99 > first["fidelity"]["lower"]
        scores = face.get("fidelity", asset=ASSET)["items"]
        assert [(s["decision"], s["version"]) for s in scores] == [("proposed", 0), ("release", 1), ("kept", 1)]
        (job, _) = face.get("calibrations", asset=ASSET)["items"]
        assert (job["by"], job["state"], job["title"]) == ("gemel", "done", "follows the machine")
