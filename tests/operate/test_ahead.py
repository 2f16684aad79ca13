"""What a what-if needs is compiled before it is asked, and once, also where who compiles begins to listen later."""

import asyncio
import threading
from types import SimpleNamespace

import msgspec
import pytest
from whatif_kit import ASSET, PLANT

from gemel.assets import load
from gemel.operate import reasoning, under_way, whatif
from gemel.operate.ahead import AHEAD, Ahead, prepare
from gemel.operate.jobs import Jobs
from gemel.operate.looped import Looped, made_of
from gemel.operate.reasoning import CANCEL, PROGRESS, Reason
from gemel.operate.view_jobs import JobsView
from gemel.scenarios import batched, engine
from gemel.scenarios.trace import Untranslated

NOTHING = {"scenarios": [{"name": "ahead"}]}


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plant")
    (folder / "plant.yaml").write_text(PLANT)
    return load(folder)


class Line:
    """News between those who listen now, as the bus carries it."""

    def __init__(self):
        self.heard, self.told = {}, []

    async def tell(self, subject, data):
        self.told.append(subject)
        for handle in self.heard.get(subject, ()):
            await handle(data)

    async def hear(self, subject, handle):
        self.heard.setdefault(subject, []).append(handle)


def spec(plant, question):
    begun = whatif.begin(plant, ASSET, {"demand": (306.0, "m3/h"), "ambient": (20.0, "degC")})
    return whatif.spec(begun, question, "2026-11-21T10:00:00Z", plant)


def test_what_was_made_ready_is_not_compiled_again_when_it_is_asked(plant):
    prepare(spec(plant, NOTHING))
    compiled = engine._code.cache_info().misses
    change = {"of": "demand", "how": "scale", "value": 1.15}
    asked = spec(plant, {"scenarios": [{"name": "more", "changes": [change]}], "horizon_s": 7200.0, "members": 40})
    assert whatif.run(asked, lambda done: True)["futures"][1]["figures"]
    assert engine._code.cache_info().misses == compiled


def test_what_jax_runs_is_not_compiled_again_for_another_horizon_or_more_members(plant, monkeypatch):
    traced, block = [], batched._block
    monkeypatch.setattr(batched, "_block", lambda plan, *given: traced.append(plan) or block(plan, *given))
    batched._code.cache_clear()
    prepare(spec(plant, {**NOTHING, "engine": "jax"}))
    compiled = len(traced)
    change = {"of": "demand", "how": "scale", "value": 1.15}
    asked = spec(plant, {"scenarios": [{"name": "more", "changes": [change]}], "horizon_s": 7200.0, "members": 300, "engine": "jax"})
    result = whatif.run(asked, lambda done: True)
    batched._code.cache_clear()
    assert result["engine"].startswith("JAX") and result["futures"][1]["figures"]
    assert len(traced) == compiled == 2, "for the two members that choose the step, and for all"


def test_what_has_no_translation_is_found_out_once(plant, monkeypatch):
    tried = []

    def write(plan, of):
        tried.append(plan)
        raise Untranslated("no translation of lu")

    monkeypatch.setattr(engine, "write_kernel", write)
    engine._code.cache_clear()
    asked = {**NOTHING, "horizon_s": 60.0, "members": 2}
    told = [whatif.run(spec(plant, asked), lambda done: True)["engine"] for _ in range(2)]
    engine._code.cache_clear()
    assert len(tried) == 1 and all(one.startswith("JAX") for one in told)


def test_who_begins_to_listen_late_is_told_once_more_and_compiles_it_once(plant, tmp_path, monkeypatch):
    made, wanted = [], spec(plant, NOTHING)
    monkeypatch.setattr("gemel.operate.ahead.prepare", made.append)
    line = asyncio.run(listened(wanted, tmp_path / "jobs"))
    assert made == [msgspec.json.decode(msgspec.json.encode(wanted))]
    assert line.told.count(AHEAD) == 3 and PROGRESS in line.told


async def listened(wanted, folder):
    line = Line()
    await JobsView(line, folder).ahead(wanted)
    reason = Reason(line, Jobs(folder))
    ahead = Ahead(line, reason.busy, Looped(folder / "looped.json"))
    working = asyncio.create_task(ahead.run())
    await asyncio.sleep(0)
    reason._queue = SimpleNamespace(ensure=asyncio.Event().wait)  # its queue never comes
    taking = asyncio.create_task(reason.run())
    async with asyncio.timeout(10):
        while not ahead.done:
            await asyncio.sleep(0.01)
    await line.tell(AHEAD, msgspec.json.encode(wanted))
    await asyncio.sleep(0.05)
    working.cancel()
    taking.cancel()
    return line


def test_a_job_cancelled_while_something_is_made_ready_frees_who_works_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(reasoning, "kind", lambda name: pytest.fail("it was worked on"))
    jobs = Jobs(tmp_path / "jobs")
    assert asyncio.run(worked(jobs, cancelled=True))
    assert [job.state for job in jobs.listed()] == ["cancelled"]


def test_a_job_does_not_wait_without_limit_for_what_is_made_ready(tmp_path, monkeypatch):
    monkeypatch.setattr(reasoning, "kind", lambda name: lambda spec, told: spec["load"])
    monkeypatch.setattr(reasoning, "PATIENCE_S", 0.3)
    jobs = Jobs(tmp_path / "jobs")
    assert asyncio.run(worked(jobs))
    assert [jobs.result(job.asked.id) for job in jobs.listed()] == [1.15]


async def worked(jobs, cancelled=False):
    """Work on a job while something is made ready that never is; say whether the lock is still held by who makes it ready."""
    line = Line()
    asked, _ = jobs.ask("whatif", {"load": 1.15}, "more", "someone")
    reason = Reason(line, jobs)
    await line.hear(CANCEL, reason._on_cancel)
    with reason.busy:
        async with asyncio.timeout(10):
            working = asyncio.create_task(reason._work(work_on(asked.id)))
            while cancelled and jobs.get(asked.id).state != "running":
                await asyncio.sleep(0.01)
            if cancelled:
                jobs.cancel(asked.id)
                await line.tell(CANCEL, asked.id.encode())
            await working
        return reason.busy.locked()


def work_on(name):
    async def said():
        return None

    return SimpleNamespace(data=name.encode(), tries=1, done=said, alive=said)


def test_what_is_compiled_for_ever_is_told_and_refused_by_the_next_until_its_code_is_another(plant, tmp_path, monkeypatch):
    monkeypatch.setattr(under_way, "HANGS_S", 0.2)
    monkeypatch.setattr(under_way, "USED", 0.0)
    monkeypatch.setattr("gemel.operate.ahead.LOOK_S", 0.05)
    monkeypatch.setattr("gemel.operate.ahead.SELDOM_S", 0.05)
    loose, wanted, tries = threading.Event(), spec(plant, NOTHING), []
    monkeypatch.setattr("gemel.operate.ahead.prepare", lambda spec: tries.append(spec) or loose.wait(60))
    file = tmp_path / "looped.json"

    async def asked():
        line, left = Line(), []
        ahead = Ahead(line, threading.Lock(), Looped(file), lambda code: left.append(code) or loose.set())
        working = asyncio.create_task(ahead.run())
        await asyncio.sleep(0)
        await line.tell(AHEAD, msgspec.json.encode(wanted))
        async with asyncio.timeout(30):
            while not ahead.done:
                await asyncio.sleep(0.01)
        problems = ahead.problems()
        monkeypatch.setattr("gemel.operate.looped.sources", lambda model: {"own:Model": "another"})
        async with asyncio.timeout(30):
            while ahead.problems():
                await asyncio.sleep(0.01)
        working.cancel()
        monkeypatch.undo()
        return left, problems

    left, (told,) = asyncio.run(asked())
    assert left == [reasoning.LEFT] and len(tries) == 1
    assert told["code"] == "not-made-ready" and f"a what-if of {ASSET} did not come back" in told["message"] and "source is changed" in told["remedy"]


def test_a_what_if_whose_model_was_compiled_for_ever_is_refused_at_once(plant, tmp_path, monkeypatch):
    monkeypatch.setattr(reasoning, "kind", lambda name: pytest.fail("it was worked on"))
    wanted, jobs, looped = spec(plant, NOTHING), Jobs(tmp_path / "jobs"), Looped(tmp_path / "looped.json")
    looped.add("a what-if of it", made_of(wanted["model"]), 300.0, wanted["model"])
    asked, _ = jobs.ask("whatif", wanted, "more", "someone")
    asyncio.run(Reason(Line(), jobs, looped=Looped(tmp_path / "looped.json"))._work(work_on(asked.id)))
    job = jobs.get(asked.id)
    assert (job.state, job.ended.code) == ("failed", "model-loops") and "did not come back within 300 s" in job.ended.problem
