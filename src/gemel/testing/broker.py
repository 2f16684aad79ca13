"""A broker for demonstrations and tests: a second nats-server whose MQTT gateway is all that is used of it.

It speaks MQTT 3.1.1 with QoS 1 and persistent sessions, keeps them in a folder, listens on loopback only, and
never outlives the process that started it.
"""

import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gemel.bus.server import binary, die_with_parent, free_port
from gemel.errors import StorageError

READY_S: Final = 20.0
CONNECT: Final = (
    bytes.fromhex("1010 0004 4d515454 04 02 003c 0004") + b"look"
)  # a CONNECT of 3.1.1, clean session
MOST_STORED: Final = "2GB"  # of messages kept for sessions that are away


class Broker:
    """Starts and stops the broker; also a context manager.

    Args:
        store: folder for its configuration, sessions and log.
        port: on 127.0.0.1; none takes a free one.
    """

    def __init__(self, store: Path, port: int | None = None) -> None:
        self.store = store
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for MQTT clients."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it takes MQTT clients; raises StorageError where it does not."""
        if not _free(self.port):  # else another's answer would be taken for ours
            raise StorageError(
                f"port {self.port} is taken", code="broker", remedy="give another port, or none"
            )
        self.store.mkdir(parents=True, exist_ok=True)
        configuration = self.store / "broker.conf"
        configuration.write_text(self._configuration(), encoding="utf-8")
        log = self.store / "broker.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [str(binary()), "-c", str(configuration)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )  # fmt: skip
        ends = time.monotonic() + READY_S
        while time.monotonic() < ends and self.alive:
            if _takes_clients(self.port):
                return
            time.sleep(0.02)
        self.stop()
        raise StorageError(
            "the broker did not start", code="broker", remedy=f"read {log}; is port {self.port} taken?"
        )

    def stop(self, timeout_s: float = 4.0) -> None:
        """Stop it; kill it where it does not listen."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _configuration(self) -> str:
        return (
            'listen: "127.0.0.1:-1"\n'  # of NATS itself: any port, nobody uses it
            'server_name: "gemel-field"\n'
            f'jetstream {{ store_dir: "{self.store}", max_mem: 64MB, max_file: {MOST_STORED} }}\n'
            # max_ack_pending counts for each subscription, and all of a session together may reach 65,535
            # ack_wait: only after it does the gateway send again what a lost client left unacknowledged
            f'mqtt {{ listen: "127.0.0.1:{self.port}", ack_wait: "5s", max_ack_pending: 500 }}\n'
        )


def _free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _takes_clients(port: int) -> bool:
    """Say CONNECT and hear CONNACK: the port alone is open before the gateway is ready."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as s:
            s.settimeout(2.0)
            s.sendall(CONNECT)
            return s.recv(4)[:1] == b"\x20"
    except OSError:
        return False
