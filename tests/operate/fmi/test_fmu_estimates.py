"""An FMU for model exchange follows its machine as any model does: filters, virtual sensors, a law of wear."""

import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import DT, FOLLOWED, ZERO, Lag, course, lag, plant
from plants import HEAD

from gemel.assets import load
from gemel.bus import Frame, FrameHeader, decode_frame
from gemel.dynamics import compile_model
from gemel.estimate import Ensemble, Noise, Problem, Unscented, track
from gemel.estimate.slow import Scales, rates, restless
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.operate.fmi import fmu
from gemel.samples import Batch

ASSET = "acme/riverside/hall/heater-1"
SECOND, START = 10**9, 1_700_000_000 * 10**9


@pytest.mark.parametrize("method", [Unscented(), Ensemble(members=16)])
def test_a_filter_over_it_believes_what_it_believes_over_the_same_equations_in_python(tmp_path, method):
    supply, _, read = course(40)
    noise = Noise(np.array([0.05]), np.array([1e-3]), np.array([0.1]), np.array([2.0]), np.array([0.2]))
    means = []
    for model in (compile_model(fmu(lag(tmp_path))), compile_model(Lag())):
        problem = Problem(model, ("gain",), noise, float(DT))
        found = track(problem, method, ZERO + supply[:, None], ZERO + read[:, None], np.array([120.0, 1.0]))
        means.append(np.asarray(found.mean))
    assert np.allclose(*means, rtol=1e-9, atol=1e-6)
    assert means[0][-1, 1] == pytest.approx(1.2, abs=0.05)


def test_a_live_twin_tells_a_parameter_that_nothing_measures(tmp_path):
    every = FOLLOWED | {"followed": FOLLOWED["followed"].replace("every: 1 s", f"every: {DT} s")}
    read = load(plant(tmp_path, head=HEAD, **every))
    registry = read.registry()
    estimator = Estimator(kinds_of(read, registry), registry, read.checks(registry), 0)
    supply, _, measured = course(120)
    numbers = [registry.index(f"{ASSET}/{n}") for n in ("supply", "temperature")]
    told, position = [], 0
    for k in range(120):
        now = START + k * DT * SECOND
        batch = Batch.of(signal=numbers, time=[now] * 2, received=[now] * 2, value=[supply[k], measured[k]], status=[0, 0])
        for header, rows in (
            (FrameHeader(kind="samples", partition=0, producer="ingest-1", sequence=k + 1, registry=registry.digest), batch),
            (FrameHeader(kind="tick", partition=0, producer="twin-1", sequence=k + 1, time=now), Batch.empty()),
        ):
            position += 1
            told += estimator.take(Frame(header, rows), position)
    rows = Batch.concat(decode_frame(one.data).batch for one in told)
    of = rows.take(rows.signal == registry.index(f"{ASSET}/gain", "estimated"))
    assert of.value[-1] == pytest.approx(1.2, abs=0.03)
    assert 0 < of.sigma[-1] < of.sigma[0]
    assert decode_frame(told[0].data).header.version.startswith("models/lag.fmu@")


def test_its_rates_at_rest_are_those_of_the_same_equations(tmp_path):
    at, loads, p = np.array([[ZERO + 40.0], [ZERO + 60.0]]), np.array([[ZERO + 50.0], [ZERO + 90.0]]), np.array([120.0, 1.0])
    ours, theirs = (rates(compile_model(m), Scales(("x",)), at, loads, p) for m in (fmu(lag(tmp_path)), Lag()))
    assert np.allclose(ours, theirs, rtol=1e-9)
    assert np.asarray(ours)[0, 0, 0] == pytest.approx(10 / 120)
    assert restless(compile_model(fmu(lag(tmp_path))), at[0], loads[0], p) == restless(compile_model(Lag()), at[0], loads[0], p)
