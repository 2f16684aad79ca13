"""Serving starts and ends cleanly: a busy port is told, SIGTERM ends it within five seconds, stdout stays empty."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from pace_kit import allowed
from gemel.errors import ConfigError
from gemel.serve import ServeSettings, run
from gemel.serve.run import listen
from websockets.sync.client import connect

CHILD = """
import asyncio, logging, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from serve_fake import FakeTwin, make_plant
from gemel.serve import ServeSettings, run
from gemel.serve.run import listen
logging.basicConfig(level=logging.INFO, stream=sys.stderr)

async def main():
    task = asyncio.ensure_future(run(FakeTwin(make_plant(Path({data!r}) / "plant")), ServeSettings(data=Path({data!r}), port=0),
                                     lambda port: print("PORT", port, file=sys.stderr, flush=True)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        pass

asyncio.run(main())
"""


def test_a_busy_port_is_told_with_what_to_do(twin, tmp_path):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(ConfigError) as refused:
            asyncio.run(run(twin, ServeSettings(data=tmp_path, port=port)))
    assert refused.value.code == "port-busy"
    assert "--port" in refused.value.remedy


def test_a_bad_certificate_is_told(twin, tmp_path):
    (tmp_path / "bad.pem").write_text("nonsense")
    bad = str(tmp_path / "bad.pem")
    with pytest.raises(ConfigError) as refused:
        asyncio.run(run(twin, ServeSettings(data=tmp_path, port=0, tls_certificate=bad, tls_key=bad)))
    assert refused.value.code == "tls"


def test_sigterm_ends_it_within_five_seconds_though_pages_look_on(tmp_path):
    code = CHILD.format(here=str(Path(__file__).parent), data=str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = next(int(line.split()[1]) for line in child.stderr if line.startswith("PORT"))
        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/health", trust_env=False).status_code == 200
        with connect(f"ws://127.0.0.1:{port}/api/v1/live", proxy=None) as page:
            page.recv(timeout=5)
            began = time.monotonic()
            os.kill(child.pid, signal.SIGTERM)
            out, _ = child.communicate(timeout=10)
        assert time.monotonic() - began < allowed(5)
        assert (child.returncode, out) == (0, "")
    finally:
        child.kill()
        child.wait()


def test_an_answer_in_pieces_waits_for_no_acknowledgement(tmp_path):
    """asyncio switches Nagle's algorithm off only for sockets that say that they speak TCP."""
    with contextlib.closing(listen(ServeSettings(host="127.0.0.1", port=0, data=tmp_path))) as opened:
        assert opened.proto == socket.IPPROTO_TCP


def test_answers_come_sooner_than_a_delayed_acknowledgement(server):
    with server.client() as client:
        took = []
        for _ in range(9):
            began = time.perf_counter()
            client.get("/health")
            took.append(time.perf_counter() - began)
        assert sorted(took)[2] < 0.035  # the delay is 40 ms (tcp(7))


def test_a_question_as_long_as_its_parameters_allow_is_read_however_it_arrives(server):
    """1,000 names of 500 characters: more than a network gives at once, and every word of it allowed."""
    line = "GET /api/v1/latest?" + "&".join("signal=" + "x" * 499 + str(i % 10) for i in range(1000)) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as wire:
        for at in range(0, len(line), 32 << 10):
            wire.sendall(line[at : at + (32 << 10)].encode())
            time.sleep(0.01)  # so that no read takes all of it
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    head = answer.split(b"\r\n\r\n")[0].decode()
    assert "json" in head.lower(), head
