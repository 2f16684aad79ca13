"""A version in force that blows up is replaced by one that does not; and of what it is, is told as plain JSON."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gemel.assets import load
from gemel.cli.calibrate import _words
from gemel.dynamics import Quantity
from gemel.estimate.calibrate import Settings
from gemel.estimate.record import Record
from gemel.operate.calibrating import calibrate, released_body, scored
from gemel.operate.machine import machine_of, parameters_to

PLANT = """
plant: a/b
types:
  Leaky:
    dynamics: test_blown_champion:Leaky
    signals: {feed: {unit: "1/s"}, x: {unit: "1"}}
    parameters: {rate: {unit: 1/s, calibrate: true, default: -0.2}}
assets: {one: {type: Leaky}}
"""


class Leaky:
    """Falls towards nothing, or grows beyond all numbers: the sign of its rate says which."""

    states = {"x": Quantity("1", 1.0)}
    inputs = {"feed": Quantity("1/s", 0.2)}
    outputs = {"x": Quantity("1")}
    parameters = {"rate": Quantity("1/s", -0.2, low=-1.0, high=5.0)}

    def derivative(self, t, x, u, p):
        return {"x": p.rate * x.x + u.feed}

    def output(self, t, x, u, p):
        return {"x": x.x}


def record(steps, seed):
    rng = np.random.default_rng(seed)
    u, x, y = 0.2 + np.repeat(rng.uniform(-0.1, 0.1, steps // 10), 10), 1.0, np.empty(steps)
    for k in range(steps):
        y[k] = x + 0.005 * rng.standard_normal()
        x = u[k] / 0.2 + (x - u[k] / 0.2) * np.exp(-0.2)
    return Record(1.0, u[:, None], y[:, None], np.ones((steps, 1)))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leaky")
    (folder / "plant.yaml").write_text(PLANT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        machine = machine_of(load(folder), "a/b/one")
    machine = replace(machine, p=parameters_to(machine, {"rate": 4.0}))
    return calibrate(machine, ["rate"], [record(200, 1)], [record(400, 2)], settings=Settings(starts=2))


def test_a_champion_that_blows_up_is_replaced(found):
    assert found.fit.parameters["rate"].value == pytest.approx(-0.2, rel=0.05)
    assert found.verdict.passed, found.verdict.against
    assert not np.isfinite(found.before[0].outputs).all()


def test_what_is_told_of_it_is_plain_json_and_words(found):
    told = found.told()
    again = json.loads(json.dumps(told, allow_nan=False))
    assert again["validation"]["rmse_before"]["x"]["value"] is None and again["validation"]["rmse"]["x"]["value"] < 0.01
    words = "\n".join(_words({**told, "seconds": 0.1}))
    assert "with the parameters before: RMSE x blows up" in words
    json.dumps(released_body(found, ["f.csv"]), allow_nan=False)
    assert scored(found.machine, found.before)["fidelity"] == {}
