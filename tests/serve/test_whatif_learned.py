"""A what-if begins with what was learned and released alone, as estimates and residuals do; where no twin runs, with none."""

import asyncio
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from serve_fake import PUMP, SECOND

from gemel.errors import StorageError
from gemel.face.offline import OfflinePast
from gemel.serve.standing import Moment


def learned(parameters):
    return {"kind": "hybrid", "digest": "ab" * 32, "good_for": {"parameters": parameters}, "hybrid": {"flow": {"version": "c1"}}}


async def begin(asset, shown, releases, at, estimated=()):
    """Tell what it was given, without a model: that a hybrid is simulated with is `tests/operate/test_whatif_hybrid.py`'s."""
    return {"asset": asset, "model": "m:M", "quantities": {}, "calibrated": [], "hybrids": [releases.hybrid(asset, at)]}


def test_a_hybrid_released_alone_is_begun_with_until_it_is_taken_back(anybody, engineer, server, monkeypatch):
    monkeypatch.setattr(server.twin, "whatif_begin", begin)

    def begun():
        return anybody.get("/whatif", params={"asset": PUMP, "warm": False}).json()["hybrids"]

    server.twin.append("ParametersReleased", "olga", PUMP, {"values": {"wear": 0.1}}, "")
    assert begun() == [{}]
    server.twin.append("LearnerReleased", "olga", PUMP, learned(1), "")
    assert begun() == [{"flow": {"version": "c1"}}]
    assert engineer.post("/releases/roll-back", json={"asset": PUMP, "reason": "no good", "kind": "hybrid"}).status_code == 200
    assert begun() == [{}]


def test_a_version_told_a_moment_before_the_plants_time_came_to_it_is_begun_with_and_still_is_when_its_time_is_asked_for(anybody, server, monkeypatch):
    """The process that answers hears of the fact before the tick that the fact counts from."""
    monkeypatch.setattr(server.twin, "whatif_begin", begin)
    server.twin.append("LearnerReleased", "olga", PUMP, learned(0), "")
    server.twin.record[-1] = replace(server.twin.record[-1], at=server.twin.values.plant_time + SECOND // 2)
    live = anybody.get("/whatif", params={"asset": PUMP, "warm": False}).json()
    then = anybody.get("/whatif", params={"asset": PUMP, "warm": False, "at": live["at"]}).json()
    assert live["hybrids"] == then["hybrids"] == [{"flow": {"version": "c1"}}]
    assert then["at"] == live["at"]


def test_where_no_twin_runs_a_what_if_and_past_residuals_go_by_what_the_plant_file_says():
    moment = Moment(SimpleNamespace(past=OfflinePast(None)), 1, 1, live=False)
    assert asyncio.run(moment.released(PUMP)) == []
    with pytest.raises(StorageError):
        asyncio.run(moment.facts("Alarm", PUMP))
