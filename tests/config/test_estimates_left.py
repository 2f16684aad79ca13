"""A model that fails ends no other's estimates, and what ended is begun anew."""

import asyncio
from types import SimpleNamespace

import pytest

pytest.importorskip("jax")

from plants import HEAD, plant

from gemel.config import estimates
from gemel.operate.estimates_areas import followed
from gemel.operate.places import Places

PLANT = HEAD + """types:
  Pump:
    dynamics: gemel.dynamics.components:DosingPump
    signals:
      flow: {unit: mL/s, dynamics: true}
  Tank:
    dynamics: gemel.dynamics.components:Tank
    source: {from: field, topic: "line/{asset}/{signal}"}
    signals:
      level: {unit: cm, range: [0, 500], accuracy: 2 mm, estimated: {dynamics: true}}
assets:
  pump: {type: Pump, at: line-1}
  tank: {type: Tank, at: line-1}
"""


@pytest.fixture
def site(tmp_path):
    made = plant(tmp_path / "plant", PLANT)
    return SimpleNamespace(plant=made, registry=made.registry())


class Loop:
    """Stands for the loop on the log: its first run fails as a user's model may, the others go on."""

    begun = 0

    def __init__(self, *_):
        self.told, self.behind_s, self.problem = 0, 0.0, ""

    async def run(self):
        Loop.begun += 1
        if Loop.begun == 1:
            raise RuntimeError("the child of the FMU is gone")
        self.told = 1
        await asyncio.Event().wait()


async def until(held):
    async with asyncio.timeout(60):
        while not held():
            await asyncio.sleep(0.01)


def test_a_kind_that_fails_is_left_out_by_name_and_the_others_are_followed(site):
    left = []
    kinds = followed(site.plant, site.registry, lambda name, why: left.append((name, why.code)))
    assert [kind.type for kind in kinds] == ["Tank"]
    assert left == [("type Pump", "unbound")]


def test_an_area_that_fails_is_left_out_with_its_assets(tmp_path):
    apart = PLANT.replace("tank: {type: Tank, at: line-1}", "tank: {type: Tank, at: line-2}")
    made, left = plant(tmp_path / "area", apart + "estimates:\n  line-1: {}\n"), []  # nothing to join there
    assert [k.type for k in followed(made, made.registry(), lambda name, why: left.append((name, why.code)))] == ["Tank"]
    assert [name for name, _ in left] == ["area acme/riverside/line-1"]


def test_what_ended_on_the_way_is_told_and_begun_anew_and_who_was_left_out_is_told_throughout(site, tmp_path, monkeypatch):
    monkeypatch.setattr(estimates, "EstimatesLoop", Loop)
    monkeypatch.setattr(estimates, "AGAIN_S", 0.2)
    monkeypatch.setattr(Loop, "begun", 0)
    of = estimates.Estimates(None, Places(tmp_path / "data"))

    async def story():
        task = asyncio.create_task(of._estimate(site))
        await until(lambda: of.told()["problems"])
        while Loop.begun == 1 and not any("nothing is" in p["message"] for p in of.told()["problems"]):
            await asyncio.sleep(0.01)
        first = of.told()["problems"]
        await until(lambda: Loop.begun == 2)
        second = of.told()["problems"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return first, second

    first, second = asyncio.run(story())
    assert [(p["code"], p["message"]) for p in first] == [
        ("not-estimated", "nothing is estimated: RuntimeError: the child of the FMU is gone; it is tried again in 0.2 s")
    ]
    assert [p["code"] for p in second] == ["not-estimated"]
    assert "type Pump is not estimated: " in second[0]["message"]
    assert "give one of" in second[0]["remedy"]


def test_where_nothing_can_be_estimated_the_reason_is_told_and_it_is_tried_again(site, tmp_path, monkeypatch):
    tries = []
    monkeypatch.setattr(estimates, "AGAIN_S", 0.01)
    monkeypatch.setattr("gemel.operate.estimates_areas.followed", lambda *_: tries.append(1) or 1 / 0)
    of = estimates.Estimates(None, Places(tmp_path / "data"))

    async def story():
        task = asyncio.create_task(of._estimate(site))
        await until(lambda: len(tries) > 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    (told,) = of.told()["problems"]
    assert told["message"].startswith("nothing is estimated: ZeroDivisionError")
