"""State is a fold: what a signal holds follows from its rows alone, and no word that was taken back is believed."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from gemel.samples import Batch
from gemel.twin.lanes import Lanes

N = 3
NEVER = np.iinfo(np.int64).min
GOOD, UNCERTAIN, BAD, FAILED, IMPOSSIBLE = 0, 0x40000000, 0x80000000, 0x808C0000, 0x80230000
value = st.sampled_from([0.0, -0.0, 1.5, float("nan")])
row = st.tuples(
    st.integers(0, N - 1), st.integers(0, 4), st.integers(0, 3), value, st.sampled_from([GOOD, UNCERTAIN, BAD, FAILED, IMPOSSIBLE])
)
rows = st.lists(row, max_size=30)


def batch(items):
    columns = list(zip(*items)) if items else [[]] * 5
    return Batch.of(signal=columns[0], time=columns[1], received=columns[2], value=columns[3], status=columns[4])


def of(*batches):
    lanes = Lanes(N)
    for b in batches:
        lanes.fold(b)
    return lanes


def folded(*batches):
    return {k: v.tobytes() for k, v in of(*batches).arrays().items()}


def word(v):
    return int(np.float64(v).view(np.uint64))


def plain(items):
    """The fold in words: one row after another."""
    latest, former = {}, {}
    for s, t, r, v, q in items:
        if q == IMPOSSIBLE:
            continue
        key, now, before = (t, r, word(v), q), latest.get(s), former.get(s)
        if now is None or t > now[0]:
            if now is not None and now[3] < BAD:
                former[s] = now
            latest[s] = key
        elif t == now[0]:
            latest[s] = max(now, key)
        elif q < BAD:
            former[s] = key if before is None else max(before, key)
        elif before is not None and t == before[0] and key > before:
            del former[s]
    return latest, former


@given(rows, st.lists(st.integers(0, 30), max_size=4))
@example([(0, 1, 0, 1.5, GOOD), (0, 1, 1, 1.5, BAD)], [1])
def test_however_the_rows_are_cut_the_state_is_that_of_one_row_after_another(items, cuts):
    edges = [0, *sorted(min(c, len(items)) for c in cuts), len(items)]
    lanes = of(*(batch(items[a:b]) for a, b in zip(edges, edges[1:])))
    for lane, expected in zip((lanes.latest, lanes.former), plain(items)):
        for s in range(N):
            if s not in expected:
                assert lane.time[s] == NEVER
                continue
            assert (lane.time[s], lane.received[s], word(lane.value[s]), lane.status[s]) == expected[s]


@given(rows, st.randoms(), st.integers(0, 30))
def test_where_nothing_is_taken_back_order_and_repetition_do_not_matter(items, random, cut):
    """Each time of a signal is either good or bad, as its sum's parity says."""
    items = [(s, t, r, v, q if (q < BAD) == ((s + t) % 2 == 0) else (GOOD if (s + t) % 2 == 0 else BAD)) for s, t, r, v, q in items]
    shuffled = items[:]
    random.shuffle(shuffled)
    once = folded(batch(items))
    assert once == folded(batch(shuffled[:cut]), batch(shuffled[cut:]))
    assert once == folded(batch(items), batch(shuffled))


@given(rows, st.randoms())
def test_the_latest_does_not_depend_on_the_order_at_all(items, random):
    shuffled = items[:]
    random.shuffle(shuffled)
    a, b = of(batch(items)).latest, of(batch(shuffled)).latest
    assert [getattr(a, n).tobytes() for n in ("time", "received", "value", "status")] == [
        getattr(b, n).tobytes() for n in ("time", "received", "value", "status")
    ]


@given(rows)
def test_no_sample_that_was_taken_back_is_believed(items):
    """Where the words on one time come in the order in which they were received, the last of them counts."""
    items = sorted(items, key=lambda i: i[2])
    last = {}
    for s, t, r, v, q in items:
        if q != IMPOSSIBLE:
            key = (r, word(v), q)
            last[s, t] = max(last.get((s, t), key), key)
    usable = of(batch(items)).usable(np.arange(N))
    for s in range(N):
        if usable.time[s] != NEVER:
            assert last[s, int(usable.time[s])][2] < BAD


@given(rows)
def test_without_words_taken_back_the_usable_sample_is_the_newest_good_one(items):
    """And it is never less than that where only the newest is taken back, once."""
    good = [(*i[:4], GOOD if i[4] < BAD else i[4]) for i in items if i[4] != IMPOSSIBLE and (i[4] < BAD) == (i[1] % 2 == 0)]
    usable = of(batch(good)).usable(np.arange(N))
    for s in range(N):
        times = [t for z, t, _, _, q in good if z == s and q < BAD]
        assert usable.time[s] == max(times, default=NEVER)


@given(rows, rows)
def test_a_snapshot_goes_on_where_it_stood(first, then):
    lanes = of(batch(first))
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


def shown(*items):
    rows = of(*(batch([i]) for i in items)).shown(np.arange(1))
    return rows.time[0], rows.value[0], rows.status[0]


def test_a_reading_judged_again_as_bad_gives_way_to_the_one_before():
    assert shown((0, 1, 1, 1.5, GOOD), (0, 2, 2, 9.0, GOOD), (0, 2, 3, 9.0, FAILED)) == (1, 1.5, FAILED)


def test_one_that_is_believed_again_comes_back():
    taken = (0, 1, 1, 1.5, GOOD), (0, 2, 2, 9.0, GOOD), (0, 2, 3, 9.0, FAILED)
    assert shown(*taken, (0, 2, 4, 9.0, GOOD)) == (2, 9.0, GOOD)


def test_the_former_taken_back_too_leaves_nothing_usable_until_the_next():
    start = (0, 1, 1, 1.0, GOOD), (0, 2, 2, 2.0, GOOD), (0, 3, 3, 3.0, GOOD)
    taken = *start, (0, 2, 4, 2.0, FAILED), (0, 3, 5, 3.0, FAILED)
    assert shown(*taken) == (3, 3.0, FAILED)
    assert of(batch(taken)).usable(np.arange(1)).time[0] == NEVER
    assert shown(*taken, (0, 4, 6, 4.0, GOOD)) == (4, 4.0, GOOD)


def test_a_late_reading_that_condemns_the_newest_is_usable_itself():
    """What the rate check does: a late reading shows that the one after it was a leap."""
    assert shown((0, 1, 1, 1.0, GOOD), (0, 3, 2, 9.0, GOOD), (0, 2, 3, 1.1, GOOD), (0, 3, 4, 9.0, FAILED)) == (2, 1.1, FAILED)


def test_a_snapshot_of_before_goes_on_without_what_was_taken_back():
    lanes = of(batch([(0, 1, 1, 1.0, GOOD), (0, 2, 2, 2.0, GOOD), (1, 1, 1, 1.0, GOOD), (1, 2, 2, 2.0, BAD)]))
    old = {k: v for k, v in lanes.arrays().items() if k.startswith("latest")}
    usable = lanes.usable(np.arange(N))
    old |= {f"usable.{n}": getattr(usable, n).copy() for n in ("time", "received", "value", "status")}
    again = Lanes.restore(N, old)
    assert again.usable(np.arange(N)).time.tolist() == [2, 1, NEVER]


@given(rows, st.lists(st.integers(0, 30), max_size=3))
def test_where_a_sample_came_from_is_known_however_the_rows_are_cut(items, cuts):
    """The origin of what is held is that of the first row that is equal to it."""
    edges = [0, *sorted(min(c, len(items)) for c in cuts), len(items)]
    lanes = Lanes(N)
    for a, b in zip(edges, edges[1:]):
        lanes.fold(batch(items[a:b]), np.arange(a + 1, b + 1))
    for lane, expected in zip((lanes.latest, lanes.former), plain(items)):
        for s in range(N):
            first = [i for i, (z, t, r, v, q) in enumerate(items, 1) if z == s and (t, r, word(v), q) == expected.get(s)]
            assert lane.origin[s] == (first[0] if first else 0)
