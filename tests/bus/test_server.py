"""The log's server: one at a time holds the streams of a data directory, whoever started it and however it ends."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

from gemel.bus import Server, ServerSettings
from gemel.bus.server import PORTS, die_with_parent, free_port


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


def test_a_child_whose_parent_died_before_it_asked_does_not_live_on(monkeypatch):
    """The kernel's signal comes once, at the parent's end: who asks after that waits for ever."""
    with monkeypatch.context() as m:
        m.setattr(os, "getpid", lambda: 1 << 30)
        ask = die_with_parent()
    assert subprocess.run(["true"], preexec_fn=ask).returncode == 1
    assert subprocess.run(["true"], preexec_fn=die_with_parent()).returncode == 0


def test_a_free_port_is_none_that_the_kernel_gives_away_and_none_that_is_taken():
    given = [free_port() for _ in range(20)]
    assert len(set(given)) == 20
    first_of_the_kernel = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(given) < first_of_the_kernel
    following = PORTS[(given[-1] + 1 - PORTS[0]) % len(PORTS)]
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # somebody has it already
            other.bind(("127.0.0.1", following))
        assert free_port() != following
