"""Jammed on one machine, starved on the next; power of both, energy of the line: as somebody outside sees it, killed in between."""

import asyncio
import contextlib
import os
import signal
from datetime import UTC, datetime

import pytest
from story_kit import Face, add_person

from gemel.bench.site import running, wait
from gemel.config.forking import verify_replay

ROOT = "acme/works/hall"
PLANT = """
plant: acme/works
types:
  Machine:
    signals:
      power: {unit: kW, stale_after: 1 h}
  Conveyor:
    extends: Machine
    signals:
      state: {states: [running, jammed], stale_after: 1 h}
    rules:
      jammed: {when: state == jammed}
  Robot:
    extends: Machine
    rules:
      starved: {when: any(upstream.jammed) and power < 1 kW, for: 1 s, description: nothing comes in}
  Line:
    rollups:
      power: {by: sum, of: power, over: parts, unit: W}
      energy: {by: energy, of: power, over: parts, per: 2 s, unit: W.h}
assets:
  line: {type: Line, at: hall}
  conveyor-1: {type: Conveyor, at: hall/line}
  robot-2: {type: Robot, at: hall/line}
relations: [conveyor-1 feeds robot-2]
"""


def send(face, **values):
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    names = {"conveyor_power": "conveyor-1/power", "state": "conveyor-1/state", "robot_power": "robot-2/power"}
    status, answer = face.post_rows([{"signal": f"{ROOT}/line/{names[n]}", "time": now, "value": v} for n, v in values.items()])
    assert status == 200 and not answer["rejected"], answer


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "plant.yaml").write_text(PLANT)
    return tmp_path


def test_values_and_events_go_along_relations_through_a_kill(folder):
    with running(folder / "plant", folder / "data") as site:
        face = Face(site.settings.port, add_person(folder / "data", "olga", "operator"))
        send(face, conveyor_power=2, robot_power=0.5, state=0)
        assert wait(lambda: face.shown(f"{ROOT}/line").get("power", {}).get("value") == 2500, 60), face.shown(f"{ROOT}/line")
        assert wait(lambda: face.shown(f"{ROOT}/line/robot-2")["starved"]["text"] == "no", 60)

    with running(folder / "plant", folder / "data") as site:  # from a snapshot
        face = Face(site.settings.port, face.person)
        send(face, state=1)
        assert wait(lambda: told(face, "EventRaised"), 60)
        (raised,) = face.facts("EventRaised", f"{ROOT}/line/robot-2")
        assert raised["body"]["event"] == "starved" and raised["reason"] == "nothing comes in for 1 s"
        os.kill(site.pids()["twin"], signal.SIGKILL)
        assert wait(lambda: told(face, "EventRaised"), 60)
        send(face, state=0)
        assert wait(lambda: told(face, "EventCleared"), 60)
        assert wait(lambda: face.shown(f"{ROOT}/line/robot-2")["starved"]["text"] == "no", 60)
        assert len(face.facts("EventRaised", f"{ROOT}/line/robot-2")) == 1
        assert wait(lambda: len(face.rows(f"{ROOT}/line/energy")) > 3, 60)
        whole = [v for _, v, status in face.rows(f"{ROOT}/line/energy") if "Good" in status or status == "0"]
        assert whole and whole[-1] == pytest.approx(2500 * 2 / 3600)
        checked = asyncio.run(verify_replay(site.places))
        assert checked.ok and checked.upto > checked.since, checked
        assert face.get("facts/verify")["ok"]


def told(face, kind):
    """Facts about the robot; none while the twin is away."""
    with contextlib.suppress(OSError):
        return face.facts(kind, f"{ROOT}/line/robot-2")
    return []
