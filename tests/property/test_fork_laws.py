"""A fork is a value: what is folded into one changes neither what it was made of nor another fork."""

import sys
from pathlib import Path

from hypothesis import given, settings, strategies as st

from gemel.bus import FrameHeader
from gemel.operate.fork import partition_of
from gemel.operate.replay import differing
from gemel.samples import Snapshot

sys.path.insert(0, str(Path(__file__).parents[1] / "story"))
from test_partition import SECOND, Tail, log, partition, run, step

steps = st.lists(step, max_size=15)


@settings(deadline=None, max_examples=60)
@given(steps, steps, steps)
def test_forks_share_nothing_with_the_live_twin_or_with_each_other(before, mine, yours):
    """Also where all are made of one and the same snapshot in memory, and each goes another way."""
    live = partition()
    run(live, log(before), 1, Tail())
    kept = live.snapshot()
    frozen = Snapshot.from_bytes(kept.to_bytes())
    first, second = partition_of(kept, partition()), partition_of(kept, partition())
    others = log(before + mine)[len(before) :]
    run(first, others, len(before) + 1, Tail())
    assert differing(kept, frozen) == []
    assert differing(live.snapshot(), frozen) == []
    assert differing(second.snapshot(), frozen) == []
    run(second, log(before + yours)[len(before) :], len(before) + 1, Tail())
    alone = partition_of(frozen, partition())
    run(alone, others, len(before) + 1, Tail())
    assert differing(alone.snapshot(), first.snapshot()) == []
    assert differing(kept, frozen) == []


@settings(deadline=None, max_examples=40)
@given(steps, steps)
def test_a_snapshot_does_not_change_when_the_live_twin_goes_on(before, after):
    live = partition()
    run(live, log(before), 1, Tail())
    kept = live.snapshot()
    frozen = Snapshot.from_bytes(kept.to_bytes())
    run(live, log(before + after)[len(before) :], len(before) + 1, Tail())
    assert differing(kept, frozen) == []


def test_what_differs_is_named():
    one, other = partition(), partition()
    other.tick(FrameHeader(kind="tick", partition=0, producer="t", sequence=1, time=5 * SECOND), 1, [])
    run(other, log([[(0, 15, 1, 0)]]), 2, Tail())
    found = differing(one.snapshot(), other.snapshot())
    assert {"sequence", "time", "notes.producers", "lanes.latest.value"} <= set(found)
    assert differing(one.snapshot(), one.snapshot()) == []
