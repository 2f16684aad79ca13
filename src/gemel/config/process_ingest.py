"""What the process *ingest* is made of: connectors, the framer, the namespace."""

import asyncio
from typing import Any

from gemel.bus import Bus
from gemel.config.follow import Follower, site_in_force
from gemel.config.heartbeat import heartbeat
from gemel.config.memory import settle
from gemel.config.running import running_of, settings_of
from gemel.config.versions import Versions
from gemel.config.way_in import WayIn
from gemel.operate.estimates_in import SUBJECT as ESTIMATES
from gemel.operate.ingest import clock_for
from gemel.operate.places import Places


async def run(places: Places) -> None:
    """Run the connectors; publish the namespace."""
    running, settings = running_of(places), settings_of(places)
    site = await site_in_force(places)
    bus = await Bus.open(running.bus, "ingest")
    way = WayIn(bus, places, site, await clock_for(bus, site.plant.clock), settings.reserve_bytes, settings.ready)
    follower = Follower(Versions(places), site.version, way.follow)

    def told() -> dict[str, Any]:
        found = way.told()
        if follower.problem:
            problem = {"code": "plant", "message": follower.problem, "remedy": "see the log ingest.log"}
            found["problems"].append(problem)
        return found

    await bus.answer("ingest.rows", way.rows)
    await bus.answer("ingest.write", way.write)
    await bus.answer(ESTIMATES, way.estimates)
    await follower.listen(bus)
    settle()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(way.run())
            group.create_task(way.call_reason())
            group.create_task(heartbeat(bus, "ingest", told))
    finally:
        await bus.close()
