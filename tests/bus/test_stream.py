"""The bus against a real nats-server on loopback."""

import asyncio
import signal

import pytest

from gemel.bus import Bus, Server, ServerSettings, StreamReader
from gemel.bus.server import free_port, new_token
from gemel.errors import ConflictError, RefusedError, StorageError


@pytest.fixture
def store(tmp_path):
    return ServerSettings(tmp_path / "log", free_port(), new_token())


def with_bus(settings, tmp_path, body):
    async def run():
        server = Server(settings)
        await server.start(tmp_path / "nats.out")
        bus = await Bus.open(settings.url, "test")
        try:
            await bus.ensure_stream("SAMPLES_0", "samples.0", 1 << 26)
            return await body(bus, server)
        finally:
            await bus.close()
            server.stop()

    return asyncio.run(asyncio.wait_for(run(), 60))


async def read(reader, count):
    got = []
    while len(got) < count:
        got += await reader.take()
    return got


def test_messages_come_in_order_from_a_position(store, tmp_path):
    async def body(bus, server):
        for i in range(700):  # more than the reader orders at once
            await bus.append("samples.0", b"%d" % i)
        got = await read(StreamReader(bus, "SAMPLES_0", 100), 600)
        assert [m.sequence for m in got] == list(range(101, 701))
        assert [m.data for m in got] == [b"%d" % i for i in range(100, 700)]

    with_bus(store, tmp_path, body)


def test_the_same_id_is_stored_once(store, tmp_path):
    async def body(bus, server):
        assert await bus.append("samples.0", b"a", once="x") == await bus.append("samples.0", b"a", once="x")
        assert (await bus.bounds("SAMPLES_0"))[1] == 1

    with_bus(store, tmp_path, body)


def test_a_second_appender_is_a_conflict(store, tmp_path):
    async def body(bus, server):
        await bus.append("samples.0", b"a", expect_last=0)
        with pytest.raises(ConflictError):
            await bus.append("samples.0", b"b", expect_last=0)

    with_bus(store, tmp_path, body)


def test_a_full_stream_refuses_and_evicts_nothing(store, tmp_path):
    async def body(bus, server):
        await bus.ensure_stream("SMALL", "small", 4096)
        kept = 0
        with pytest.raises(StorageError):
            for _ in range(100):
                await bus.append("small", bytes(500))
                kept += 1
        first, last, _ = await bus.bounds("SMALL")
        assert (first, last) == (1, kept) and kept > 3

    with_bus(store, tmp_path, body)


def test_what_was_acknowledged_survives_a_killed_server_and_reading_goes_on(store, tmp_path):
    async def body(bus, server):
        reader = StreamReader(bus, "SAMPLES_0", 0)
        for i in range(20):
            await bus.append("samples.0", b"%d" % i)
        assert len(await read(reader, 20)) == 20
        server.process.kill()
        server.process.wait()
        await server.start(tmp_path / "nats.out")
        for i in range(20, 40):
            while True:
                try:
                    await bus.append("samples.0", b"%d" % i, once=str(i), timeout_s=1)
                    break
                except StorageError:
                    await asyncio.sleep(0.05)
        got = await read(reader, 20)
        assert [m.data for m in got] == [b"%d" % i for i in range(20, 40)]

    with_bus(store, tmp_path, body)


def test_trimming_beyond_the_end_keeps_positions_rising(store, tmp_path):
    """A log that was lost must not take positions again that the lake already has."""

    async def body(bus, server):
        await bus.append("samples.0", b"a")
        await bus.trim("SAMPLES_0", 1000)
        assert await bus.append("samples.0", b"b") >= 1000

    with_bus(store, tmp_path, body)


def test_an_error_crosses_the_bus_as_itself(store, tmp_path):
    async def body(bus, server):
        async def refuse(_body):
            raise RefusedError("no", remedy="ask", code="limit")

        await bus.answer("gate", refuse)
        with pytest.raises(RefusedError) as e:
            await bus.ask("gate", {})
        assert (e.value.code, e.value.remedy) == ("limit", "ask")
        with pytest.raises(StorageError):
            await bus.ask("nobody", {}, timeout_s=0.2)

    with_bus(store, tmp_path, body)


def test_a_stranger_without_the_token_is_refused(store, tmp_path):
    async def body(bus, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", store.port)
        await reader.readline()
        writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        assert b"Authorization" in await reader.readline()
        writer.close()
        await writer.wait_closed()

    with_bus(store, tmp_path, body)


class Lossy(StreamReader):
    """A line that loses one message on its way, as one that is cut and mended does."""

    lost = False

    async def _on_message(self, message):
        if not self.lost and message.data == b"5":
            self.lost = True
            return
        await super()._on_message(message)


def test_a_message_lost_on_the_way_is_read_again(store, tmp_path):
    """The server counts it as delivered: only the reader can tell that it is missing."""

    async def body(bus, server):
        for i in range(10):
            await bus.append("samples.0", b"%d" % i)
        reader = Lossy(bus, "SAMPLES_0", 0)
        assert [m.data for m in await read(reader, 10)] == [b"%d" % i for i in range(10)]
        assert reader.lost

    with_bus(store, tmp_path, body)


def test_a_log_that_is_away_is_said_in_words(store, tmp_path):
    """Not as an error of the client's library, which nobody up there expects."""

    async def body(bus, server):
        server.process.kill()
        server.process.wait()
        bus.js._timeout = 0.2
        for call in (bus.bounds("SAMPLES_0"), bus.trim("SAMPLES_0", 1), bus.ensure_stream("X", "x", 1 << 20)):
            with pytest.raises(StorageError):
                await call
        await bus.close()
        await bus.tell("news", b"nobody hears it")

    with_bus(store, tmp_path, body)


def test_a_line_whose_server_is_slow_to_answer_is_kept_and_what_was_asked_on_it_too(store, tmp_path, monkeypatch):
    monkeypatch.setattr("gemel.bus.link.PING_S", 0.2)

    async def body(bus, server):
        await bus.answer("twin.ask", lambda body: asyncio.sleep(0, b"here"))
        await bus.client.flush()
        server.process.send_signal(signal.SIGSTOP)
        asked = asyncio.create_task(bus.ask("twin.ask", {}, timeout_s=20))
        await asyncio.sleep(0.2 * 8)
        server.process.send_signal(signal.SIGCONT)
        assert await asked == b"here" and bus.generation == 0

    with_bus(store, tmp_path, body)


def test_a_log_that_lost_its_end_is_not_read_on_in_silence(store, tmp_path):
    """New messages would take positions that were read already, and be passed over."""

    async def body(bus, server):
        await bus.append("samples.0", b"a")
        reader = StreamReader(bus, "SAMPLES_0", 7)
        with pytest.raises(StorageError, match="ends at 1"):
            for _ in range(8):
                await reader.take(0.5)

    with_bus(store, tmp_path, body)


def test_a_log_that_is_given_more_room_takes_more(store, tmp_path):
    """The size stands in the stream, not only in the settings of the day it was made."""

    async def body(bus, server):
        await bus.ensure_stream("SMALL", "small", 4096)
        with pytest.raises(StorageError):
            for _ in range(100):
                await bus.append("small", bytes(500))
        kept = (await bus.bounds("SMALL"))[1]
        await bus.ensure_stream("SMALL", "small", 1 << 20)
        assert await bus.append("small", bytes(500)) == kept + 1

    with_bus(store, tmp_path, body)


def test_a_cancellation_that_the_client_keeps_to_itself_is_handed_on(store, tmp_path, monkeypatch):
    """nats-py swallows one that meets it while it flushes: a loop that retries would never end, and hold the lake."""

    async def swallow(*_, **__):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            raise TimeoutError from None

    async def body(bus, server):
        async def ticking():
            while True:
                try:
                    await bus.append("samples.0", b"tick")
                except StorageError:
                    await asyncio.sleep(0.1)

        monkeypatch.setattr(bus.js, "publish", swallow)
        loop = asyncio.create_task(ticking())
        await asyncio.sleep(0)
        loop.cancel()
        done, _ = await asyncio.wait([loop], timeout=10)
        assert done and loop.cancelled()

    with_bus(store, tmp_path, body)
