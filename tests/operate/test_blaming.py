"""A drifting sensor must not become wear: what the gate would let in is refused, with the sensor's name and why; wear itself comes in."""

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest
from works_kit import Fault, plant

from gemel.assets import load
from gemel.operate import calibrate_job as job
from gemel.operate.machine import machine_of
from gemel.operate.readings_kept import packed

LENGTH = 1200
PLANT = """
plant: a/b
types:
  Works:
    dynamics: works_kit:Works
    signals:
      setpoint: {unit: rad/s}
      valve: {unit: "1"}
      speed: {unit: rad/s}
      flow: {unit: m3/s}
      level: {unit: m}
      pressure: {unit: m}
      outflow: {unit: m3/s}
    parameters:
      discharge: {unit: m2.5/s, calibrate: true, default: 0.0283}
      wear: {unit: "1", calibrate: true, default: 0}
assets: {works: {type: Works}}
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("works")
    (folder / "plant.yaml").write_text(PLANT)
    kits = str(Path(__file__).resolve().parents[1] / "estimate")
    with pytest.MonkeyPatch.context() as patch:  # a model is first looked at in a process of its own
        patch.setenv("PYTHONPATH", os.pathsep.join([kits, os.environ.get("PYTHONPATH", "")]))
        return machine_of(load(folder), "a/b/works")


def columns(seed, first, fault=Fault()):
    u, y = plant(seed, LENGTH, fault)
    times = (first + np.arange(LENGTH)) * 1_000_000_000
    return [(times, column, np.zeros(LENGTH, np.uint32)) for column in np.concatenate((u, y), axis=1).T]


def calibrated(machine, recent, before=(), champion=None, **wish):
    given = job.wish({"starts": 1, "lead": 30, "step_s": 1.0, **wish})
    times = recent[0][0]
    spec = job.spec(machine, given, (int(times[0]), int(times[-1]) + 1), "d", champion, good=bool(before))
    return job.run({**msgspec.json.decode(msgspec.json.encode(spec)), "bytes": packed([*recent, *before])}, lambda done: True)


@pytest.fixture(scope="module")
def healthy(machine):
    """The version in force, and what it was fitted to."""
    before = columns(1000, 0)
    body = calibrated(machine, before)["release"]
    return {"version": 1, "values": body["values"], "data": body["data"]}, before


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "size"), [(2000, -0.08)])
def test_a_drifting_sensor_would_have_become_wear_and_is_refused_by_name(machine, healthy, seed, size):
    champion, before = healthy
    recent = columns(seed, 10_000, Fault("drift", "level", size, 0))
    without = calibrated(machine, recent, before, champion, blame=False)
    assert without["gate"]["passed"], without["gate"]["against"]
    assert abs(without["parameters"]["discharge"]["value"] / champion["values"]["discharge"] - 1) > 0.08
    asked = calibrated(machine, recent, before, champion)
    assert not asked["gate"]["passed"]
    (why,) = asked["gate"]["against"]
    assert "the residuals blame a/b/works/level" in why, why


@pytest.mark.slow
def test_what_did_change_comes_in(machine, healthy):
    champion, before = healthy
    recent = columns(2000, 10_000, Fault("wear", "", 0.12, -60))
    asked = calibrated(machine, recent, before, champion)
    assert asked["attribution"]["first"]["kind"] == "process", asked["attribution"]
    assert asked["gate"]["passed"], (asked["gate"]["against"], asked["attribution"])
