"""From readings to a what-if with what was learned: a fit and a correction by one command, a release, and futures that both are in."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from bowed_kit import ASSET, BEGAN, PLANT, STEP, STEPS, TRUTH, bow, lived
from story_kit import Face, add_person, gemel

from gemel.bench.site import running, wait

INFLOW = 27.0  # l/s: between those that it has lived through


def text(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hybrid")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1] / "operate"), os.environ.get("PYTHONPATH", "")]))
        with running(folder / "plant", folder / "data") as found:
            yield found


@pytest.fixture(scope="module")
def erna(site):
    face = Face(site.settings.port, add_person(site.places.data, "erna", "engineer"))
    rows = [
        {"signal": f"{ASSET}/{name}", "time": text(time), "value": float(value)}
        for time, *values in zip(*lived(), strict=True) for name, value in zip(("inflow", "level"), values, strict=True)
    ]  # fmt: skip
    for i in range(0, len(rows), 250):
        assert face.post_rows(rows[i : i + 250])[0] == 200
    last = rows[-1]["value"]
    assert wait(lambda: face.shown(ASSET)["level"]["value"] == pytest.approx(last), 60)
    return face


def asked(face, **more):
    wish = {"asset": ASSET, "scenarios": [{"name": "steady", "changes": [{"of": "inflow", "how": "set", "value": INFLOW, "unit": "l/s"}]}],
            "members": 64, "seed": 1, "horizon_s": 3600, "points": 13, "watch": ["level"], **more}  # fmt: skip
    status, job = face.post("scenarios", **wish)
    assert status == 202, job
    assert wait(lambda: face.get(f"scenarios/{job['id']}")["state"] not in ("queued", "running"), 120)
    done = face.get(f"scenarios/{job['id']}")
    assert done["state"] == "done", done
    return done["result"]


def test_what_is_fitted_learned_and_released_is_what_a_what_if_begins_with(site, erna):
    before = asked(erna)
    assert before["versions"]["parameters"] == {ASSET: 0} and before["hybrids"] == []
    assert {u["of"]: u["source"] for u in before["uncertain"]} == {"outflow": "5 % by default", "area": "5 % by default"}

    span = ["--start", text(BEGAN), "--end", text(BEGAN + STEP * STEPS)]
    fit = gemel("calibrate", site.settings.plant, "--data", site.places.data, *span, "--first", "0.6", "--starts", "1", "--hybrid",
                "--release", "--reason", "first fit", "--json", timeout=240)  # fmt: skip
    assert fit.returncode == 0, fit.stderr + fit.stdout
    told = json.loads(fit.stdout)
    assert told["gate"]["passed"] and told["released"]["version"] == 1
    fitted = {name: e["value"] for name, e in told["parameters"].items()}
    assert fitted == pytest.approx(TRUTH, rel=0.25), "the bow is in both, for the model does not know it"
    (fact,) = erna.facts("ParametersReleased")
    (low, high), together = fact["body"]["intervals"]["outflow"], fact["body"]["correlation"]
    assert fact["body"]["hybrid"]["level"] and together["names"] == ["outflow", "area"]

    after = asked(erna)
    assert after["versions"]["parameters"] == {ASSET: 1}
    drawn = {u["of"]: u for u in after["uncertain"]}
    assert {u["source"] for u in drawn.values()} == {"released interval"}
    assert drawn["outflow"]["spread"] * 1000 == pytest.approx((high - low) / 2 / 1.96, rel=1e-3)
    assert "uncertain (released interval): outflow, area" in after["words"]

    (hybrid,) = after["hybrids"]
    future = hybrid["futures"]["steady"]
    assert hybrid["used"] and 0.8 < future["physics_share"] < 1.0 and future["known"] > 0.8
    level = INFLOW / TRUTH["outflow"]  # where the tank comes to rest
    reading, physics = level + bow(level), INFLOW / fitted["outflow"]
    found = np.array(after["futures"][1]["bands"][0][2][-4:])
    assert np.abs(found - reading).max() < 0.5 * abs(physics - reading), "what the sensor would read, bow and all"

    said = gemel("whatif", site.places.data, "--asset", ASSET, "--set", f"inflow={INFLOW} l/s", "--horizon", "1h", "--scenarios", "64", "--seed", "1")
    assert said.returncode == 0, said.stderr
    assert "physics, the rest learned" in said.stdout and "uncertain (released interval): outflow, area" in said.stdout


def test_from_a_time_before_the_release_it_begins_with_what_was_in_force_then(erna):
    told = erna.get("whatif", asset=ASSET, at=text(BEGAN + 100 * STEP))
    assert told["versions"] == {ASSET: 0} and told["hybrids"] == []
    assert {u["source"] for u in told["uncertain"]} == {"5 % by default"}
    assert told["quantities"]["inputs"]["inflow"]["value"] * 1000 == pytest.approx(lived()[1][100])
