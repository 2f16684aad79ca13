"""The log of a data directory: of its running twin, or else of a server started for the one who asks."""

import contextlib
from collections.abc import AsyncIterator

from gemel.bus import Bus, Server, ServerSettings
from gemel.bus.server import free_port, new_token
from gemel.config.lock import lock
from gemel.errors import ConfigError
from gemel.operate.places import Places, alive, read_running
from gemel.operate.sealed import log_key


@contextlib.asynccontextmanager
async def reach(places: Places) -> AsyncIterator[tuple[Bus, bool]]:
    """Give a connection to the log and whether its twin runs; raises ConfigError where there are no data."""
    if not (places.data / "format.json").exists():
        raise ConfigError(
            f"no data of a twin in {places.data}",
            code="no-data",
            remedy="name the data directory with --data",
        )
    running = read_running(places.data)
    if running is not None and alive(running.pid):
        bus = await Bus.open(running.bus, "outside")
        try:
            yield bus, True
        finally:
            await bus.close()
        return
    with lock(places):
        async with _alone(places) as bus:
            yield bus, False


@contextlib.asynccontextmanager
async def _alone(places: Places) -> AsyncIterator[Bus]:
    server = Server(ServerSettings(places.streams, free_port(), new_token(), 1 << 42, key=log_key(places)))
    await server.start(places.logs / "nats.log")
    try:
        bus = await Bus.open(server.settings.url, "outside")
        try:
            yield bus
        finally:
            await bus.close()
    finally:
        server.stop()
