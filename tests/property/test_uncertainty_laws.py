"""A value's own standard uncertainty goes where the value goes: through frames, checks, lanes, snapshots and the history."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemel.assets import Checks
from gemel.bus import FrameHeader, decode_frame, encode_frame
from gemel.condition import Conditioner
from gemel.history import Reader, Store, compact
from gemel.samples import Batch
from gemel.twin.lanes import Lanes

N = 3
SECOND = 10**9
START = 1_700_000_000 * SECOND
GOOD, UNCERTAIN, BAD = 0, 0x40000000, 0x80000000
HEADER = FrameHeader(kind="samples", partition=0, producer="p", sequence=1)
sigma = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 3.0]))
row = st.tuples(st.integers(0, N - 1), st.integers(0, 4), st.integers(0, 3), st.sampled_from([0.0, 1.5]),
                st.sampled_from([GOOD, UNCERTAIN, BAD]), sigma)  # fmt: skip
rows = st.lists(row, max_size=25)
LAW = settings(deadline=None)  # the first frame of a process loads what frames are made with


def batch(items):
    columns = list(zip(*items, strict=True)) if items else [[]] * 6
    told = [np.nan if s is None else s for s in columns[5]]
    return Batch.of(signal=columns[0], time=columns[1], received=columns[2], value=columns[3], status=columns[4], sigma=told)


def word(value):
    return int(np.float64(value).view(np.uint64))


def folded(*batches):
    lanes = Lanes(N)
    for b in batches:
        lanes.fold(b)
    return {k: v.tobytes() for k, v in lanes.arrays().items()}


@LAW
@given(rows)
def test_a_frame_gives_back_the_uncertainties_and_has_no_column_where_none_is_known(items):
    given_rows = batch(items)
    stored = encode_frame(HEADER, given_rows)
    read = decode_frame(stored).batch
    assert np.array_equal(read.uncertainty(), given_rows.uncertainty(), equal_nan=True)
    plain = given_rows.with_columns(sigma=None)
    if np.isnan(given_rows.sigma).all():
        assert stored == encode_frame(HEADER, plain)
        assert read.sigma is None


@LAW
@given(rows, st.lists(st.integers(0, 25), max_size=4))
def test_however_rows_are_cut_into_batches_lanes_hold_the_same_uncertainties(items, cuts):
    edges = [0, *sorted(min(c, len(items)) for c in cuts), len(items)]
    assert folded(*(batch(items[a:b]) for a, b in zip(edges, edges[1:]))) == folded(batch(items))


@LAW
@given(rows, st.randoms(), st.integers(0, 25))
def test_where_nothing_is_taken_back_the_order_of_rows_does_not_matter(items, random, cut):
    items = [(s, t, r, v, GOOD if (s + t) % 2 else BAD, u) for s, t, r, v, _, u in items]
    shuffled = items[:]
    random.shuffle(shuffled)
    assert folded(batch(items)) == folded(batch(shuffled[:cut]), batch(shuffled[cut:]))


@LAW
@given(rows)
def test_what_is_shown_has_the_uncertainty_of_the_row_that_gave_it(items):
    lanes = Lanes(N)
    lanes.fold(batch(items))
    shown = lanes.shown(np.arange(N))
    for s in range(N):
        of = (s, shown.time[s], shown.received[s], word(shown.value[s]))
        told = {-1.0 if i[5] is None else i[5] for i in items if (*i[:3], word(i[3])) == of}
        if told:
            assert (-1.0 if np.isnan(shown.uncertainty()[s]) else float(shown.uncertainty()[s])) in told


@LAW
@given(rows)
def test_lanes_come_back_from_a_snapshot_with_what_they_knew(items):
    lanes = Lanes(N)
    lanes.fold(batch(items))
    again = Lanes.restore(N + 1, lanes.arrays())
    for kept, restored in zip((lanes.latest, lanes.former), (again.latest, again.former), strict=True):
        known = np.full(N, np.nan) if kept.sigma is None else kept.sigma
        mine = np.full(N + 1, np.nan) if restored.sigma is None else restored.sigma
        assert np.array_equal(mine, np.append(known, np.nan), equal_nan=True)


@LAW
@given(rows, st.integers(0, 25))
def test_the_checks_hand_on_uncertainties_and_remember_them_over_a_snapshot(items, cut):
    items = [(s, START + t * SECOND, START + 10 * SECOND + r, v, q, u) for s, t, r, v, q, u in items]
    checks = Checks.plain(N)
    ends = []
    for stop in (len(items), min(cut, len(items))):
        conditioner, found = Conditioner(checks), []
        for part in (items[:stop], items[stop:]):
            found.append(conditioner.process(batch(part)).rows)
            conditioner = Conditioner.restore(checks, {k: np.asarray(v) for k, v in conditioner.state().items()})
        ends.append(folded(*found))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("long", [compact.LONG, 0], ids=["at once", "cut by time"])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=rows)
def test_the_history_keeps_uncertainties_and_compaction_loses_none(monkeypatch, tmp_path_factory, long, items):
    monkeypatch.setattr(compact, "LONG", long)
    folder = tmp_path_factory.mktemp("lake")
    items = list({(s, t): (s, START + t * SECOND, START + r, v, q, u) for s, t, r, v, q, u in items}.values())
    given_rows = batch(items)
    expected = given_rows.take(given_rows.order()).uncertainty()
    with Store.open(folder) as store, Reader(folder) as reader:
        epoch = store.take_over(0)
        for sequence, part in enumerate(np.array_split(np.arange(len(items)), 4)):  # a file each
            store.commit(0, epoch, sequence + 1, given_rows.take(part))
        for _ in range(2):
            found = reader.raw(range(N), 0, 2**62)
            assert np.array_equal(found.uncertainty(), expected, equal_nan=True)
            store.compact(grace_s=0)
        tail = Batch.of(signal=[0], time=[START - 1], received=[START], value=[1.0], status=[0], sigma=[0.5])
        assert reader.raw([0], 0, 2**62, tail=tail).uncertainty()[0] == 0.5
