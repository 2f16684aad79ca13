"""A sensor that is made to drift is named, is not listened to, and what is believed meanwhile says so; then it is back."""

import msgspec
import numpy as np
import pytest

pytest.importorskip("jax")

from estimates_kit import PLANT, ROOT, SECOND, START, course
from plants import plant

from gemel.bus import Frame, FrameHeader, decode_frame
from gemel.errors import RefusedError
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.operate.residual_turns import packed
from gemel.operate.residuals_in import LEFT_OUT, drafted, left_out
from gemel.estimate.watch import WEIGHED
from gemel.samples import Batch, Snapshot
from gemel.samples import status as codes

BOTH = PLANT.replace("upper: {unit: mV, range: [0, 15000], dynamics: true}", "upper: {unit: mV, range: [0, 15000], accuracy: 50 mV, estimated: {dynamics: true}}").replace(
    "      k1: {unit: V^0.5/s, dynamics: true}\n", "").replace(", k1: 0.00001", "").replace("  rig-2: {type: Tanks, at: bench, parameters: {k3: 0.06}}\n", "")  # fmt: skip
SECONDS, BEGINS, MENDED = 660, 400, 560
INSTEAD, LOWER = ("ResidualSubstituted", "ResidualHeard"), f"{ROOT}/rig-1/lower"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = plant(tmp_path_factory.mktemp("plant"), BOTH)
    registry = made.registry()
    return made, registry, kinds_of(made, registry)


def estimator_of(site):
    made, registry, kinds = site
    return Estimator(kinds, registry, made.checks(registry), 0)


def frames(registry, fault, seconds=SECONDS, mended=MENDED):
    """One rig, both levels read; from `BEGINS` on the lower sensor leaves the truth by `fault` [V], when it is `mended` it is put right."""
    truth, pump, read = course(seconds, 3)
    upper = truth[0, :, 0] + np.random.default_rng(9).normal(0, 0.05, seconds)
    numbers = [registry.index(f"{ROOT}/rig-1/{n}") for n in ("pump", "lower", "upper")]
    for k in range(seconds):
        off = fault(k - BEGINS) if BEGINS < k < mended else 0.0
        now, values = START + k * SECOND, [pump[k], 1000 * (read[0, k] + off), 1000 * upper[k]]
        batch = Batch.of(signal=numbers, time=[now] * 3, received=[now] * 3, value=values, status=[0] * 3)
        yield Frame(FrameHeader(kind="samples", partition=0, producer="i", sequence=k + 1, registry=registry.digest), batch)
        yield Frame(FrameHeader(kind="tick", partition=0, producer="t", sequence=k + 1, time=now), Batch.empty())


def test_a_sensor_that_is_off_is_named_and_not_listened_to_until_it_is_back(site):
    made, registry, _ = site
    estimator, turns, told = estimator_of(site), [], []
    for position, frame in enumerate(frames(registry, lambda k: 0.6), 1):
        told += [decode_frame(one.data).batch for one in estimator.take(frame, position)]
        turns += estimator.turns
        if position == 2 * (BEGINS + 7):  # while it is weighed; from here on another goes on
            assert [t.body["suspects"] for t in turns] == [[]], "told at once, weighed beside"
            kept, estimator = estimator.snapshot(), estimator_of(site)
            assert estimator.restore(Snapshot.from_bytes(kept.to_bytes()))
    instead, turns = [t for t in turns if t.kind in INSTEAD], [t for t in turns if t.kind not in INSTEAD]
    raised, weighed, cleared = turns[0], turns[1], turns[-1]
    assert [t.kind for t in turns] == ["ResidualRaised"] * (len(turns) - 1) + ["ResidualCleared"]
    assert [(t.kind, t.at, t.body["signal"]) for t in instead] == [(INSTEAD[0], weighed.at, LOWER), (INSTEAD[1], cleared.at, LOWER)]
    assert (instead[0].body["why"], instead[0].body["since"]) == ("blamed", weighed.at)
    assert START + BEGINS * SECOND <= raised.body["since"] <= raised.at < START + (BEGINS + 10) * SECOND
    assert weighed.at == raised.at + WEIGHED * SECOND and weighed.body["since"] == raised.body["since"]
    suspect = weighed.body["suspects"][0]
    assert (suspect["kind"], suspect["name"]) == ("sensor", "lower")
    assert suspect["probability"] > 0.9
    assert (weighed.body["signal"], weighed.body["substituted"]) == (f"{ROOT}/rig-1/lower", True)
    assert (raised.body["signal"], raised.body["substituted"]) == (f"{ROOT}/rig-1/lower", False)
    assert cleared.at > START + MENDED * SECOND
    rows = Batch.concat(told)
    rows = rows.take(rows.signal == registry.index(f"{ROOT}/rig-1/lower", "estimated"))
    instead = (rows.time > weighed.at) & (rows.time <= START + MENDED * SECOND)
    assert (rows.status[instead] == codes.UNCERTAIN_SUBSTITUTE).all()
    truth, at = 1000 * course(SECONDS, 3)[0][0, :, 1], (rows.time[instead] - START) // SECOND
    assert (np.abs(rows.value[instead] - truth[at]) < 4 * rows.sigma[instead] + 50).all(), "believed without it"
    assert (rows.status[rows.time > cleared.at + SECOND] == codes.GOOD).all()
    fact = drafted(packed(weighed), made)
    assert (fact.kind, fact.subject, fact.body["how"]) == ("ResidualRaised", f"{ROOT}/rig-1", weighed.body["how"])
    for wrong in ({"kind": "CommandSent"}, {"asset": "acme/riverside/bench/other"}, {"body": msgspec.json.encode({"signal": "x"})}):
        with pytest.raises(RefusedError):
            drafted(packed(raised) | wrong, made)


def test_a_slow_drift_is_told_soon_and_its_sensor_is_named_once_the_readings_can_tell(site):
    estimator, turns = estimator_of(site), []
    for position, frame in enumerate(frames(site[1], lambda k: 0.01 * k, 600, 600), 1):
        list(estimator.take(frame, position))
        turns += estimator.turns
    raised = [t for t in turns if t.kind == "ResidualRaised"]
    assert raised[0].at < START + (BEGINS + 60) * SECOND
    assert raised[0].body["signal"] == f"{ROOT}/rig-1/lower"
    last = raised[-1].body["suspects"][0]
    assert (last["kind"], last["name"], raised[-1].body["how"]) == ("sensor", "lower", "drifting")
    assert last["probability"] > 0.9


def test_who_estimates_may_have_recorded_that_a_kind_of_the_plant_is_left_out_and_nothing_else(tmp_path):
    made = plant(tmp_path, PLANT)
    told = {"id": "left-out-1", "kind": LEFT_OUT, "at": 0, "asset": "type Tanks"}
    body = msgspec.json.encode({"why": "it did not come back " + "." * 2000, "remedy": "bound it", "more": "x"})
    fact = left_out({**told, "body": body}, made, START)
    assert (fact.kind, fact.at, fact.subject, fact.body["what"]) == (LEFT_OUT, START, made.root, "type Tanks")
    assert set(fact.body) == {"what", "why", "remedy"} and len(fact.body["why"]) == 1000
    for other in ("type Pump", f"area {ROOT}", "balance water"):
        with pytest.raises(RefusedError):
            left_out({**told, "asset": other, "body": body}, made, START)
