"""On the way into the log: nothing waits for ever, and what waits is bounded."""

import asyncio
import time

import numpy as np
import pytest

from gemel.bus import decode_frame
from gemel.errors import DefectError, StorageError
from gemel.operate.ingest import MOST_WAITING, Framer
from gemel.operate.telemetry import take_rows
from gemel.samples import Batch, Registry
from gemel.samples.clock import WallClock

REGISTRY = Registry.of([{"path": "a/b/rig/s0"}])


class Guard:
    def __init__(self):
        self.open = asyncio.Event()
        self.open.set()


class Log:
    """A log that takes frames, refuses them, or fails."""

    def __init__(self, error=None):
        self.error = error
        self.frames = []

    async def append(self, subject, data, **_):
        if self.error is not None:
            raise self.error
        self.frames.append(data)
        return len(self.frames)

    async def ask(self, subject, body, **_):
        """The twin has folded all that is in it."""
        return b"0"


def rows(n=1):
    return Batch.of(signal=np.zeros(n), time=time.time_ns() + np.arange(n), received=np.zeros(n), value=np.zeros(n), status=np.zeros(n))


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def posted(framer):
    return take_rows({"rows": [["a/b/rig/s0", 1, 1.0, None]]}, REGISTRY, framer, Guard())


def test_while_the_log_refuses_a_request_is_told_and_not_kept():
    """Else who tries again each second fills the memory, and every try is stored in the end."""

    async def body():
        log = Log(StorageError("the log is full"))
        framer = Framer(log, REGISTRY, WallClock())
        running = asyncio.create_task(framer.run())
        first = asyncio.create_task(framer.add(rows()))
        await until(lambda: framer.refusing)
        with pytest.raises(StorageError, match="the log is full"):
            await asyncio.wait_for(posted(framer), 1)
        log.error = None
        await first
        assert await posted(framer) == b"[]"
        running.cancel()

    asyncio.run(body())


def test_more_than_can_wait_is_refused():
    async def body():
        framer = Framer(Log(), REGISTRY, WallClock())  # nothing is sent: it does not run
        waiting = asyncio.create_task(framer.add(rows(MOST_WAITING)))
        await asyncio.sleep(0)
        with pytest.raises(StorageError):
            await asyncio.wait_for(posted(framer), 1)
        waiting.cancel()

    asyncio.run(body())


def test_whoever_waits_for_a_frame_that_cannot_be_sent_is_told():
    """A source whose acknowledgement never comes would stand still without a word."""

    async def body():
        framer = Framer(Log(DefectError("broken")), REGISTRY, WallClock())
        running = asyncio.create_task(framer.run())
        with pytest.raises(DefectError):
            await asyncio.wait_for(framer.add(rows()), 2)
        running.cancel()

    asyncio.run(body())


def test_what_was_added_before_another_plant_came_keeps_the_registry_that_numbered_it():
    """The registry names the unit of the source: read by the new one, 3 bar would be 3 kPa."""
    other = Registry.of([{"path": "a/b/rig/s0", "unit": "bar", "source": "kPa"}])

    async def body():
        log = Log()
        framer = Framer(log, REGISTRY, WallClock())
        before = asyncio.create_task(framer.add(rows()))
        await asyncio.sleep(0)
        framer.number_by(other)
        after = asyncio.create_task(framer.add(rows()))
        running = asyncio.create_task(framer.run())
        await asyncio.gather(before, after)
        running.cancel()
        assert [decode_frame(f).header.registry for f in log.frames] == [REGISTRY.digest, other.digest]

    asyncio.run(body())


def test_the_uncertainty_that_a_row_came_with_goes_into_the_log():
    async def body():
        log = Log()
        framer = Framer(log, REGISTRY, WallClock())
        running = asyncio.create_task(framer.run())
        given = [["a/b/rig/s0", 1, 1.0, None, 0.25], ["a/b/rig/s0", 2, 1.0, None, None], ["a/b/rig/s0", 3, 1.0, None]]
        assert await take_rows({"rows": given}, REGISTRY, framer, Guard()) == b"[]"
        assert await posted(framer) == b"[]"
        running.cancel()
        first, second = (decode_frame(f).batch for f in log.frames)
        assert first.sigma.tolist() == pytest.approx([0.25, np.nan, np.nan], nan_ok=True)
        assert second.sigma is None

    asyncio.run(body())
