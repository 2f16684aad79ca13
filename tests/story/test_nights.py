"""Night after night: a pump that wears is followed from version to version, a gauge that drifts is refused by name, and what is taken back stays back."""

import os
from pathlib import Path

import numpy as np
import pytest
from nights_story_kit import Nights
from works_kit import Fault, plant

from gemel.bench.site import running

ASSET, NIGHT = "a/b/works", 1200
SIGNALS = ("setpoint", "valve", "speed", "flow", "level", "pressure", "outflow")
UNITS = ("rad/s", '"1"', "rad/s", "m3/s", "m", "m", "m3/s")
PLANT = """\
plant: a/b
clock: data
retention: {default: 36500 d}
types:
  Works:
    dynamics: works_kit:Works
    calibration: {every: 20 min, at: "00:00", window: 20 min, lead: 30 s, shadow: SHADOW, sensors: [flow, level, pressure, outflow]}
    signals:
""" + "".join(f"      {name}: {{unit: {unit}, interval: 1 s, stale_after: 1 min}}\n" for name, unit in zip(SIGNALS, UNITS, strict=True)) + """\
    parameters:
      discharge: {unit: m2.5/s, calibrate: true, default: 0.0283, range: [0.01, 0.1]}
      wear: {unit: "1", calibrate: true, default: 0, range: [-0.2, 0.5]}
assets: {works: {type: Works}}
"""  # fmt: skip


@pytest.fixture
def nights(tmp_path, monkeypatch, request):
    """Run a twin that calibrates by night; a parameter, where given, is for how many nights who is better runs beside first."""
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "plant.yaml").write_text(PLANT.replace("SHADOW", str(getattr(request, "param", 0))))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1] / "estimate"), os.environ.get("PYTHONPATH", "")]))
    with running(tmp_path / "plant", tmp_path / "data") as site:
        yield Nights(site, ASSET, SIGNALS, 1)


def lived(nights, seed, worn, drift=0.0, more=0):
    """Live a night with a worn wheel and a level gauge that drifts [m per 100 s], and `more` seconds for late readings; give the night's word."""
    u, y = plant(seed, NIGHT + more, Fault("wear", "", worn, -60))
    y[:, 2] += drift * np.arange(len(y)) / 100
    nights.lives(*u.T, *y.T)
    return nights.night()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_nights_follow_a_pump_that_wears_one_is_taken_back_and_a_gauge_that_drifts_is_refused_by_name(nights):
    first = lived(nights, 1000, 0.08, more=40)
    assert (first["decision"], first["version"]) == ("released", 0), first["words"]
    assert nights.in_force()["values"]["wear"] == pytest.approx(0.08, abs=0.01)

    second = lived(nights, 2000, 0.16)
    assert (second["decision"], second["version"]) == ("released", 1), second["words"]
    now = nights.in_force()
    assert now["version"] == 2 and now["champion"] == 1, "against what was released, not against the plant file"
    assert now["values"]["wear"] == pytest.approx(0.16, abs=0.01)
    before = nights.face.get("releases", asset=ASSET)["items"][0]
    assert now["data"]["from_s"] >= before["data"]["to_s"], "of readings that the one before was not fitted to"

    assert nights.rolled_back("the impeller was changed") == 1
    assert nights.versions() == [(1, "in_force"), (2, "rolled_back")]

    third = lived(nights, 3000, 0.16)
    why = "version 2 was taken back (the impeller was changed), and this was learned of readings from before too"
    assert (third["decision"], third["version"]) == ("proposed", 1), third["words"]
    assert third["words"] == f"a person must say so: {why}" and nights.in_force()["version"] == 1
    done = nights.command("release", nights.site.settings.plant, "works", "--reason", "it was not changed after all")
    assert done.returncode == 0 and "version 3 is in force" in done.stdout, done.stderr

    fourth = lived(nights, 2001, 0.16, drift=-0.08)
    assert (fourth["decision"], fourth["version"]) == ("kept", 3), fourth["words"]
    assert "the residuals blame a/b/works/level" in fourth["words"], fourth["words"]
    assert nights.versions() == [(1, "superseded"), (2, "rolled_back"), (3, "in_force")]

    scores = nights.face.get("fidelity", asset=ASSET)["items"]
    told = [(s["decision"], s["version"]) for s in scores]
    assert told == [("release", 1), ("released", 0), ("release", 2), ("released", 1), ("rolled_back", 1), ("proposed", 1), ("release", 3), ("kept", 3)]
    assert scores[3]["fidelity"]["flow"] < 0.5 < 0.9 < scores[2]["fidelity"]["flow"], "what is released explains what it took the place of does not"
    assert scores[4]["words"].endswith("the impeller was changed")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("nights", [1], indirect=True)
def test_who_is_better_runs_beside_first_deciding_nothing_and_is_promoted_or_dropped_by_nights_that_neither_saw(nights):
    first = lived(nights, 1000, 0.08, more=40)
    assert (first["decision"], first["words"]) == ("beside", "the gate says yes; it runs beside")
    assert nights.in_force() is None and first["shadow"]["release"]["values"]["wear"] == pytest.approx(0.08, abs=0.01)

    second = lived(nights, 2000, 0.08)
    assert (second["decision"], second["version"]) == ("promoted", 0), second["words"]
    assert second["shadow_fidelity"]["flow"] > 0.9 > second["fidelity"]["flow"], "scored on what it was not fitted to"
    assert nights.in_force()["values"] == first["shadow"]["release"]["values"], "who ran beside, not who was fitted this night"

    assert lived(nights, 3000, 0.16)["decision"] == "beside" and nights.in_force()["version"] == 1
    fourth = lived(nights, 2001, 0.08)  # the wheel was changed
    assert (fourth["decision"], fourth["shadow"]) == ("dropped", None), fourth["words"]
    assert fourth["words"].startswith("who ran beside is no better: ") and nights.versions() == [(1, "in_force")]
