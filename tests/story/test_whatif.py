"""A what-if of a running twin, seen from outside: asked for, followed, stopped, remembered; the plant never hears of it."""

import asyncio
import os
import re
import signal
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from pace_kit import allowed
from story_kit import Face, add_person, reads
from whatif_kit import ASSET, PLANT

from gemel.bench.site import running, wait
from gemel.bus import Bus
from gemel.errors import GemelError

LOAD = {"name": "15 % more", "changes": [{"of": "demand", "how": "scale", "value": 1.15}]}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whatif")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT)
    with running(folder / "plant", folder / "data") as found:
        yield found


@pytest.fixture(scope="module")
def olga(site):
    face = Face(site.settings.port, add_person(site.places.data, "olga", "operator"))
    reads(face, ASSET, demand=306.0, ambient=20.0, level=4.0)
    return face


def ask(face, **more):
    told = {"asset": ASSET, "scenarios": [LOAD], "members": 64, "seed": 7, "horizon_s": 7200, "points": 13, **more}
    return face.post("scenarios", **told)


def ended(face, job, seconds=90):
    assert wait(lambda: face.get(f"scenarios/{job}")["state"] not in ("queued", "running"), seconds), face.get(f"scenarios/{job}")
    return face.get(f"scenarios/{job}")


def test_a_what_if_begins_with_what_the_asset_shows_in_the_units_of_its_model(olga):
    told = olga.get("whatif", asset=ASSET)
    inputs, states, parameters = (told["quantities"][k] for k in ("inputs", "states", "parameters"))
    assert inputs["demand"]["value"] == pytest.approx(0.085) and inputs["demand"]["source"] == "signal"
    assert inputs["ambient"]["value"] == pytest.approx(293.15)
    assert states["level"]["value"] == 4.0 and states["speed_a"]["source"] == "model"
    assert parameters["best_efficiency"]["value"] == pytest.approx(0.78) and parameters["area"]["value"] == 100.0
    assert told["calibrated"] == ["best_efficiency"]


def test_who_only_looks_where_it_begins_has_the_model_made_ready_by_who_will_compute_it(olga, site):
    """The whole way: page, serve, the bus with its permissions, *reason*. Nothing was asked yet."""
    assert not olga.get("scenarios")["items"]
    olga.get("whatif", asset=ASSET)
    assert wait(lambda: re.search(r'gemel_made_ready_total\{process="reason"\} [1-9]', measured(site)), allowed(60)), measured(site)
    assert not olga.get("scenarios")["items"]
    began = time.monotonic()
    _, job = ask(olga, seed=21)
    assert ended(olga, job["id"])["state"] == "done"
    assert time.monotonic() - began < allowed(2.0), "nothing was left to load or compile"


def measured(site):
    with urlopen(f"http://127.0.0.1:{site.settings.port}/api/v1/metrics", timeout=10) as told:
        return told.read().decode()


def test_it_is_answered_with_bands_differences_and_figures_and_asked_again_is_there(olga, site):
    at = olga.get(f"state/{ASSET}")["at"]
    status, job = ask(olga, at=at, title="more load")
    assert status == 202 and job["state"] in ("queued", "running", "done")
    done = ended(olga, job["id"])
    assert done["state"] == "done", done
    result = done["result"]
    assert [f["name"] for f in result["futures"]] == ["baseline", "15 % more"]
    level = [w["name"] for w in result["watch"]].index("level")
    base, more = (f["bands"][level][2] for f in result["futures"])
    assert base[0] == more[0] == pytest.approx(4.0) and more[-1] < base[-1] - 0.5
    assert result["futures"][1]["differences"]["level, at the end"]["clear"]
    assert result["futures"][0]["sensitivity"]["power, energy"]["coefficients"]["best_efficiency"] < -0.9
    again = ask(olga, at=at, title="the same")[1]
    assert again["id"] == job["id"] and again["state"] == "done"
    other = ask(olga, at=at, seed=8)[1]
    assert other["id"] != job["id"]
    listed = olga.get("scenarios")["items"]
    assert {job["id"], other["id"]} <= {j["id"] for j in listed} and all(j["result"] is None for j in listed)


def test_it_is_judged_by_figures_that_are_named_written_or_whole(olga):
    offered = {k["name"]: k for k in olga.get("whatif", asset=ASSET)["kpis"]}
    assert offered["power, energy"]["default"] and offered["power, energy"]["unit"] == "kWh"
    whole = {"name": "specific", "statistic": "ratio", "of": "power", "per": "inflow", "unit": "J/m3"}
    _, job = ask(olga, kpis=["power, energy", "over={violations: level, above: 3.5 m}", whole])
    done = ended(olga, job["id"])
    assert [(k["name"], k["unit"]) for k in done["result"]["kpis"]] == [("power, energy", "kWh"), ("over", "h"), ("over, times", "1"), ("specific", "J/m3")]
    figures = done["result"]["futures"][0]["figures"]
    assert 0 < figures["over"]["mean"] <= 2.0 and figures["over, times"]["mean"] == 1.0 and figures["specific"]["mean"] > 1e5


def test_progress_is_told_and_no_stops_it_within_a_second(olga):
    _, job = ask(olga, members=50_000, horizon_s=30 * 86_400, watch=["level"], leap="never")
    seen = []
    assert wait(lambda: seen.append(olga.get(f"scenarios/{job['id']}")) or seen[-1]["progress"] > 0, 60), seen[-1]
    began = time.monotonic()
    assert olga.ask("DELETE", f"scenarios/{job['id']}")[1]["state"] == "cancelled"
    _, after = ask(olga, seed=11)  # it is its turn as soon as the other has let go
    assert wait(lambda: olga.get(f"scenarios/{after['id']}")["state"] != "queued", 60)
    assert time.monotonic() - began < allowed(3.0)  # one of it is ours, the rest what the next one takes to begin
    assert ended(olga, after["id"])["state"] == "done"


def test_what_a_dead_process_held_goes_to_another(olga, site):
    _, job = ask(olga, members=50_000, horizon_s=20 * 86_400, seed=12, watch=["level"], leap="never")
    assert wait(lambda: olga.get(f"scenarios/{job['id']}")["progress"] > 0, 60)
    first = site.pids()["reason"]
    os.kill(first, signal.SIGKILL)
    assert wait(lambda: site.pids().get("reason", first) != first, 60)
    assert wait(lambda: 0 < olga.get(f"scenarios/{job['id']}")["progress"] < 1, 60)
    assert olga.ask("DELETE", f"scenarios/{job['id']}")[1]["state"] == "cancelled"


def test_a_viewer_may_look_and_not_ask(site, olga):
    nobody = Face(site.settings.port)
    assert ask(nobody)[0] in (401, 403)
    _, job = ask(olga, seed=14)
    assert job["id"] in {j["id"] for j in nobody.get("scenarios")["items"]}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"asset": "acme/station/hall/none"}, "not-found"), ({"scenarios": [{"name": "s", "changes": [{"of": "nothing", "how": "set", "unit": "m", "value": 1}]}]}, "unknown-quantity"),
     ({"scenarios": [LOAD, LOAD]}, "bad-scenario"), ({"kpis": ["none"]}, "bad-kpi"), ({"kpis": ["peak={max: pwer}"]}, "bad-kpi")],
)  # fmt: skip
def test_a_wrong_question_is_refused_in_words(olga, wrong, code):
    status, told = ask(olga, **wrong)
    assert status in (404, 422) and told["code"] == code and told["remedy"]


def test_the_process_that_reasons_has_no_way_to_the_plant(olga, site):
    """Whatever it computes: the log's server takes from it what belongs to jobs, and nothing else."""
    ask(olga, seed=13)
    assert wait(lambda: "reason" in site.pids(), 60)
    way = Path(f"/proc/{site.pids()['reason']}/environ").read_bytes().decode()
    url = re.search(r"REASON_BUS=(\S+?)\0", way)[1]
    before = olga.get("facts", limit=1000, kind="CommandRequested")["items"]

    async def tried():
        bus = await Bus.open(url, "trespasser")
        refused = []
        for subject in ("ingest.write", "ingest.rows", "twin.ask", "twin.plant", "twin.fork"):
            try:
                await bus.ask(subject, {"do": "command"}, timeout_s=0.5)
            except GemelError as e:
                refused.append((subject, e.code))
        for subject in ("samples.0", "facts"):
            try:
                await bus.append(subject, b"x", timeout_s=0.5)
            except GemelError as e:
                refused.append((subject, e.code))
        await bus.close()
        return refused

    assert len(asyncio.run(tried())) == 7
    assert olga.get("facts", limit=1000, kind="CommandRequested")["items"] == before


def test_a_past_state_is_begun_with_as_it_stood_then_and_as_sure_as_it_was_then(olga):
    for level, sigma in ((4.1, 0.02), (4.4, 0.3)):
        then = olga.get(f"state/{ASSET}")["at"]
        time.sleep(1.1)  # the readings' own clock, told in whole seconds, must have moved on
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        assert olga.post_rows([{"signal": f"{ASSET}/level", "time": now, "value": level, "sigma": sigma}])[0] == 200
        assert wait(lambda level=level: olga.shown(ASSET)["level"]["value"] == level, 60)
    told = [olga.get("whatif", asset=ASSET, **q) for q in ({}, {"at": then})]
    assert [t["quantities"]["states"]["level"]["value"] for t in told] == [4.4, 4.1]
    sure = [{u["of"]: u for u in t["uncertain"]}["level"] for t in told]
    assert [u["spread"] for u in sure] == [pytest.approx(0.3), pytest.approx(0.02)] and sure[0]["source"] == "accuracy of its signal"
    status, job = ask(olga, at=then)
    result = ended(olga, job["id"])["result"]
    assert status == 202 and {u["of"]: u["spread"] for u in result["uncertain"]}["level"] == pytest.approx(0.02)
    level = [w["name"] for w in result["watch"]].index("level")
    bands = [[f["bands"][level][q][0] for q in (0, 4)] for f in result["futures"]]
    assert bands[0] == bands[1], "both begin with the same draws"
    assert bands[0][1] - bands[0][0] == pytest.approx(2 * 1.645 * 0.02, rel=0.15)
    assert "uncertain (accuracy of its signal): level" in result["words"] and "uncertain (5 % by default): best_efficiency" in result["words"]
