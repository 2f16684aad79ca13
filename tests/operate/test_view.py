"""A viewer's copy follows the twin's: whatever is missed on the way is asked for, and nothing goes back in time."""

import asyncio

import numpy as np

from gemel.errors import StorageError
from gemel.operate import delta
from gemel.operate.publish import Namespace
from gemel.operate.view import View
from gemel.samples import Batch, Registry

REGISTRY = Registry.of([{"path": f"a/b/rig/s{i}", "unit": "bar"} for i in range(2)])


def told(sequence, signals, value, run=7):
    n = len(signals)
    rows = Batch.of(signal=signals, time=np.full(n, 10 + sequence), received=np.full(n, 10), value=np.full(n, value), status=np.zeros(n))
    return delta.encode(delta.Delta(sequence, run, 0, 0.0, 0, rows, np.zeros(n, np.bool_)))


class Twin:
    """A twin that is asked for its state, and a bus that counts who listens."""

    def __init__(self, state=None):
        self.state = state
        self.asked = 0
        self.listeners = 0

    async def ask(self, subject, body, **_):
        self.asked += 1
        if self.state is None:
            raise StorageError("the twin does not answer", code="twin-away")
        return self.state

    async def hear(self, subject, handle):
        self.listeners += 1

        async def stop():
            self.listeners -= 1

        return stop


def view(twin):
    return View(twin, None, REGISTRY, None)


def test_what_was_missed_while_the_twin_did_not_answer_is_asked_for_again():
    async def body():
        twin = Twin(told(1, [0, 1], 1.0))
        seen = view(twin)
        await seen.start()
        twin.state = None
        await seen._on_delta(told(5, [0], 5.0))  # 2 to 4 were missed, and cannot be asked for now
        assert seen.values.value[1] == 1.0
        twin.state = told(6, [0, 1], 6.0)
        await seen._on_delta(told(6, [0], 6.0))
        assert seen.values.value.tolist() == [6.0, 6.0]

    asyncio.run(body())


def test_deltas_that_the_state_has_already_do_not_turn_it_back():
    """While everything is asked for, deltas wait in line; the answer is newer than they are."""

    async def body():
        twin = Twin(told(9, [0, 1], 9.0))
        seen = view(twin)
        await seen._on_delta(told(6, [0], 6.0))
        for sequence in (7, 8, 9):
            await seen._on_delta(told(sequence, [0], float(sequence)))
            assert seen.values.value.tolist() == [9.0, 9.0]
        await seen._on_delta(told(10, [1], 10.0))
        assert seen.values.value.tolist() == [9.0, 10.0]
        assert twin.asked == 1

    asyncio.run(body())


def test_a_twin_that_began_anew_counts_from_the_start():
    async def body():
        twin = Twin(told(9, [0, 1], 9.0))
        seen = view(twin)
        await seen.start()
        twin.state = told(1, [0, 1], 2.0, run=8)
        await seen._on_delta(told(1, [0], 2.0, run=8))
        await seen._on_delta(told(2, [1], 3.0, run=8))
        assert seen.values.value.tolist() == [2.0, 3.0] and twin.asked == 2

    asyncio.run(body())


class Topics:
    """Keeps the last payload of each topic."""

    connections = 0

    def __init__(self):
        self.kept = {}

    async def publish(self, topic, payload, *, retain=False):
        self.kept[topic] = payload


def test_a_namespace_that_is_given_up_listens_no_more(monkeypatch):
    """Else a twin that is away for an hour leaves thousands of them, each decoding every delta for ever."""

    async def body():
        twin = Twin()
        for _ in range(3):
            try:
                await Namespace(twin, REGISTRY, Topics()).run()
            except StorageError:
                pass
        assert twin.listeners == 0

    asyncio.run(body())


def test_what_the_namespace_missed_is_asked_for(monkeypatch):
    async def body():
        monkeypatch.setattr("gemel.operate.publish.PERIOD_S", 0.01)
        twin, topics = Twin(told(1, [0, 1], 1.0)), Topics()
        namespace = Namespace(twin, REGISTRY, topics)
        task = asyncio.create_task(namespace.run())
        await until(lambda: len(topics.kept) == 2)
        twin.state = told(5, [0, 1], 5.0)
        await namespace._take(told(5, [0], 5.0))  # 2 to 4 did not come
        await until(lambda: b"5.0" in topics.kept["a/b/rig/s1"])
        task.cancel()

    asyncio.run(body())


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)
