"""Estimates go by the parameters in force: a release, and its roll-back, are taken up while the filters go on."""

import numpy as np
import pytest

pytest.importorskip("jax")

from estimates_kit import PLANT, ROOT, SECOND, START, course, frames
from plants import plant

from gemel.bus import decode_frame
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.samples import Batch, Fact, Snapshot
from gemel.samples import status as codes
from gemel.twin.releases import RELEASED, ROLLED_BACK

RIG = f"{ROOT}/rig-2"
WRONG = PLANT.replace("k3: 0.06}", "k3: 0.05}").replace("      k1: {unit: V^0.5/s, dynamics: true}\n", "").replace(", k1: 0.00001", "")
SECONDS, RELEASE, BACK = 360, 100, 260
FACTS = [
    Fact(seq=1, id="r", kind=RELEASED, at=0, recorded=0, actor="ann", subject=RIG, body={"values": {"k3": 0.06}}),
    Fact(seq=2, id="o", kind="CommandRequested", at=0, recorded=0, actor="ann", subject=RIG),
    Fact(seq=3, id="b", kind=ROLLED_BACK, at=0, recorded=0, actor="ann", subject=RIG, body={"released": 1, "version": 1}, reason="x"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = plant(tmp_path_factory.mktemp("plant"), WRONG)
    registry = made.registry()
    return made, registry, kinds_of(made, registry)


@pytest.fixture(scope="module")
def log(site):
    """Ticks that count the first fact from `RELEASE` on, all three from `BACK` on."""
    found = []
    for frame in frames(site[1], SECONDS):
        second = (frame.header.time - START) // SECOND
        facts = 0 if second < RELEASE else 1 if second < BACK else 3
        found.append(type(frame)(type(frame.header)(**{**_fields(frame.header), "facts": facts}), frame.batch) if frame.header.kind == "tick" else frame)
    return found


def _fields(header):
    return {name: getattr(header, name) for name in header.__struct_fields__}


def begun(site, position=100):
    made, registry, kinds = site
    estimator = Estimator(kinds, registry, made.checks(registry), position)
    estimator.know([f for f in FACTS if f.kind != "CommandRequested"], 3)
    return estimator


def told(estimator, log):
    return [one for position, frame in enumerate(log, estimator.position + 1) for one in estimator.take(frame, position)]


@pytest.fixture(scope="module")
def whole(site, log):
    return told(begun(site), log)


def rows_of(site, told, path):
    rows = Batch.concat(decode_frame(one.data).batch for one in told)
    return rows.take(rows.signal == site[1].index(path, "estimated"))


def test_a_release_is_what_the_filter_goes_by_from_its_tick_on_and_what_was_believed_is_carried_over(site, whole):
    rows = rows_of(site, whole, f"{RIG}/upper")
    second = (rows.time - START) // SECOND
    off = np.abs(rows.value - 1000 * course(SECONDS)[0][1, second, 0])
    before, within = off[(second > 70) & (second < RELEASE)].mean(), off[(second > RELEASE + 100) & (second < BACK)].mean()
    assert within < 0.25 * before
    assert (np.diff(second) == 1).all(), "told without a gap"
    assert (rows.status == codes.GOOD).all()
    at = int(np.searchsorted(second, RELEASE))
    assert rows.sigma[at + 1] < 1.5 * rows.sigma[at - 1]


def test_a_roll_back_is_taken_up_too(site, log, whole):
    made, registry, kinds = site
    kept = Estimator(kinds, registry, made.checks(registry), 100)
    kept.know(FACTS[:1], 3)  # as if nobody had rolled it back
    one, other = (rows_of(site, some, f"{RIG}/upper") for some in (told(kept, log), whole))
    second = (one.time - START) // SECOND
    assert (one.value == other.value)[second < BACK].all()
    assert (other.value - one.value)[second > SECONDS - 20].max() < -200


def test_the_other_machine_goes_on_as_if_nothing_was_released(site, log, whole):
    plain = Estimator(site[2], site[1], site[0].checks(site[1]), 100)
    assert rows_of(site, told(plain, log), f"{ROOT}/rig-1/upper").value.tolist() == rows_of(site, whole, f"{ROOT}/rig-1/upper").value.tolist()


def test_frames_name_what_is_in_force_and_a_roll_back_is_the_former_version_again(whole):
    headers = [decode_frame(one.data).header for one in whole]
    versions = [h.version for h in headers]
    assert len(set(versions)) == 2 and versions[0] == versions[-1] != versions[len(versions) // 2]
    assert {h.producer for h in headers} == {"estimates-64"}
    assert [h.sequence for h in headers] == list(range(1, len(headers) + 1))


@pytest.mark.parametrize("cut", [2 * RELEASE - 10, 2 * RELEASE + 41, 2 * BACK + 20])
def test_gone_on_with_from_a_snapshot_the_same_releases_give_the_same_frames(site, log, whole, cut):
    first = begun(site)
    before = told(first, log[:cut])
    again = begun(site)
    assert again.restore(Snapshot.from_bytes(first.snapshot().to_bytes()))
    assert before + told(again, log[cut:]) == whole


def test_a_life_that_begins_later_begins_with_what_is_in_force(site, log):
    late = begun(site)
    rows = rows_of(site, told(late, log[2 * RELEASE + 20 : 2 * BACK]), f"{RIG}/upper")
    second = (rows.time - START) // SECOND
    off = np.abs(rows.value - 1000 * course(SECONDS)[0][1, second, 0])
    assert off[second > BACK - 30].mean() < 200, off[second > BACK - 30].mean()
