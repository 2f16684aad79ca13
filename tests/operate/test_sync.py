"""Kept by event: in the state and in the record, not in history; and a past time is told from the record."""

import asyncio
from types import SimpleNamespace

import numpy as np
from fold_kit import SECOND, Recording, frame, messages, owner, rows, tick

from gemel.assets import Checks, Derivations, Sync, load
from gemel.operate.partition import Partition
from gemel.operate.past import Past
from gemel.samples import Batch, Fact, Registry

REGISTRY = Registry.of([{"path": f"a/b/rig/s{i}"} for i in range(3)])
SYNC = Sync(np.array([1, 2], np.int32), np.zeros(2), np.array([False, True]))


def part(tmp_path, record):
    made = owner(tmp_path, record)
    made.partition = Partition(0, REGISTRY, Checks.plain(3), [], Derivations(sync=SYNC))
    return made


def test_a_change_is_a_fact_and_only_series_go_into_history(tmp_path):
    record = Recording()
    twin = part(tmp_path, record)
    twin._digest(messages(*(frame(n + 1, rows(1, signal=n)) for n in range(3))))
    assert twin.tail.upto(9).signal.tolist() == [0, 2]
    assert twin.partition.lanes.latest.value[1] == 1.0
    twin._after_tick = lambda: None
    twin._digest(messages(tick(2), first=4))
    told = [(d.kind, d.subject, d.body["value"], d.cause) for d in twin._outbox.waiting]
    assert told == [("PropertyChanged", f"a/b/rig/s{n}", 1.0, f"samples.0:{n + 1}") for n in (1, 2)]


PLANT = """plant: a/b
connections: {doors: {mqtt: "mqtt://127.0.0.1:1884", sync: event}}
types: {Rig: {signals: {s1: {unit: bar, topic: x}}}}
assets: {rig: {type: Rig}}
"""


def test_a_past_time_is_told_from_the_facts(tmp_path):
    (tmp_path / "plant.yaml").write_text(PLANT)
    plant = load(tmp_path)
    body = {"time": 5 * SECOND, "received": 6 * SECOND, "reading": 7.5, "status": 0}
    fact = Fact(seq=1, id="x", kind="PropertyChanged", at=5 * SECOND, recorded=0, actor="gemel", subject="a/b/rig/s1", body=body)

    class Facts:
        async def follow(self):
            pass

        def find(self, at, known, **_):
            return np.array([1] if at >= 5 * SECOND else [])

        def facts(self, positions):
            return [fact] if positions else []

    async def tail(*_):
        return Batch.empty()

    reader = SimpleNamespace(stood=lambda *_, **__: Batch.empty())
    past = Past(SimpleNamespace(plant=plant, registry=plant.registry()), Facts(), reader, tail)
    for at, value in ((4, None), (8, 7.5)):
        stood = asyncio.run(past.stood(np.array([0], np.int32), at * SECOND, 9 * SECOND))
        assert (float(stood.shown.value[0]) if value else None) == value
