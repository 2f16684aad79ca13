"""An FMU for co-simulation follows its machine: by members that it saves and brings back, where it can do that."""

import copy

import numpy as np
import pytest

pytest.importorskip("jax")

from fmu_kit import DT, FOLLOWED, course, lag, plant
from plants import HEAD

from gemel.assets import load
from gemel.bus import Frame, FrameHeader, decode_frame
from gemel.errors import ModelError
from gemel.estimate.hybrid import learn
from gemel.estimate.hybrid_kept import kept
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.operate import models
from gemel.operate.fmi.host import Limits
from gemel.operate.models import fmu_of
from gemel.operate.under_way import UnderWay
from gemel.samples import Batch, Fact
from gemel.twin.releases import RELEASED

ASSET = "acme/riverside/hall/heater-1"
SECOND, START = 10**9, 1_700_000_000 * 10**9
EVERY = FOLLOWED | {"followed": FOLLOWED["followed"].replace("every: 1 s", f"every: {DT} s, noise: {{gain: 0.005, u: 1 K}}")}


def followed(folder, **how):
    """Give what follows the heater, and the registry."""
    fmu = lag(folder / "fmu", "CoSimulation", **{"saves": True, "gain": "tunable", **how})
    read = load(plant(folder / "plant", fmu, head=HEAD, **EVERY))
    registry = read.registry()
    return Estimator(kinds_of(read, registry), registry, read.checks(registry), 0), registry, read


def told(estimator, registry, steps, since=0, bent=lambda true: 0.0):
    """Give the rows that it tells of some instants, of a gauge that is bent."""
    supply, true, measured = course(120)
    measured = measured + bent(true)
    numbers = [registry.index(f"{ASSET}/{n}") for n in ("supply", "temperature")]
    found = []
    for k in range(since, steps):
        now = START + k * DT * SECOND
        batch = Batch.of(signal=numbers, time=[now] * 2, received=[now] * 2, value=[supply[k], measured[k]], status=[0, 0])
        for i, (header, rows) in enumerate((
            (FrameHeader(kind="samples", partition=0, producer="ingest-1", sequence=k + 1, registry=registry.digest), batch),
            (FrameHeader(kind="tick", partition=0, producer="twin-1", sequence=k + 1, time=now, facts=estimator.known), Batch.empty()),
        )):  # fmt: skip
            found += estimator.take(Frame(header, rows), 2 * k + i + 1)
    return Batch.concat(decode_frame(one.data).batch for one in found)


def of(rows, registry, name):
    return rows.take(rows.signal == registry.index(f"{ASSET}/{name}", "estimated"))


@pytest.mark.parametrize("initial", ["exact", "calculated"])
def test_a_live_twin_tells_a_parameter_that_nothing_measures(tmp_path, initial):
    """With states that may be set before it begins, and with nothing that may be set at all."""
    estimator, registry, _ = followed(tmp_path, initial=initial)
    rows = told(estimator, registry, 120)
    gain, temperature = of(rows, registry, "gain"), of(rows, registry, "temperature")
    assert gain.value[-1] == pytest.approx(1.2, abs=0.06)
    assert abs(gain.value[-1] - 1.2) < 3 * gain.sigma[-1] < 0.2
    _, true, _ = course(120)
    off = temperature.value - true[(temperature.time - START) // (DT * SECOND)]
    assert len(off) > 110
    assert np.sqrt((off[-60:] ** 2).mean()) < 0.15  # a reading is off by 0.1 K, the gain that it begins with by 10 K
    assert (np.abs(off[-60:]) < 3 * temperature.sigma[-60:]).mean() > 0.9


def test_gone_on_with_from_a_snapshot_in_a_new_child_it_tells_the_same_bits(tmp_path):
    estimator, registry, read = followed(tmp_path)
    told(estimator, registry, 30)
    kept = copy.deepcopy(estimator.snapshot())
    first = told(estimator, registry, 50, 30)
    fmu_of(str(read.templates[0].dynamics)).child.close()
    other = Estimator(kinds_of(read, registry), registry, read.checks(registry), 0)
    assert other.restore(kept)
    again = told(other, registry, 50, 30)
    for name in ("signal", "time", "value", "sigma", "status"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name


def test_a_released_hybrid_is_what_it_expects_of_its_gauge(tmp_path):
    """It shows some K too much where it is hot, which the gain must not become."""

    def bent(true):
        return 6.0 * np.tanh((true - 40.0) / 15.0)

    rng, x = np.random.default_rng(8), np.linspace(10.0, 120.0, 400)
    learned = learn("x", 273.15 + x[:, None], np.zeros((400, 1)), 273.15 + x, 273.15 + x + bent(x) + 0.05 * rng.standard_normal(400))
    assert learned.helps
    fact = Fact(seq=1, id="r", kind=RELEASED, at=0, recorded=0, actor="ann", subject=ASSET, body={"values": {}, "hybrid": {"x": kept(learned)}})
    off = {}
    for facts in ((), (fact,)):
        estimator, registry, _ = followed(tmp_path / str(len(facts)))
        estimator.know(facts, len(facts))
        gain = of(told(estimator, registry, 120, bent=bent), registry, "gain")
        off[len(facts)] = abs(np.median(gain.value[-40:]) - 1.2)
    assert off[1] < 0.03 < 0.06 < off[0]


def test_a_large_state_is_followed_by_fewer_members_that_go_back_less_far(tmp_path):
    estimator, registry, _ = followed(tmp_path, takes=600_000)
    problem = estimator.kinds[0].problem
    assert (problem.method.members, problem.back) == (75, 1)
    gain = of(told(estimator, registry, 60), registry, "gain")
    assert gain.value[-1] == pytest.approx(1.2, abs=0.1)
    assert sum(a.nbytes for n, a in estimator.snapshot().arrays.items() if "belief" in n) < 110e6


@pytest.mark.parametrize(("how", "words"), [({"takes": 2_000_000}, "its saved state takes"), ({"saves": False}, "cannot save its state"), ({"gain": "fixed"}, "calls it fixed")])
def test_one_that_cannot_be_followed_is_refused_in_words(tmp_path, how, words):
    with pytest.raises(ModelError, match=words) as refused:
        followed(tmp_path, **how)
    assert refused.value.code == ("fmu" if "takes" in how else "model-foreign")


def test_one_that_loops_on_the_way_is_ended_by_its_limit_and_told_as_the_kind_that_failed(tmp_path, monkeypatch):
    """So that the kind is left out for a while, and the others go on (`config/test_estimates_left.py`)."""
    monkeypatch.setattr(models, "FMU", Limits(time_s=20.0))
    _, registry, read = followed(tmp_path, body="if (m->u > 60) for (;;) {} return (m->gain * m->u - m->x) / (60.0 * m->lag);")
    under, (kind,) = UnderWay(), kinds_of(read, registry)
    first = int(np.argmax(course(120)[0] > 60))  # instant from which its input makes it loop
    with pytest.raises(ModelError, match="did not end within 20 s"):
        told(Estimator([kind], registry, read.checks(registry), 0, under=under), registry, first + 5)
    assert under.failed is kind and under.what is None
