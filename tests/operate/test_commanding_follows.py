"""Commands under a changed plant: what the plant no longer has is cancelled, never written."""

import asyncio
from types import SimpleNamespace

from evolve_kit import TANKS, Plants

from gemel.operate.commanding import Commanding
from gemel.samples import Fact
from gemel.twin.command_decision import Reading, Situation

WRITES = TANKS.replace("connections:", "writes: true\nconnections:").replace(
    "assets:\n",
    '    commands:\n      fill: {unit: m, range: [0, 10], read_back: level, approval: engineer, to: field, topic: "{asset}/set"}\nassets:\n',
)
MOVED = WRITES.replace("t1: {type: Tank, at: hall}", "t1: {type: Tank, at: yard, formerly: hall/t1}")


class Record:
    def __init__(self):
        self.facts = []

    async def append(self, draft):
        told = {n: getattr(draft, n) for n in draft.__struct_fields__}
        self.facts.append(Fact(**told, seq=len(self.facts) + 1, recorded=0))
        return self.facts[-1]


def test_a_command_of_an_asset_that_moved_is_cancelled_before_it_is_written(tmp_path):
    plants, record = Plants(tmp_path), Record()
    old = plants.first(WRITES)
    new = plants.next(old, MOVED)
    partition = plants.partition(old)
    commanding = Commanding(None, old.plant, partition, record, SimpleNamespace(now=lambda: 5))
    spec = old.plant.commands.get("a/b/hall/t1", "fill")

    async def story():
        decision = commanding._gate.request(
            "c1", spec, 3.0, "olga", "operator", at=5, reason="more",
            situation=Situation(writes=True, wired=True, rests_on={"level": Reading(2.0, usable=True, stale=False)}, current=2.0),
        )  # fmt: skip
        await commanding._keep(decision.drafts)
        await commanding._look()
        before = commanding._gate.view("c1")["state"]
        commanding.follow(new.plant)
        partition.registry = new.registry
        await commanding._look()
        return before, commanding._gate.view("c1")["state"]

    assert asyncio.run(story()) == ("awaiting_approval", "cancelled")
    assert "no such command any more" in record.facts[-1].reason
