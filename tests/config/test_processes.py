"""How a process of the family ends: asked twice it still ends in order; one that refuses is not started for ever."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from gemel.bus import Server, ServerSettings
from gemel.config import processes
from gemel.config.processes import REFUSED, main, until_told
from gemel.errors import ConfigError, StorageError
from gemel.operate.family import Child, Family


def test_a_second_signal_does_not_cut_the_clean_up():
    """Ctrl-C is pressed twice; a supervisor's stop often comes after the terminal's."""
    ended = []

    async def work():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.1)  # a snapshot is written
            ended.append("in order")

    asyncio.run(until_told(work()))
    assert ended == ["in order"]


def test_a_process_that_does_not_find_its_end_is_ended_by_the_kernel(tmp_path):
    """Its parent may be gone: nobody else would, and it would hold the lake's lock for ever."""
    script = """
import asyncio
from gemel.config.processes import until_told

async def deaf():
    print("ready", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("no", flush=True)

asyncio.run(until_told(deaf(), 1))
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == -signal.SIGALRM
        assert process.stdout.read() == "no\n"


@pytest.mark.parametrize("error, code", [(ConfigError("no"), REFUSED), (StorageError("later"), None)])
def test_a_refusal_is_told_by_the_exit_code_wherever_it_arose(monkeypatch, error, code, caplog):
    async def grouped(places):
        async def fail():
            raise error

        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(asyncio.sleep(5))

    monkeypatch.setattr(processes, "process", lambda name: grouped)
    if code is None:
        with pytest.raises(ExceptionGroup):
            main(["twin", "nowhere"])
    else:
        assert main(["twin", "nowhere"]) == code
        assert [r.getMessage() for r in caplog.records] == ["no"]


def test_a_child_that_refuses_ends_the_family_with_the_same_word(tmp_path):
    async def body():
        child = Child("serve", [sys.executable, "-c", f"raise SystemExit({REFUSED})"], tmp_path, os.environ)
        await child.start()
        kin = Family(Server(ServerSettings(tmp_path / "log", 0, "token")), [child], tmp_path)
        with pytest.raises(ConfigError, match="serve will not run"):
            await kin._watch(child)

    asyncio.run(body())


HEAVY = ("fastapi", "uvicorn", "duckdb", "paho", "pint", "gemel.serve", "gemel.history", "gemel.connect.mqtt")
NEEDED = {"twin": {"duckdb", "gemel.history"}, "ingest": {"paho", "gemel.connect.mqtt"}, "family": set(), "reason": set(),
          "serve": {"fastapi", "uvicorn", "duckdb", "gemel.serve", "gemel.history"}}  # fmt: skip


@pytest.mark.parametrize("name", processes.HOMES)
def test_a_process_loads_only_what_it_is_made_of(name):
    """What is loaded is most of the time that a killed process is away."""
    asked = f"import sys, {processes.HOMES[name]}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert set(told.split()) <= NEEDED[name]
