"""A partition goes on under a changed plant at a tick: nothing that was known is forgotten, nothing is judged anew."""

import numpy as np
import pytest
from evolve_kit import CM, EDITS, MOVED, RENAMED, SECOND, START, TANKS, Log, Plants, applied, changed, edited, frame

from gemel.bus import FrameHeader
from gemel.errors import StorageError
from gemel.samples import Fact


def shown(partition, path):
    signal = partition.registry.index(path)
    row = partition.lanes.shown(np.array([signal]))
    return float(row.value[0]), int(row.time[0])


def test_a_moved_asset_shows_what_it_showed(plants):
    log, new = changed(plants, TANKS, edited(MOVED), 3.5)
    assert shown(log.partition, "a/b/yard/t1/level") == (3.5, START)
    assert log.partition.version == new.version


def test_another_unit_shows_the_last_value_in_the_new_unit_and_the_next_reading_after_it(plants):
    log, new = changed(plants, TANKS, edited(CM), 3.5)
    assert shown(log.partition, "a/b/hall/t1/level") == (350.0, START)
    log.feed(new, [("a/b/hall/t1/level", START + SECOND, 3.75, 0)], START + SECOND)
    assert shown(log.partition, "a/b/hall/t1/level") == (375.0, START + SECOND)


def test_a_frame_that_was_on_its_way_is_read_in_the_unit_it_was_framed_in(plants):
    old = plants.first()
    new = plants.next(old, edited(CM))
    log = Log(plants.partition(old))
    log.tick(START, applied(new))
    log.feed(old, [("a/b/hall/t1/level", START + SECOND, 4.0, 0)], START + SECOND)
    assert shown(log.partition, "a/b/hall/t1/level") == (400.0, START + SECOND)
    (row,) = [r for r in log.rows if len(r)]
    assert row.signal.tolist() == [new.registry.index("a/b/hall/t1/level")]


def test_a_source_that_sends_another_unit_is_believed_from_the_frame_that_says_so(plants):
    """The registry names the unit of the source, so a frame from before is not read by the new one."""
    mm = ('level: {unit: m,', 'level: {unit: m, source: {unit: mm},')
    old = plants.first()
    new = plants.next(old, edited(mm))
    log = Log(plants.partition(old))
    log.tick(START, applied(new))
    log.feed(old, [("a/b/hall/t1/level", START + SECOND, 4.0, 0)], START + SECOND)
    assert shown(log.partition, "a/b/hall/t1/level")[0] == pytest.approx(4.0)
    log.feed(new, [("a/b/hall/t1/level", START + 2 * SECOND, 4100.0, 0)], START + 2 * SECOND)
    assert shown(log.partition, "a/b/hall/t1/level")[0] == pytest.approx(4.1)


def test_an_alarm_stays_raised_under_the_new_name_and_is_cleared_under_it(plants):
    old = plants.first()
    new = plants.next(old, edited(MOVED, CM))
    log = Log(plants.partition(old))
    for i in range(4):
        log.feed(old, [("a/b/hall/t1/level", START + i * SECOND, 6.0, 0)], START + i * SECOND)
    log.tick(START + 4 * SECOND, applied(new))
    assert [d.kind for d in log.drafts] == ["AlarmRaised"]
    assert [a["id"] for a in log.partition.alarms.view()] == ["a/b/yard/t1/level#high"]
    log.feed(new, [("a/b/yard/t1/level", START + 5 * SECOND, 4.2, 0)], START + 5 * SECOND)
    log.tick(START + 9 * SECOND)
    assert [(d.kind, d.body["alarm"]) for d in log.drafts[1:]] == [("AlarmCleared", "a/b/yard/t1/level#high")]


def test_the_alarm_of_a_limit_that_is_gone_is_closed_by_a_fact(plants):
    old = plants.first()
    new = plants.next(old, edited((" alarm: {high: 5, low: 1, delay: 1 s, deadband: 0.5},", "")))
    log = Log(plants.partition(old))
    for i in range(4):
        log.feed(old, [("a/b/hall/t1/level", START + i * SECOND, 6.0, 0)], START + i * SECOND)
    log.tick(START + 4 * SECOND, applied(new))
    assert [d.kind for d in log.drafts] == ["AlarmRaised", "AlarmCleared"]
    assert log.drafts[1].reason == "the plant file has no such limit any more"
    assert log.partition.alarms.view() == []


def test_the_readings_of_what_is_gone_are_stored_and_what_is_new_is_taken(plants):
    old = plants.first()
    new = plants.next(old, edited(("  t2: {type: Tank, at: hall}\n", "  t3: {type: Tank, at: hall}\n")))
    log = Log(plants.partition(old))
    log.tick(START, applied(new))
    log.feed(old, [("a/b/hall/t2/level", START + SECOND, 4.0, 0)], START + SECOND)
    log.feed(new, [("a/b/hall/t3/level", START + SECOND, 5.0, 0)], START + SECOND)
    assert sum(len(r) for r in log.rows) == 2
    assert shown(log.partition, "a/b/hall/t3/level") == (5.0, START + SECOND)


def test_a_version_that_is_not_kept_changes_nothing(plants, tmp_path):
    old = plants.first()
    log = Log(plants.partition(old))
    other = Plants(tmp_path / "other")
    log.tick(START, applied(other.next(other.first(), edited(MOVED))))
    assert log.partition.version == old.version


def test_a_snapshot_from_before_is_restored_under_the_plant_it_names(plants):
    """Started again after the change, from a snapshot from before it, the log leads to the very same state."""
    old = plants.first()
    new = plants.next(old, edited(CM, MOVED))
    live = Log(plants.partition(old))
    live.feed(old, [("a/b/hall/t1/level", START, 3.5, 0)], START)
    kept = live.partition.snapshot()
    again = Log(plants.partition(new))
    again.partition.restore(kept)
    assert again.partition.version == old.version
    again.sequence, again.frames = live.sequence, live.frames
    for log in (live, again):
        log.tick(START + SECOND, applied(new))
        log.feed(new, [("a/b/yard/t1/level", START + SECOND, 3.6, 0)], START + SECOND)
    assert live.partition.snapshot().to_bytes() == again.partition.snapshot().to_bytes()


def test_versions_follow_one_another(plants):
    one = plants.first()
    two = plants.next(one, edited(CM))
    three = plants.next(two, edited(CM, RENAMED, MOVED))
    log = Log(plants.partition(one))
    log.feed(one, [("a/b/hall/t1/level", START, 3.5, 0), ("a/b/hall/t1/flow", START, 7.0, 0)], START)
    log.tick(START + SECOND, applied(two, 1), applied(three, 2))
    assert shown(log.partition, "a/b/yard/t1/level")[0] == 350.0
    assert shown(log.partition, "a/b/yard/t1/outflow")[0] == 7.0
    log.feed(one, [("a/b/hall/t1/level", START + 2 * SECOND, 4.0, 0)], START + 2 * SECOND)
    assert shown(log.partition, "a/b/yard/t1/level")[0] == 400.0


def test_a_frame_of_a_registry_that_nobody_knows_is_still_refused(plants, tmp_path):
    old = plants.first()
    other = Plants(tmp_path / "other")
    stranger = other.next(other.first(), edited(EDITS["added"]))
    with pytest.raises(StorageError, match="registry"):
        plants.partition(old).rows_of(frame(stranger, [("a/b/t0/level", START, 1.0, 0)], 1, START))


def test_a_tick_without_a_plant_is_a_tick(plants):
    log = Log(plants.partition(plants.first()))
    log.partition.tick(FrameHeader(kind="tick", partition=0, producer="t", sequence=1, time=START), 1, [])
    assert log.partition.time == START


@pytest.mark.parametrize("edit", ["cm", "moved"])
def test_an_override_stays_in_force_under_the_new_name_and_in_the_new_unit(plants, edit):
    old = plants.first()
    new = plants.next(old, edited(EDITS[edit]))
    log = Log(plants.partition(old))
    body = {"override": "o1", "value": 2.0, "until": START + 9 * SECOND}
    put = Fact(seq=1, id="f1", kind="OverrideSet", at=START, recorded=START, actor="ada", subject="a/b/hall/t1/level", body=body)
    log.tick(START, put)
    log.tick(START + SECOND, applied(new, 2))
    path, value = ("a/b/yard/t1/level", 2.0) if edit == "moved" else ("a/b/hall/t1/level", 200.0)
    held = log.partition.overrides.held
    assert {p: h.value for p, h in held.items()} == {new.registry.index(path): value}
    log.tick(START + 9 * SECOND)
    assert [(d.kind, d.subject) for d in log.drafts if d.kind.startswith("Override")] == [("OverrideExpired", path)]
