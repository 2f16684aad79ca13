"""A degradation that is a state of a dynamic model is declared, asked and answered over HTTP as any other."""

import msgspec
import pytest
from serve_fake import PLANT, PUMP
from turning_kit import turning

from gemel.assets import load
from gemel.operate import jobs, life

WEARS = PLANT.replace(
    "    commands:\n",
    """    dynamics: "gemel.dynamics.components:RollingBearing"
    degradation:
      bearing: {state: damage, threshold: 0.001, drives: {turning: speed}, horizon: 30 a}
    commands:
""",
    1,
)


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    (folder / "plant.yaml").write_text(WEARS)
    return load(folder)


@pytest.fixture
def twin(plant):
    return turning(plant)


def test_it_is_declared_with_what_drives_it_and_how_much_there_is_to_go_by(server):
    with server.client() as anybody:
        (bearing,) = anybody.get("/life", params={"asset": PUMP}).json()["items"]
        assert (bearing["law"], bearing["drives"], bearing["words"]) == ("damage", {"speed": "rpm"}, {"turning": "speed"})
        assert anybody.get("/life/last", params={"asset": PUMP}).json() == {"item": None, "readings": 120}


def test_half_the_turns_are_asked_for_and_answered(server):
    wish = {"asset": PUMP, "changes": [{"of": "turning", "how": "scale", "value": 0.5}], "members": 200, "horizon_s": 3e8}
    with server.client("otto") as otto:
        job = otto.post("/life", json=wish)
        assert (job.status_code, job.json()["of"]) == (202, "bearing")
        kept = server.twin.jobs.all[job.json()["id"]]
        ended = jobs.Ended(wall=0, seconds=0.2, result=life.run(msgspec.json.decode(msgspec.json.encode(kept.asked.spec)), lambda done: True))
        server.twin.jobs.all[kept.asked.id] = msgspec.structs.replace(kept, state="done", ended=ended)
        result = otto.get(f"/life/jobs/{kept.asked.id}").json()["result"]
        assert result["state"]["name"] == "damage" and result["differences"][0]["earlier"] < 0.01
        assert result["versions"]["parameters"] == 0
        refused = otto.get("/life/record", params={"asset": PUMP, "change": ["flow=+15%"]})
        assert (refused.status_code, refused.json()["code"]) == (404, "no-drive")
