"""The log's server: one at a time holds the streams of a data directory, whoever started it and however it ends."""

import asyncio
import os
import signal

from gemel.bus import Server, ServerSettings
from gemel.bus.server import free_port


def server(folder):
    return Server(ServerSettings(folder / "log", free_port(), "word", 1 << 28))


def test_a_second_server_waits_until_the_first_is_gone(tmp_path):
    """A supervisor that is killed leaves a server that is still ending, while the next one starts its own."""

    async def body():
        first, second = server(tmp_path), server(tmp_path)
        await first.start(tmp_path / "log.txt")
        starting = asyncio.create_task(second.start(tmp_path / "log.txt"))
        done, _ = await asyncio.wait([starting], timeout=0.5)
        assert not done and second.process is None, "two at once on the same streams"
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        await asyncio.wait_for(starting, 15)
        assert second.alive()
        second.stop()

    asyncio.run(body())
