"""A released hybrid is what the filter predicts with, taken up and taken back while it goes on."""

import numpy as np
import pytest

pytest.importorskip("jax")

from estimates_kit import PLANT, ROOT, SECOND, START, course, frames
from plants import plant

from gemel.bus import Frame, FrameHeader, decode_frame
from gemel.estimate.hybrid import learn
from gemel.estimate.hybrid_kept import kept
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.samples import Batch, Fact, Snapshot
from gemel.twin.releases import RELEASED, ROLLED_BACK

RIG = f"{ROOT}/rig-1"
SECONDS, RELEASE, BACK = 260, 80, 200
OFF = 0.8  # V: the gauge of the lower level shows so much too much, which no parameter of the model says


def gauge(x):
    """A correction of the lower level, as a calibration learns it from free runs."""
    rng = np.random.default_rng(8)
    return learn("lower", x, np.zeros((len(x), 1)), x[:, 1], x[:, 1] + OFF * np.sin(3 * x[:, 1]) + 0.02 * rng.standard_normal(len(x)))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    text = PLANT.replace("      k1: {unit: V^0.5/s, dynamics: true}\n", "").replace(", k1: 0.00001", "")
    made = plant(tmp_path_factory.mktemp("plant"), text)
    registry = made.registry()
    return made, registry, kinds_of(made, registry)


@pytest.fixture(scope="module")
def facts():
    correction = gauge(course(SECONDS)[0][0])
    assert correction.helps
    body = {"values": {"k3": 0.055}, "hybrid": {"lower": kept(correction)}}
    return [
        Fact(seq=1, id="r", kind=RELEASED, at=0, recorded=0, actor="ann", subject=RIG, body=body),
        Fact(seq=2, id="b", kind=ROLLED_BACK, at=0, recorded=0, actor="ann", subject=RIG, body={"released": 1, "version": 1}, reason="x"),
    ]


@pytest.fixture(scope="module")
def log(site):
    """The lower gauges show what the course says and the error that the hybrid knows; ticks count the facts."""
    lower = [site[1].index(f"{ROOT}/rig-{i}/lower") for i in (1, 2)]
    found = []
    for frame in frames(site[1], SECONDS):
        h, rows = frame.header, frame.batch
        if h.kind == "tick":
            second = (h.time - START) // SECOND
            upto = 0 if second < RELEASE else 1 if second < BACK else 2
            found.append(Frame(FrameHeader(kind="tick", partition=0, producer=h.producer, sequence=h.sequence, time=h.time, facts=upto), rows))
            continue
        shown = rows.value / 1000
        value = np.where(np.isin(rows.signal, lower), 1000 * (shown + OFF * np.sin(3 * shown)), rows.value)
        found.append(Frame(h, rows.with_columns(value=value)))
    return found


def begun(site, facts):
    made, registry, kinds = site
    estimator = Estimator(kinds, registry, made.checks(registry), 100)
    estimator.know(facts, 2)
    return estimator


def told(estimator, log):
    return [one for position, frame in enumerate(log, estimator.position + 1) for one in estimator.take(frame, position)]


def test_the_filter_predicts_with_it_from_its_tick_on_until_it_is_rolled_back(site, facts, log):
    first = begun(site, facts)
    before = told(first, log[: 2 * RELEASE + 61])
    kept_ = Snapshot.from_bytes(first.snapshot().to_bytes())
    after = told(first, log[2 * RELEASE + 61 :])
    again = begun(site, facts)
    assert again.restore(kept_)
    assert told(again, log[2 * RELEASE + 61 :]) == after, "gone on with from a snapshot too"
    rows = Batch.concat(decode_frame(one.data).batch for one in (*before, *after))
    upper = {i: rows.take(rows.signal == site[1].index(f"{ROOT}/rig-{i}/upper", "estimated")) for i in (1, 2)}
    second = (upper[1].time - START) // SECOND
    off = {i: np.abs(upper[i].value / 1000 - course(SECONDS)[0][i - 1, second, 0]) for i in upper}
    physics, hybrid = second < RELEASE, (second > BACK - 40) & (second < BACK)
    assert off[1][hybrid].mean() < 0.5 * off[2][hybrid].mean(), "rig-2 has none"
    assert off[1][hybrid].mean() < 0.5 * off[1][physics & (second > 30)].mean()
    assert (np.diff(second) == 1).all()
    versions = list(dict.fromkeys(decode_frame(one.data).header.version for one in (*before, *after)))
    assert len(versions) == 2 and decode_frame(after[-1].data).header.version == versions[0]
