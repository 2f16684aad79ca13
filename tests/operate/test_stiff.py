"""A plant file with a stiff model of one's own: what-if, calibration and estimates are right, and who forgot to say `stiff` is told."""

import json
import os
import sys

import numpy as np
import pytest

pytest.importorskip("jax")

from click.testing import CliRunner
from plants import HEAD

from gemel.assets import load
from gemel.bus import Frame, FrameHeader, decode_frame
from gemel.cli.calibrate import command as calibrate
from gemel.cli.whatif import command as whatif
from gemel.errors import ModelError
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.operate.models_check import model_problems
from gemel.operate.site import Site
from gemel.samples import Batch

SECOND = 10**9
START = 1_700_000_040 * SECOND  # a whole minute
LEAK, STEPS, DT = 20.0, 240, 60
MODEL = """
from gemel.dynamics import Quantity, maths


class Silent:
    states = {"wall": Quantity("K", 300.0, low=200.0, high=1000.0), "tank": Quantity("K", 300.0, low=200.0, high=1000.0)}
    inputs = {"power": Quantity("W", 1000.0, low=0.0, high=20000.0)}
    outputs = {"flow": Quantity("W")}
    parameters = {"exchange": Quantity("W/K", 500.0, low=100.0, high=1000.0), "leak": Quantity("W/K", 10.0, low=1.0, high=100.0)}

    def derivative(self, t, x, u, p):
        flow = p.exchange * (x.wall - x.tank)
        return {"wall": (u.power - flow) / 0.1, "tank": (flow - p.leak * (x.tank - 300.0)) / 40000.0}

    def output(self, t, x, u, p):
        return {"flow": p.exchange * (x.wall - x.tank)}


class Boiler(Silent):
    stiff = True
"""
PLANT = (
    HEAD
    + """types:
  Boiler:
    dynamics: models_of_stiff_test:NAME
    estimates: {every: 60 s, noise: {tank: 0.01 K, wall: 0.1 K}}
    source: {from: field, topic: "b/{asset}/{signal}"}
    signals:
      power: {unit: kW, range: [0, 20]}
      tank: {unit: K, range: [200, 1000], accuracy: 0.2 K, estimated: {dynamics: true}}
      wall: {unit: K, dynamics: true}
    parameters:
      leak: {unit: W/K, calibrate: true, default: 10, range: [1, 100]}
assets:
  boiler: {type: Boiler, at: bench}
"""
)
ASSET = "acme/riverside/bench/boiler"


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stiff")
    (folder / "models_of_stiff_test.py").write_text(MODEL)
    before, paths = os.environ.get("PYTHONPATH", ""), sys.path[:]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), before])
    sys.path.insert(0, str(folder))

    def of(name, leak=10.0):
        place = folder / f"{name}-{leak:g}"
        place.mkdir(exist_ok=True)
        (place / "plant.yaml").write_text(PLANT.replace("NAME", name).replace("default: 10", f"default: {leak:g}"))
        return place

    yield of
    os.environ["PYTHONPATH"], sys.path[:] = before, paths


def course():
    """Power [W] and true temperatures of wall and tank [K] each minute: the wall's rest, and the tank by its one time constant."""
    power = 4000.0 + 3000.0 * (np.arange(STEPS) // 30 % 2)
    tank, found = 300.0, []
    fade = np.exp(-LEAK * DT / 40_000.0)
    for now in power:
        found.append((tank + now / 500.0, tank))
        tank = 300.0 + now / LEAK + (tank - 300.0 - now / LEAK) * fade
    return power, np.array(found)


def record(path):
    power, x = course()
    noise = np.random.default_rng(3).normal(0, 0.2, STEPS)
    rows = "".join(f"{DT * i},{power[i] / 1000},{x[i, 1] + noise[i]:.4f}\n" for i in range(STEPS))
    path.write_text("time_s,power,tank\n" + rows)
    return path


def test_a_what_if_is_right(plant):
    asked = [str(plant("Boiler")), "--asset", ASSET, "--set", "power=*2", "--horizon", "2h", "--scenarios", "8", "--uncertain", "none", "--json"]
    done = CliRunner().invoke(whatif, asked, catch_exceptions=False)
    told = json.loads(done.stdout)
    assert done.exit_code == 0, done.output
    ends = [f["bands"][[w["name"] for w in told["watch"]].index("tank")][2][-1] for f in told["futures"]]
    assert ends == pytest.approx([300 + p / 10 * (1 - np.exp(-7200 * 10 / 40_000)) for p in (1000.0, 2000.0)], abs=0.02)


def test_an_input_beyond_its_range_is_told(plant):
    asked = [str(plant("Boiler")), "--asset", ASSET, "--set", "power=25 kW", "--horizon", "10min", "--scenarios", "2", "--uncertain", "none"]
    done = CliRunner().invoke(whatif, asked, catch_exceptions=False)
    assert "power=25 kW: power comes to 25000 W, beyond 20000, where its declared range ends, in 100% of the members, at 100% of the instants shown" in done.output
    assert "baseline: power" not in done.output


def test_who_forgot_to_say_so_is_told_the_remedy(plant):
    asked = [str(plant("Silent")), "--asset", ASSET, "--set", "power=*2", "--horizon", "2h", "--scenarios", "8", "--uncertain", "none"]
    done = CliRunner().invoke(whatif, asked, catch_exceptions=False)
    assert done.exit_code == 1
    assert "did not stay finite" in done.output
    assert "the model is stiff: its fastest time constant is 0.0002 s, and the step is" in done.output
    assert "stiff = True" in done.output


@pytest.mark.parametrize(("name", "words"), [("Boiler", 0), ("Silent", 1)])
def test_it_is_told_before(plant, name, words):
    folder = plant(name)
    found = [p for p in model_problems(load(folder), folder, evaluate=True) if "stiff" in p.message]
    assert len(found) == words
    for problem in found:
        assert problem.severity == "warning" and problem.line == folder.joinpath("plant.yaml").read_text().split("dynamics:")[0].count("\n") + 1
        assert "the model is stiff: its fastest time constant is 0.00017 s somewhere in its declared ranges" in problem.message
        assert "what-ifs step down to 0.16 s, estimates step down to 0.3 s" in problem.message
        assert "stiff = True" in problem.remedy


def test_a_calibration_finds_the_leak(plant, tmp_path):
    asked = [str(plant("Boiler")), "boiler", "--data", str(record(tmp_path / "day.csv")), "--first", "0.6", "--starts", "1", "--json"]
    done = CliRunner().invoke(calibrate, asked, catch_exceptions=False)
    told = json.loads(done.stdout)
    assert told["converged"], told["why"]
    leak = told["parameters"]["leak"]
    assert leak["low"] < LEAK < leak["high"] and leak["high"] - leak["low"] < 0.5, leak
    assert told["validation"]["rmse"]["tank"]["value"] == pytest.approx(0.2, abs=0.05)
    assert told["words"] == []


def test_a_calibration_of_who_forgot_says_why_it_fails(plant, tmp_path):
    asked = [str(plant("Silent")), "boiler", "--data", str(record(tmp_path / "day.csv")), "--first", "0.6", "--starts", "1"]
    done = CliRunner().invoke(calibrate, asked)
    assert isinstance(done.exception, ModelError) and done.exception.code == "model-not-finite", done.output
    assert "the model is stiff: its fastest time constant is 0.0002 s, and the step is 0.938 s" in done.exception.message


def followed(described, power, tank):
    """Have an estimator follow the boiler; give it, its site, and what it told."""
    site = Site(described, described.registry())
    estimator = Estimator(kinds_of(described, site.registry), site.registry, described.checks(site.registry), 100)
    numbers, told = [site.registry.index(f"{ASSET}/{n}") for n in ("power", "tank")], []
    for k in range(len(power)):
        now = START + k * DT * SECOND
        rows = Batch.of(signal=numbers, time=[now] * 2, received=[now] * 2, value=[power[k] / 1000, tank[k]], status=[0] * 2)
        header = FrameHeader(kind="samples", partition=0, producer="ingest-1", sequence=k + 1, registry=site.registry.digest)
        told += estimator.take(Frame(header, rows), 2 * k + 1)
        tick = FrameHeader(kind="tick", partition=0, producer="twin-1", sequence=k + 1, time=now)
        told += estimator.take(Frame(tick, Batch.empty()), 2 * k + 2)
    return estimator, site, told


def test_an_input_that_is_followed_beyond_its_range_is_told(plant):
    text = (plant("Boiler") / "plant.yaml").read_text()
    wide = plant("Boiler", 11.0)
    (wide / "plant.yaml").write_text(text.replace("power: {unit: kW, range: [0, 20]}", "power: {unit: kW, range: [0, 50]}"))
    power = np.where(np.arange(30) % 10 == 5, 25_000.0, 20_000.0)
    estimator, _, _ = followed(load(wide), power, np.full(30, 320.0))
    assert estimator.beyond == [f"{ASSET}/power comes to 25 kW, beyond 20, where the range that its model declares ends, at 3 of the newest 29 estimates"]


def test_a_filter_follows_the_wall_that_nothing_measures(plant):
    (power, x), noise = course(), np.random.default_rng(5).normal(0, 0.2, STEPS)
    estimator, site, told = followed(load(plant("Boiler", LEAK)), power, x[:, 1] + noise)
    assert estimator.beyond == []
    rows = Batch.concat(decode_frame(one.data).batch for one in told)
    wall = rows.take(rows.signal == site.registry.index(f"{ASSET}/wall", "estimated"))
    at = (wall.time - START) // SECOND // DT
    assert ((wall.time - START) % (DT * SECOND) == 0).all()
    before = np.append(power[:1], power[:-1])  # an input that leaps at an instant has moved nothing there
    off = (wall.value - x[at, 1] - before[at] / 500.0)[at > 60]
    assert len(off) > 100
    assert np.abs(off).max() < 0.5 and np.abs(np.diff(x[:, 0])).max() > 5.0, "followed to a tenth of its leaps, and to less than two sigma of the one sensor"
