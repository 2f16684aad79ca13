"""The parameters of an FMU are fitted as any model's, by differences of whole runs of its own solver."""

import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import ZERO, Lag, lag, plant

from gemel.assets import load
from gemel.dynamics import compile_model
from gemel.errors import ModelError
from gemel.estimate.calibrate import Settings
from gemel.estimate.objective import Objective
from gemel.estimate.record import Record
from gemel.operate.calibrating import calibrate
from gemel.operate.machine import machine_of

ASSET = "acme/site/hall/heater-1"
DT, TRUTH = 10.0, 200.0


def record(steps, seed, noise=0.1):
    rng = np.random.default_rng(seed)
    u = ZERO + np.repeat(rng.uniform(20, 90, steps // 20), 20)[:, None]
    x = np.empty(steps)
    now = ZERO + 40.0
    for i in range(steps):
        x[i] = now
        now = u[i, 0] + (now - u[i, 0]) * np.exp(-DT / TRUTH)
    y = (x + noise * rng.standard_normal(steps))[:, None]
    return Record(DT, u, y, np.ones(y.shape))


@pytest.fixture(scope="module", params=["ModelExchange", "CoSimulation"])
def machine(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("heater")
    return machine_of(load(plant(folder / "plant", lag(folder, request.param))), ASSET)


def test_its_slopes_are_those_of_the_same_equations_in_python(machine):
    here, there = (Objective(m, ["lag"], [record(40, 1)], np.array([150.0, 1.0]), sigma=np.array([0.1]), substeps=4) for m in (machine.model, compile_model(Lag())))
    at = np.array([150.0]), np.array([[ZERO + 41.0]])
    ours, theirs = here.normal(*at), there.normal(*at)
    close = machine.model.model.exchanged  # for co-simulation it takes Euler steps of its own
    assert ours.cost == pytest.approx(theirs.cost, rel=1e-5 if close else 1e-2)
    for name in ("pp", "px", "xx", "p", "x"):
        assert np.allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-4 if close else 2e-2, atol=1e-3), name
    assert here.costs(np.array([[150.0], [200.0]]), np.array([at[1], at[1]]))[0] == pytest.approx(ours.cost, rel=1e-9)


def test_a_fit_finds_what_the_machine_has_and_holds_on_a_record_it_has_not_seen(machine):
    found = calibrate(machine, ["lag"], [record(120, 1)], [record(60, 2)], settings=Settings(starts=1, candidates=4))
    fitted = found.fit.parameters["lag"]
    assert found.fit.converged, found.fit.why
    assert fitted.value == pytest.approx(TRUTH, rel=0.01)
    assert fitted.low < TRUTH < fitted.high
    told = found.told()
    assert told["parameters"]["lag"]["unit"] == "s"
    assert told["validation"]["rmse"]["x"]["value"] < 0.15 < told["validation"]["rmse_before"]["x"]["value"]


def test_a_child_that_dies_ends_the_fit_in_words(tmp_path):
    broken = lag(tmp_path / "fmu", "CoSimulation", body="if (m->u > 60) *(volatile int *)0 = 1; return (m->u - m->x) / (60 * m->lag);")
    machine = machine_of(load(plant(tmp_path / "plant", broken)), ASSET)
    with pytest.raises(ModelError, match="SIGSEGV") as refused:
        calibrate(machine, ["lag"], [record(120, 1)], settings=Settings(starts=1, candidates=4))
    assert refused.value.code == "fmu"
