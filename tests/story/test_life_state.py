"""A wheel's wear that no sensor shows: estimated by its model from what is read, foretold by the same model, asked over HTTP."""

from itertools import count

import numpy as np
import pytest

pytest.importorskip("jax")

from story_kit import Face, add_person

from gemel.bench.site import running, wait

pytestmark = pytest.mark.timeout(900)  # a machine that is busy compiles its filter for minutes
ASSET = "acme/works/hall/pump-1"
MODEL = "gemel.dynamics.components:CentrifugalPump"
PLANT = f"""plant: acme/works
clock: data
connections: {{field: {{mqtt: "mqtt://127.0.0.1:1"}}}}
types:
  Pump:
    dynamics: {MODEL}
    estimates: {{every: 1 h, noise: {{worn: 0.000005}}}}
    source: {{from: field, topic: "{{asset}}/{{signal}}"}}
    signals:
      speed: {{unit: rpm, interval: 1 h, stale_after: 3 h}}
      flow: {{unit: m3/h, interval: 1 h, stale_after: 3 h}}
      head: {{unit: m, interval: 1 h, stale_after: 3 h, accuracy: 0.15 m}}
      worn: {{unit: "%", dynamics: true, accuracy: 0.3 %}}
    parameters:
      wear_rate: {{unit: 1/h, default: 0.0002, calibrate: true, range: [0, 0.01]}}
    degradation:
      wheel: {{state: worn, unit: "%", indicator: worn, threshold: 20 %, drives: {{load: speed}}, maintenance: {{overhaul: 0 %}}, horizon: 1 a}}
assets: {{pump-1: {{type: Pump, at: hall}}}}
"""
START = np.datetime64("2026-01-01T00:00:00")
HOURS, RATE, PACE = 30 * 24, 2e-4, 1.4  # the machine wears faster than its parameter says


def lived():
    """Speed, flow, true wear [%] and what the head's gauge shows, hour by hour."""
    rng = np.random.default_rng(4)
    turn = np.where(np.arange(HOURS) % 24 < 16, 1.0, 0.8)
    worn = np.concatenate(([0.0], np.cumsum(RATE * PACE * turn**3)))[:-1]
    flow = 60.0 * turn
    head = 32.0 * (1 - worn) * turn**2 - (32.0 - 26.9) * (flow / 75.0) ** 2
    return 2900.0 * turn, flow, 100 * worn, head + 0.05 * rng.standard_normal(HOURS)


def time_of(hour):
    return f"{START + np.timedelta64(int(hour), 'h')}Z"


@pytest.fixture(scope="module")
def emil(tmp_path_factory):
    folder = tmp_path_factory.mktemp("life")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT)
    with running(folder / "plant", folder / "data") as site:
        face = Face(site.settings.port, add_person(site.places.data, "emil", "engineer"))
        told = site.places.data / "logs" / "reason.log"  # what came before estimates began is not estimated, and nothing more would come here
        assert wait(lambda: told.exists() and "estimates begin" in told.read_text(), 300), face.get("health")
        speed, flow, _, head = lived()
        rows = [{"signal": f"{ASSET}/{n}", "time": time_of(i), "value": float(v[i])} for i in range(HOURS)
                for n, v in (("speed", speed), ("flow", flow), ("head", head))]  # fmt: skip
        for first in range(0, len(rows), 360):
            assert face.post_rows(rows[first : first + 360])[0] == 200
            seen = lambda: (shown(face, "worn")["time"] or "") >= time_of(max((first + 360) // 3 - 6, 0))  # noqa: E731
            assert wait(seen, 300), (shown(face, "worn"), face.get("health"))
        yield face


def shown(face, name):
    return face.get(f"state/{ASSET}?include=provenance")["properties"][name]


def told_of(face):
    jobs = face.get("life/jobs", asset=ASSET)["items"]
    return {n: p for n, p in face.shown(ASSET).items() if n.startswith("wheel")}, face.get("health")["problems"], jobs


def test_the_wear_that_nothing_measures_is_estimated_with_its_uncertainty(emil):
    told = shown(emil, "worn")
    true = lived()[2][-1]
    assert told["lane"] == "estimated" and 0 < told["provenance"]["sigma"] < 0.3
    assert abs(told["value"] - true) < max(4 * told["provenance"]["sigma"], 0.4), (told["value"], true)


def test_its_end_is_foretold_from_the_estimate_as_rows_of_the_log(emil):
    def newest():
        return (emil.shown(ASSET)["wheel_life"]["time"] or "") > time_of(HOURS - 4)

    assert wait(newest, 200), told_of(emil)
    told = emil.shown(ASSET)
    day = RATE * PACE * (16 + 8 * 0.8**3) * 100
    left = (20.0 - lived()[2][-1]) / day
    assert told["wheel_life"]["lane"] == "estimated"
    assert told["wheel_life_low"]["value"] < left < told["wheel_life_high"]["value"]
    assert abs(told["wheel_degradation"]["value"] - lived()[2][-1]) < 0.6
    assert len(emil.rows(f"{ASSET}/wheel_life", lane="estimated")) >= 1


def asked(face, **more):
    status, job = face.post("life", asset=ASSET, **more)
    assert status == 202, job
    assert wait(lambda: face.get(f"life/jobs/{job['id']}")["state"] not in ("queued", "running"), 120)
    done = face.get(f"life/jobs/{job['id']}")
    assert done["state"] == "done", done
    return done["result"]


def test_a_release_is_taken_up_by_the_prognosis_and_by_the_estimates_while_they_run(emil):
    before = asked(emil, changes=[{"of": "load", "how": "scale", "value": 1.1}])
    assert before["versions"]["parameters"] == 0 and before["state"]["model"].endswith("CentrifugalPump")
    assert before["differences"][0]["clear"] and before["differences"][0]["earlier"] > 0.95
    origin = shown(emil, "worn")["provenance"]["origin"]
    status, told = emil.post("releases", asset=ASSET, values={"wear_rate": RATE * PACE}, expected=0, reason="measured", despite_gate=True)
    assert status == 200, told
    after = asked(emil)
    assert after["versions"]["parameters"] == 1
    hours = count(HOURS + 2)

    def told_by():
        """Who tells the wear, an hour later each time it is asked: a release counts from the tick on that names it."""
        at = time_of(next(hours))
        emil.post_rows([{"signal": f"{ASSET}/{n}", "time": at, "value": v} for n, v in (("speed", 2900.0), ("flow", 60.0), ("head", 23.0))])
        return shown(emil, "worn")["provenance"]["origin"]

    assert wait(lambda: told_by()["version"] != origin["version"], 60)
    assert told_by()["producer"] == origin["producer"], "the filters went on"
    assert emil.post("releases/roll-back", asset=ASSET, reason="a trial")[0] == 200
    assert wait(lambda: told_by()["version"] == origin["version"], 60)
