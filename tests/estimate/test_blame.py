"""Who is wrong, on a plant whose equations are not the twin's: named with evidence, over seeds, sizes and kinds."""

from functools import lru_cache

import numpy as np
import pytest
from works_kit import PROCESS, SENSORS, Fault, plant, works

from gemel.estimate.bank import Excerpt
from gemel.estimate.blame import Case, blame
from gemel.estimate.residuals import band, fitted, raised, residuals
from gemel.estimate.structure import structure
from gemel.estimate.suspects import Usual

INSTANTS = 400
OUTPUTS = ("speed", "flow", "level", "pressure", "outflow")
OF_SENSORS = ("bias", "drift", "stuck", "noise", "gain", "deadband", "intermittent")


def recorded(problem, seed, fault=Fault()):
    u, y = plant(seed, INSTANTS, fault)
    return Excerpt(u, y, problem.model.p0, problem.start[0])


@lru_cache(1)
def healthy():
    """What is known of a time when all was right: the noises, the band, where the machine works."""
    problem = works()
    good = recorded(problem, 1000)
    problem = fitted(problem, good)
    found = residuals(problem, good)
    states = found.mean[0, :, :3]
    usual = Usual(good.u.mean(0), good.u.std(0), states.mean(0), states.std(0))
    return Case(problem, usual, np.abs(good.y).mean(0), good, PROCESS), band(found.off[0])


def judged(seed, fault):
    case, limits = healthy()
    record = recorded(case.problem, seed, fault)
    found = raised(residuals(case.problem, record).off[0], limits)
    return found, blame(case, record, found), record


def right(fault, verdict):
    """Whether the one to blame was named; a loss of water may be named by its parameter or its balance."""
    kind, name = verdict.first
    if fault.kind in OF_SENSORS:
        return (kind, name) == ("sensor", fault.at)
    before = {"wear", "blockage", "source/flow"}  # between sump and tank: the model knows no screen and no gas
    names = {"leak": {"leak", "source/level"}, "blockage": {"blockage", "source/flow"}, "wear": {"wear", "source/flow"},
             "filter": before, "air": before, "valve": {"discharge", "source/level"}}  # fmt: skip
    return kind == "model" if fault.kind == "model" else kind == "process" and name in names[fault.kind]


def test_residuals_of_a_good_time_stay_in_their_band():
    case, limits = healthy()
    for seed in range(2000, 2005):
        off = residuals(case.problem, recorded(case.problem, seed)).off[0]
        assert raised(off, limits).at < 0, seed


def test_the_structural_matrix_says_what_can_be_told_apart():
    case, _ = healthy()
    found = structure(case.problem.model, case.usual, case.problem.model.p0, tuple(PROCESS))
    sets = {frozenset(np.array(found.equations)[row]) for row in found.residuals}
    assert frozenset({"balance/speed", "sensor/speed"}) in sets
    assert frozenset({"sensor/level", "sensor/outflow"}) in sets  # the orifice alone
    assert frozenset({"sensor/flow", "sensor/level", "sensor/pressure"}) in sets
    assert all(not a < b for a in sets for b in sets)
    assert all(len(row) == len(set().union(*[holds(e) for e in row])) + 1 for row in sets)
    for one in OUTPUTS:
        for other in OUTPUTS:
            assert one == other or found.isolable(f"bias/{one}", f"bias/{other}")
    assert not found.isolable("leak", "source/level")  # the same water


def holds(equation):
    return {
        "balance/speed": {"speed"}, "balance/flow": {"speed", "flow", "level"}, "balance/level": {"flow", "level"},
        "sensor/speed": {"speed"}, "sensor/flow": {"flow"}, "sensor/level": {"level"},
        "sensor/pressure": {"flow", "level"}, "sensor/outflow": {"level"},
    }[equation]  # fmt: skip


LIGHT = [
    Fault("bias", "flow", 1.4e-3, 200), Fault("stuck", "speed", 0, 180), Fault("noise", "pressure", 0.5, 200),
    Fault("leak", "", 0.003, 200), Fault("blockage", "", 0.5, 210), Fault("model", "orifice", 0.25, 0),
    Fault("model", "pipe", 0.4, 0),
]  # fmt: skip


@pytest.mark.parametrize("fault", LIGHT, ids=lambda f: f"{f.kind} {f.at}")
def test_the_one_to_blame_is_named(fault):
    found, verdict, _ = judged(4000 + LIGHT.index(fault), fault)
    assert found.at >= 0
    assert right(fault, verdict), verdict.suspects[:3]
    assert verdict.suspects[0][1] > 0.8
    assert verdict.against > 5
    assert verdict.fired.fired.any()


def test_a_biased_sensor_is_sized():
    _, verdict, _ = judged(4100, Fault("bias", "level", 0.2, 200))
    assert abs(verdict.size[0] - 0.2) < 0.04


def drawn(seed):
    """A fault of a random kind, place, size and onset."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["bias", "drift", "stuck", "noise", "leak", "blockage", "wear", "model"])
    place = int(rng.integers(5))
    sigma, far = SENSORS[place], np.array([3.0, 1e-3, 0.12, 0.7, 9e-4])[place]
    size = {
        "bias": far * rng.uniform(1, 3) * rng.choice([-1, 1]), "drift": far * rng.uniform(0.8, 2.5) * rng.choice([-1, 1]),
        "stuck": 0.0, "noise": sigma * rng.uniform(4, 10), "leak": rng.uniform(0.0025, 0.006),
        "blockage": rng.uniform(0.2, 0.8), "wear": rng.uniform(0.04, 0.12), "model": rng.uniform(0.25, 0.6),
    }[kind]  # fmt: skip
    at = OUTPUTS[place] if kind in ("bias", "drift", "stuck", "noise") else str(rng.choice(["pipe", "orifice"])) if kind == "model" else ""
    return Fault(str(kind), at, float(size), int(rng.integers(120, 240)) if kind != "model" else 0)


def unheard_of(seed):
    """A fault of a kind that nothing in `blame` was developed on."""
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(["gain", "deadband", "intermittent", "filter", "air", "valve"]))
    place = int(rng.integers(5))
    gain = np.array([0.02, 0.05, 0.06, 0.035, 0.045])[place] * rng.uniform(1, 3) * rng.choice([-1, 1])
    size = {
        "gain": gain, "deadband": SENSORS[place] * rng.uniform(15, 40), "intermittent": rng.uniform(0.03, 0.3),
        "filter": rng.uniform(0.15, 0.5), "air": rng.uniform(0.04, 0.12), "valve": rng.uniform(0.12, 0.4),
    }[kind]  # fmt: skip
    return Fault(kind, OUTPUTS[place] if kind in OF_SENSORS else "", float(size), int(rng.integers(120, 240)))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("draw", "first"), [(drawn, 9000), (unheard_of, 12000)], ids=["kinds developed on", "kinds never met"])
def test_nine_of_ten_are_named_rightly_over_random_faults(draw, first):
    """Of a dozen each: one that is named wrongly is within the nine of ten asked for, two are not."""
    faults = [draw(seed) for seed in range(first, first + 12)]
    named = [right(fault, judged(first + i, fault)[1]) for i, fault in enumerate(faults)]
    assert sum(named) >= 11, [fault for fault, good in zip(faults, named, strict=True) if not good]
