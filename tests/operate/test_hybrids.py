"""A hybrid is learned from what a fit left over, judged on what it has not seen, released with its version, and used as released."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gemel.assets import load
from gemel.dynamics.fixed import trajectory
from gemel.estimate.hybrid_kept import again
from gemel.operate import calibrate_job as job
from gemel.operate.hybrids import corrected
from gemel.operate.machine import machine_of, parameters_to
from gemel.operate.readings_kept import packed

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/cascaded-tanks"
STEPS = 900


@pytest.fixture(scope="module")
def machine():
    return machine_of(load(EXAMPLE), "benchmark/cascaded-tanks/bench/rig")


def lived(machine, bow):
    """Readings of a rig whose sensor bows, which the model does not know."""
    rng = np.random.default_rng(4)
    u = 2.6 + np.repeat(rng.uniform(-1, 1, STEPS // 25), 25)[:, None]
    x, y = trajectory(machine.model, np.array([4.0, 4.0]), u, parameters_to(machine, {"k3": 0.061, "k4": 0.047}), 4.0)
    y = np.asarray(y)[:, 0]
    return np.asarray(x), u, y, y + bow * np.sin(1.5 * y) + 0.01 * rng.standard_normal(STEPS)


def asked(machine, bow, **wish):
    _, u, _, read = lived(machine, bow)
    times, good = np.arange(STEPS) * 4_000_000_000, np.zeros(STEPS, np.uint32)
    given = job.wish({"parameters": ["k3", "k4"], "starts": 1, "unseen": 0.4, "hybrid": True, **wish})
    spec = job.spec(machine, given, (0, STEPS * 4_000_000_000), "d")
    data = packed([(times, u[:, 0], good), (times, read, good)])
    return msgspec.json.decode(msgspec.json.encode(job.run({**spec, "bytes": data}, lambda done: True)))


@pytest.fixture(scope="module")
def answer(machine):
    return asked(machine, 0.2)


def test_it_is_better_on_what_neither_has_seen_and_says_how_much_is_physics(answer):
    told = answer["hybrid"]["lower"]
    assert told["helps"] and told["hybrid_rmse"] < 0.6 * told["physics_rmse"]
    assert told["unit"] == "V" and 0.7 < told["physics_share"] < 1 and 0.5 < told["known"] <= 1
    assert told["physics_rmse"] == pytest.approx(answer["validation"]["rmse"]["lower"]["value"], rel=0.2)


def test_a_version_carries_it_and_it_is_used_as_it_was_released(machine, answer):
    body = answer["release"]
    assert len(json.dumps(body)) < 40_000
    kept = body["hybrid"]["lower"]
    assert again(kept).version == kept["version"] == answer["hybrid"]["lower"]["version"]
    p = parameters_to(machine, body["values"])
    _, u, _, read = lived(machine, 0.2)
    x, y = (np.asarray(a) for a in trajectory(machine.model, np.array([4.0, 4.0]), u, p, 4.0))
    used = corrected(body, machine, x, u, y)["lower"]
    assert np.std(read - used.value) < 0.9 * np.std(read - y[:, 0])
    far = corrected(body, machine, x + 50, u, y)["lower"]
    assert (far.known < 1e-6).all() and (far.value == y[:, 0]).all() and far.physics_share == 1.0


def test_nothing_is_learned_where_nobody_asks(machine):
    answer = asked(machine, 0.2, hybrid=False)
    assert answer["hybrid"] is None and "hybrid" not in answer["release"]


@pytest.fixture(scope="module")
def good(machine):
    """The parameters of the rig in force, with what its sensor bows not yet learned: no fit is much better."""
    return {"version": 2, "values": {"k3": 0.061, "k4": 0.047}, "data": {"to_s": 0.0}}


def again_asked(machine, champion, **wish):
    _, u, _, read = lived(machine, 0.2)
    times, status = np.arange(STEPS) * 4_000_000_000, np.zeros(STEPS, np.uint32)
    given = job.wish({"parameters": ["k3"], "starts": 1, "unseen": 0.4, "hybrid": True, **wish})
    spec = job.spec(machine, given, (0, STEPS * 4_000_000_000), "d", champion)
    return msgspec.json.decode(msgspec.json.encode(job.run({**spec, "bytes": packed([(times, u[:, 0], status), (times, read, status)])}, lambda done: True)))


def test_where_no_parameters_are_better_the_hybrid_alone_is_judged_against_what_is_in_force(machine, good):
    answer = again_asked(machine, good, parameters=["k3", "k4"])
    assert not answer["gate"]["passed"]
    alone = answer["alone"]
    assert alone["gate"]["passed"], alone["gate"]["against"]
    body = alone["release"]
    assert (body["kind"], body["good_for"]["parameters"], body["champion"]) == ("hybrid", 2, 0) and len(body["digest"]) == 64
    assert body["unconfirmed"], "no time is known when all was right: a person must look at the sensor"
    assert alone["hybrid"]["lower"]["hybrid_rmse"] < 0.6 * alone["hybrid"]["lower"]["physics_rmse"]
    once_more = again_asked(machine, good | {"hybrid": body["hybrid"], "hybrid_version": 1}, parameters=["k3", "k4"])
    assert once_more["scores"]["champion"]["rmse"]["lower"]["value"] == pytest.approx(alone["hybrid"]["lower"]["hybrid_rmse"])
    assert not (once_more["alone"] and once_more["alone"]["gate"]["passed"]), "the champion has it already"
    assert not once_more["gate"]["passed"]
