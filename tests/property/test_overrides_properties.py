"""Overrides: none outlives its time, each ends once, and a replay from any snapshot is what was live."""

from hypothesis import given
from hypothesis import strategies as st

from gemel.samples import Fact, Registry
from gemel.twin.overrides import CLEARED, EXPIRED, SET, Overrides, held_at

PATHS = [f"a/b/c/p{i}" for i in range(3)]
REGISTRY = Registry.of([{"path": p} for p in PATHS])
moment = st.integers(0, 60)
asked = st.tuples(st.just(SET), st.sampled_from(PATHS), moment, st.integers(1, 30))
cleared = st.tuples(st.just(CLEARED), st.sampled_from(PATHS), moment, st.integers(0, 9))
stream = st.lists(st.one_of(asked, cleared), max_size=15).map(lambda items: sorted(items, key=lambda i: i[2]))


def facts_of(stream):
    """Facts as the shell records them; a clearing names one of the overrides set before."""
    facts, names = [], []
    for seq, (kind, path, at, extra) in enumerate(stream, 1):
        if kind == SET:
            names.append((f"o{seq}", path))
            body = {"override": f"o{seq}", "value": float(seq), "until": at + extra}
        elif names:
            name, path = names[extra % len(names)]
            body = {"override": name}
        else:
            continue
        facts.append(Fact(seq=seq, id=f"f{seq}", kind=kind, at=at, recorded=at, actor="ada", subject=path, body=body))
    return facts


def ticked(overrides, facts, start, end):
    """Let time pass, a tick a step; give what was held after each, and the ends that were drafted."""
    held, ends = [], []
    for now in range(start, end):
        for fact in facts:
            if fact.at == now:
                overrides.on_fact(fact, now)
        ends += overrides.on_tick(now)[1]
        held.append(dict(overrides.held))
    return held, ends


@given(stream)
def test_none_is_held_at_or_after_its_end_and_each_expires_once(stream):
    facts = facts_of(stream)
    held, ends = ticked(Overrides(REGISTRY), facts, 0, 100)
    until = {float(f.seq): f.body["until"] for f in facts if f.kind == SET}
    for now, values in enumerate(held):
        assert all(now < until[h.value] for h in values.values())
    assert held[-1] == {}
    assert len({d.id for d in ends}) == len(ends)
    for draft in ends:
        assert draft.kind == EXPIRED
        assert draft.at == until[float(draft.body["override"][1:])]


@given(stream, st.integers(0, 100))
def test_a_snapshot_anywhere_goes_on_as_it_was(stream, cut):
    facts = facts_of(stream)
    whole = ticked(Overrides(REGISTRY), facts, 0, 100)
    first, second = Overrides(REGISTRY), Overrides(REGISTRY)
    before = ticked(first, facts, 0, cut)
    second.from_notes(first.to_notes())
    after = ticked(second, facts, cut, 100)
    assert (before[0] + after[0], before[1] + after[1]) == whole


@given(stream, st.integers(0, 99))
def test_the_record_alone_tells_what_was_held_at_any_time(stream, at):
    """The facts, the ends among them, give at a past time what the ticks gave then."""
    facts = facts_of(stream)
    held, ends = ticked(Overrides(REGISTRY), facts, 0, at + 1)
    recorded = facts + [Fact(seq=99, recorded=d.at, **{n: getattr(d, n) for n in d.__struct_fields__}) for d in ends]
    assert held_at(sorted(recorded, key=lambda f: f.at), at, REGISTRY).held == held[-1]


@given(stream)
def test_a_fact_that_is_heard_again_changes_nothing(stream):
    once, twice = Overrides(REGISTRY), Overrides(REGISTRY)
    for fact in facts_of(stream):
        once.on_fact(fact, fact.at)
        twice.on_fact(fact, fact.at)
        twice.on_fact(fact, fact.at)
    assert once.to_notes() == twice.to_notes()
