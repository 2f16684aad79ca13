"""The log of a running family, for whoever sends to it from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from gemel.bus import Bus
from gemel.operate.places import Places, read_running
from gemel.samples import Registry


@asynccontextmanager
async def log_of(places: Places) -> AsyncIterator[tuple[Bus, Registry]]:
    """Open it, with what numbers its signals."""
    running = read_running(places.data)
    assert running is not None
    bus = await Bus.open(running.bus, "bench")
    try:
        yield bus, Registry.from_bytes(places.registry.read_bytes())
    finally:
        await bus.close()


async def received(bus: Bus) -> int:
    """Give how many readings the twin has received."""
    return int(msgspec.json.decode(await bus.ask("twin.ask", {"do": "counts"}, timeout_s=60))["received"])
