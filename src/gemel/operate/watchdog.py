"""The twin watches itself: measures once a second, and raises alarms of its own when it falls behind.

    own numbers ─┐
    heartbeats  ─┴─► signals ─► alarms (the plant's machine) ─► facts

It runs on the machine's clock: a replay may stand still, a disk that fills up does not.
"""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from gemel.errors import StorageError
from gemel.operate.fold import Owner
from gemel.operate.measures import Told
from gemel.samples import Batch
from gemel.twin.alarms import Alarms
from gemel.twin.own_alarms import SIGNALS, own_limits, own_registry
from gemel.twin.record import Record

log = logging.getLogger(__name__)
LOOK_S: Final = 1.0
HEARD_S: Final = 5.0  # what a process told is taken for so long
RESTARTS_S: Final = 600.0  # restarts are counted over so long


class Watchdog:
    """Own signals and their alarms; lives in the twin's process, outside what is folded."""

    def __init__(self, root: str, owner: Owner, record: Record) -> None:
        self._owner = owner
        self._record = record
        self.registry = own_registry(root)
        self.alarms = Alarms(own_limits(), self.registry)
        self.values = np.full(len(SIGNALS), np.nan)
        self.log_bytes = self.log_messages = 0
        self._heard: dict[str, tuple[float, dict[str, Any]]] = {}
        self._ended: deque[float] = deque()
        self._restarts: dict[str, int] = {}

    def start(self) -> None:
        """Take over how the own alarms stood, from the facts that are in memory."""
        for fact in self._record.between(0, self._record.position):
            self.alarms.on_fact(fact)

    async def hear(self, data: bytes) -> None:
        """Take a heartbeat of the family in."""
        told = json.loads(data)
        now = time.monotonic()
        self._heard[told["process"]] = (now, told)
        for name, process in told.get("processes", {}).items():
            count = int(process.get("restarts", 0))
            self._ended.extend([now] * max(count - self._restarts.get(name, count), 0))
            self._restarts[name] = count

    async def run(self) -> None:
        """Look once a second until cancelled."""
        facts = self._record.listen()
        while True:
            await asyncio.sleep(LOOK_S)
            while not facts.empty():
                self.alarms.on_fact(facts.get_nowait())
            try:
                first, last, self.log_bytes = await self._owner.log_bounds()
                self.log_messages = max(last - first + 1, 0)
            except StorageError as e:
                log.info("the log cannot be measured: %s", e)
            self.look(self.measured(), time.time_ns())

    def look(self, values: Mapping[str, float], now: int) -> None:
        """Judge what was measured at a wall time [ns]; what is not there says nothing."""
        found = [(i, values[name]) for i, name in enumerate(SIGNALS) if name in values]
        self.values[[i for i, _ in found]] = [v for _, v in found]
        n = len(found)
        rows = Batch.of(
            signal=[i for i, _ in found], time=np.full(n, now), received=np.full(n, now), value=[v for _, v in found],
            status=np.zeros(n),
        )  # fmt: skip
        for transition in (*self.alarms.on_rows(rows, "watchdog"), *self.alarms.on_tick(now)):
            self._owner.put(transition.draft)

    def measured(self) -> dict[str, float]:
        """Give the own signals that can be told now."""
        owner, verdict = self._owner, self._record.verdict
        found = {
            "behind": owner.behind_now_s(),
            "log_filled": 100 * self.log_bytes / owner.max_log_bytes,
            "commit_age": owner.commit_age_s(),
            "snapshot_age": owner.snapshot_age_s(),
            "record_broken": float(verdict is not None and not verdict.ok),
            "restarts": float(self._recent_restarts()),
        }
        if (free := memory_free()) is not None:
            found["memory_free"] = free
        ingest = self._measures("ingest")
        if (room := ingest.get("disk_free_bytes")) is not None and (reserve := ingest["disk_reserve_bytes"]):
            found["disk_margin"] = 100 * (room - reserve) / reserve
        if (up := ingest.get("connection_up")) is not None:
            found["connections_down"] = float(sum(not v for v in up.values()))
        return found

    def told(self) -> Told:
        """Give the measures of the twin's process."""
        owner = self._owner
        totals = owner.partition.conditioner.totals()
        return {
            **owner.measures(), "log_bytes": self.log_bytes, "log_messages": self.log_messages,
            "readings_total": {name: float(n) for name, n in totals.items()},
            "own_alarms_active": float(sum(a["active"] for a in self.alarms.view())),
        }  # fmt: skip

    def _recent_restarts(self) -> int:
        while self._ended and time.monotonic() - self._ended[0] > RESTARTS_S:
            self._ended.popleft()
        return len(self._ended)

    def _measures(self, process: str) -> dict[str, Any]:
        at, told = self._heard.get(process, (0.0, {}))
        return dict(told.get("measures", {})) if time.monotonic() - at < HEARD_S else {}


def memory_free(source: Path = Path("/proc/meminfo")) -> float | None:
    """Give the part of the machine's memory that can still be had [%], None where the system does not tell."""
    try:
        found = dict(line.split(":", 1) for line in source.read_text().splitlines())
        free, total = (float(found[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    except (OSError, KeyError, ValueError):
        return None
    return 100 * free / total
