"""Where what estimates compute with is not installed the plant runs, and doctor says what to install."""

import json
import os
import time

import pytest
from estimates_kit import PLANT, ROOT

from gemel.bench.site import running, wait
from story_kit import Demo, Face, add_person, gemel

BLOCKED = "import sys\nsys.modules['jax'] = None  # as where it is not installed: the import fails, naming it\n"


@pytest.fixture
def without(tmp_path, monkeypatch):
    """Processes in which JAX cannot be imported."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(BLOCKED)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "without"), os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def site(tmp_path, without):
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "plant.yaml").write_text(PLANT.replace("connections", "writes: false\nconnections"))
    with running(tmp_path / "plant", tmp_path / "data") as found:
        yield found


def test_doctor_says_what_to_install_and_the_plant_runs_on(site):
    face = Face(site.settings.port, add_person(site.places.data, "ann", "engineer"))

    def missing():
        return next((p for p in face.get("health")["problems"] if p["code"] == "reason-missing"), None)

    assert wait(missing, 60), face.get("health")
    said = gemel("doctor", "--data", site.places.data, "--json")
    told = {p["code"]: p for p in json.loads(said.stdout)["problems"]}
    assert told["reason-missing"]["remedy"] == "pip install 'gemel[reason]'"
    assert "jax is not installed" in told["reason-missing"]["message"]
    assert said.returncode == 1
    face.post_rows([{"path": f"{ROOT}/rig-1/lower", "time": time.time(), "value": 4000.0}])
    assert wait(lambda: face.get(f"state/{ROOT}/rig-1")["properties"]["lower"]["value"] == 4000.0, 20)


def test_the_demo_says_it_at_its_start_and_goes_on(tmp_path, without):
    demo = Demo(tmp_path / "data", tmp_path / "said").start()
    try:
        assert "pip install 'gemel[reason]'" in demo.said()
        pump = "gemel/riverside/waterworks/pumping/pump-1"
        assert wait(lambda: demo.face().shown(pump)["flow"]["quality"] == "good", 60)
        assert demo.face().shown(pump)["wheel_wear"]["value"] is None
        assert wait(lambda: any(p["code"] == "reason-missing" for p in demo.face().get("health")["problems"]), 60)
    finally:
        demo.stop()
