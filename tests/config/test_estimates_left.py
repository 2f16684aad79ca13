"""A model that fails ends no other's estimates, and what ended is begun anew."""

import asyncio
import threading
from types import SimpleNamespace
from typing import ClassVar

import pytest

pytest.importorskip("jax")

from plants import HEAD, plant

from gemel.bus.server import free_port
from gemel.config import Settings, estimates
from gemel.config.supervise import prepare
from gemel.operate import under_way
from gemel.operate.estimates_areas import followed
from gemel.operate.looped import Looped
from gemel.operate.places import Places
from gemel.operate.reasoning import LEFT

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
        self.estimator = SimpleNamespace(substituted=2, beyond=[])

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


def test_machines_of_one_type_that_differ_are_all_followed_and_made_once(tmp_path):
    """One has more in its plant file than the type says: a kind of its own, by the same name."""
    more = "  tank-2:\n    type: Tank\n    at: line-1\n    signals:\n      level: {range: [0, 400]}\n"
    of, known = plant(tmp_path / "two", PLANT + more), {}
    kinds = followed(of, of.registry(), lambda *_: None, known)
    assert sorted(path for kind in kinds for path in kind.assets) == ["acme/riverside/line-1/tank", "acme/riverside/line-1/tank-2"]
    assert all(a is b for a, b in zip(kinds, followed(of, of.registry(), lambda *_: None, known), strict=True))


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
        await until(lambda: any("nothing is" in p["message"] for p in of.told()["problems"]))
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
    assert of.told()["measures"]["estimates_substituted"] == 2
    assert second[0]["message"].startswith("type Pump is not estimated: of acme/riverside/line-1/pump, nothing that the model gives")
    assert second[0]["message"].endswith("; the others are"), "no retry puts a source into a plant file"
    assert "give one of" in second[0]["remedy"]


def test_where_nothing_can_be_estimated_the_reason_is_told_and_it_is_tried_again(site, tmp_path, monkeypatch):
    tries = []
    monkeypatch.setattr(estimates, "AGAIN_S", 0.01)
    monkeypatch.setattr("gemel.operate.estimates_areas.followed", lambda *_, **__: tries.append(1) or 1 / 0)
    of = estimates.Estimates(None, Places(tmp_path / "data"))

    async def story():
        task = asyncio.create_task(of._estimate(site))
        await until(lambda: len(tries) > 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    (told,) = of.told()["problems"]
    assert told["message"].startswith("nothing is estimated: ZeroDivisionError")


def test_a_kind_that_was_left_out_is_tried_again_and_follows_beside_the_others_once_it_can_be(site, tmp_path, monkeypatch):
    """As one does whose child ran out of time on a machine that was busy: the others are not made anew for it."""
    tries, makes, runs = [], [], []

    def makes_of(plant, registry, together):
        def late():
            tries.append(1)
            if len(tries) < 3:
                raise TimeoutError("it never came to an end")
            return SimpleNamespace(type="Pump")

        yield "Tank", lambda: makes.append(1) or SimpleNamespace(type="Tank")
        yield "Pump", late

    class Following(Loop):
        def __init__(self, bus, folder, make, since):
            super().__init__()
            runs.append([self, "began"])

        async def run(self):
            try:
                await asyncio.Event().wait()
            finally:
                next(one for one in runs if one[0] is self)[1] = "ended"

    monkeypatch.setattr("gemel.operate.estimates_areas.makes_of", makes_of)
    monkeypatch.setattr(estimates, "EstimatesLoop", Following)
    monkeypatch.setattr(estimates, "AGAIN_S", 0.05)
    of, said = estimates.Estimates(None, Places(tmp_path / "data")), []

    async def story():
        task = asyncio.create_task(of._estimate(site))
        await until(lambda: of.told()["problems"])
        said.extend(of.told()["problems"])
        await until(lambda: len(runs) == 2)
        after = of.told()["problems"]
        state = [one[1] for one in runs]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return after, state

    after, state = asyncio.run(story())
    assert said[0]["message"] == "type Pump is not estimated: TimeoutError: it never came to an end; the others are, and it is tried again within 0.05 s"
    assert (after, state, len(tries), len(makes)) == ([], ["ended", "began"], 3, 1)


def test_who_fails_again_and_again_is_tried_ever_more_seldom(site, tmp_path, monkeypatch):
    waits = []

    async def wait(tasks, timeout=None):
        waits.append(timeout)
        if len(waits) > 12:
            await asyncio.Event().wait()
        return set(), set(tasks)

    monkeypatch.setattr(estimates, "EstimatesLoop", Loop)
    monkeypatch.setattr(Loop, "begun", 1)
    of = estimates.Estimates(None, Places(tmp_path / "data"))

    async def story():
        task = asyncio.create_task(of._estimate(site))
        with monkeypatch.context() as m:
            m.setattr(estimates.asyncio, "wait", wait)
            await until(lambda: len(waits) > 12)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    assert waits[0] == estimates.AGAIN_S and waits[-1] == estimates.RARE_S
    assert all(b >= min(2 * a, estimates.RARE_S) for a, b in zip(waits, waits[1:], strict=False))


class Followed(Loop):
    """Stands for the loop on the log: it computes with the first kind as `does` says."""

    runs: ClassVar = []
    does: ClassVar = None

    def __init__(self, bus, folder, make, since):
        super().__init__()
        self.estimator = make(0)
        self.runs.append([kind.type for kind in self.estimator.planned])

    async def run(self):
        def work():
            with self.estimator._under.of(self.estimator.planned[0]):
                return type(self).does(self.estimator.planned[0])

        await asyncio.to_thread(work)
        await asyncio.Event().wait()


@pytest.fixture
def two(tmp_path, monkeypatch):
    """A site with two kinds that can be followed, each a tank of a type of its own."""
    more = PLANT.replace("types:", "types:\n  Basin: {extends: Tank}").replace("assets:", "assets:\n  basin: {type: Basin, at: line-1}")
    made = plant(tmp_path / "two", more)
    monkeypatch.setattr(estimates, "EstimatesLoop", Followed)
    monkeypatch.setattr(Followed, "runs", [])
    return SimpleNamespace(plant=made, registry=made.registry())


def test_who_fails_on_the_way_is_left_out_by_name_for_a_while_and_the_others_go_on(two, tmp_path, monkeypatch):
    monkeypatch.setattr(estimates, "AGAIN_S", 0.2)
    monkeypatch.setattr(Followed, "does", lambda kind: kind.type == "Basin" and 1 / 0)
    of, said = estimates.Estimates(None, Places(tmp_path / "data")), []

    async def story():
        task = asyncio.create_task(of._estimate(two))
        await until(lambda: ["Tank"] in Followed.runs)
        said.extend(of.told()["problems"])
        await until(lambda: len(Followed.runs) == 4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    assert Followed.runs == [["Basin", "Tank"], ["Tank"]] * 2, "it is tried again"
    assert of._out["type Basin"].wait == 0.4, "ever more seldom"
    message = next(p["message"] for p in said if "type Basin" in p["message"])
    assert message == "type Basin is not estimated: ZeroDivisionError: division by zero; the others are, and it is tried again within 0.2 s"


def test_who_never_comes_back_ends_the_process_and_is_left_out_by_the_next_until_its_code_or_the_plant_is_another(two, tmp_path, monkeypatch):
    monkeypatch.setattr(under_way, "HANGS_S", 0.5)
    monkeypatch.setattr(under_way, "USED", 0.0)
    monkeypatch.setattr(estimates, "LOOK_S", 0.05)
    places, loose, left = Places(tmp_path / "data"), threading.Event(), []
    places.data.mkdir()
    monkeypatch.setattr(Followed, "does", lambda kind: kind.type == "Basin" and loose.wait(60))

    async def looped():
        of = estimates.Estimates(None, places, left.append)
        await of._started(two)
        watching = asyncio.create_task(of._watch())
        try:
            await until(lambda: any("type Basin has not come back" in p["message"] for p in of.told()["problems"]))
            await until(lambda: left)
        finally:
            loose.set()
            watching.cancel()

    async def anew(site):
        of = estimates.Estimates(None, places, left.append)
        n = len(Followed.runs)
        await of._started(site)
        await until(lambda: len(Followed.runs) > n)
        return of.told()["problems"]

    asyncio.run(looped())
    assert left == [LEFT]
    told = asyncio.run(anew(two))
    assert Followed.runs[-1] == ["Tank"]
    (basin,) = [p for p in told if "type Basin" in p["message"]]
    assert "the model of type Basin did not come back within" in basin["message"] and basin["message"].endswith("without it; the others are")
    assert "the model's source or the plant file is changed, or the twin is started anew" in basin["remedy"]
    other = plant(tmp_path / "other", (tmp_path / "two" / "plant.yaml").read_text() + "title: another\n")
    asyncio.run(anew(SimpleNamespace(plant=other, registry=other.registry())))
    assert Followed.runs[-1] == ["Basin", "Tank"]
    assert Looped(places.looped).known == []


def test_a_person_who_starts_the_twin_anew_has_it_tried_again(tmp_path):
    settings = Settings(plant=str(tmp_path / "plant"), data=str(tmp_path / "data"), port=free_port())
    plant(tmp_path / "plant", PLANT)
    prepare(settings)
    Looped(Places(tmp_path / "data").looped).add("type Tank", "digest", 120.0)
    prepare(settings)
    assert Looped(Places(tmp_path / "data").looped).known == []


def test_what_is_beyond_its_range_is_told_in_health(tmp_path):
    of = estimates.Estimates(None, Places(tmp_path / "data"))
    assert of.told()["problems"] == []
    of._loop = Loop()
    of._loop.estimator.beyond = ["a/b/flow comes to 90 m3/h, beyond 80"]
    (said,) = of.told()["problems"]
    assert (said["code"], said["message"]) == ("estimates-beyond", "a/b/flow comes to 90 m3/h, beyond 80") and said["remedy"]
