"""The running twin's filter, as a plant file has it: errors that last, sensors that are put aside and heard again, the ensemble."""

import numpy as np
import pytest

pytest.importorskip("jax")

from estimates_kit import PLANT, ROOT, SECOND, START, course
from plants import plant

from gemel.bus import Frame, FrameHeader, decode_frame
from gemel.errors import GemelError
from gemel.estimate import Ensemble
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator, process_of
from gemel.operate.models_check import model_problems
from gemel.samples import Batch, Snapshot
from gemel.samples import status as codes

BOTH = PLANT.replace("upper: {unit: mV, range: [0, 15000], dynamics: true}", "upper: {unit: mV, range: [0, 15000], accuracy: 50 mV, estimated: {dynamics: true}}").replace(
    "      k1: {unit: V^0.5/s, dynamics: true}\n", "").replace(", k1: 0.00001", "").replace("  rig-2: {type: Tanks, at: bench, parameters: {k3: 0.06}}\n", "")  # fmt: skip
SAID = "noise: {upper: 5 mV, lower: 0.005}"
LASTING = BOTH.replace(SAID, "noise: {upper: 1 mV, lower: 0.001}, start: {upper: 2 V}, drift: 1 h, scatter: {upper: 50 mV, lower: 50 mV}")
TAKEN_FOR_NOISE = BOTH.replace(SAID, "noise: {upper: 1 mV, lower: 0.001}, start: {upper: 2 V}")
SECONDS, BEGINS = 320, 60  # before a band is learned: what is seen here is the filter's own doing


def made(folder, text):
    of = plant(folder, text)
    registry = of.registry()
    kinds = kinds_of(of, registry)
    return registry, kinds, lambda: Estimator(kinds, registry, of.checks(registry), 0)


def frames(registry, seconds=SECONDS):
    """One rig, both levels read; from `BEGINS` on the lower sensor leaves the truth by 3 mV a second."""
    truth, pump, read = course(seconds, 3)
    upper = truth[0, :, 0] + np.random.default_rng(9).normal(0, 0.05, seconds)
    numbers = [registry.index(f"{ROOT}/rig-1/{n}") for n in ("pump", "lower", "upper")]
    for k in range(seconds):
        now, off = START + k * SECOND, 0.003 * max(k - BEGINS, 0)
        values = [pump[k], 1000 * (read[0, k] + off), 1000 * upper[k]]
        batch = Batch.of(signal=numbers, time=[now] * 3, received=[now] * 3, value=values, status=[0] * 3)
        yield Frame(FrameHeader(kind="samples", partition=0, producer="i", sequence=k + 1, registry=registry.digest), batch)
        yield Frame(FrameHeader(kind="tick", partition=0, producer="t", sequence=k + 1, time=now), Batch.empty())


def told(estimator, log, turns=None):
    found = []
    for position, frame in enumerate(log, estimator.position + 1):
        found += estimator.take(frame, position)
        if turns is not None:
            turns += estimator.turns
    return found


def rows_of(registry, frames, name):
    rows = Batch.concat(decode_frame(one.data).batch for one in frames)
    return rows.take(rows.signal == registry.index(f"{ROOT}/rig-1/{name}", "estimated"))


def test_a_sensor_that_drifts_is_put_aside_and_what_is_told_instead_says_so(tmp_path):
    truth, off, turns = 1000 * course(SECONDS, 3)[0][0, :, 1], {}, {}
    for name, text in (("lasting", LASTING), ("noise", TAKEN_FOR_NOISE)):
        (tmp_path / name).mkdir()
        registry, _, make = made(tmp_path / name, text)
        whole = told(make(), frames(registry), turns.setdefault(name, []))
        rows = rows_of(registry, whole, "lower")
        late = rows.time > START + 210 * SECOND
        off[name] = np.abs(rows.value - truth[(rows.time - START) // SECOND])[late].mean()
        instead = rows.status[late] == codes.UNCERTAIN_SUBSTITUTE
        assert instead.all() if name == "lasting" else not instead.any()
        if name == "lasting":
            first = rows.time[rows.status == codes.UNCERTAIN_SUBSTITUTE][0]
    assert off["lasting"] < 40 < 0.8 * off["noise"]  # mV, of some 600 that the sensor is off by
    (aside,) = turns["lasting"]
    assert (aside.kind, aside.body["signal"], aside.body["why"]) == ("ResidualSubstituted", f"{ROOT}/rig-1/lower", "aside")
    assert aside.at == aside.body["since"] == first, "as its lane says"
    assert turns["noise"] == []


@pytest.mark.parametrize("text", [LASTING, BOTH.replace(SAID, SAID + ", filter: ensemble")], ids=["lasting", "ensemble"])
def test_gone_on_with_from_a_snapshot_the_same_log_gives_the_same_frames(tmp_path, text):
    registry, kinds, make = made(tmp_path, text)
    assert isinstance(kinds[0].method, Ensemble) == ("ensemble" in text)
    log, first, again = list(frames(registry)), make(), make()
    before = told(first, log[:301])
    assert again.restore(Snapshot.from_bytes(first.snapshot().to_bytes()))
    assert before and told(first, log[301:]) == told(again, log[301:])
    rows = rows_of(registry, before, "upper")
    away = np.abs(rows.value - 1000 * course(SECONDS, 3)[0][0, (rows.time - START) // SECOND, 0])
    assert (away[20:50] < 4 * rows.sigma[20:50]).all()


def test_another_filter_or_another_time_of_errors_is_another_version(tmp_path):
    versions = set()
    for n, text in enumerate((LASTING, LASTING.replace("drift: 1 h", "drift: 2 h"), BOTH, BOTH.replace(SAID, SAID + ", filter: ensemble"))):
        (tmp_path / str(n)).mkdir()
        versions.add(made(tmp_path / str(n), text)[1][0].version)
    assert len(versions) == 4


def test_what_may_befall_a_machine_is_among_those_who_may_be_wrong(tmp_path):
    kind = made(tmp_path, BOTH.replace(SAID, SAID + ", changes: {k3: 0.01, k1: 0.002 V^0.5/s}"))[1][0]
    assert process_of(kind) == {"k3": 0.01, "k1": 0.002}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("drift: 1 h, scatter: {k3: 1}", "no state or output of the model that is listened to"),
        ("drift: 1 h, scatter: {lower: 1 K}", "the scatter of 'lower'"),
        ("scatter: {lower: 1 mV}", "this one is not looked at"),
        ("changes: {nothing: 1}", "the model has no parameter 'nothing'"),
        ("changes: {k1: 1 kg}", "the changes of 'k1'"),
        ("start: {nothing: 1}", "is no state of the model"),
        ("start: {upper: 1 kg}", "the start of 'upper'"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path, said, words):
    of = plant(tmp_path, BOTH.replace(SAID, f"{SAID}, {said}"))
    found = [p.message for p in model_problems(of, tmp_path, evaluate=False)]
    assert any(words in one for one in found), found


def test_a_filter_that_there_is_none_of_is_refused(tmp_path):
    with pytest.raises(GemelError):
        plant(tmp_path, BOTH.replace(SAID, SAID + ", filter: particle"))
