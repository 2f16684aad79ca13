"""A partition is a deterministic function of log and snapshot: cuts, snapshots and repetition do not matter."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.assets import AlarmLimit, Checks
from gemel.bus import Frame, FrameHeader
from gemel.history import Existing
from gemel.operate.partition import Partition
from gemel.operate.tail import Tail
from gemel.samples import Batch, Registry, Snapshot

N = 3
SECOND = 1_000_000_000
REGISTRY = Registry.of([{"path": f"a/b/rig/s{i}"} for i in range(N)])


def partition():
    plain = Checks.plain(N)
    plain.low[:], plain.high[:], plain.max_rate[:] = -5, 5, 4
    plain.interval[:] = SECOND
    limits = [AlarmLimit(signal=0, level="high", limit=2.0, delay_ns=2 * SECOND, deadband=0.5, priority=2, cause="", consequence="", response="", respond_within_s=None)]
    return Partition(0, REGISTRY, plain, limits)


row = st.tuples(st.integers(0, N - 1), st.integers(0, 30), st.integers(-8, 8), st.sampled_from([0, 0, 0, 0x80050000]))
step = st.one_of(st.lists(row, min_size=1, max_size=6), st.just("tick"))


def log(steps):
    """Frames and ticks as they would be read: time passes with each, readings scatter around it."""
    now, count, messages = 100, 0, []
    for position, item in enumerate(steps, 1):
        now += 1
        if item == "tick":
            messages.append(Frame(FrameHeader(kind="tick", partition=0, producer="t", sequence=position, time=now * SECOND), Batch.empty()))
            continue
        count += 1
        columns = list(zip(*item))
        times = (np.array(columns[1]) + now - 15) * SECOND
        batch = Batch.of(signal=columns[0], time=times, received=np.full(len(item), now * SECOND), value=np.array(columns[2]) / 1.0, status=columns[3])
        messages.append(Frame(FrameHeader(kind="samples", partition=0, producer="p", sequence=count, registry=REGISTRY.digest), batch))
    return messages


def nothing_stored(rows):
    n = len(rows)
    return Existing(np.zeros(n, bool), np.full(n, np.nan), np.zeros(n, np.uint32), np.zeros(n, np.int64))


def run(part, messages, start, tail):
    drafts, rows = [], []
    for position, frame in enumerate(messages, start):
        if frame.header.kind == "tick":
            effects = part.tick(frame.header, position, [])
        else:
            effects = part.fold(part.rows_of(frame), position, nothing_stored)
        tail.add(position, effects.rows)
        rows.append(effects.rows)
        drafts += [d.id for d in effects.drafts]
    return Batch.concat(rows), drafts


def same(a, b):
    assert (a.sequence, a.time, a.facts) == (b.sequence, b.time, b.facts)
    assert a.notes == b.notes
    assert set(a.arrays) == set(b.arrays)
    for name in a.arrays:
        assert np.asarray(a.arrays[name]).tobytes() == np.asarray(b.arrays[name]).tobytes(), name


@settings(deadline=None, max_examples=60)
@given(st.lists(step, max_size=25), st.integers(0, 25))
def test_snapshot_and_tail_equal_the_whole_replay(steps, cut):
    messages = log(steps)
    cut = min(cut, len(messages))
    whole = partition()
    all_rows, all_drafts = run(whole, messages, 1, Tail())
    first = partition()
    rows, drafts = run(first, messages[:cut], 1, Tail())
    kept = Snapshot.from_bytes(first.snapshot().to_bytes())
    then = partition()
    then.restore(kept)
    more, later = run(then, messages[cut:], cut + 1, Tail())
    same(whole.snapshot(), then.snapshot())
    joined = Batch.concat([rows, more])
    for name in ("signal", "time", "received", "value", "status"):
        assert getattr(joined, name).tobytes() == getattr(all_rows, name).tobytes()
    assert drafts + later == all_drafts


@settings(deadline=None, max_examples=30)
@given(st.lists(step, max_size=15))
def test_a_frame_stored_twice_is_folded_once(steps):
    messages = log(steps)
    once, twice = partition(), partition()
    rows, _ = run(once, messages, 1, Tail())
    doubled = [m for m in messages for _ in range(2 if m.header.kind == "samples" else 1)]
    again, _ = run(twice, doubled, 1, Tail())
    assert again.value.tobytes() == rows.value.tobytes()
    assert once.lanes.arrays().keys() == twice.lanes.arrays().keys()
    assert all(once.lanes.arrays()[k].tobytes() == v.tobytes() for k, v in twice.lanes.arrays().items())


def test_a_snapshot_of_another_version_is_stepped_over(tmp_path):
    """A twin must start even where the newest snapshot cannot be understood."""
    from types import SimpleNamespace

    from gemel.operate.fold import Owner
    from gemel.operate.snapshots import SnapshotFolder

    part = partition()
    run(part, log([[(0, 15, 1, 0)], "tick"]), 1, Tail())
    good = part.snapshot()
    folder = SnapshotFolder(tmp_path)
    folder.save(good)
    strange = {k: v for k, v in good.arrays.items() if "window" not in k}
    folder.save(Snapshot(0, 99, 0, good.time, good.registry, strange, good.notes))
    fresh = partition()
    owner = Owner(None, fresh, None, None, SimpleNamespace(now=lambda: 5), folder, None, ["default"] * N, {}, 1)
    owner._restore(99)
    assert fresh.position == good.sequence
    same(fresh.snapshot(), good)
    assert owner._outbox.waiting[0].kind == "SnapshotSkipped"
