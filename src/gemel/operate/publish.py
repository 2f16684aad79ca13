"""The Unified Namespace is a projection: changed signals, retained, at most once a second each, by their ISA-95 path."""

import asyncio
import logging
from typing import Final, Protocol

import numpy as np
import orjson

from gemel.bus import Bus
from gemel.operate import delta
from gemel.operate.values import Values
from gemel.samples import LANES, Registry
from gemel.samples.status import severity
from gemel.twin.properties import Properties, Shown

log = logging.getLogger(__name__)
PERIOD_S: Final = 1.0


class Publisher(Protocol):
    """What publishes: a real MQTT client."""

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand a message over; waits while too many are under way."""

    @property
    def connections(self) -> int:
        """How often the line was made: a broker that was restarted may have forgotten what it retained."""


class Namespace:
    """Follows the twin's deltas and publishes what changed."""

    def __init__(
        self, bus: Bus, registry: Registry, publisher: Publisher, former: Registry | None = None
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._gone = [] if former is None else _gone(former, registry)  # topics that are no longer told
        self._publisher = publisher
        self._properties = Properties.of_registry(registry)
        self._dirty = np.zeros(len(registry), np.bool_)  # by property
        self._values = Values(len(registry))
        self._units = registry.codes("unit")
        self.published = 0
        self._line = 0
        self._told = (0, 0)  # which delta was the last, of which start of the twin
        self._missed = True

    async def run(self) -> None:
        """Publish until cancelled."""
        stop = await self._bus.hear(delta.SUBJECT.format("*"), self._take)
        try:
            await self._follow()
        finally:
            await stop()

    async def _follow(self) -> None:
        while True:
            if self._missed:
                self._missed = False
                await self._everything()
            await asyncio.sleep(PERIOD_S)
            if self._publisher.connections != self._line:
                self._line = self._publisher.connections
                self._dirty[:] = True
            while self._gone:  # a retained message would stand under the former name for ever
                await self._publisher.publish(self._gone[-1], b"", retain=True)
                self._gone.pop()
            changed = np.flatnonzero(self._dirty & ~self._registry.retired).astype(np.int32)
            self._dirty[changed] = False
            shown = self._properties.resolve(self._values, changed, self._values.held)
            for row in np.flatnonzero(shown.seen).tolist():
                await self._publisher.publish(*self._message(shown, row), retain=True)
            self.published += int(shown.seen.sum())

    async def _everything(self) -> None:
        for start in range(0, len(self._registry), delta.CHUNK):
            d = delta.decode(await self._bus.ask("twin.ask", {"do": "state", "start": start}))
            self._note(d)
            if self._told > (d.run, d.sequence):  # a delta overtook the answer
                self._missed = True

    async def _take(self, data: bytes) -> None:
        d = delta.decode(data)
        run, sequence = self._told
        if d.run != run or d.sequence != sequence + 1:
            self._missed = True
        self._told = d.run, d.sequence
        self._note(d)

    def _note(self, d: delta.Delta) -> None:
        self._values.take(d)
        known = d.rows.signal[d.rows.signal < len(self._dirty)]  # the twin may be ahead, with a changed plant
        self._dirty[self._properties.of(known)] = True

    def _message(self, shown: Shown, row: int) -> tuple[str, bytes]:
        s, value = int(shown.signal[row]), float(shown.value[row])
        quality = "stale" if shown.stale[row] else severity(int(shown.status[row]))
        body = {
            "value": value if np.isfinite(value) else None, "unit": self._units[s], "quality": quality,
            "time": str(np.datetime64(int(shown.time[row]), "ns")) + "Z", "lane": LANES[shown.lane[row]],
        }  # fmt: skip
        return self._registry.paths[s], orjson.dumps(body)


def _gone(former: Registry, now: Registry) -> list[str]:
    """Give the paths that were published and are not any more: renamed, moved or removed."""
    numbers = now.numbers(former.paths)
    live = ~former.retired
    live[numbers >= 0] &= now.retired[numbers[numbers >= 0]]
    return [former.paths[i] for i in np.flatnonzero(live).tolist()]
