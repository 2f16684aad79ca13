"""A twin makes what-ifs ready when it starts, where that is asked for: who computes is there before anybody called it."""

import shutil
from pathlib import Path

import pytest

from gemel.bench.site import running, wait
from story_kit import Face, add_person

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/pumping-line"
PUMP = "example/pumping/line-1/pump-1"


@pytest.fixture
def plant(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "plant")
    file = tmp_path / "plant" / "plant.yaml"
    file.write_text(file.read_text().replace("connections:", "writes: false\nconnections:", 1))
    return tmp_path / "plant"


def test_a_what_if_is_ready_before_anybody_asks_and_answers(plant, tmp_path):
    with running(plant, tmp_path / "data", ready=1) as site:
        said = site.places.logs / "reason.log"
        assert wait(lambda: said.exists() and f"a what-if about {PUMP} is ready" in said.read_text(), 180), said.read_text()
        face = Face(site.settings.port, add_person(site.places.data, "ann", "operator"))
        asked = {"asset": PUMP, "scenarios": [{"name": "as it is"}], "members": 20, "horizon_s": 600.0}
        job = face.post("scenarios", **asked)[1]["id"]
        assert wait(lambda: face.get(f"scenarios/{job}")["state"] == "done", 60)
        assert said.read_text().count("is ready") == 1  # as many as were asked for
        assert "reason" in face.get("health")["processes"]


def test_where_none_is_to_be_ready_nothing_is_started_for_it(plant, tmp_path):
    with running(plant, tmp_path / "data", ready=0) as site:
        face = Face(site.settings.port, add_person(site.places.data, "ann", "operator"))
        told = [set(face.get("health")["processes"]) for _ in range(3) if not wait(lambda: "reason" in face.get("health")["processes"], 2)]
        assert len(told) == 3 and all("reason" not in some for some in told)
