"""A job that never comes back is ended with a word, and so is who works on it: the next one has a process that is free."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from gemel.operate import reasoning
from gemel.operate.jobs import Jobs
from gemel.operate.reasoning import LEFT, Reason


class Line:
    """A bus that nobody else listens to."""

    async def tell(self, subject, data):
        """Say it to nobody."""


def taken(name, said, tries=1):
    async def alive():
        said.append("alive")

    async def done():
        said.append("done")

    return SimpleNamespace(data=name.encode(), tries=tries, alive=alive, done=done)


async def worked(jobs, cancel):
    """Work on a job; give it, what the queue and the process were told in order, and that after it was taken again."""
    asked, _ = jobs.ask("whatif", {}, "a loop", "olga")
    said = []
    reason = Reason(Line(), jobs, leave=lambda code: said.append((code, jobs.get(asked.id).state)))
    async with asyncio.timeout(10):
        working = asyncio.create_task(reason._work(taken(asked.id, said)))
        while cancel and jobs.get(asked.id).state != "running":
            await asyncio.sleep(0.01)
        if cancel:
            jobs.cancel(asked.id)
            await reason._on_cancel(asked.id.encode())
        await working
        again = []
        await Reason(Line(), jobs, leave=again.append)._work(taken(asked.id, again, tries=2))
    return jobs.get(asked.id), said, again


def run(jobs, loose, cancel):
    """Run it, and let the thread go only afterwards."""

    async def whole():
        try:
            return await worked(jobs, cancel)
        finally:
            loose.set()

    return asyncio.run(whole())


@pytest.mark.parametrize(("limit", "cancel", "state"), [("LET_GO_S", True, "cancelled"), ("MUTE_S", False, "failed")])
def test_a_job_that_never_comes_back_is_ended_and_who_worked_on_it_begins_anew(tmp_path, monkeypatch, limit, cancel, state):
    loose = threading.Event()
    monkeypatch.setattr(reasoning, "kind", lambda name: lambda spec, told: told(0.1) and loose.wait(60))
    monkeypatch.setattr(reasoning, limit, 0.3)
    job, said, again = run(Jobs(tmp_path / "jobs"), loose, cancel)
    assert job.state == state and job.ended.code == "job-hung" and "loop" in job.ended.remedy
    assert said[-2:] == ["done", (LEFT, state)], "it is kept how it ended, and taken off the queue, before the process ends"
    assert again == ["done"], "taken again, nobody begins it again"


def test_a_job_that_says_how_far_it_is_may_take_as_long_as_it_needs(tmp_path, monkeypatch):
    def slow(spec, told):
        for n in range(12):
            assert told(0.0) and not threading.Event().wait(0.1)
        return n

    monkeypatch.setattr(reasoning, "kind", lambda name: slow)
    monkeypatch.setattr(reasoning, "MUTE_S", 0.6)
    job, said, _ = run(Jobs(tmp_path / "jobs"), threading.Event(), cancel=False)
    assert job.state == "done" and said[-1] == "done"
