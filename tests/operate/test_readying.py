"""What-ifs are made ready before anybody asks, most likely first; whoever asks goes before, and what is compiled is compiled once."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from own_tank_kit import TANK

from gemel.assets import load
from gemel.operate import models_source, readying, whatif
from gemel.operate.ahead import Ahead
from gemel.operate.jobs import Jobs
from gemel.operate.looped import Looped
from gemel.operate.readying import NOTHING_CHANGED, Readying, likely
from gemel.scenarios import engine
from gemel.twin.releases import Releases

PATIENCE_S = 200.0  # what is made ready gives way to all else, on a busy machine for long
PLANT = """plant: a/b
types:
  Basin: {dynamics: '%s:Tank', signals: {level: {unit: m}}}
  Pump: {dynamics: "gemel.dynamics.components:PumpSet", signals: {flow: {unit: m3/h}}}
  Lamp: {signals: {lit: {unit: "1"}}}
assets:
  basin: {type: Basin, at: hall}
  pump-1: {type: Pump, at: hall}
  pump-2: {type: Pump, at: hall/corner}
  lamp: {type: Lamp, at: hall}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A plant of which one type has a model of one's own, whose module has a name of its own in each test."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(models_source, "LOOK_S", 0.0)
    monkeypatch.setattr(readying, "LOOK_S", 0.01)
    name = f"tank_made_ready_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(TANK)
    (tmp_path / "plant.yaml").write_text(PLANT % name)
    return tmp_path


def readies(here, most=8, busy=None):
    plant = load(here)

    async def released():
        return Releases()

    ahead = Ahead(None, busy or threading.Lock(), Looped(here / "looped"))
    return Readying(lambda: ("v", plant), released, Jobs(here / "jobs"), ahead, here / "compiled" / "readying", most)


def run(one, until):
    """Run it until a condition holds, or until it ends by itself; say whether it did."""

    async def work():
        task = asyncio.create_task(one.run(lambda: True))
        async with asyncio.timeout(PATIENCE_S):
            while not until() and not task.done():
                await asyncio.sleep(0.01)
        ended = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return ended

    return asyncio.run(work())


def asked(plant, asset):
    begun = whatif.begin(plant, asset, {})
    return whatif.spec(begun, {"scenarios": [{"name": "more"}], "horizon_s": 600.0, "members": 20}, "2026-11-21T10:00:00Z", plant)


def test_who_was_asked_about_is_first_then_a_type_each_then_small_areas(here):
    usual = ["a/b/hall/pump-1", "a/b/hall/basin", "a/b/hall", "a/b", "a"]
    assert list(likely(load(here), [])) == usual
    assert list(likely(load(here), ["a/b/hall"])) == ["a/b/hall", "a/b/hall/pump-1", "a/b/hall/basin", "a/b", "a"]


def test_what_is_made_ready_is_there_when_it_is_asked(here):
    one = readies(here, most=2)
    run(one, lambda: one._ahead.made == 2)
    compiled = engine._code.cache_info().misses
    for asset in ("a/b/hall/corner/pump-2", "a/b/hall/basin"):
        assert whatif.run(asked(load(here), asset), lambda done: True)["engine"].startswith("machine code")
    assert engine._code.cache_info().misses == compiled


def test_nothing_is_begun_while_somebody_else_is_at_work_and_what_was_begun_stops(here, monkeypatch):
    begun, stopped, busy = threading.Event(), [], threading.Lock()

    def prepare(spec, told):
        begun.set()
        while told(0.0):
            pass
        stopped.append(spec)
        raise RuntimeError("stopped")

    monkeypatch.setattr(readying, "prepare", prepare)
    one = readies(here, most=1, busy=busy)

    def free():
        if begun.is_set() and not stopped:
            busy.acquire(blocking=False)
        if stopped and busy.locked():
            monkeypatch.setattr(readying, "prepare", lambda spec, told: None)
            assert one._ahead.made == 0
            busy.release()
        return one._ahead.made == 1

    run(one, free)
    assert len(stopped) == 1


def test_who_needs_what_is_being_compiled_waits_for_that_and_nothing_is_compiled_twice(here, monkeypatch):
    written, both = [], threading.Event()
    write = engine.write_kernel

    def slow(plan, of):
        written.append(plan)
        both.wait(30)
        return write(plan, of)

    monkeypatch.setattr(engine, "write_kernel", slow)
    spec = asked(load(here), "a/b/hall/basin")
    with ThreadPoolExecutor(3) as pool:
        found = [pool.submit(whatif.run, spec, lambda done: True) for _ in range(2)]
        other = pool.submit(both.wait, 0.5)  # as long as one is compiled the other one does not begin the same
        other.result()
        both.set()
        results = [f.result() for f in found]
    assert len(written) == 1 and results[0]["futures"] == results[1]["futures"]


def test_what_a_process_died_of_is_not_begun_again_at_once(here):
    seen, first = [], readies(here, most=1)
    run(first, lambda: first._ahead.made == 1)
    (key,) = first._known
    (here / "compiled" / "readying").write_text(key)
    again = readies(here, most=2)
    run(again, lambda: again._ahead.made == 1)
    seen = again._known - {key}
    assert len(seen) == 1 and key in again._known and not (here / "compiled" / "readying").exists()
    third = readies(here, most=1)
    run(third, lambda: third._ahead.made == 1)
    assert third._known == {key}


def test_a_rewritten_model_asks_for_a_new_process_and_a_broken_one_does_not(here):
    one = readies(here, most=2)
    file = next(here.glob("tank_made_ready_*.py"))

    def rewritten():
        if one._ahead.made == 2 and one._plant[2] and file.read_text() == TANK:
            file.write_text(TANK.replace("u.inflow - 0.01", "u.inflow - undefined"))
        elif "undefined" in file.read_text() and one._plant[2] == code_of(one) and not one.working:
            file.write_text(TANK.replace("u.inflow - 0.01", "u.inflow - 0.02"))
        return False

    def code_of(one):
        return {t.dynamics: models_source.source(t.dynamics) for t in one._plant[0].templates if t.dynamics}

    assert run(one, rewritten)
    assert "0.02" in file.read_text()


def test_what_is_asked_by_default_is_what_the_page_asks():
    from gemel.serve.routes import scenarios

    assert scenarios.NOTHING_CHANGED == NOTHING_CHANGED
