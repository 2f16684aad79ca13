"""A night that learns a first hybrid, from nothing: proposed, released by a person, in the estimates and in what-ifs, out of its range said so, and taken back."""

import os
from pathlib import Path

import numpy as np
import pytest
from bowed_kit import ASSET, PLANT, STEP, TRUTH, bow
from nights_story_kit import Nights

from gemel.bench.site import running, wait

NIGHT = 480  # readings: 80 minutes
INFLOW = 27.0  # l/s: between those that it has lived through
SOURCE = """\
    calibration: {every: 80 min, at: "00:00", window: 80 min, hybrid: true}
    estimates: {every: 10 s}
    source: {from: field, topic: "works/{asset}/{signal}", path: "$.value"}
    signals:
      height: {unit: m, dynamics: true}
"""
FOLLOWED = (
    PLANT.replace("types:\n", 'connections: {field: {mqtt: "mqtt://127.0.0.1:1883"}}\ntypes:\n').replace("    signals:\n", SOURCE)
    .replace("[0, 20], interval: 10 s", "[0, 20], interval: 10 s, stale_after: 1 min, accuracy: 0.02 m, estimated: {dynamics: true}")
)  # fmt: skip


@pytest.fixture
def nights(tmp_path, monkeypatch):
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "plant.yaml").write_text(FOLLOWED)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1] / "operate"), os.environ.get("PYTHONPATH", "")]))
    with running(tmp_path / "plant", tmp_path / "data") as site:
        yield Nights(site, ASSET, ("inflow", "level"), STEP)


def lived(nights, seed, many, inflow=None):
    """Live so many steps, at an inflow that jumps each 200 s, or at one [l/s]."""
    rng = np.random.default_rng(seed)
    flow = np.repeat(rng.uniform(14.0, 40.0, many // 20 + 1), 20)[:many] if inflow is None else np.full(many, inflow)
    fast, level = np.exp(-STEP * TRUTH["outflow"] / 1000 / TRUTH["area"]), [flow[0] / TRUTH["outflow"]]
    for q in flow[:-1]:
        level.append(q / TRUTH["outflow"] + (level[-1] - q / TRUTH["outflow"]) * fast)
    level = np.array(level)
    nights.lives(flow, level + bow(level) + 0.01 * rng.standard_normal(many))


def what_if(face):
    """Give the what-if of a steady inflow: its hybrids, and the level at the end."""
    status, job = face.post("scenarios", asset=ASSET, members=64, seed=1, horizon_s=3600, points=13, watch=["level"], scenarios=[
        {"name": "steady", "changes": [{"of": "inflow", "how": "set", "value": INFLOW, "unit": "l/s"}]}])  # fmt: skip
    assert status == 202, job
    assert wait(lambda: face.get(f"scenarios/{job['id']}")["state"] not in ("queued", "running"), 240)
    result = face.get(f"scenarios/{job['id']}")["result"]
    return result["hybrids"], result["futures"][1]["bands"][0][2][-1]


def expected(nights, holds):
    """Wait until what is expected of the level is so, and give it."""
    told = []

    def there():
        told[:] = nights.face.get("residuals")["items"]
        return bool(told) and holds(told[0])

    assert wait(there, 120, 0.2), told
    return told[0]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_night_learns_a_first_hybrid_that_estimates_and_what_ifs_answer_with_until_it_is_taken_back(nights):
    face, reading = nights.face, INFLOW / TRUTH["outflow"] + bow(INFLOW / TRUTH["outflow"])
    lived(nights, 7, NIGHT + 4)
    first = nights.night()
    assert (first["decision"], first["version"]) == ("proposed", 0), first["words"]
    assert "no time is known when all was right: what was learned may be a sensor's doing" in first["words"]
    assert nights.in_force() is None and expected(nights, lambda r: True)["hybrid"] is None
    assert face.post("releases", asset=ASSET, shadow=True, expected=0, reason=" ")[0] == 422, "without a reason"
    done = nights.command("release", nights.site.settings.plant, "tank", "--reason", "the gauge was checked")
    assert done.returncode == 0 and "version 1 is in force" in done.stdout, done.stderr

    lived(nights, 8, 40)
    near = expected(nights, lambda r: r["hybrid"] and r["hybrid"]["known_now"] is not None and abs(r["residual"]) < 0.1)
    assert near["parameters"] == 1 and 0.7 < near["hybrid"]["physics_share"] < 1.0 and near["hybrid"]["known_now"] > 0.9
    (hybrid,), level = what_if(face)
    assert hybrid["used"] and 0.8 < hybrid["futures"]["steady"]["physics_share"] < 1.0 and not hybrid["futures"]["steady"]["outside"]
    assert level == pytest.approx(reading, abs=0.05), "what the sensor reads, bow and all"

    lived(nights, 9, 12, inflow=95.0)
    far = expected(nights, lambda r: r["hybrid"]["known_now"] is not None and r["hybrid"]["known_now"] < 0.1)
    assert far["hybrid"]["version"] == near["hybrid"]["version"], "in force, and out of what it was trained on"
    assert what_if(face)[0][0]["futures"]["baseline"]["outside"]

    assert nights.rolled_back("the gauge was changed") == 0
    (hybrids, level), (back,) = what_if(face), [s for s in face.get("fidelity", asset=ASSET)["items"] if s["decision"] == "rolled_back"]
    assert hybrids == [] and abs(level - reading) > 0.5, "what the plant file says"
    assert back["version"] == 0 and back["words"].endswith("the gauge was changed")
    lived(nights, 10, 12)
    assert expected(nights, lambda r: r["hybrid"] is None)["parameters"] == 0
    assert face.facts("ParametersReleased")[0]["body"]["hybrid"]["level"]["version"] == near["hybrid"]["version"], "nothing leaves the record"
