"""Where a shown value comes from: frame or fact, producer, uncertainty, and what the other lanes say."""

import pytest
from serve_fake import PLANT, PUMP, SECOND, START, FakeTwin

from gemel.assets import load
from gemel.serve import times

LANES = PLANT.replace(
    "flow: {unit: m3/h,",
    "flow: {unit: m3/h, accuracy: 0.5, estimated: {topic: 'soft/{asset}', accuracy: 2, by: flow observer 2.1}, simulated: {topic: 'sim/{asset}'},",
)
FLOW = f"{PUMP}/flow"


@pytest.fixture
def twin(tmp_path):
    folder = tmp_path / "lanes"
    folder.mkdir()
    (folder / "plant.yaml").write_text(LANES)
    twin = FakeTwin(load(folder))
    twin.send({FLOW: 120.5})
    twin.say(FLOW, "estimated", 118.0)
    return twin


def flow(client, **params):
    told = client.get(f"/state/{PUMP}", params={"include": "provenance"} | params)
    assert told.status_code == 200, told.text
    return told.json()["properties"]["flow"]


def test_a_reading_names_its_frame_its_producer_and_its_uncertainty(anybody, twin):
    told = flow(anybody)
    provenance = told["provenance"]
    number = twin.index(FLOW)
    assert (told["value"], told["lane"], provenance["sigma"]) == (120.5, "measured", 0.5)
    assert provenance["uid"] == twin.registry.uid(number)
    assert provenance["origin"] == {"frame": f"samples.0:{100 + number}", "producer": "ingest-1", "version": "0.1", "by": None}
    assert {k: v["value"] for k, v in provenance["lanes"].items()} == {"measured": 120.5, "estimated": 118.0, "simulated": None}
    assert provenance["lanes"]["simulated"]["quality"] == "none"


def test_an_estimate_names_what_gave_it(anybody, twin):
    twin.values.stale[twin.index(FLOW)] = True
    told = flow(anybody)
    assert (told["value"], told["lane"], told["quality"]) == (118.0, "estimated", "simulated")
    assert (told["provenance"]["sigma"], told["provenance"]["origin"]["by"]) == (2.0, "flow observer 2.1")


def test_an_override_names_its_fact_its_owner_and_its_end(operator):
    made = operator.post("/overrides", json={"path": FLOW, "value": 1, "reason": "no power", "seconds": 60}).json()
    for params in ({}, {"at": times.text(START + SECOND)}):
        told = flow(operator, **params)
        origin = told["provenance"]["origin"]
        assert (told["lane"], told["provenance"]["sigma"]) == ("override", None)
        assert (origin["override"], origin["fact"], origin["owner"], origin["reason"]) == (made["id"], made["fact"], "otto", "no power")
        assert origin["until"] == made["until"]


def test_it_is_told_only_where_it_is_asked_for(anybody):
    assert "provenance" not in anybody.get(f"/state/{PUMP}").json()["properties"]["flow"]
