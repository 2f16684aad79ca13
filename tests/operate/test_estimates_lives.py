"""When other machines are followed than before, those that are as they were go on, and nothing stands open that nobody watches."""

import numpy as np
import pytest

pytest.importorskip("jax")

from balances_kit import BALANCES, BEGINS, PLANT, ROOT, SECOND, START, frames, off
from plants import plant

from gemel.bus import decode_frame
from gemel.operate.estimates_areas import followed
from gemel.operate.estimator import Estimator
from gemel.samples import Batch, Snapshot

METER = f"{ROOT}/pump-1/flow"
OTHER = "  apart: other/spare/flow = other/twin/flow\n"
CUT = 2 * (BEGINS + 20)  # the residual of the meter is out by then, and who is wrong is known


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return plant(tmp_path_factory.mktemp("plant"), PLANT + BALANCES + OTHER)


@pytest.fixture(scope="module")
def kinds(made):
    return followed(made, made.registry())


@pytest.fixture(scope="module")
def log(made):
    return list(frames(made.registry(), off, BEGINS + 60))


def estimator_of(made, kinds):
    return Estimator(kinds, made.registry(), made.checks(made.registry()), 0)


def run(estimator, log, upto):
    told, turns = [], []
    for position, frame in enumerate(log[estimator.position : upto], estimator.position + 1):
        told += [decode_frame(one.data) for one in estimator.take(frame, position)]
        turns += estimator.turns
    return told, turns


def kept(estimator):
    return Snapshot.from_bytes(estimator.snapshot().to_bytes())


def test_beside_one_that_comes_in_the_others_go_on_as_if_nothing_had_been(made, kinds, log):
    alone = estimator_of(made, kinds[:1])
    run(alone, log, CUT)
    both = estimator_of(made, kinds)
    snapshot = kept(alone)
    assert not both.restore(snapshot)
    assert both.carry(snapshot)
    assert both.producer != alone.producer, "its frames are numbered anew"
    (told, turns), (again, others) = run(alone, log, len(log)), run(both, log, len(log))
    mine, theirs = (Batch.concat(f.batch for f in one) for one in (told, again))
    assert len(mine) > 100
    assert all(np.array_equal(getattr(mine, c), getattr(theirs, c)) for c in ("signal", "time", "received", "value", "status", "sigma"))
    assert [(t.kind, t.at, t.body) for t in turns] == [(t.kind, t.at, t.body) for t in others]
    assert both.snapshot().arrays["watch0.begun"].tolist() == alone.snapshot().arrays["watch0.begun"].tolist()


def test_what_the_life_before_left_open_is_ended_where_it_is_watched_anew(made, kinds, log, tmp_path):
    before = estimator_of(made, kinds)
    run(before, log, CUT)
    assert before.substituted == 1
    other = plant(tmp_path, PLANT.replace("accuracy: 1 m3/h", "accuracy: 2 m3/h", 1) + BALANCES + OTHER)
    changed = [followed(other, other.registry())[0], kinds[1]]
    assert other.registry().digest == made.registry().digest
    after = estimator_of(other, changed)
    snapshot = kept(before)
    assert not after.restore(snapshot)
    assert after.carry(snapshot)
    first, second = (run(after, log, CUT + n)[1] for n in (2, 4))
    assert [(t.kind, t.body["signal"], t.body["anew"]) for t in first] == [("ResidualCleared", METER, True), ("ResidualHeard", METER, True)]
    assert second == []
    assert after.substituted == 0
    gone = estimator_of(made, kinds[1:])
    assert gone.carry(snapshot)
    assert run(gone, log, CUT + 4)[1] == [], "of what is not estimated any more nothing can be said"


def test_nothing_goes_on_from_another_registry_and_a_life_that_begins_there_ends_what_stood_open(made, kinds, log):
    before = estimator_of(made, kinds)
    run(before, log, CUT)
    held = kept(before)
    strange = Snapshot(held.partition, held.sequence, held.facts, held.time, "another", held.arrays, held.notes)
    fresh = Estimator(kinds[:1], made.registry(), made.checks(made.registry()), CUT)
    assert not fresh.carry(strange)
    assert fresh.position == CUT
    turns = run(fresh, log, CUT + 2)[1]
    assert [t.kind for t in turns] == ["ResidualCleared", "ResidualHeard"]
    assert START < turns[0].at <= START + (BEGINS + 21) * SECOND
    assert not np.any(fresh.snapshot().notes["opened"])
