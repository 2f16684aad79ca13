"""A commit whose waiter is cancelled must not be made a second time."""

import asyncio
import threading
from types import SimpleNamespace

import numpy as np

from gemel.operate.fold import Owner
from gemel.operate.snapshots import SnapshotFolder
from gemel.operate.tail import Tail
from gemel.samples import Batch, Registry


class SlowStore:
    """Takes a commit, and finishes it when told."""

    def __init__(self):
        self.stored = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def commit(self, partition, epoch, sequence, rows, classes):
        self.begun.set()
        self.go_on.wait(60)
        self.stored.append((sequence, len(rows)))


def test_a_cancelled_commit_is_not_repeated(tmp_path):
    async def run():
        store = SlowStore()
        partition = SimpleNamespace(number=0, position=7, time=0, version=0, registry=Registry.of([{"path": "a/b/c"}]))
        owner = Owner(None, partition, store, None, None, SnapshotFolder(tmp_path), None, ["default"], {}, 1)
        rows = Batch.of(signal=np.zeros(3), time=range(3), received=range(3), value=range(3), status=np.zeros(3))
        owner.tail.add(7, rows)
        first = asyncio.ensure_future(owner.commit())
        await asyncio.to_thread(store.begun.wait, 5)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        partition.position = 9
        owner.tail.add(9, rows[:1])
        second = asyncio.ensure_future(owner.commit())
        await asyncio.sleep(0)
        store.go_on.set()
        await second
        assert store.stored == [(7, 3), (9, 1)]
        assert isinstance(owner.tail, Tail) and owner.tail.rows == 0

    asyncio.run(run())
