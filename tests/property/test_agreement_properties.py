"""Lanes that disagree: news once when they part for long enough, once when they agree again, never on what nobody knows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gemel.assets import Pairs
from gemel.samples import Batch, Registry
from gemel.samples.clock import SECOND
from gemel.twin.agreement import AGREED, DIVERGED, Agreement
from gemel.twin.lanes import Lanes

REGISTRY = Registry.of([{"path": "a/b/p/flow", "unit": "m3/h"}, {"path": "a/b/p/flow", "lane": "estimated", "unit": "m3/h"},
                        {"path": "a/b/q/flow"}, {"path": "a/b/q/flow", "lane": "estimated"}])  # fmt: skip
PAIRS = Pairs(np.array([0, 2], np.int32), np.array([1, 3], np.int32), np.array([2.0, 1.0]), np.array([3, 5]) * SECOND)
step = st.tuples(st.integers(0, 3), st.sampled_from([10.0, 11.0, 14.0, float("nan")]), st.booleans(), st.integers(0, 2))
steps = st.lists(step, max_size=40)


class Site:
    def __init__(self):
        self.lanes, self.agreement, self.stale, self.now = Lanes(4), Agreement(PAIRS, REGISTRY), np.ones(4, bool), 0

    def step(self, step):
        signal, value, bad, stale = step
        self.now += SECOND
        row = Batch.of(signal=[signal], time=[self.now], received=[self.now], value=[value], status=[0x80000000 if bad else 0])
        self.lanes.fold(row)
        self.stale[signal] = stale == 2
        return self.agreement.on_tick(self.now, self.lanes, self.stale)


def plain(items):
    """The machine in words, a pair at a time."""
    value, told, since, found = {}, [False, False], [None, None], []
    for now, (signal, v, bad, stale) in enumerate(items, 1):
        value[signal] = None if bad or stale == 2 or np.isnan(v) else v
        for pair, (a, b) in enumerate([(0, 1), (2, 3)]):
            if value.get(a) is None or value.get(b) is None or (abs(value[a] - value[b]) > PAIRS.tolerance[pair]) == told[pair]:
                since[pair] = None
                continue
            since[pair] = now if since[pair] is None else since[pair]
            if now - since[pair] >= PAIRS.delay[pair] // SECOND:
                told[pair] = not told[pair]
                found.append((DIVERGED if told[pair] else AGREED, pair, since[pair]))
                since[pair] = None
    return found


@given(steps)
def test_the_arrays_say_what_the_words_say(items):
    site = Site()
    drafts = [d for s in items for d in site.step(s)]
    told = [(d.kind, "pq".index(d.subject[4]), d.body["since"] // SECOND) for d in drafts]
    assert told == plain(items)
    assert len({d.id for d in drafts}) == len(drafts)


@given(steps, st.integers(0, 40))
def test_a_snapshot_anywhere_goes_on_as_it_was(items, cut):
    one, two = Site(), Site()
    whole = [d.id for s in items for d in one.step(s)]
    before = [d.id for s in items[:cut] for d in two.step(s)]
    again = Agreement(PAIRS, REGISTRY)
    again.restore({k: v.copy() for k, v in two.agreement.state().items()})
    two.agreement = again
    assert before + [d.id for s in items[cut:] for d in two.step(s)] == whole


def test_the_fact_says_both_values_what_was_allowed_and_since_when():
    site = Site()
    drafts = [d for s in [(0, 10.0, False, 0), (1, 14.0, False, 0)] + [(1, 14.0, False, 0)] * 3 for d in site.step(s)]
    (draft,) = drafts
    assert (draft.kind, draft.subject, draft.at) == (DIVERGED, "a/b/p/flow", 5 * SECOND)
    assert draft.body == {"lanes": {"measured": 10.0, "estimated": 14.0}, "unit": "m3/h", "tolerance": 2.0, "since": 2 * SECOND}
    assert draft.reason == "measured 10 and estimated 14 m3/h differ by more than 2 for 3 s"
