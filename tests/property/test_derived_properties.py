"""Laws of derived signals: what is stored equals a plain recomputation from raw, however the log was cut or interrupted."""

import numpy as np
import pytest
from derived_kit import PLANT, SECOND, Feed, partition_of, plant_of, recomputed, resolved, same_histories, stored_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemel.samples import Batch, Snapshot
from gemel.samples.status import BAD_COMMUNICATION, UNCERTAIN
from gemel.samples.status import BAD_WAITING_FOR_INITIAL_DATA as WAITING


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    return plant_of(PLANT, tmp_path_factory.mktemp("plant"))


PATHS = [f"area/line-1/pump-{n}/{s}" for n in (1, 2) for s in ("flow", "head", "power")] + [f"c{n}/state" for n in (1, 2, 3)]
reading = st.tuples(st.integers(0, len(PATHS) - 1), st.integers(-8, 2), st.integers(0, 2), st.sampled_from([0, 0, 0, UNCERTAIN, BAD_COMMUNICATION]))
step = st.one_of(st.lists(reading, min_size=1, max_size=8), st.just("tick"), st.just("tick"))
steps = st.lists(step, max_size=30)
relaxed = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


def play(feed, items, cuts=1, start=100.0):
    """Half a second passes with each item; readings come up to 4 s late, and a second ahead."""
    now = start
    for item in items:
        now += 0.5
        if item == "tick":
            feed.tick(now)
            continue
        for part in np.array_split(np.arange(len(item)), cuts):
            if len(part):
                rows = [item[i] for i in part]
                feed.frame(Batch.of(
                    signal=[feed.signal(PATHS[p]) for p, *_ in rows], time=[int((now + t * 0.5) * SECOND) for _, t, *_ in rows],
                    received=[int(now * SECOND) + int(i) for i in part], value=[float(v) for *_, v, _ in rows], status=[s for *_, s in rows],
                ))  # fmt: skip
    return now


@relaxed
@given(steps)
def test_derived_history_equals_a_recomputation_from_raw(plant, items):
    feed = Feed(partition_of(plant))
    now = play(feed, items)
    feed.tick(now + 0.1)
    rows = Batch.concat(feed.rows)
    for signal, expected in recomputed(plant, rows).items():
        found = {t: said for t, said in resolved(rows, signal).items() if said[1] != WAITING or t in expected}  # taken back
        assert same_histories(found, expected), plant.registry().paths[signal]


@relaxed
@given(steps, st.integers(2, 5))
def test_cuts_between_ticks_do_not_matter_to_the_bit(plant, items, cuts):
    whole, cut = Feed(partition_of(plant)), Feed(partition_of(plant))
    play(whole, items)
    play(cut, items, cuts)
    a, b = (Batch.concat(f.rows) for f in (whole, cut))
    targets = plant.derivations(plant.registry()).target
    a, b = (rows.take(np.isin(rows.signal, targets)) for rows in (a, b))
    for name in ("signal", "time", "received", "value", "status"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name


@relaxed
@given(steps, st.integers(0, 30))
def test_snapshot_and_tail_equal_the_whole_replay(plant, items, cut):
    whole, first = Feed(partition_of(plant)), Feed(partition_of(plant))
    play(whole, items)
    now = play(first, items[:cut])
    then = Feed(partition_of(plant))
    then.part.restore(Snapshot.from_bytes(first.part.snapshot().to_bytes()))
    then.position, then.frames = first.position, first.frames
    play(then, items[cut:], start=now)
    a, b = whole.part.snapshot(), then.part.snapshot()
    assert a.arrays.keys() == b.arrays.keys()
    for name in a.arrays:
        assert np.asarray(a.arrays[name]).tobytes() == np.asarray(b.arrays[name]).tobytes(), name
    joined = Batch.concat([*first.rows, *then.rows])
    for name in ("signal", "time", "received", "value", "status"):
        assert getattr(joined, name).tobytes() == getattr(Batch.concat(whole.rows), name).tobytes(), name


very_late = st.tuples(st.integers(0, 1), st.sampled_from([0, 0, 0, -1, -4, -12, -40]), st.integers(0, 3), st.sampled_from([0, 0, 0, BAD_COMMUNICATION]))
late_steps = st.lists(st.one_of(st.lists(very_late, min_size=1, max_size=4), st.integers(1, 9)), min_size=2, max_size=14)


@relaxed
@given(late_steps)
def test_very_late_readings_are_made_good_from_what_is_stored(plant, items):
    """Wherever no input was stale, the line's power is the sum of what its pumps said last, however late that came."""
    feed = Feed(partition_of(plant))
    feed.part.stored = stored_of(feed)
    pumps = [f"area/line-1/pump-{n}/power" for n in (1, 2)]
    now = 1000
    for item in items:
        if isinstance(item, int):
            now += item
        else:
            now += 1
            feed.frame(Batch.of(
                signal=[feed.signal(pumps[p]) for p, *_ in item], time=[(now + t) * SECOND for _, t, *_ in item],
                received=[now * SECOND + i for i in range(len(item))], value=[float(v) for *_, v, _ in item], status=[s for *_, s in item],
            ))  # fmt: skip
        feed.tick(now)
    rows = Batch.concat(feed.rows)
    inputs = [resolved(rows, feed.signal(p)) for p in pumps]
    found = feed.history("area/line-1/power")
    for at in sorted({t for history in inputs for t in history}):
        last = [max((t for t in history if t <= at), default=None) for history in inputs]
        if None in last or any(at - t > 10 * SECOND for t in last):
            continue
        said = [history[t] for history, t in zip(inputs, last)]
        value, status = found[at]
        if any(s >= BAD_COMMUNICATION for _, s in said):
            assert np.isnan(value) and status >= BAD_COMMUNICATION
        else:
            assert value == 1000 * sum(v for v, _ in said) and status >> 30 == 0
    assert feed.part.derived.missed == 0
