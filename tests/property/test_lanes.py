"""State is a fold: any order, any repetition, any cut of the same samples gives the same state."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gemel.samples import Batch
from gemel.twin.lanes import Lanes

N = 3
row = st.tuples(
    st.integers(0, N - 1), st.integers(0, 4), st.integers(0, 3), st.sampled_from([0.0, -0.0, 1.5, float("nan")]),
    st.sampled_from([0, 0x40000000, 0x80000000, 0x808C0000, 0x80230000]),
)
rows = st.lists(row, max_size=30)


def batch(items):
    columns = list(zip(*items)) if items else [[]] * 5
    return Batch.of(signal=columns[0], time=columns[1], received=columns[2], value=columns[3], status=columns[4])


def folded(*batches):
    lanes = Lanes(N)
    for b in batches:
        lanes.fold(b)
    return {k: v.tobytes() for k, v in lanes.arrays().items()}


@given(rows, st.randoms())
def test_order_does_not_matter(items, random):
    shuffled = items[:]
    random.shuffle(shuffled)
    assert folded(batch(items)) == folded(batch(shuffled))


@given(rows, st.integers(0, 30))
def test_cuts_do_not_matter(items, cut):
    assert folded(batch(items)) == folded(batch(items[:cut]), batch(items[cut:]))


@given(rows)
def test_repetition_does_not_matter(items):
    assert folded(batch(items)) == folded(batch(items), batch(items))


@given(rows)
def test_equals_the_obvious_fold(items):
    """The greatest by (time, received, bits, status), one row after another in plain Python."""
    best, usable = {}, {}
    for s, t, r, v, q in items:
        if q & 0xFFFF0000 == 0x80230000:
            continue
        key = (t, r, int(np.float64(v).view(np.uint64)), q)
        best[s] = max(best.get(s, key), key)
        if q < 0x80000000:
            usable[s] = max(usable.get(s, key), key)
    lanes = Lanes(N)
    lanes.fold(batch(items))
    for lane, expected in ((lanes.latest, best), (lanes.usable, usable)):
        for s in range(N):
            if s not in expected:
                assert lane.time[s] == np.iinfo(np.int64).min
                continue
            assert (lane.time[s], lane.received[s], int(lane.value[s : s + 1].view(np.uint64)[0]), lane.status[s]) == expected[s]


@given(rows, rows)
def test_a_snapshot_goes_on_where_it_stood(first, then):
    lanes = Lanes(N)
    lanes.fold(batch(first))
    again = Lanes.restore(N, lanes.arrays())
    again.fold(batch(then))
    assert {k: v.tobytes() for k, v in again.arrays().items()} == folded(batch(first), batch(then))


@given(rows)
def test_what_changed_is_told(items):
    lanes = Lanes(N)
    before = lanes.arrays()
    changed = set(lanes.fold(batch(items)).tolist())
    after = lanes.arrays()
    really = {s for s in range(N) if any(before[k][s].tobytes() != after[k][s].tobytes() for k in before)}
    assert really <= changed
