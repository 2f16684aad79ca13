"""The hot tail: cut for the history into transactions that end at positions, each row in exactly one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gemel.operate.tail import Tail
from gemel.samples import Batch


def rows(first, n):
    at = np.arange(first, first + n)
    return Batch.of(signal=at, time=at, received=at, value=at, status=np.zeros(n))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=30), st.integers(1, 12), st.integers(0, 40))
def test_parts_hold_every_row_once_and_end_where_all_of_a_position_is_in(given_, most, upto):
    tail, sequence, n = Tail(), 1, 0
    for step, size in given_:
        sequence += step
        tail.add(sequence, rows(n, size))
        n += size
    parts = tail.parts(upto, most)
    assert parts[-1].sequence == upto
    ends = [p.sequence for p in parts]
    assert ends == sorted(set(ends))
    found = Batch.concat(p for part in parts for p in part.pieces)
    assert found.value.tolist() == tail.upto(upto).value.tolist()
    for part in parts:  # what is committed up to there is all that there is up to there
        stored = tail.upto(part.sequence).value.tolist()
        before = [v for p in parts if p.sequence <= part.sequence for b in p.pieces for v in b.value.tolist()]
        assert stored == before


def test_a_part_holds_about_as_many_rows_as_it_may():
    tail = Tail()
    for n in range(100):
        tail.add(n + 1, rows(n * 10, 10))
    assert [p.rows for p in tail.parts(100, 1000)] == [1000]
    assert len(tail.parts(100, 200)) == 5
    assert all(180 <= p.rows <= 220 for p in tail.parts(100, 200))
    assert [p.rows for p in tail.parts(100, 900)] == [1000]  # no rest of a hundred


def test_what_does_not_come_up_to_a_transaction_is_one():
    tail = Tail()
    assert [(p.sequence, p.rows) for p in tail.parts(7, 10)] == [(7, 0)]
    tail.add(3, rows(0, 2))
    assert [(p.sequence, p.rows) for p in tail.parts(7, 10)] == [(7, 2)]


pieces = st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=1, max_size=6), max_size=8)


@given(pieces, st.lists(st.integers(0, 3), min_size=1, max_size=3), st.integers(-2, 22), st.integers(-2, 22))
def test_found_is_every_row_of_the_signals_and_times_and_no_other(given_, signals, start, end):
    tail, every = Tail(), []
    for n, piece in enumerate(given_):
        signal, time = zip(*piece, strict=True)
        every += piece
        tail.add(n + 1, Batch.of(signal=signal, time=time, received=time, value=time, status=np.zeros(len(time))))
    found = tail.find(np.array(signals, np.int32), start, end)
    want = [(s, t) for s, t in every if s in signals and start <= t < end]
    assert list(zip(found.signal.tolist(), found.time.tolist(), strict=True)) == want
    asked = Batch.of(signal=signals, time=np.full(len(signals), start), received=0 * np.array(signals), value=signals, status=0 * np.array(signals))
    near = tail.around(asked)
    met = {(s, t) for s, t in every if s in signals and t == start}
    assert met <= set(zip(near.signal.tolist(), near.time.tolist(), strict=True)) <= set(every)
