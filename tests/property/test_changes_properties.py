"""Synchronisation by event: each change counted once, none lost, the record guarded, and a replay says the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gemel.assets import Sync
from gemel.samples import Batch, Registry
from gemel.samples.clock import MILLISECOND, SECOND
from gemel.twin import changes
from gemel.twin.changes import Changes

REGISTRY = Registry.of([{"path": "a/b/c/series"}, {"path": "a/b/c/door", "kind": "state", "states": ["shut", "open"]},
                        {"path": "a/b/c/mode", "unit": "bar"}])  # fmt: skip
SYNC = Sync(np.array([1, 2], np.int32), np.array([0.0, 0.5]), np.array([False, True]))
BAD = 0x80000000
row = st.tuples(st.integers(0, 2), st.sampled_from([0.0, 1.0, 1.3, 2.0]), st.sampled_from([0, 0, 0, BAD]))
step = st.one_of(st.lists(row, min_size=1, max_size=6), st.integers(1, 3))  # rows, or so many ticks


class Site:
    def __init__(self, sync=SYNC):
        self.changes, self.now, self.count = Changes(sync, REGISTRY), 0, 0

    def rows(self, items):
        self.count += 1
        n = len(items)
        time = self.now + np.arange(1, n + 1) + self.count * 1000
        batch = Batch.of(signal=[i[0] for i in items], time=time, received=time, value=[i[1] for i in items], status=[i[2] for i in items])
        self.changes.on_rows(batch, np.full(n, self.count << 12))
        return []

    def ticks(self, n=1):
        found = []
        for _ in range(n):
            self.now += 100 * MILLISECOND
            found += self.changes.on_tick(self.now)
        return found

    def step(self, step):
        return self.ticks(step) if isinstance(step, int) else self.rows(step)


def counted(steps):
    """Changes by signal, one row after another."""
    seen, found = {}, {1: 0, 2: 0}
    for step in steps:
        for signal, value, status in [] if isinstance(step, int) else step:
            if signal == 0:
                continue
            value = None if status else value
            before = seen.get(signal, "nothing")
            dead = 0.0 if signal == 1 else 0.5
            same = before == value if before in (None, "nothing") or value is None else abs(value - before) <= dead
            if not same:
                seen[signal] = value
                found[signal] += 1
    return found


@given(st.lists(step, max_size=30))
def test_every_change_is_in_one_fact_and_the_facts_follow_on_each_other(steps):
    site = Site()
    drafts = [d for s in steps for d in site.step(s)] + site.ticks(600)
    assert site.changes.waiting == 0
    for signal, path in ((1, "a/b/c/door"), (2, "a/b/c/mode")):
        mine = [d for d in drafts if d.subject == path]
        assert sum(d.body["changes"] for d in mine) == counted(steps)[signal]
        assert [d.body["before"] for d in mine] == [None, *[d.body["value"] for d in mine[:-1]]][: len(mine)]
    assert len({d.id for d in drafts}) == len(drafts)
    assert {d.subject for d in drafts} <= {"a/b/c/door", "a/b/c/mode"}


@given(st.lists(step, max_size=30), st.integers(0, 30))
def test_a_snapshot_anywhere_goes_on_as_it_was(steps, cut):
    one, two = Site(), Site()
    whole = [d.id for s in steps for d in one.step(s)] + [d.id for d in one.ticks(50)]
    before = [d.id for s in steps[:cut] for d in two.step(s)]
    again = Changes(SYNC, REGISTRY)
    again.restore(two.changes.state())
    two.changes = again
    assert before + [d.id for s in steps[cut:] for d in two.step(s)] + [d.id for d in two.ticks(50)] == whole


@given(st.lists(row, max_size=12), st.integers(0, 12))
def test_however_the_rows_are_cut_the_same_is_said(items, cut):
    one, two = Site(), Site()
    time = np.arange(1, len(items) + 1)
    whole = Batch.of(signal=[i[0] for i in items], time=time, received=time, value=[i[1] for i in items], status=[i[2] for i in items])
    one.changes.on_rows(whole, time << 12)
    for part in (slice(0, cut), slice(cut, None)):
        two.changes.on_rows(whole[part], (time << 12)[part])
    assert [(d.id, d.body, d.cause) for d in one.ticks()] == [(d.id, d.body, d.cause) for d in two.ticks()]


def test_a_door_that_flutters_fills_no_record():
    site, drafts = Site(), []
    for n in range(1000):  # a change in each of 1000 ticks: 100 s
        site.rows([(1, float(n % 2), 0)])
        drafts += site.ticks()
    assert len(drafts) <= changes.BURST + 100 + 1
    drafts += site.ticks(20)
    assert sum(d.body["changes"] for d in drafts) == 1000


def test_all_signals_together_have_a_share_too():
    n = 1000
    registry = Registry.of([{"path": f"a/b/c/{i}"} for i in range(n)])
    machine = Changes(Sync(np.arange(n, dtype=np.int32), np.zeros(n), np.zeros(n, bool)), registry)
    time = np.arange(1, n + 1)
    machine.on_rows(Batch.of(signal=np.arange(n), time=time, received=time, value=np.ones(n), status=np.zeros(n)), np.zeros(n, np.int64))
    first = machine.on_tick(SECOND)
    assert [d.subject for d in first[:2]] == ["a/b/c/0", "a/b/c/1"]
    assert len(first) == changes.BURST_ALL
    assert machine.waiting == n - changes.BURST_ALL
    rest = [d for t in range(1, 1000) for d in machine.on_tick(SECOND + t * 100 * MILLISECOND)]
    assert len(rest) == n - changes.BURST_ALL
    assert len(machine.on_tick(1 << 60)) == 0


def test_the_fact_says_before_and_after_in_words_and_where_it_came_from():
    site = Site()
    site.rows([(1, 0.0, 0)])
    site.ticks()
    site.rows([(1, 1.0, 0)])
    (draft,) = site.ticks()
    assert (draft.kind, draft.subject, draft.reason, draft.cause) == ("PropertyChanged", "a/b/c/door", "open", "samples.0:2")
    assert (draft.body["before"], draft.body["value"], draft.body["changes"], draft.at) == (0.0, 1.0, 1, draft.body["time"])
    site.rows([(1, 1.0, BAD)])
    (draft,) = site.ticks()
    assert (draft.body["before"], draft.body["value"], draft.body["reading"], draft.reason) == (1.0, None, 1.0, "bad")


def test_only_what_is_kept_by_event_alone_stays_out_of_history():
    rows = Batch.of(signal=[0, 1, 2], time=[1, 1, 1], received=[1, 1, 1], value=[1, 1, 1], status=[0, 0, 0])
    assert Site().changes.stored(rows).signal.tolist() == [0, 2]
    assert Changes(Sync(), REGISTRY).stored(rows) is rows


def test_without_such_signals_nothing_is_kept():
    machine = Changes(Sync(), REGISTRY)
    assert (len(machine), machine.waiting, machine.on_tick(SECOND)) == (0, 0, [])
