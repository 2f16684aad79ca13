"""A level that no sensor sees is in the twin's state, with its uncertainty; who estimates may be killed and goes on."""

import os
import signal
import threading
import time

import numpy as np
import pytest

pytest.importorskip("jax")

from estimates_kit import PLANT
from story_kit import Face, add_person

from gemel.bench.site import running, wait

ROOT = "acme/riverside/bench"
RIG = f"{ROOT}/rig-1"


class Rig(threading.Thread):
    """Two tanks in a thread: their truth, and readings of the lower one, sent twice a second as any program would."""

    def __init__(self, face):
        super().__init__(daemon=True)
        self.face, self.ends = face, threading.Event()
        self.level = np.array([4.0, 4.0])
        self.drift = 0.0

    def run(self):
        rng, last = np.random.default_rng(2), time.time()
        while not self.ends.wait(0.5):
            now = time.time()
            for _ in range(10):
                up, low = self.level
                dt = (now - last) / 10
                self.level = self.level + dt * np.array([0.12 - 0.05 * np.sqrt(up), 0.05 * np.sqrt(up) - 0.055 * np.sqrt(low)])
            last = now
            value = 1000 * (self.level[1] + self.drift) + rng.normal(0, 50)
            rows = [{"path": f"{RIG}/{n}", "time": now, "value": v} for n, v in (("pump", 3.0), ("lower", value))]
            self.face.post_rows(rows)


@pytest.fixture
def site(tmp_path):
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "plant.yaml").write_text(PLANT.replace("connections", "writes: false\nconnections"))
    ann = add_person(tmp_path / "data", "ann", "engineer")
    with running(tmp_path / "plant", tmp_path / "data") as found:
        yield found, Face(found.settings.port, ann)


def provenance(face):
    return face.get(f"state/{RIG}?include=provenance")["properties"]


def estimated(face):
    told = provenance(face)["upper"]
    return told["value"] is not None and told


def test_a_virtual_sensor_is_in_the_state_and_outlives_the_death_of_who_estimates(site):
    family, face = site
    rig = Rig(face)
    rig.start()
    try:
        assert wait(lambda: estimated(face), 120), face.get("health")
        first = estimated(face)
        assert (first["lane"], first["quality"]) == ("estimated", "simulated")
        assert first["provenance"]["sigma"] > 0
        origin = first["provenance"]["origin"]
        assert origin["producer"].startswith("estimates-")
        assert origin["version"].startswith("gemel.dynamics.components.cascaded_tanks:CascadedTanks@")
        assert abs(first["value"] - 1000 * rig.level[0]) < 6 * first["provenance"]["sigma"] + 100
        lower = provenance(face)["lower"]
        assert lower["lane"] == "measured"
        assert lower["provenance"]["lanes"]["estimated"]["sigma"] < 50 == lower["provenance"]["sigma"]
        (residual,) = face.get("residuals", asset=RIG)["items"]
        assert residual["sigma"] > 0 and residual["out"] is None
        assert abs(residual["residual"]) < 6 * 50
        began = face.get("whatif", asset=RIG, warm=False)
        (together,) = began["together"]
        assert (together["names"], together["source"]) == (["upper", "k1"], "estimated"), "as who estimates believes just now"
        assert face.get("whatif", asset=RIG, at=began["at"], warm=False)["together"] == [], "which is not kept"
        os.kill(family.pids()["reason"], signal.SIGKILL)
        assert wait(lambda: provenance(face)["lower"]["quality"] == "good", 10), "nobody waits for it"
        assert wait(lambda: estimated(face)["time"] > first["time"] and provenance(face)["upper"]["quality"] != "stale", 120)
        rows = face.get("history", signal=f"{RIG}/upper", lane="estimated")
        assert len(set(rows["time"])) == len(rows["time"]) == rows["rows"]
        assert all(s > 0 for s in rows["sigma"])
    finally:
        rig.ends.set()
        rig.join()
