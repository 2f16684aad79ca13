"""A what-if of an asset simulates with the hybrid that was released for it, and says how much of the answer is physics."""

import json
from pathlib import Path

import bowed_kit
import numpy as np
import pytest
from bowed_kit import bow

from gemel.assets import load
from gemel.dynamics import Quantity, compile_model
from gemel.estimate.hybrid import correct, learn
from gemel.estimate.hybrid_kept import kept
from gemel.estimate.hybrid_model import CORRECTION, KNOWN, PHYSICS, HybridModel, Learned, beside
from gemel.operate import whatif
from gemel.samples import Fact
from gemel.twin.releases import RELEASED, ROLLED_BACK, Releases

ASSET = "acme/works/tank"
PLANT = """\
plant: acme/works
types:
  Tank:
    dynamics: test_whatif_hybrid:Tank
    signals:
      inflow: {unit: l/s, range: [0, 100]}
      level: {unit: m, range: [0, 20]}
    parameters: {outflow: {unit: m2/s, default: 0.005, calibrate: true}}
assets: {tank: {type: Tank}}
"""


class Tank(bowed_kit.Tank):
    """A wide one."""

    parameters = {**bowed_kit.Tank.parameters, "area": Quantity("m2", 10.0, low=0.1)}


@pytest.fixture(scope="module")
def correction():
    """What a sensor that bows leaves over, learned between 2 and 7 m."""
    rng, level = np.random.default_rng(2), 4.5 + 2.5 * np.sin(np.linspace(0, 40, 600))
    read = level + bow(level) + 0.01 * rng.standard_normal(600)
    found = learn("level", level[:, None], rng.uniform(0.0, 0.3, (600, 1)), level, read)
    assert found.helps and not found.with_inputs
    return found


@pytest.fixture(scope="module")
def plant(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("plant")
    (folder / "plant.yaml").write_text(PLANT)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=":")
        yield load(folder)


def releases(correction, *, back=False):
    body = {"values": {"outflow": 0.005}, "hybrid": {"level": kept(correction)}}
    facts = [Fact(seq=3, id="r", kind=RELEASED, at=10, recorded=10, actor="emil", subject=ASSET, body=body, reason="")]
    if back:
        facts.append(Fact(seq=4, id="b", kind=ROLLED_BACK, at=20, recorded=20, actor="emil", subject=ASSET, body={"released": 3, "version": 1}, reason="worse"))
    return Releases().take_all(facts)


def answered(plant, of, inflow=0.02, level=4.0, **more):
    begun = whatif.begin(plant, ASSET, {"inflow": (20.0, "l/s")}, of, 30)
    begun["quantities"]["states"]["height"]["value"] = level
    question = {"scenarios": [{"name": "more", "changes": [{"of": "inflow", "how": "set", "value": inflow}]}],
                "horizon_s": 7200.0, "members": 16, "points": 5, "uncertain": [], "watch": ["level"], "precision": "float64", **more}  # fmt: skip
    spec = whatif.spec(begun, question, "2026-11-21T10:00:00Z", plant)
    return whatif.run(json.loads(json.dumps(spec)), lambda done: True)


def test_it_simulates_with_what_was_released_and_says_how_much_is_physics(plant, correction):
    plain, hybrid = answered(plant, None, 0.03), answered(plant, releases(correction), 0.03)
    physics, corrected = (np.array(a["futures"][1]["bands"][0][2]) for a in (plain, hybrid))
    assert np.abs(corrected - physics - bow(physics)).max() < 0.05 < np.abs(bow(physics)).max()
    (told,) = hybrid["hybrids"]
    assert told["used"] and told["version"] == correction.version and plain["hybrids"] == []
    future = told["futures"]["more"]
    assert 0.9 < future["physics_share"] < 1.0 and future["known"] > 0.9 and not future["outside"]
    assert hybrid["futures"][1]["figures"].keys() == plain["futures"][1]["figures"].keys()
    assert hybrid["kpis"] == plain["kpis"]
    end = hybrid["futures"][1]["figures"]["height, at the end"]["mean"]
    assert end == plain["futures"][1]["figures"]["height, at the end"]["mean"], "what was learned changes no state"


def test_outside_of_what_it_was_trained_on_the_answer_is_physics_and_it_says_so(plant, correction):
    plain, hybrid = (answered(plant, of, 0.2, 40.0) for of in (None, releases(correction)))
    assert hybrid["futures"][1]["bands"] == plain["futures"][1]["bands"]
    future = hybrid["hybrids"][0]["futures"]["more"]
    assert future["outside"] and future["physics_share"] == 1.0 and future["known"] < 1e-6


def test_what_was_rolled_back_is_not_simulated_with(plant, correction):
    plain, back = answered(plant, None), answered(plant, releases(correction, back=True))
    assert back["futures"] == plain["futures"] and back["hybrids"] == []


def test_what_was_learned_of_another_model_is_left_out_and_said(plant, correction):
    begun = whatif.begin(plant, ASSET, {}, releases(correction), 30)
    begun["hybrids"][0]["states"] = ["height", "inflow"]
    question = {"scenarios": [{"name": "s"}], "horizon_s": 600.0, "members": 16, "uncertain": []}
    found = whatif.run(whatif.spec(begun, question, "2026-11-21T10:00:00Z", plant), lambda done: True)
    assert [h["used"] for h in found["hybrids"]] == [False]


def test_the_model_corrects_as_the_correction_does(correction):
    import jax

    hybrid = compile_model(HybridModel(Tank(), [Learned("level", ("height",), ("inflow",), correction)]))
    level = np.linspace(0.0, 12.0, 200)
    want = correct(correction, level[:, None], np.zeros((200, 1)), level)
    found = np.asarray(jax.vmap(lambda x: hybrid.observe(0.0, x, hybrid.u0, hybrid.p0))(level[:, None]))
    at = {n: found[:, hybrid.outputs.index(n)] for n in hybrid.outputs}
    np.testing.assert_allclose(at["level"], want.value, atol=1e-4)
    np.testing.assert_allclose(at[beside("level", KNOWN)], want.known, atol=1e-4)
    np.testing.assert_allclose(at[beside("level", PHYSICS)] + at[beside("level", CORRECTION)], at["level"], atol=1e-12)
