"""Whoever estimates is a function of the log: virtual sensors with their uncertainty, told once, whatever dies in between."""

import asyncio
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

pytest.importorskip("jax")

from estimates_kit import PLANT, ROOT, SECOND, START, course, frames
from plants import plant

from gemel.bus import decode_frame
from gemel.errors import ConflictError, RefusedError
from gemel.operate.estimates_in import check, take_estimates
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.operate.site import Site
from gemel.operate.under_way import UnderWay
from gemel.samples import Batch, Snapshot

SECONDS = 240


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = plant(tmp_path_factory.mktemp("plant"), PLANT)
    return Site(made, made.registry())


@pytest.fixture(scope="module")
def make(site):
    kinds = kinds_of(site.plant, site.registry)
    return lambda: Estimator(kinds, site.registry, site.plant.checks(site.registry), 100)


@pytest.fixture(scope="module")
def log(site):
    return list(frames(site.registry, SECONDS))


def told(estimator, log):
    return [one for position, frame in enumerate(log, estimator.position + 1) for one in estimator.take(frame, position)]


@pytest.fixture(scope="module")
def whole(make, log):
    return told(make(), log)


def of(site, told, path, lane="estimated"):
    rows = Batch.concat(decode_frame(one.data).batch for one in told)
    return rows.take(rows.signal == site.registry.index(path, lane))


def test_what_nothing_measures_is_told_with_an_uncertainty_that_is_kept(site, whole):
    truth, _, _ = course(SECONDS)
    for rig in (0, 1):
        rows = of(site, whole, f"{ROOT}/rig-{rig + 1}/upper")
        at = (rows.time - START) // SECOND
        off = rows.value - 1000 * truth[rig, at, 0]
        settled = at > SECONDS // 2
        assert settled.sum() > 100
        assert rows.sigma[0] > 3 * rows.sigma[-1] > 0
        assert np.mean(np.abs(off[settled]) < 2 * rows.sigma[settled]) > 0.9


def test_a_measured_level_has_an_estimate_beside_it_that_is_surer_than_its_sensor(site, whole):
    rows = of(site, whole, f"{ROOT}/rig-1/lower")
    assert rows.sigma[-1] < 50  # mV, as declared
    assert (rows.status == 0).all()


def test_each_estimate_names_the_model_that_gave_it(site, whole):
    headers = [decode_frame(one.data).header for one in whole]
    assert {h.version.partition("@")[0] for h in headers} == {site.plant.templates[0].dynamics}
    assert [h.sequence for h in headers] == list(range(1, len(headers) + 1))
    assert {h.producer for h in headers} == {"estimates-64"}


@pytest.mark.parametrize("cut", [1, 101, 240])
def test_gone_on_with_from_a_snapshot_the_same_log_gives_the_same_frames_under_the_same_numbers(make, log, whole, cut):
    first = make()
    before = told(first, log[:cut])
    again = make()
    assert again.restore(Snapshot.from_bytes(first.snapshot().to_bytes()))
    assert before + told(again, log[cut:]) == whole


def test_its_own_frames_in_the_log_change_nothing(make, log, whole):
    estimator, found = make(), []
    for position, frame in enumerate(log, 101):
        new = list(estimator.take(frame, position))
        found += new
        for one in new:
            assert list(estimator.take(decode_frame(one.data), position)) == []
    assert found == whole


def test_a_snapshot_of_other_parameters_is_not_gone_on_from(tmp_path, make, log):
    other = plant(tmp_path, PLANT.replace("k3: 0.06}", "k3: 0.07}"))
    registry = other.registry()
    estimator = make()
    told(estimator, log[:20])
    fresh = Estimator(kinds_of(other, registry), registry, other.checks(registry), 100)
    assert not fresh.restore(estimator.snapshot())


def test_what_is_estimated_is_taken_and_nothing_else_is(site, whole, log):
    frame = decode_frame(whole[-1].data)
    check(frame, site)
    measured = frame.batch.with_columns(signal=np.full(len(frame.batch), site.registry.index(f"{ROOT}/rig-1/lower"), np.int32))
    for wrong in (type(frame)(frame.header, measured), log[0], log[1]):
        with pytest.raises(RefusedError):
            check(wrong, site)
    other = type(frame)(msgspec.structs.replace(frame.header, registry="f" * 64), frame.batch)
    with pytest.raises(ConflictError):
        check(other, site)


def test_what_is_estimated_is_received_when_it_is_taken(site, whole):
    """Who estimates may be behind the log: by the time of the tick it would have been known before anybody had it."""
    ticked = decode_frame(whole[-1].data).batch
    behind, log = int(ticked.received[0]) + 9 * SECOND, []

    class Log:
        async def append(self, subject, data, once):
            log.append((data, once))
            return len(log)

    guard = SimpleNamespace(open=asyncio.Event())
    guard.open.set()
    for now in (behind, int(ticked.received[0]) - SECOND):  # a clock that follows the data may be a little behind its ticks
        asyncio.run(take_estimates({"frame": whole[-1].data}, site, Log(), guard, SimpleNamespace(now=lambda now=now: now)))
    (first, once), (second, _) = log
    assert once.endswith(f"-{whole[-1].sequence}")
    assert (decode_frame(first).batch.received == behind).all()
    assert (decode_frame(second).batch.received == ticked.received).all()
    same = decode_frame(first).batch
    assert all(getattr(same, c).tolist() == getattr(ticked, c).tolist() for c in ("signal", "time", "value", "status", "sigma"))


def test_after_long_silence_the_estimates_are_doubtful_and_then_none(make, log, site):
    estimator = make()
    told(estimator, log[:40])
    tick = log[39]
    later = type(tick)(msgspec.structs.replace(tick.header, time=START + 120 * SECOND), tick.batch)
    rows = of(site, list(estimator.take(later, 999)), f"{ROOT}/rig-1/upper")
    assert (rows.status[rows.time > START + 55 * SECOND] != 0).all()
    assert rows.sigma[-1] > rows.sigma[0]


def test_who_makes_up_for_much_at_one_tick_is_seen_to_come_on(site, log):
    """As where hours of readings come at once: each instant is a step, and none of them hangs."""
    under = UnderWay()
    estimator = Estimator(kinds_of(site.plant, site.registry), site.registry, site.plant.checks(site.registry), 0, under=under)
    told(estimator, [*log[:4], *log[4:-1:2]])  # a tick at the beginning, then readings only
    before = under.turn
    assert told(estimator, log[-1:])
    assert under.turn - before > SECONDS - 10 and under.what is None
