"""Staleness in turns: the same as of all at once up to one slice, and of more at most a round of ticks later."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemel.assets import Checks
from gemel.twin import staleness
from gemel.twin.staleness import NEVER, Staleness

N = 7
times = st.lists(st.sampled_from([int(NEVER), 0, 5, 10, 40]), min_size=N, max_size=N)


def checks():
    kind = np.array([0, 1, 0, 1, 0, 1, 0], np.int32)
    plain = Checks.plain(2)
    plain.stale_after[:] = 10, 20
    return Checks(*(getattr(plain, n) for n in ("scale", "offset", "low", "high", "max_rate", "stuck_after", "interval", "stale_after")), kind=kind)


def silent(now, last):
    allowed = checks().each("stale_after")
    return [t == NEVER or now - t > a for t, a in zip(last.tolist(), allowed.tolist(), strict=True)]


@given(times, st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_every_tick_judges_all_where_they_are_few(last, ticks):
    last, s = np.array(last), Staleness(checks())
    for now in sorted(ticks):
        before = s.stale.tolist()
        turned = s.tick(now, last)
        assert s.stale.tolist() == silent(now, last)
        assert turned.tolist() == [i for i in range(N) if before[i] != s.stale[i]]


@given(times, st.integers(1, N), st.integers(0, 60))
def test_a_round_of_ticks_judges_all_whatever_the_slice(last, size, now):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staleness, "SLICE", size)
        last, s = np.array(last), Staleness(checks())
        turned = [s.tick(now, last).tolist() for _ in range(-(-N // size))]
        assert s.stale.tolist() == silent(now, last)
        assert sum(turned, []) == [i for i in range(N) if not s.stale[i]]


@given(times, st.integers(1, N), st.lists(st.integers(0, 60), min_size=2, max_size=8), st.data())
def test_kept_and_put_back_anywhere_it_goes_on_the_same(last, size, ticks, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staleness, "SLICE", size)
        last, a = np.array(last), Staleness(checks())
        cut = data.draw(st.integers(0, len(ticks) - 1))
        for i, now in enumerate(ticks):
            a.tick(now, last)
            a.heard(np.array([i % N], np.int32))
            if i == cut:
                b = Staleness(checks())
                b.restore(a.arrays(), now + 100, last)
            elif i > cut:
                b.tick(now, last)
                b.heard(np.array([i % N], np.int32))
        assert a.stale.tolist() == b.stale.tolist()


def test_signals_that_a_snapshot_does_not_know_are_judged_anew():
    s = Staleness(checks())
    s.restore({"stale": np.packbits([False, True]), "turn": np.array([0, 2])}, 100, np.full(N, 95))
    assert s.stale.tolist() == [False, True, False, False, False, False, False]
