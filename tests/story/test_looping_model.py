"""A model that begins to loop for ever while it is followed is left out, by name, and everything else goes on within seconds."""

import json
import os
import time

import pytest

pytest.importorskip("jax")

from estimates_kit import PLANT
from story_kit import Face, add_person, gemel
from test_estimates import Rig

from gemel.bench.site import running, wait

BENCH = "acme/riverside/bench"
RIG, VESSEL = f"{BENCH}/rig-1", f"{BENCH}/vessel-1"
MODEL = """
import jax
from gemel.dynamics import Quantity


def settled(inflow):
    return jax.lax.while_loop(lambda left: (left > 1e-3) | (inflow > LIMIT), lambda left: 0.5 * left, 1.0 + 0.0 * inflow)


class Vessel:
    states = {"level": Quantity("m", 1.0, low=0.1, high=4.0)}
    inputs = {"inflow": Quantity("m3/s", 0.01, low=0.0, high=0.4)}
    outputs = {"outflow": Quantity("m3/s")}
    parameters = {"area": Quantity("m2", 2.0, low=0.1, high=10.0)}

    def derivative(self, t, x, u, p):
        return {"level": (u.inflow - 0.01 * x.level + 0.0 * settled(u.inflow)) / p.area}

    def output(self, t, x, u, p):
        return {"outflow": 0.01 * x.level}
"""
LOOPS, ENDS = MODEL.replace("LIMIT", "0.5"), MODEL.replace("LIMIT", "1e9")
TYPE = """  Vessel:
    dynamics: vessel_of_the_story:Vessel
    estimates: {every: 1 s}
    source: {from: field, topic: "vessels/{asset}/{signal}"}
    signals:
      inflow: {unit: m3/s}
      outflow: {unit: m3/s, accuracy: 0.0005 m3/s}
      level: {unit: m, dynamics: true}
assets:
  vessel-1: {type: Vessel, at: bench}
"""
SOONER = """import sys
if "reason" in sys.orig_argv:
    import gemel.operate.under_way
    gemel.operate.under_way.HANGS_S = 40.0
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder whose modules every process of the twin finds; the limit of a step is short there."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "vessel_of_the_story.py").write_text(LOOPS)
    (folder / "sitecustomize.py").write_text(SOONER)
    with pytest.MonkeyPatch.context() as m:
        m.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        yield folder


@pytest.fixture(scope="module")
def site(tmp_path_factory, own):
    folder = tmp_path_factory.mktemp("site")
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(PLANT.replace("connections", "writes: false\nconnections").replace("assets:\n", TYPE))
    ann = add_person(folder / "data", "ann", "engineer")
    with running(folder / "plant", folder / "data") as found:
        face = Face(found.settings.port, ann)
        rig = Rigs(Face(face.port, face.person))
        rig.start()
        try:
            assert wait(lambda: newest(face, RIG, "upper") and newest(face, VESSEL, "level"), 180), face.get("health")
            yield found, face, rig
        finally:
            rig.ends.set()
            rig.join()


class Rigs(Rig):
    """The tanks' rig, and a vessel beside it."""

    inflow = 0.01

    def run(self):
        sends = self.face.post_rows

        def beside(rows):
            more = {"inflow": self.inflow, "outflow": 0.01}
            return sends([*rows, *({"path": f"{VESSEL}/{n}", "time": rows[0]["time"], "value": v} for n, v in more.items())])

        self.face.post_rows = beside
        super().run()


def newest(face, path, name):
    """The time of the newest estimate of a signal; empty where none is fresh."""
    told = face.get(f"state/{path}")["properties"][name]
    return told["time"] if told["value"] is not None and told["quality"] != "stale" else ""


def left_out(face):
    return next((p for p in face.get("health")["problems"] if "type Vessel" in p["message"]), None)


def goes_on(face, path, name, within_s):
    """Wait for an estimate made from now on; give how long that took [s], None where it does not come."""
    began, now = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return time.monotonic() - began if wait(lambda: newest(face, path, name) > now, within_s) else None


def test_after_a_what_if_that_never_lets_go_estimates_go_on_within_seconds(site):
    """As after one, or a calibration, that is cancelled while its model is compiled for long."""
    family, face, _ = site
    first = family.pids()["reason"]
    change = {"of": "inflow", "how": "set", "value": 0.6}  # there the model's loop does not end
    status, job = face.post("scenarios", asset=VESSEL, scenarios=[{"name": "flood", "changes": [change]}], horizon_s=600.0, members=4)
    assert status == 202, job
    assert wait(lambda: face.get(f"scenarios/{job['id']}")["state"] == "running", 60)
    began = family.cpu_s()["reason"]
    assert wait(lambda: family.cpu_s()["reason"] > began + 15, 90), face.get(f"scenarios/{job['id']}")  # it is in the loop by then
    assert face.ask("DELETE", f"scenarios/{job['id']}")[1]["state"] == "cancelled"
    assert wait(lambda: family.pids().get("reason", first) != first, 60), face.get(f"scenarios/{job['id']}")
    took = goes_on(face, RIG, "upper", 120)
    print(f"estimates are back {took} s after the process was ended")
    assert took is not None and wait(lambda: newest(face, VESSEL, "level"), 60), face.get("health")
    assert left_out(face) is None


def test_a_model_that_loops_on_the_way_is_left_out_and_everything_else_goes_on(site, own):
    family, face, rig = site
    first = family.pids()["reason"]

    rig.inflow = 0.6  # there the model's loop does not end
    assert wait(lambda: family.pids().get("reason", first) != first, 120), face.get("health")
    took = goes_on(face, RIG, "upper", 120)
    print(f"estimates of the others are back {took} s after the process was ended")
    assert took is not None, face.get("health")
    assert wait(lambda: left_out(face), 30)
    told = left_out(face)
    assert "did not come back" in told["message"] and "changed" in told["remedy"] and "started anew" in told["remedy"]
    said = json.loads(gemel("doctor", "--data", family.places.data, "--json").stdout)
    assert told["message"] in [p["message"] for p in said["problems"]]
    assert wait(lambda: face.facts("ModelLeftOut"), 30)
    (fact,) = face.facts("ModelLeftOut")
    assert fact["body"]["what"] == "type Vessel" and "did not come back" in fact["body"]["why"]

    second = family.pids()["reason"]
    os.kill(second, 9)  # who computes begins anew: what looped stays out
    assert wait(lambda: family.pids().get("reason", second) != second, 60)
    assert goes_on(face, RIG, "upper", 120) is not None and left_out(face)
    assert not newest(face, VESSEL, "level")

    (own / "vessel_of_the_story.py").write_text(ENDS)  # mended: it is followed again, by itself
    assert wait(lambda: newest(face, VESSEL, "level"), 120), face.get("health")
    assert wait(lambda: left_out(face) is None, 30) and goes_on(face, RIG, "upper", 60) is not None
    assert len(face.facts("ModelLeftOut")) == 1
