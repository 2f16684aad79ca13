"""The family of processes: the log's server, twin, ingest, serve. A dead child is started again; all stop together."""

import asyncio
import contextlib
import json
import logging
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gemel.bus import Bus, Server
from gemel.bus.server import die_with_parent
from gemel.errors import ConfigError, GemelError
from gemel.operate.stuck import Silence

log = logging.getLogger(__name__)
BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
SETTLED_S: Final = 5.0  # a child that lived this long did start: its back-off begins anew
STOP_S: Final = 4.0
WANTED: Final = "family.wanted"  # names a process that is only started when it is needed
REFUSED: Final = 2  # exit code of a child that will not run as asked: starting it again would not help


class Child:
    """One process of the family."""

    def __init__(self, name: str, argv: Sequence[str], logs: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._argv = argv
        self._log = logs / f"{name}.log"
        self._environment = environment
        self.process: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self.wanted = asyncio.Event()
        self._started = 0.0
        self._failures = 0

    async def start(self) -> None:
        """Start the process."""
        with self._log.open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env=dict(self._environment),
                preexec_fn=die_with_parent(signal.SIGKILL), start_new_session=True,
            )  # fmt: skip  # killed with its supervisor: one that ends in order would hold up the next family
        self._started = time.monotonic()

    def backoff_s(self) -> float:
        """Give how long to wait before the next start."""
        if time.monotonic() - self._started > SETTLED_S:
            self._failures = 0
        wait = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        return wait

    async def stop(self, timeout_s: float) -> None:
        """Ask it to end; kill it where it does not."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), timeout_s)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Family:
    """Starts, watches and stops the processes."""

    def __init__(
        self, server: Server, children: Sequence[Child], logs: Path, called: Sequence[Child] = ()
    ) -> None:
        self.server = server
        self.children = children
        self.called = called
        self._logs = logs
        self._server_restarts = 0
        self._silence = Silence(server.settings.store)
        self._notes: list[dict[str, object]] = []
        self._bus: Bus | None = None

    async def start(self) -> None:
        """Start the server and the children side by side: what they load takes longer than it does to answer."""
        for child in self.children:
            await child.start()
        await self.server.start(self._logs / "nats.log")

    async def run(self) -> None:
        """Keep the family alive until cancelled; raises ConfigError where a child refuses to run."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_server())
            group.create_task(self._report())
            for child in self.children:
                group.create_task(self._watch(child))
            for child in self.called:
                group.create_task(self._watch_called(child))

    async def _watch_called(self, child: Child) -> None:
        """Start a process when it is first wanted; where it ended well, wait until it is wanted again."""
        while True:
            await child.wanted.wait()
            await child.start()
            assert child.process is not None
            code = await child.process.wait()
            child.process = None
            if code == 0:
                child.wanted.clear()
                continue
            self._ended(child.name, code)
            child.restarts += 1
            await asyncio.sleep(child.backoff_s())

    async def _on_wanted(self, data: bytes) -> None:
        for child in self.called:
            if child.name == data.decode():
                child.wanted.set()

    async def _watch(self, child: Child) -> None:
        while True:
            assert child.process is not None
            code = await child.process.wait()
            if code == REFUSED:
                raise ConfigError(
                    f"{child.name} will not run",
                    remedy=f"read {self._logs / (child.name + '.log')}",
                    code="child-refused",
                )
            self._ended(child.name, code)
            await asyncio.sleep(child.backoff_s())
            await child.start()
            child.restarts += 1

    async def _watch_server(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            if self._silence.stuck():
                log.error("the log's server stores nothing though there is room: it is started again")
                await asyncio.to_thread(self.server.stop, 2.0)
            if self.server.alive():
                continue
            process = self.server.process
            self._ended("nats", process.returncode if process else None)
            self._server_restarts += 1
            self._silence.started()
            try:
                await self.server.start(self._logs / "nats.log")
            except GemelError as e:
                log.error("%s", e)
                await asyncio.sleep(1)

    async def _on_health(self, data: bytes) -> None:
        told = json.loads(data)
        self._silence.told(told["process"], float(told.get("log_mute_s", 0.0)))

    def _ended(self, name: str, code: int | None) -> None:
        words = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
        log.warning("%s ended (%s); it is started again", name, words)
        self._notes.append({"process": name, "how": words, "wall": time.time_ns()})

    async def _report(self) -> None:
        """Tell the others who lives, and have what happened recorded as soon as the twin can."""
        self._bus = await Bus.open(self.server.settings.url, "family")
        await self._bus.hear("health.*", self._on_health)
        await self._bus.hear(WANTED, self._on_wanted)
        while True:
            await asyncio.sleep(0.5)
            with contextlib.suppress(GemelError, OSError):
                await self._bus.tell(
                    "health.family", json.dumps({"process": "family", "processes": self.states()}).encode()
                )
                while self._notes:
                    note = self._notes[0]
                    await self._bus.ask(
                        "twin.ask",
                        {
                            "do": "note",
                            "id": f"ended-{note['process']}-{note['wall']}",
                            "kind": "ProcessEnded",
                            "actor": "gemel",
                            "body": note,
                        },  # named: asked again where the answer was late
                        timeout_s=1,
                    )
                    self._notes.pop(0)

    def states(self) -> dict[str, dict[str, object]]:
        """Give each process's state, id and number of restarts."""
        server = self.server.process
        told: dict[str, dict[str, object]] = {
            "nats": {
                "state": "up" if self.server.alive() else "down",
                "restarts": self._server_restarts,
                "pid": server.pid if server else None,
            }
        }
        for c in (*self.children, *(c for c in self.called if c.process is not None)):
            up = c.process is not None and c.process.returncode is None
            told[c.name] = {
                "state": "up" if up else "down",
                "restarts": c.restarts,
                "pid": c.process.pid if c.process else None,
            }
        return told

    async def stop(self) -> None:
        """Stop everything within five seconds: first who serves, then who listens, the twin, and the log last."""
        order = {"serve": 0, "ingest": 0, "twin": 1}
        for wave in (0, 1):
            await asyncio.gather(
                *(c.stop(1.5 if wave == 0 else 2.5) for c in (*self.children, *self.called) if order.get(c.name, 0) == wave)
            )
        if self._bus:
            with contextlib.suppress(Exception):
                await self._bus.client.close()
        await asyncio.to_thread(self.server.stop, 1.0)


def python(module: str, *arguments: str) -> list[str]:
    """Give the command line that runs a module in this environment."""
    return [sys.executable, "-m", module, *arguments]
