"""What the process *ingest* is made of: connectors, the framer, the namespace; a changed plant is taken over in between.

A connection that is the same keeps its line; what a connector has read is stored under the registry that numbered it.
"""

import asyncio
import dataclasses
import logging
import time
from typing import Any, Final

import msgspec

from gemel.assets import secret
from gemel.bus import Bus
from gemel.config.connections import connectors, exchanged, publisher
from gemel.connect import WriteOrder
from gemel.errors import GemelError, NotFoundError
from gemel.operate.estimates_declared import declares_estimates
from gemel.operate.estimates_in import take_estimates
from gemel.operate.family import WANTED
from gemel.operate.ingest import DiskGuard, Framer, Ingest
from gemel.operate.places import Places
from gemel.operate.publish import Namespace
from gemel.operate.site import Site
from gemel.operate.telemetry import take_rows
from gemel.operate.tracing import Departures, tracer_of
from gemel.samples import Clock, Registry

log = logging.getLogger(__name__)
CALL_S: Final = 1.0
FIRST_S: Final = 30.0  # after the start, and after a changed plant came in force: by then somebody hears


class WayIn:
    """Takes readings in, and publishes what the twin makes of them."""

    def __init__(self, bus: Bus, places: Places, site: Site, clock: Clock, reserve_bytes: int, ready: int = 0) -> None:
        self._bus = bus
        self._places = places
        self._clock = clock
        self.site = site
        self._ready, self._since = ready, time.monotonic()
        self.framer = Framer(bus, site.registry, clock)
        self.framer.departures = Departures(tracer_of("ingest"))
        self.guard = DiskGuard(places.data, reserve_bytes)
        self.ingest = Ingest(
            connectors(site.plant, site.registry, self._secret, clock), self.framer, self.guard
        )
        self._group: asyncio.TaskGroup | None = None
        self._namespace: asyncio.Task[None] | None = None

    def _secret(self, name: str) -> str:
        return secret(name, self._places.data)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self.framer.learn()
            group.create_task(self.ingest.run())
            self._publish(None)

    async def follow(self, site: Site) -> None:
        """Go on with another version of the plant."""
        running = self.ingest.connectors.values()
        found = exchanged(running, site.plant, site.registry, self._secret, self._clock)
        former, self.site, self._since = self.site, site, time.monotonic()
        self.framer.number_by(site.registry)
        await self.ingest.exchange(found)
        if self._namespace is not None:
            self._namespace.cancel()
            await asyncio.wait([self._namespace])
        self._publish(former.registry)

    # ---- asked by the others

    async def rows(self, body: dict[str, Any]) -> bytes:
        """Take rows that came by HTTP."""
        return await take_rows(body, self.site.registry, self.framer, self.guard)

    async def estimates(self, body: dict[str, Any]) -> bytes:
        """Take a frame of who estimates."""
        return await take_estimates(body, self.site, self._bus, self.guard, self._clock)

    async def call_reason(self) -> None:
        """Have who computes started, until cancelled: while something is estimated; at first, where what-ifs are made ready."""
        while True:
            first = self._ready and time.monotonic() - self._since < FIRST_S
            if declares_estimates(self.site.plant) or (first and any(t.dynamics for t in self.site.plant.templates)):
                await self._bus.tell(WANTED, b"reason")
            await asyncio.sleep(CALL_S)

    async def write(self, body: dict[str, Any]) -> bytes:
        """Write a command to the plant."""
        connector = self.ingest.connectors.get(body["connection"])
        if connector is None:
            raise NotFoundError(f"no connection {body['connection']!r}", remedy="see the plant file")
        outcome = await connector.write(WriteOrder(body["topic"], body["payload"].encode()))
        return msgspec.json.encode(outcome)

    def told(self) -> dict[str, Any]:
        """Say how it goes."""
        found = list(self.ingest.connectors.values())
        problems = [
            {"code": "connection", "message": f"{c.name}: {error}", "remedy": "look at the device or broker; it is retried"}
            for c in found
            if (error := c.status().error)
        ]  # fmt: skip
        if not self.guard.open.is_set():
            problems.append({"code": "disk-nearly-full", "message": f"only {self.guard.free >> 20} MB free: nothing more is taken from the sources",
                             "remedy": "free disk space, or lower --reserve"})  # fmt: skip
        if (doubted_s := self._clock.doubted_s) > 0:
            problems.append({"code": "clock-leapt", "message": f"the machine's clock leapt ahead {doubted_s:.0f} s ago: it is not believed yet",
                             "remedy": "set it; a leap that lasts is believed in the end"})  # fmt: skip
        if self.framer.refusing:
            problems.append(
                {
                    "code": "log-refuses",
                    "message": self.framer.refusing,
                    "remedy": "it is retried; see nats.log",
                }
            )
        return {"connections": [dataclasses.asdict(c.status()) for c in found], "frames": self.framer.frames, "values": self.framer.values,
                "free_bytes": self.guard.free, "problems": problems, "measures": self.ingest.measures(), "plant": self.site.version}  # fmt: skip

    # ---- the namespace

    def _publish(self, former: Registry | None) -> None:
        self._namespace = None
        if self._group is not None and self.site.plant.namespace:
            self._namespace = self._group.create_task(self._published(self.site, former))

    async def _published(self, site: Site, former: Registry | None) -> None:
        client = publisher(site.plant, self._secret)
        await client.open()
        try:
            while True:
                try:
                    await Namespace(self._bus, site.registry, client, former).run()
                except GemelError as e:
                    log.info("namespace: %s", e)
                    await asyncio.sleep(1)
        finally:
            await client.close()
