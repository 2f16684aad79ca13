"""Running a plant: apply its file, start the family, keep it alive, and say what it is doing.

The command in the foreground only guards: the family's own supervisor is its child, so that even that one may be
killed and comes back. When the foreground ends, however it ends, the kernel tells the rest to end too.
"""

import json
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from gemel.bus.server import die_with_parent
from gemel.config.apply import Applied, apply
from gemel.config.lock import lock
from gemel.config.settings import Settings
from gemel.durable import write_atomic
from gemel.errors import ConfigError
from gemel.operate.family import BACKOFF_S, SETTLED_S, python
from gemel.operate.places import Places

REFUSED: Final = 2


def prepare(settings: Settings) -> Applied:
    """Check all that can be wrong before anything starts; write down what the family needs.

    Under the lock: what a running family reads when one of its processes comes back must not change under it.
    """
    places = Places(Path(settings.data))
    with lock(places):
        site = apply(Path(settings.plant), places)
        check_port(settings)
        for looped in (places.looped, places.looped_ahead):
            looped.unlink(missing_ok=True)  # whoever starts it anew has it tried again
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
        failures = 0 if time.monotonic() - began > SETTLED_S else failures + 1
        told(f"the supervisor ended ({code}); it is started again. See {places.logs}/family.log")
        time.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])


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
