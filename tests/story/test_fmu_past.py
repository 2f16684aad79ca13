"""A machine whose model is an FMU, asked about its past: a what-if from a state of then, a calibration of what was."""

import time

import numpy as np
import pytest
from fmu_kit import plant
from heater_kit import ASSET, answered, band
from story_kit import Face, add_person, reads

from gemel.bench.site import running, wait


@pytest.fixture(scope="module")
def erna(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fmu")
    plant(folder / "plant")
    with running(folder / "plant", folder / "data") as site:
        face = Face(site.settings.port, add_person(site.places.data, "erna", "engineer"))
        reads(face, ASSET, supply=60.0, temperature=50.0)
        yield face


def test_a_past_state_is_begun_with_as_it_stood_then(erna):
    then = erna.get(f"state/{ASSET}")["at"]
    time.sleep(1.1)  # the readings' own clock, told in whole seconds, must have moved on
    reads(erna, ASSET, temperature=55.0)
    past, present = (answered(erna, **at) for at in ({"at": then}, {}))
    assert [band(job, 0)[0] - 273.15 for job in (past, present)] == pytest.approx([50.0, 55.0], abs=1e-6)
    drawn = answered(erna, at=then, uncertain=None)["result"]
    assert {u["of"]: (u["spread"], u["source"]) for u in drawn["uncertain"]} == {
        "x": (pytest.approx(0.1), "accuracy of its signal"), "lag": (pytest.approx(6.0), "5 % by default"),
    }  # fmt: skip
    at = [w["name"] for w in drawn["watch"]].index("x")
    assert drawn["futures"][0]["bands"][at][4][0] > drawn["futures"][0]["bands"][at][0][0]


def test_a_calibration_job_over_its_history_finds_the_lag(erna):
    rng, end = np.random.default_rng(6), int(time.time()) - 600
    supply, x = np.repeat(rng.uniform(20, 90, 12), 15), [40.0]
    for u in supply[:-1]:
        x.append(u + (x[-1] - u) * np.exp(-10 / 200))
    times = [end - 10 * (len(x) - i) for i in range(len(x))]
    rows = [{"path": f"{ASSET}/{n}", "time": t, "value": float(v)} for t, *values in zip(times, supply, x, strict=True) for n, v in zip(("supply", "temperature"), values, strict=True)]
    assert erna.post_rows(rows)[0] == 200
    start, stop = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)) for t in (times[0], end))
    assert wait(lambda: len(erna.rows(f"{ASSET}/temperature", start=start, end=stop)) == len(x), 60)
    status, job = erna.post(f"assets/{ASSET}/calibrations", start=start, end=stop, parameters=["lag"], starts=1, step_s=10)
    assert status == 202, job
    assert wait(lambda: erna.get(f"calibrations/{job['id']}")["state"] not in ("queued", "running"), 180)
    done = erna.get(f"calibrations/{job['id']}")
    assert done["state"] == "done", done
    assert done["result"]["parameters"]["lag"]["value"] == pytest.approx(200, rel=0.02)
