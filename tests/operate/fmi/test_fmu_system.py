"""FMUs for model exchange are parts of a system: an output of one drives an input of the next, as of models in Python."""

import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import Lag, lag, plant

import gemel
from gemel.assets import load
from gemel.dynamics import compile_model
from gemel.dynamics.solve import solve
from gemel.dynamics.system import System
from gemel.errors import ModelError
from gemel.operate.joining import bind_any
from gemel.operate.models import compiled
from gemel.operate.models_check import model_problems

AREA = "acme/site/hall"
TWO = "  heater-2: {type: Heater, at: hall}\nrelations:\n  - heater-1:x feeds heater-2:u\n"


def pair(folder, kind="ModelExchange"):
    found = plant(folder / "plant", lag(folder, kind))
    file = found / "plant.yaml"
    file.write_text(file.read_text() + TWO)
    return found


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return pair(tmp_path_factory.mktemp("two"))


def test_joined_by_a_relation_they_run_as_the_same_equations_in_python(two):
    assert model_problems(load(two), two, evaluate=False) == []
    bound = bind_any(load(two), AREA)
    assert [b.name for b in bound.inputs] == ["heater-1/u"]
    ours = compiled(bound.reference)
    theirs = compile_model(System({n: Lag() for n in ("heater-1", "heater-2")}, [("heater-1/x", "heater-2/u")]))
    times, p = np.linspace(0.0, 600.0, 13), np.array([120.0, 1.0, 60.0, 1.1])
    found = [solve(m, m.x0, np.array([353.15]), p, times, method="rk4") for m in (ours, theirs)]
    assert all(f.ok for f in found), [f.words for f in found]
    assert np.allclose(found[0].states, found[1].states, rtol=1e-9)


def test_a_what_if_of_the_area_that_they_are_in_is_answered(two):
    with gemel.open(two) as twin:
        told = twin.whatif(AREA, "heater-1/u=+60", horizon="10min", members=4, points=5).told
        assert told["engine"].startswith("JAX")
        with pytest.raises(ModelError, match="10001 members"):
            twin.whatif(AREA, "heater-1/u=+60", members=10_001)
    at = [w["name"] for w in told["watch"]].index("heater-2/x")
    assert told["futures"][1]["bands"][at][2][-1] - told["futures"][0]["bands"][at][2][-1] == pytest.approx(60 * (1 - 6 * np.exp(-5)), abs=0.5)
