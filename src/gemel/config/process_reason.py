"""What works on long jobs and estimates is made of: a way to the bus, the folders of both, and what computes them."""

import asyncio
import os
from typing import Any, Final

from gemel.bus import Bus
from gemel.config.estimates import Estimates
from gemel.config.heartbeat import heartbeat
from gemel.config.running import running_of
from gemel.operate.ahead import Ahead
from gemel.operate.compiled_kept import CompiledKept
from gemel.operate.estimates_declared import TOGETHER
from gemel.operate.jobs import Jobs
from gemel.operate.looped import Looped
from gemel.operate.places import Places
from gemel.operate.reasoning import REASON_BUS, Reason, import_ahead

IDLE_S: Final = 900.0  # without a job or anything to estimate, after which it ends; called again, it is there in seconds


async def run(places: Places) -> None:
    """Work on jobs, and estimate; end where there was nothing to do for long."""
    kept = CompiledKept(places.compiled)
    keeps = kept.begin(os.environ)  # before JAX is loaded
    import_ahead()
    bus = await Bus.open(os.environ.get(REASON_BUS) or running_of(places).bus, "reason")

    def leave(code: int) -> None:
        kept.trust()
        os._exit(code)

    looped = Looped(places.looped_ahead)
    working, estimates = Reason(bus, Jobs(places.jobs), leave, looped), Estimates(bus, places, leave)
    await bus.answer(TOGETHER, estimates.together)
    ahead = Ahead(bus, working.busy, looped, leave)

    def told() -> dict[str, Any]:
        both = estimates.told()
        return {"problems": [*both["problems"], *ahead.problems()], "measures": {**both["measures"], **ahead.told()}}

    works = (ahead.run(), working.run(), estimates.run(), heartbeat(bus, "reason", told), *([kept.run()] if keeps else []))
    tasks = [asyncio.create_task(one) for one in works]
    try:
        while not any(t.done() for t in tasks) and (estimates.wanted or working.idle_s < IDLE_S):
            await asyncio.wait(tasks, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bus.close()
