"""Overrides in the twin: asked for, recorded, in force from the next tick, shown first, never in the way of an alarm."""

import asyncio
import json
from types import SimpleNamespace

import numpy as np
import pytest
from fold_kit import SECOND, frame
from record_kit import Kept

from gemel.assets import AlarmLimit, Checks
from gemel.bus import FrameHeader, decode_frame
from gemel.errors import ConflictError, NotFoundError, RefusedError
from gemel.operate import delta
from gemel.operate.ask_state import AskState
from gemel.operate.overriding import Overriding
from gemel.operate.partition import Partition
from gemel.operate.publish import Namespace
from gemel.operate.values import Values
from gemel.samples import Fact, Registry
from gemel.samples.status import GOOD_LOCAL_OVERRIDE
from gemel.twin.versions import Versions

PATH = "a/b/rig/s0"
REGISTRY = Registry.of([{"path": PATH, "unit": "bar"}, {"path": "a/b/rig/mode", "kind": "state", "states": ["off", "on"]},
                        {"path": PATH, "lane": "estimated", "unit": "bar"}])  # fmt: skip
LIMIT = AlarmLimit(0, "high", 8.0, 0, 0.0, 1)


class Twin:
    def __init__(self):
        self.partition = Partition(0, REGISTRY, Checks.plain(len(REGISTRY)), [LIMIT])
        self.record = Kept()
        self.now = 0
        self.position = 0
        self.asked = Overriding(self.partition, self.record, SimpleNamespace(now=lambda: self.now * SECOND))

    def ask(self, verb, **body):
        return json.loads(asyncio.run(self.asked.verbs[verb](body)))

    def override(self, value=3.0, **more):
        wish = {"path": PATH, "value": value, "reason": "it drifts", "seconds": 10, "until": None, "user": "ada"}
        return self.ask("override", **wish | more)

    def read(self, value):
        self.position += 1
        found = self.partition.rows_of(decode_frame(frame(self.position, registry=REGISTRY.digest)))
        rows = found.with_columns(value=np.array([value]), time=np.array([self.now * SECOND]))
        return self.partition.fold(rows, self.position, None)

    def tick(self, now):
        self.now, self.position = now, self.position + 1
        header = FrameHeader(kind="tick", partition=0, producer="t", sequence=now, time=now * SECOND, facts=self.record.position)
        facts = self.record.between(self.partition.facts, header.facts)
        effects = self.partition.tick(header, self.position, facts)
        for draft in effects.drafts:
            asyncio.run(self.record.append(draft))
        return effects

    def shown(self):
        values = Values(len(REGISTRY))
        p = self.partition
        every = np.arange(len(REGISTRY), dtype=np.int32)
        told = delta.Delta(1, 1, p.time, 0.0, p.facts, p.lanes.shown(every), p.stale, p.overrides.held)
        values.take(delta.decode(delta.encode(told)))
        return p.properties.resolve(values, np.array([0], np.int32), values.held)


@pytest.fixture
def twin():
    twin = Twin()
    twin.tick(1)
    twin.read(5.0)
    twin.tick(2)
    return twin


def test_it_takes_effect_at_the_next_tick_and_ends_at_its_time(twin):
    made = twin.override()
    assert (made["in_force"], made["owner"], made["unit"], made["until"]) == (False, "ada", "bar", 12 * SECOND)
    assert twin.shown().value[0] == 5.0
    effects = twin.tick(3)
    assert effects.turned == [0]
    shown = twin.shown()
    assert (shown.value[0], shown.lane[0], shown.status[0], shown.stale[0]) == (3.0, 0, GOOD_LOCAL_OVERRIDE, False)
    assert (shown.time[0], shown.received[0]) == (2 * SECOND, 3 * SECOND)
    twin.tick(11)
    assert twin.shown().value[0] == 3.0
    twin.tick(12)
    assert twin.shown().value[0] == 5.0
    assert [f.kind for f in twin.record.facts] == ["OverrideSet", "OverrideExpired"]
    assert twin.record.facts[1].at == 12 * SECOND
    twin.tick(13)
    assert len(twin.record.facts) == 2


def test_one_is_cleared_by_any_operator(twin):
    made = twin.override()
    twin.tick(3)
    assert twin.ask("override_clear", id=made["id"], user="otto", reason="mended")["value"] == 3.0
    assert twin.ask("overrides") == []
    assert twin.shown().value[0] == 3.0
    twin.tick(4)
    assert twin.shown().value[0] == 5.0
    with pytest.raises(NotFoundError) as gone:
        twin.ask("override_clear", id=made["id"], user="otto", reason="")
    assert gone.value.code == "override-unknown"


def test_two_who_ask_within_one_tick_do_not_both_get_it(twin):
    first = twin.override()
    with pytest.raises(ConflictError) as busy:
        twin.override(4.0)
    assert busy.value.code == "override-in-force"
    second = twin.override(4.0, replaces=first["id"])
    twin.tick(3)
    assert twin.shown().value[0] == 4.0
    with pytest.raises(ConflictError):
        twin.override(6.0, replaces=first["id"])
    assert [o["id"] for o in twin.ask("overrides")] == [second["id"]]


@pytest.mark.parametrize(("wrong", "code"), [
    ({"reason": "  "}, "override-no-reason"),
    ({"seconds": 0}, "override-time"),
    ({"seconds": 31 * 86_400}, "override-time"),
    ({"value": float("inf")}, "override-value"),
    ({"path": "a/b/rig/mode", "value": 2.0}, "override-value"),
    ({"path": "a/b/rig/mode", "value": 0.5}, "override-value"),
])  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_recorded(twin, wrong, code):
    with pytest.raises(RefusedError) as no:
        twin.override(**wrong)
    assert no.value.code == code
    assert twin.record.facts == []


def test_an_unknown_property_cannot_be_overridden(twin):
    with pytest.raises(NotFoundError):
        twin.override(path="a/b/rig/none")


def test_a_reading_goes_on_raising_its_alarm_while_it_is_overridden(twin):
    twin.override()
    twin.tick(3)
    effects = twin.read(9.0)
    assert [d.kind for d in effects.drafts] == ["AlarmRaised"]
    assert effects.rows.value.tolist() == [9.0]
    assert twin.shown().value[0] == 3.0


def test_a_replay_of_log_and_record_is_what_was_live(twin):
    twin.override()
    twin.tick(3)
    kept = twin.partition.snapshot()
    twin.tick(4)
    again = Partition(0, REGISTRY, Checks.plain(len(REGISTRY)), [LIMIT])
    again.restore(type(kept).from_bytes(kept.to_bytes()))
    assert again.overrides.held == twin.partition.overrides.held
    for partition in (twin.partition, again):
        header = FrameHeader(kind="tick", partition=0, producer="t", sequence=9, time=12 * SECOND, facts=1)
        effects = partition.tick(header, 99, [])
        assert [d.id for d in effects.drafts] == [f"override-expired-{twin.record.facts[0].body['override']}"]
    assert again.snapshot().to_bytes() == twin.partition.snapshot().to_bytes()


def test_the_namespace_publishes_what_is_shown_and_by_which_lane(twin):
    names = Namespace(None, REGISTRY, None)
    p = twin.partition
    every = np.arange(len(REGISTRY), dtype=np.int32)
    twin.override()
    twin.tick(3)
    told = delta.Delta(1, 1, p.time, 0.0, p.facts, p.lanes.shown(every), p.stale, p.overrides.held)
    names._note(told)
    shown = names._properties.resolve(names._values, np.array([0], np.int32), names._values.held)
    topic, payload = names._message(shown, 0)
    assert topic == PATH
    body = json.loads(payload)
    assert (body["value"], body["lane"], body["quality"]) == (3.0, "override", "good")


def test_the_twin_knows_what_is_desired_and_what_is_reported(twin):
    """From facts and readings at ticks, and from a snapshot too."""
    body = {"command": "c1", "asset": "a/b/rig", "name": "set", "target": PATH, "unit": "bar", "value": 5.0, "approval": None,
            "read_back": PATH, "tolerance": 0.5, "timeout_ns": SECOND, "asked_because": ""}  # fmt: skip
    twin.record.facts.append(Fact(seq=1, id="c1.requested", kind="CommandRequested", at=2 * SECOND, recorded=0, actor="ada", body=body))
    twin.tick(3)
    asked = AskState(twin.partition, twin.record, Versions())
    told = json.loads(asyncio.run(asked.desired({"asset": "a/b/rig"})))
    assert [(d["value"], d["reported"], d["in_sync"]) for d in told] == [(5.0, None, None)]
    twin.now = 4
    twin.read(5.2)
    twin.tick(5)
    again = Partition(0, REGISTRY, Checks.plain(len(REGISTRY)), [LIMIT])
    again.restore(twin.partition.snapshot())
    for partition in (twin.partition, again):
        (desired,) = partition.desired.of("a/b/rig")
        assert (desired.reported, desired.in_sync, desired.since) == (5.2, True, 4 * SECOND)


def test_an_override_is_taken_back_while_it_stands(twin):
    made = twin.override()
    draft = twin.asked.taken_back(twin.record.facts[0], "emil", "a mistake", 3 * SECOND)
    assert (draft.id, draft.kind, draft.body["override"]) == ("revert-1", "OverrideCleared", made["id"])
    asyncio.run(twin.record.append(draft))
    twin.tick(4)
    assert twin.shown().value[0] == 5.0
    with pytest.raises(ConflictError) as over:
        twin.asked.taken_back(twin.record.facts[0], "emil", "again", 5 * SECOND)
    assert over.value.code == "revert-superseded"
    with pytest.raises(RefusedError):
        twin.asked.taken_back(twin.record.facts[1], "emil", "and back", 5 * SECOND)
