"""An area with FMUs for co-simulation is followed as one: members of all of it, each part moved by its own tool."""

import copy

import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import DT, FOLLOWED, ZERO, Lag, lag, plant
from plants import HEAD

from gemel.assets import load
from gemel.bus import Frame, FrameHeader, decode_frame
from gemel.dynamics.solution import Profile
from gemel.operate.estimates_areas import followed
from gemel.operate.estimator import Estimator
from gemel.operate.fmi import fmu
from gemel.operate.fmi.coupled import Coupled
from gemel.operate.fmi.remembered_system import RememberedSystem
from gemel.operate.models_check import model_problems
from gemel.samples import Batch

HALL = "acme/riverside/hall"
SECOND, START = 10**9, 1_700_000_000 * 10**9
GAINS, LAGS, STEPS = (1.2, 0.8), (120.0, 120.0), 140
EVERY = FOLLOWED | {"followed": FOLLOWED["followed"].replace("every: 1 s", f"every: {DT} s, noise: {{gain: 0.003, u: 1 K}}")}
AREA = "  heater-2: {type: Heater, at: hall}\nrelations:\n  - heater-1:x feeds heater-2:u\nestimates:\n  hall: {sensors: [heater-1/x, heater-2/x]}\n"


def lived():
    """Give the supply of the first, and both temperatures as read [degC]; the second is supplied with what the first is at."""
    rng = np.random.default_rng(6)
    supply, at, found = np.repeat(rng.uniform(20, 90, STEPS // 20), 20), [40.0, 40.0], []
    for u in supply:
        found.append(tuple(at))
        for _ in range(50):
            at = [at[0] + DT / 50 * (GAINS[0] * u - at[0]) / LAGS[0], at[1] + DT / 50 * (GAINS[1] * at[0] - at[1]) / LAGS[1]]
    return np.column_stack((supply, np.array(found) + 0.1 * rng.standard_normal((STEPS, 2))))


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    folder = tmp_path_factory.mktemp("area")
    file = plant(folder / "plant", lag(folder, "CoSimulation", saves=True, gain="tunable"), head=HEAD, **EVERY) / "plant.yaml"
    file.write_text(file.read_text() + AREA)
    found = load(file.parent)
    assert [p.message for p in model_problems(found, file.parent, evaluate=False) if p.severity == "error"] == []
    return found


def told(estimator, registry, steps, since=0):
    numbers = [registry.index(f"{HALL}/{n}") for n in ("heater-1/supply", "heater-1/temperature", "heater-2/temperature")]
    rows, found = lived(), []
    for k in range(since, steps):
        now = START + k * DT * SECOND
        batch = Batch.of(signal=numbers, time=[now] * 3, received=[now] * 3, value=rows[k], status=[0] * 3)
        for i, (header, some) in enumerate((
            (FrameHeader(kind="samples", partition=0, producer="ingest-1", sequence=k + 1, registry=registry.digest), batch),
            (FrameHeader(kind="tick", partition=0, producer="twin-1", sequence=k + 1, time=now), Batch.empty()),
        )):  # fmt: skip
            found += estimator.take(Frame(header, some), 2 * k + i + 1)
    return Batch.concat(decode_frame(one.data).batch for one in found)


def test_one_filter_follows_what_nothing_measures_of_both_and_goes_on_from_a_snapshot_with_the_same_bits(read):
    registry = read.registry()
    kinds = followed(read, registry)
    assert [k.assets for k in kinds] == [(HALL,)]
    estimator = Estimator(kinds, registry, read.checks(registry), 0)
    first = told(estimator, registry, 100)
    kept = copy.deepcopy(estimator.snapshot())
    rest = told(estimator, registry, STEPS, 100)
    for machine, gain in zip((1, 2), GAINS, strict=True):
        mine = rest.take(rest.signal == registry.index(f"{HALL}/heater-{machine}/gain", "estimated"))
        assert mine.value[-1] == pytest.approx(gain, abs=0.06), machine
        assert abs(mine.value[-1] - gain) < 4 * mine.sigma[-1] < 0.3
    assert len(first)
    other = Estimator(followed(read, registry), registry, read.checks(registry), 0)
    assert other.restore(kept)
    again = told(other, registry, STEPS, 100)
    for name in ("signal", "time", "value", "sigma"):
        assert np.array_equal(getattr(rest, name), getattr(again, name)), name


def test_what_members_remember_leads_where_a_run_leads(tmp_path):
    """An FMU and equations of our own, in a ring: step by step from memory as in one run, and a state of ours may be moved."""
    of = Coupled({"a": fmu(lag(tmp_path, "CoSimulation", saves=True)), "b": Lag()}, [("a/x", "b/u"), ("b/x", "a/u")])
    names, p = (*of.states, *of.outputs), np.array([[120.0, 1.0, 90.0, 0.9], [100.0, 1.1, 80.0, 0.8]])
    x, u = np.array([[ZERO + 60.0, ZERO + 20.0], [ZERO + 30.0, ZERO + 50.0]]), np.zeros((2, 0))
    points, at = 4, np.arange(0.0, 40.1, 2.5)
    steps = RememberedSystem(of, (), {}, names, points)
    memory, shown = steps.begin(x, u, p)
    for k in range(4):
        memory, shown = steps.step(memory, np.full(2, 10.0 * k), 10.0, (u, p), np.zeros((2, 1)))
    runs = of.free_runs([(row, Profile([0.0], [[]]), q) for row, q in zip(x, p, strict=True)], at)
    want = np.array([[*s.states[-1], *s.outputs[-1]] for s in runs])
    assert shown == pytest.approx(want, abs=1e-9)
    moved = steps.step(memory, np.full(2, 40.0), 10.0, (u, p), np.array([[0.0], [5.0]]))[1]
    still = steps.step(memory, np.full(2, 40.0), 10.0, (u, p), np.zeros((2, 1)))[1]
    assert moved[:, names.index("b/x")] - still[:, names.index("b/x")] == pytest.approx([0.0, 5.0])
