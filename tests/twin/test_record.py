"""The record's shell against a real log: what lasts when its head cannot be kept, or a waiter leaves."""

import asyncio

import pytest

from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.server import free_port, new_token
from gemel.errors import StorageError
from gemel.samples import Draft
from gemel.twin.record import Record


def draft(name):
    return Draft(id=name, kind="Tried", at=1, actor="ann")


def with_record(tmp_path, body):
    async def run():
        server = Server(ServerSettings(tmp_path / "log", free_port(), new_token()))
        await server.start(tmp_path / "nats.out")
        bus = await Bus.open(server.settings.url, "test")
        try:
            await body(bus, await opened(bus, tmp_path))
        finally:
            await bus.close()
            server.stop()

    asyncio.run(asyncio.wait_for(run(), 60))


async def opened(bus, tmp_path):
    (tmp_path / "heads").mkdir(exist_ok=True)
    record = Record(bus, tmp_path / "heads")
    await record.open()
    return record


def test_whoever_stops_waiting_leaves_the_record_whole(tmp_path):
    """A request that is given up while its fact is stored must not leave a record that takes no fact any more."""

    async def body(bus, record):
        real = bus.append

        async def slow(*args, **kwargs):
            seq = await real(*args, **kwargs)
            await asyncio.sleep(0.2)  # the acknowledgement is on its way
            return seq

        bus.append = slow
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(record.append(draft("a")), 0.1)
        bus.append = real
        await record.append(draft("a"))
        await record.append(draft("b"))
        assert [f.id for f in await record.read(0, 10)] == ["a", "b"]
        assert (await record.verify()).ok

    with_record(tmp_path, body)


def test_a_fact_stored_though_its_acknowledgement_never_came(tmp_path):
    """Given up after many tries, the log may hold it all the same; what follows must follow from it."""

    async def body(bus, record):
        real = bus.append

        async def deaf(*args, **kwargs):
            await real(*args, **kwargs)
            raise StorageError("the log does not answer")

        bus.append = deaf
        record.tries = 1
        with pytest.raises(StorageError):
            await record.append(draft("a"))
        bus.append = real
        await record.append(draft("b"))
        assert await record.append(draft("a")) is None
        assert [f.id for f in await record.read(0, 10)] == ["a", "b"]
        assert (await record.verify()).ok

    with_record(tmp_path, body)


def test_a_fact_never_stored_is_not_counted(tmp_path):
    async def body(bus, record):
        real = bus.append

        async def away(*args, **kwargs):
            raise StorageError("the log does not answer")

        bus.append = away
        record.tries = 2
        with pytest.raises(StorageError):
            await record.append(draft("a"))
        bus.append = real
        await record.append(draft("b"))
        assert [f.id for f in await record.read(0, 10)] == ["b"]
        assert (await record.verify()).ok

    with_record(tmp_path, body)


def test_a_torn_head_is_said_and_keeps_nothing_from_starting(tmp_path):
    async def body(bus, record):
        await record.append(draft("a"))
        (tmp_path / "heads" / "head.json").write_bytes(b'{"seq": 1, "ha')  # the power went
        again = await opened(bus, tmp_path)
        assert not again.verdict.ok and "cannot be read" in again.verdict.reason
        await again.append(draft("b"))
        assert (await again.verify()).ok

    with_record(tmp_path, body)


def test_a_head_that_cannot_be_kept_costs_no_fact(tmp_path):
    """On a full disk the log's reserve may still take a fact that its second place does not."""

    async def body(bus, record):
        await record.append(draft("a"))
        (tmp_path / "heads" / "head.new").mkdir()  # nothing can be written there
        await record.append(draft("b"))
        assert "head" in record.problem
        (tmp_path / "heads" / "head.new").rmdir()
        await record.append(draft("c"))
        assert record.problem == ""
        assert [f.id for f in await record.read(0, 10)] == ["a", "b", "c"]
        assert (await record.verify()).ok

    with_record(tmp_path, body)


def test_a_key_that_was_being_made_is_made_again(tmp_path):
    async def body(bus, record):
        assert (tmp_path / "heads" / "head.key").stat().st_mode & 0o077 == 0

    (tmp_path / "heads").mkdir()
    (tmp_path / "heads" / "head.key").touch()  # as a kill between making and writing left it
    with_record(tmp_path, body)
