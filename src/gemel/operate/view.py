"""How `serve` sees the twin: last values from the delta stream, everything else by asking, history by its own reader.

The arrays here are a copy that follows the twin's; a gap in the deltas makes the view ask for everything again.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, Final

import msgspec
import numpy as np

from gemel.assets import Plant
from gemel.bus import Bus
from gemel.errors import GemelError
from gemel.history import Aggregated, Reader, Series
from gemel.operate import delta
from gemel.operate.chronicle import Chronicle
from gemel.operate.forking import Forking
from gemel.operate.past import Past
from gemel.operate.site import Site
from gemel.operate.values import Values
from gemel.operate.view_calibrations import CalibrationsView
from gemel.operate.view_holes import HolesView
from gemel.operate.view_jobs import ReasonedView
from gemel.operate.view_life import LifeView
from gemel.operate.view_overrides import OverridesView
from gemel.operate.view_plant import PlantView
from gemel.operate.view_releases import ReleasesView
from gemel.samples import Batch, Fact, Registry
from gemel.samples.batch import I32

log = logging.getLogger(__name__)
LINK_S: Final = 1.5  # no delta for longer than this: the twin is not heard
QUEUE: Final = 1000
DECISIONS: Final = frozenset({"override", "override_clear", "command", "approve", "reject", "cancel", "release", "roll_back"})


class News(msgspec.Struct, frozen=True):
    """Something changed: ``values`` (these signals), ``fact`` (this fact), or ``gap`` (read everything again)."""

    kind: str
    signals: Any = None
    fact: Fact | None = None


class View(CalibrationsView, HolesView, OverridesView, PlantView, ReasonedView, ReleasesView, LifeView):
    """The twin as seen from another process of the family."""

    def __init__(self, bus: Bus, plant: Plant, registry: Registry, reader: Reader) -> None:
        self.bus = bus
        self.plant = plant
        self.registry = registry
        self.values = Values(len(registry))
        self._reader = reader
        self._series = Series(reader, self)
        self._heard = 0.0
        self._run = 0
        self._synced = False
        self._syncing = asyncio.Lock()
        self._listeners: set[asyncio.Queue[News]] = set()
        self._health: dict[str, tuple[float, dict[str, Any]]] = {}

    @cached_property
    def past(self) -> Past:
        """What was so at a past time."""
        chronicle = Chronicle(self.bus, self._reader.path.parent, wall=self.plant.clock == "wall")
        return Past(self, chronicle, self._series, self._tail)

    @cached_property
    def forks(self) -> Forking:
        """States kept under a name."""
        return Forking(self.bus, self._reader.path.parent)

    async def start(self) -> None:
        """Listen to the twin, and ask for everything it shows."""
        await self.bus.hear(delta.SUBJECT.format("*"), self._on_delta)
        await self.bus.hear("news.fact", self._on_fact)
        await self.bus.hear("health.*", self._on_health)
        with contextlib.suppress(GemelError):
            await self._sync()

    async def follow(self, site: Site) -> None:
        """Go on with another version of the plant; whoever looks is told to read everything again."""
        async with self._syncing:
            self.plant, self.registry = site.plant, site.registry
            self.values = Values(len(site.registry), self.values)
            self._synced = False
        with contextlib.suppress(GemelError):
            await self._sync()

    async def _on_delta(self, data: bytes) -> None:
        d = delta.decode(data)
        self._heard = time.monotonic()
        if d.run != self._run or d.sequence > self.values.sequence + 1:
            self._synced = False
        if not self._synced:  # until it is answered: what was missed stays missing
            with contextlib.suppress(GemelError):
                await self._sync()
        if self._synced and d.run == self._run and d.sequence <= self.values.sequence:
            return  # the state that was asked for has it
        self._run = d.run
        known = self.values.has(d)
        self.values.take(d)
        self._tell(News("values", d.rows.signal) if known else News("gap"))

    async def _sync(self) -> None:
        async with self._syncing:
            first: delta.Delta | None = None
            for start in range(0, max(len(self.registry), 1), delta.CHUNK):
                d = delta.decode(await self._ask("state", start=start))
                self.values.take(d)
                first = first or d
            if first is not None:  # what was told between two parts is taken again: the first part lacks it
                self._run, self.values.sequence = first.run, first.sequence
            self._synced = True
            self._heard = time.monotonic()
            self._tell(News("gap"))

    async def _on_fact(self, data: bytes) -> None:
        self._tell(News("fact", fact=msgspec.json.decode(data, type=Fact)))

    async def _on_health(self, data: bytes) -> None:
        told = json.loads(data)
        self._health[told["process"]] = (time.monotonic(), told)

    def _tell(self, news: News) -> None:
        for queue in self._listeners:
            if queue.qsize() < QUEUE:
                queue.put_nowait(news)
            elif queue.qsize() == QUEUE:
                queue.put_nowait(News("gap"))

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[News]]:
        """Give what changes from now on."""
        queue: asyncio.Queue[News] = asyncio.Queue()
        self._listeners.add(queue)

        async def news() -> AsyncIterator[News]:
            while True:
                yield await queue.get()

        try:
            yield news()
        finally:
            self._listeners.discard(queue)

    def link(self) -> dict[str, Any]:
        """Tell whether the twin is heard."""
        age = time.monotonic() - self._heard if self._heard else float("inf")
        return {"up": age < LINK_S, "age_s": round(min(age, 1e6), 1)}

    async def _ask(self, do: str, **body: Any) -> bytes:
        # a decision waits its turn behind a write to the plant: given up sooner, it would be taken unheard
        return await self.bus.ask("twin.ask", {"do": do, **body}, timeout_s=15 if do in DECISIONS else 5)

    async def _json(self, do: str, **body: Any) -> Any:
        return msgspec.json.decode(await self._ask(do, **body))

    # ---- history: the tail first, then the lake, so that a commit in between shows rows twice, never not at all

    async def _tail(self, signals: Sequence[int], start: int, end: int) -> Batch:
        packed = await self._ask("tail", signals=self._series.numbers(list(signals)).tolist(), start=start, end=end)
        return delta.decode(packed).rows

    async def history_raw(
        self, signal: int, start: int, end: int, limit: int, known: int | None = None
    ) -> Batch:
        """Give the readings of a signal as they were received."""
        tail = await self._tail([signal], start, end)
        return await asyncio.to_thread(
            self._series.raw, [signal], start, end, limit=limit, known=known, tail=tail
        )

    async def history_rows(
        self, signals: Sequence[int], start: int, end: int, limit: int | None = None, known: int | None = None
    ) -> Batch:
        """Give the readings of several signals, by signal and time."""
        tail = await self._tail(signals, start, end)
        return await asyncio.to_thread(self._series.raw, signals, start, end, limit, known, tail=tail)

    async def history_decimated(self, signal: int, start: int, end: int, points: int) -> Batch:
        """Give a signal's history decimated for drawing; spikes of one sample survive."""
        tail = await self._tail([signal], start, end)
        return await asyncio.to_thread(self._series.decimated, signal, start, end, points, tail=tail)

    async def history_aggregated(
        self, signal: int, start: int, end: int, interval_ns: int, aggregate: str
    ) -> Aggregated:
        """Give one value an interval; NaN where there is none."""
        tail = await self._tail([signal], start, end)
        return await asyncio.to_thread(
            self._series.aggregated, signal, start, end, interval_ns, aggregate, tail=tail
        )

    # ---- facts, alarms, commands: the twin decides

    async def facts(self, after: int, limit: int, kind: str | None, subject: str | None) -> list[Fact]:
        """Give facts after a position."""
        return msgspec.json.decode(
            await self._ask("facts", after=after, limit=limit, kind=kind, subject=subject), type=list[Fact]
        )

    async def verify(self) -> dict[str, Any]:
        """Check every byte of the record."""
        return dict(await self._json("verify"))

    async def alarms(self) -> list[dict[str, Any]]:
        """Give all alarms that are not normal."""
        return list(await self._json("alarms"))

    async def acknowledge(self, alarm_id: str, user: str, comment: str) -> dict[str, Any]:
        """Acknowledge an alarm."""
        return dict(await self._json("acknowledge", alarm=alarm_id, user=user, comment=comment))

    async def shelve(self, alarm_id: str, user: str, reason: str, seconds: float) -> dict[str, Any]:
        """Shelve an alarm for a time."""
        return dict(await self._json("shelve", alarm=alarm_id, user=user, reason=reason, seconds=seconds))

    async def command(
        self, user: str, role: str, asset: str, name: str, value: float, reason: str, expected: int | None = None
    ) -> dict[str, Any]:
        """Ask for a command."""
        told = await self._json(
            "command", user=user, role=role, asset=asset, name=name, value=value, reason=reason, expected=expected
        )
        return dict(told)

    async def command_get(self, command_id: str) -> dict[str, Any]:
        """Give a command."""
        return dict(await self._json("command_get", id=command_id))

    async def command_list(self, asset: str | None = None) -> list[dict[str, Any]]:
        """Give the commands, the newest first."""
        return list(await self._json("command_list", asset=asset))

    async def approve(self, command_id: str, user: str, role: str, reason: str) -> dict[str, Any]:
        """Approve a command."""
        return dict(await self._json("approve", id=command_id, user=user, role=role, reason=reason))

    async def reject(self, command_id: str, user: str, role: str, reason: str) -> dict[str, Any]:
        """Reject a command."""
        return dict(await self._json("reject", id=command_id, user=user, role=role, reason=reason))

    async def cancel(self, command_id: str, user: str, role: str, reason: str) -> dict[str, Any]:
        """Take a command back."""
        return dict(await self._json("cancel", id=command_id, user=user, role=role, reason=reason))

    async def revert(self, seq: int, user: str, reason: str) -> Fact:
        """Take a fact back by a compensating one."""
        return msgspec.json.decode(await self._ask("revert", seq=seq, user=user, reason=reason), type=Fact)

    async def note(self, kind: str, user: str, body: Mapping[str, Any]) -> None:
        """Have something recorded, a log-in for example."""
        await self._ask("note", kind=kind, actor=user, body=dict(body))

    async def quality(self, signals: I32) -> dict[str, Any]:
        """Give the counts of some signals by reason, and what the connections say."""
        counts = msgspec.msgpack.decode(await self._ask("quality", signals=signals.tolist()))
        columns = {k: np.frombuffer(v, np.float64) for k, v in counts.items()}
        ingest = self._health.get("ingest", (0.0, {}))[1]
        return {"signals": columns, "connections": ingest.get("connections", [])}

    async def ingest(
        self, rows: Sequence[tuple[str, int | None, float, int | None, float | None]]
    ) -> list[dict[str, Any]]:
        """Put rows into the log; give those refused, with the reason."""
        return list(
            msgspec.json.decode(await self.bus.ask("ingest.rows", {"rows": list(rows)}, timeout_s=30))
        )

    async def health(self) -> dict[str, Any]:
        """Give what the processes say of themselves, and what is wrong."""
        fresh = {k: v for k, (at, v) in self._health.items() if time.monotonic() - at < 5}
        link = self.link()
        problems = [p for told in fresh.values() for p in told.get("problems", [])]
        if not link["up"]:
            problems.append(
                {
                    "code": "twin-away",
                    "message": "the twin is not heard",
                    "remedy": "it restarts by itself; else see gemel doctor",
                }
            )
        status = "ok" if link["up"] and not problems else "degraded"
        return {
            "status": status, "link": link, "behind_s": self.values.behind_s, "plant_time": self.values.plant_time,
            "processes": fresh.get("family", {}).get("processes", {}), "problems": problems, "told": fresh,
        }  # fmt: skip
