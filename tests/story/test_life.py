"""Remaining life in a running twin: foretold as the plant's time goes on, an alarm where the risk rises, answered when asked."""

import json

import pytest
from story_kit import Face, add_person, gemel
from wheel_kit import ASSET, PLANT, foretold, post, remaining_d

from gemel.bench.site import running, wait

@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("life")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT)
    with running(folder / "plant", folder / "data") as found:
        yield found


@pytest.fixture(scope="module")
def otto(site):
    face = Face(site.settings.port, add_person(site.places.data, "otto", "operator"))
    post(face)
    return face


def test_it_is_foretold_kept_and_raised_as_an_alarm_of_the_lowest_priority(otto):
    assert wait(lambda: foretold(otto), 120), otto.get("health")
    shown = otto.shown(ASSET)
    assert shown["wheel_life_low"]["value"] < remaining_d(shown["wheel_life"]["time"]) < shown["wheel_life_high"]["value"]
    assert shown["wheel_life"]["lane"] == "estimated" and shown["wheel_risk"]["value"] > 50.0
    alarm = f"{ASSET}/wheel_risk#high"
    assert wait(lambda: alarm in otto.alarms(), 20), otto.alarms()
    assert (otto.alarms()[alarm]["priority"], otto.alarms()[alarm]["response"]) == (3, "plan an overhaul")
    assert otto.facts("AlarmRaised", ASSET)
    assert len(otto.rows(f"{ASSET}/wheel_life", lane="estimated")) >= 1  # a history, to be held against what comes


def test_a_viewer_cannot_feed_it(otto):
    status, told = otto.post_rows([{"signal": f"{ASSET}/wheel_life", "time": "2026-03-01T00:00:00Z", "value": 9.0}])
    assert "unknown_signal" in json.dumps(told), (status, told)


def test_fifteen_percent_more_load_is_answered_in_seconds_and_clearly(otto):
    status, job = otto.post("life", asset=ASSET, changes=[{"of": "load", "how": "scale", "value": 1.15}])
    assert status == 202, job
    assert wait(lambda: otto.get(f"life/jobs/{job['id']}")["state"] not in ("queued", "running"), 60)
    done = otto.get(f"life/jobs/{job['id']}")
    assert done["state"] == "done" and done["seconds"] < 20, done
    difference = done["result"]["differences"][0]
    assert difference["clear"] and difference["earlier"] > 0.95 and difference["high_s"] < 0


def test_the_shell_answers_beside_the_running_twin(otto, site):
    at = otto.get("health")["plant_time"]
    said = gemel("life", site.places.data, ASSET, "--json", "--change", "load=+15%", "--members", "300", "--at", at)
    assert said.returncode == 0, said.stderr
    (told,) = json.loads(said.stdout)
    assert told["of"] == "wheel" and told["differences"][0]["earlier"] > 0.9


def test_an_overhaul_begins_a_new_life_at_the_tick_at_which_it_is_told(otto, site):
    """Asked at the very time of the fact: what was told by a tick is known at it, and the comparison is as decided as before."""
    status, _ = otto.post("life/maintenance", asset=ASSET, action="overhaul", reason="spring")
    assert status == 201 and otto.facts("MaintenanceDone", ASSET)[-1]["actor"] == "otto"
    at = otto.get("health")["plant_time"]
    said = gemel("life", site.places.data, ASSET, "--json", "--change", "load=+15%", "--members", "300", "--at", at)
    assert said.returncode == 0, said.stderr
    (told,) = json.loads(said.stdout)
    assert told["known"] == 1.0 and told["level"]["value"] < 3.0 and told["differences"][0]["earlier"] > 0.9
