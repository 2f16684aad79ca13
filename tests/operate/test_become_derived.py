"""What is derived goes on under a changed plant: new expressions begin with what is known, old ones keep their past in the new unit."""

import numpy as np
import pytest
from evolve_kit import CM, MOVED, SECOND, START, TANKS, Log, applied, changed, edited

VOLUME = ("      state: {kind: state", '      stock: {unit: m3, derived: "level * 4 m2"}\n      state: {kind: state')
RULE = ("assets:\n", "    rules: {low: {when: level < 2 m, for: 3 s}}\nassets:\n")


def latest(log, path):
    lanes, signal = log.partition.lanes.latest, log.partition.registry.index(path)
    return float(lanes.value[signal]), int(lanes.time[signal] - START) // SECOND


def test_an_expression_that_is_new_is_evaluated_from_the_next_reading_on(plants):
    log, new = changed(plants, TANKS, edited(VOLUME), 3.5)
    log.feed(new, [("a/b/hall/t1/level", START + SECOND, 3.0, 0)], START + SECOND)
    log.tick(START + 2 * SECOND)
    assert latest(log, "a/b/hall/t1/stock") == (12.0, 1)


def test_an_input_in_another_unit_gives_the_same(plants):
    log, new = changed(plants, edited(VOLUME), edited(VOLUME, CM), 3.5)
    log.feed(new, [("a/b/hall/t1/level", START + SECOND, 3.0, 0)], START + SECOND)
    log.tick(START + 2 * SECOND)
    assert latest(log, "a/b/hall/t1/stock") == (pytest.approx(12.0), 1)


def test_a_condition_that_holds_goes_on_holding_where_its_asset_is_moved(plants):
    old = plants.first(edited(RULE))
    new = plants.next(old, edited(RULE, MOVED))
    log = Log(plants.partition(old))
    log.feed(old, [("a/b/hall/t1/level", START, 1.5, 0)], START)
    log.tick(START + SECOND)
    log.tick(START + 2 * SECOND, applied(new))
    log.tick(START + 3 * SECOND)
    assert [(d.kind, d.subject) for d in log.drafts if d.kind.startswith("Event")] == [("EventRaised", "a/b/yard/t1")]


def test_an_expression_that_is_changed_changes_what_comes_and_not_what_was(plants):
    old = plants.first(edited(VOLUME))
    new = plants.next(old, edited((VOLUME[0], VOLUME[1].replace("4 m2", "5 m2"))))
    log = Log(plants.partition(old))
    log.feed(old, [("a/b/hall/t1/level", START, 3.0, 0)], START)
    log.tick(START + SECOND)
    log.tick(START + 2 * SECOND, applied(new))
    log.feed(new, [("a/b/hall/t1/level", START + 3 * SECOND, 3.0, 0)], START + 3 * SECOND)
    log.tick(START + 4 * SECOND)
    signal = log.partition.registry.index("a/b/hall/t1/stock")
    assert [float(v) for rows in log.rows for v in rows.value[rows.signal == signal]] == [12.0, 15.0]


def test_a_replay_over_the_change_is_the_same_to_the_bit(plants):
    old = plants.first(edited(VOLUME, RULE))
    new = plants.next(old, edited(VOLUME, RULE, CM, MOVED))
    logs = [Log(plants.partition(old)) for _ in range(2)]
    for log in logs:
        for n in range(6):
            log.feed(old, [("a/b/hall/t1/level", START + n * SECOND, 3.5 - n, 0)], START + n * SECOND)
            log.tick(START + n * SECOND, *([applied(new)] if n == 3 else []))
    a, b = (log.partition.snapshot() for log in logs)
    assert all(np.asarray(a.arrays[k]).tobytes() == np.asarray(b.arrays[k]).tobytes() for k in a.arrays)
