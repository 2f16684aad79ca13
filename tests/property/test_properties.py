"""What a property shows: the first lane that is fresh and not Bad, else the newest word of any, always said which."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gemel.samples import LANES, Registry
from gemel.samples.status import GOOD_LOCAL_OVERRIDE
from gemel.twin.properties import OVERRIDE, Held, Properties

NEVER = np.iinfo(np.int64).min
lane = st.fixed_dictionaries({
    "time": st.integers(1, 9), "bad": st.booleans(), "stale": st.booleans(), "seen": st.booleans(),
})  # fmt: skip
plant = st.lists(
    st.dictionaries(st.sampled_from(LANES[1:]), lane, min_size=1), min_size=1, max_size=6
)


def made(properties, order):
    """A registry whose rows stand in any order, and what each signal shows."""
    rows = [(p, name, lane) for p, lanes in enumerate(properties) for name, lane in lanes.items()]
    order(rows)
    registry = Registry.of([{"path": f"a/b/c/p{p}", "lane": name} for p, name, _ in rows])
    seen = np.array([x["seen"] for *_, x in rows])
    columns = SimpleNamespace(
        value=np.arange(len(rows), dtype=float), time=np.where(seen, [x["time"] for *_, x in rows], NEVER),
        received=np.array([x["time"] + 1 for *_, x in rows]), seen=seen,
        status=np.array([0x80000000 if x["bad"] else 0 for *_, x in rows], np.uint32),
        stale=np.array([x["stale"] or not x["seen"] for *_, x in rows]),
    )  # fmt: skip
    return registry, columns, rows


def obvious(properties, p):
    lanes = properties[p]
    ordered = [name for name in LANES if name in lanes]
    eligible = [n for n in ordered if lanes[n]["seen"] and not lanes[n]["stale"] and not lanes[n]["bad"]]
    seen = [n for n in ordered if lanes[n]["seen"]]
    if eligible:
        return eligible[0]
    return max(seen, key=lambda n: (lanes[n]["time"], -LANES.index(n))) if seen else ordered[0]


@given(plant, st.randoms())
def test_the_first_lane_that_is_eligible_is_shown(properties, random):
    registry, columns, rows = made(properties, random.shuffle)
    table = Properties.of_registry(registry)
    wanted = np.array([registry.index(f"a/b/c/p{p}") for p in range(len(properties))], np.int32)
    assert table.of(np.arange(len(rows), dtype=np.int32)).tolist() == [wanted[p] for p, *_ in rows]
    shown = table.resolve(columns, wanted)
    for p in range(len(properties)):
        name = obvious(properties, p)
        assert LANES[shown.lane[p]] == name
        number = next(i for i, (q, n, _) in enumerate(rows) if (q, n) == (p, name))
        assert shown.signal[p] == number == registry.index(f"a/b/c/p{p}", name)
        for column in ("value", "time", "received", "status", "stale", "seen"):
            assert getattr(shown, column)[p] == getattr(columns, column)[number]


@given(plant, st.randoms(), st.sets(st.integers(0, 5)))
def test_an_override_stands_before_all_lanes_and_touches_no_other_property(properties, random, chosen):
    registry, columns, _ = made(properties, random.shuffle)
    table = Properties.of_registry(registry)
    every = np.unique(table.of(np.arange(len(registry), dtype=np.int32)))
    held = {p: Held(100.0 + p, 5, 6) for p in every.tolist() if p in chosen}
    without, shown = table.resolve(columns, every), table.resolve(columns, every, held)
    for i, p in enumerate(every.tolist()):
        if p in held:
            assert (shown.lane[i], shown.value[i], shown.status[i]) == (OVERRIDE, 100.0 + p, GOOD_LOCAL_OVERRIDE)
            assert (shown.stale[i], shown.seen[i], shown.time[i]) == (False, True, 5)
        else:
            assert all(getattr(shown, c)[i] == getattr(without, c)[i] for c in ("lane", "value", "status", "time", "stale"))


def test_a_path_alone_is_its_first_lane():
    registry = Registry.of([{"path": "a/b/c/x", "lane": "simulated"}, {"path": "a/b/c/x", "lane": "estimated"}])
    assert (registry.index("a/b/c/x"), registry.index("a/b/c/x", "simulated")) == (1, 0)




def test_a_lane_that_was_retired_is_shown_only_where_the_whole_property_is_gone():
    rows = [{"path": "a/b/c/x", "retired": True}, {"path": "a/b/c/x", "uid": "anew", "lane": "measured"},
            {"path": "a/b/c/x", "lane": "simulated", "retired": True}, {"path": "a/b/c/gone", "retired": True}]  # fmt: skip
    table = Properties.of_registry(Registry.of(rows))
    assert table.lanes_of(np.array([1, 3])).tolist() == [[-1, 1, -1, -1], [-1, 3, -1, -1]]
    assert table.of(np.arange(4)).tolist() == [1, 1, 1, 3]
