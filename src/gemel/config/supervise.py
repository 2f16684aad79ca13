"""Running a plant: apply its file, start the family, keep it alive, and say what it is doing.

The command in the foreground only guards: the family's own supervisor is its child, so that even that one may be
killed and comes back. When the foreground ends, however it ends, the kernel tells the rest to end too.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from gemel.bus import Server, ServerSettings
from gemel.bus.server import die_with_parent, free_port, new_token
from gemel.config.apply import Applied, apply
from gemel.config.settings import Settings
from gemel.durable import write_atomic
from gemel.errors import ConfigError
from gemel.operate.family import BACKOFF_S, Child, Family, python
from gemel.operate.places import Places, Running
from gemel.operate.sealed import log_key
from gemel.twin import record

BALLAST: Final = (
    32 << 20
)  # a file given back when the disk is full, so that the log and catalogue can still write
REFUSED: Final = 2
# Columns of some MB come and go many times a second: kept by the allocator instead of given back to the kernel each
# time, conditioning costs half (mallopt(3)). Those of all signals of a large plant are larger and live long.
ALLOCATOR: Final = {"MALLOC_TRIM_THRESHOLD_": "100000000", "MALLOC_MMAP_THRESHOLD_": "33554432"}


def prepare(settings: Settings) -> Applied:
    """Check all that can be wrong before anything starts; write down what the family needs.

    Under the lock: what a running family reads when one of its processes comes back must not change under it.
    """
    places = Places(Path(settings.data))
    with lock(places):
        site = apply(Path(settings.plant), places)
        check_port(settings)
        write_atomic(places.data / "settings.json", msgspec.json.encode(settings))
    return site


def check_port(settings: Settings) -> None:
    """Raise ConfigError where the HTTP port is taken."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((settings.host, settings.port))
        except OSError as e:
            raise ConfigError(
                f"port {settings.port} on {settings.host} is taken ({e.strerror})", code="port-busy",
                remedy=f"stop what uses it, or choose another: --port {settings.port + 1}",
            ) from e  # fmt: skip


@contextlib.contextmanager
def lock(places: Places) -> Iterator[None]:
    """Hold a data directory: one family at a time."""
    places.make()
    with (places.data / "lock").open("a+") as file:
        deadline = time.monotonic() + 8  # a former family may still be ending
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise ConfigError(
                        f"a twin runs on {places.data} already",
                        remedy="stop it, or give another --data",
                        code="data-busy",
                    ) from None
                time.sleep(0.1)
        yield


async def family(places: Places, settings: Settings) -> None:
    """Run the family until cancelled."""
    _ballast(places, settings)
    token_file = places.data / "token"
    if not token_file.exists():
        write_atomic(token_file, new_token().encode())
    server = Server(
        ServerSettings(
            places.streams,
            free_port(),
            token_file.read_text(),
            settings.log_bytes + record.MAX_BYTES + (1 << 30),
            key=log_key(places),
        )
    )
    environment = {**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    children = [
        Child(name, python("gemel.config", name, str(places.data)), places.logs, environment)
        for name in ("twin", "ingest", "serve")
    ]
    running = Running(
        pid=os.getpid(),
        url=settings.url,
        bus=server.settings.url,
        plant=settings.plant,
        started=time.time_ns(),
    )
    write_atomic(places.run, msgspec.json.encode(running))
    kin = Family(server, children, places.logs)
    try:
        await kin.start()
        await kin.run()
    finally:
        await kin.stop()
        places.run.unlink(missing_ok=True)


def _ballast(places: Places, settings: Settings) -> None:
    """Hold a file that can be given back: where the disk is full at a start, it is given back first."""
    file = places.data / "ballast"
    disk = os.statvfs(places.data)
    free = disk.f_bavail * disk.f_frsize
    if free < BALLAST and file.exists():
        file.unlink()
    elif not file.exists() and free > 20 * BALLAST:
        with contextlib.suppress(OSError), file.open("wb") as out:  # not every file system can
            os.posix_fallocate(out.fileno(), 0, BALLAST)


def guard(settings: Settings, told: Callable[[str], None]) -> int:
    """Run the supervisor as a child and start it again where it dies; give the exit code."""
    stopping = False
    process: subprocess.Popen[bytes] | None = None

    def stop(_signum: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        if process and process.poll() is None:
            process.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    failures = 0
    places = Places(Path(settings.data))
    while True:
        began = time.monotonic()
        with (places.logs / "family.log").open("ab") as out:
            process = subprocess.Popen(
                python("gemel.config", "family", settings.data), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=die_with_parent(), start_new_session=True,
            )  # fmt: skip
        if stopping:
            process.send_signal(signal.SIGTERM)
        code = process.wait()
        if code == REFUSED and not stopping:
            told(f"it does not start; why stands in {places.logs}/family.log")
        if stopping or code in {0, REFUSED}:
            return 0 if stopping else code
        failures = 0 if time.monotonic() - began > 20 else failures + 1
        told(f"the supervisor ended ({code}); it is started again. See {places.logs}/family.log")
        time.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])


async def run_family(places: Places, settings: Settings) -> None:
    """Run the family under the data directory's lock."""
    with lock(places):
        await family(places, settings)


def wait_ready(settings: Settings, timeout_s: float, alive: Callable[[], bool]) -> bool:
    """Wait until the page answers and the twin behind it is heard."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and alive():
        if (told := ask_health(settings.url)) is not None and told["link"]["up"]:
            return True
        time.sleep(0.1)
    return False


def ask_health(url: str) -> dict[str, Any] | None:
    """Ask a twin on this machine how it is; None where nobody answers."""
    return ask_json(url, "/api/v1/health")


def ask_json(url: str, path: str, timeout_s: float = 2.0) -> dict[str, Any] | None:
    """Ask a twin on this machine; None where nobody answers."""
    text = ask_text(url, path, timeout_s)
    return None if text is None else dict(json.loads(text))


def ask_text(url: str, path: str, timeout_s: float = 2.0) -> str | None:
    """Ask a twin on this machine; None where nobody answers. A certificate of our own need not be signed."""
    parts = urlsplit(url)
    where, port = str(parts.hostname), parts.port
    line = (
        HTTPSConnection(where, port, timeout=timeout_s, context=ssl._create_unverified_context())  # noqa: S323 - ourselves
        if parts.scheme == "https"
        else HTTPConnection(where, port, timeout=timeout_s)
    )
    try:
        line.request("GET", path)
        reply = line.getresponse()
        body = reply.read()
    except (OSError, HTTPException):
        return None
    finally:
        line.close()
    return body.decode() if reply.status == 200 else None
