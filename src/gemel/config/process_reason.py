"""What works on long jobs is made of: a way to the queue, the folder of the jobs, and what computes them."""

import asyncio
import os
from typing import Final

from gemel.bus import Bus
from gemel.config.running import running_of
from gemel.operate.jobs import Jobs
from gemel.operate.places import Places
from gemel.operate.reasoning import REASON_BUS, Reason, import_ahead

IDLE_S: Final = 900.0  # without a job, after which it ends; called again, it is there in seconds


async def run(places: Places) -> None:
    """Work on jobs; end where there was nothing to do for long."""
    import_ahead()
    bus = await Bus.open(os.environ.get(REASON_BUS) or running_of(places).bus, "reason")
    working = Reason(bus, Jobs(places.jobs))
    task = asyncio.create_task(working.run())
    try:
        while not task.done() and working.idle_s < IDLE_S:
            await asyncio.wait([task], timeout=5)
        if task.done():
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()
