"""A hybrid of an FMU: what a fit of its whole runs leaves over is learned, released, and what-ifs of it are simulated with that."""

import json

import msgspec
import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import DT, lag, plant

from gemel.assets import load
from gemel.operate import calibrate_job as job
from gemel.operate import whatif
from gemel.operate.machine import machine_of
from gemel.operate.readings_kept import packed
from gemel.samples import Fact
from gemel.twin.releases import RELEASED, Releases

ASSET = "acme/site/hall/heater-1"
STEPS, LAG = 400, 200.0


def bow(x):
    """What the sensor reads beside the temperature [degC], which no parameter says."""
    return np.sin(x / 3.0)


def lived():
    rng = np.random.default_rng(5)
    supply, x, now = np.repeat(rng.uniform(30, 80, STEPS // 20), 20), np.empty(STEPS), 40.0
    for i, u in enumerate(supply):
        x[i] = now
        now = u + (now - u) * np.exp(-DT / LAG)
    return supply, x + bow(x) + 0.05 * rng.standard_normal(STEPS)


@pytest.fixture(scope="module", params=["ModelExchange", "CoSimulation"])
def heater(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("heater")
    return load(plant(folder / "plant", lag(folder, request.param)))


@pytest.fixture(scope="module")
def answer(heater):
    machine = machine_of(heater, ASSET)
    times, good, (supply, read) = np.arange(STEPS) * DT * 1_000_000_000, np.zeros(STEPS, np.uint32), lived()
    spec = job.spec(machine, job.wish({"starts": 1, "unseen": 0.4, "hybrid": True, "blame": False}), (0, int(times[-1]) + 1), "d")
    data = packed([(times, supply, good), (times, read, good)])
    return msgspec.json.decode(msgspec.json.encode(job.run({**spec, "bytes": data}, lambda done: True)))


def test_it_is_learned_and_better_on_what_neither_has_seen(answer):
    told = answer["hybrid"]["x"]
    assert told["helps"] and told["unit"] == "degC"
    assert told["hybrid_rmse"] < 0.7 * told["physics_rmse"]
    assert answer["parameters"]["lag"]["value"] == pytest.approx(LAG, rel=0.1)


def test_a_what_if_is_simulated_with_it_member_by_member_and_says_how_much_is_physics(heater, answer):
    body = answer["release"]
    of = Releases().take_all([Fact(seq=1, id="r", kind=RELEASED, at=1, recorded=1, actor="ann", subject=ASSET, body=body, reason="")])

    def asked(releases):
        begun = whatif.begin(heater, ASSET, {"supply": (50.0, "degC"), "temperature": (45.0, "degC")}, releases, 30)
        question = {"scenarios": [{"name": "more", "changes": [{"of": "u", "how": "add", "value": 15.0}]}], "horizon_s": 1200.0, "step_s": 10.0,
                    "members": 2, "points": 25, "uncertain": [], "watch": ["x"]}  # fmt: skip
        return whatif.run(json.loads(json.dumps(whatif.spec(begun, question, "2026-11-21T10:00:00Z", heater))), lambda done: True)

    hybrid, plain = asked(of), asked(Releases().take_all([Fact(seq=1, id="r", kind=RELEASED, at=1, recorded=1, actor="ann", subject=ASSET,
                                                               body={k: v for k, v in body.items() if k != "hybrid"}, reason="")]))  # fmt: skip
    corrected, physics = (np.array(a["futures"][1]["bands"][0][2]) - 273.15 for a in (hybrid, plain))
    assert np.abs(corrected - physics - bow(physics)).max() < 0.4 < np.abs(bow(physics)).max()
    (told,) = hybrid["hybrids"]
    assert told["used"] and told["futures"]["more"]["known"] > 0.9
    assert 0.9 < told["futures"]["more"]["physics_share"] < 1.0
