"""What works on long jobs and estimates is made of: a way to the bus, the folders of both, and what computes them."""

import asyncio
import os
import sys
from typing import Any, Final

from gemel.bus import Bus
from gemel.config.estimates import Estimates
from gemel.config.heartbeat import heartbeat
from gemel.config.running import running_of, settings_of
from gemel.config.versions import Versions
from gemel.operate.ahead import Ahead
from gemel.operate.compiled_kept import CompiledKept
from gemel.operate.estimates_declared import TOGETHER
from gemel.operate.jobs import Jobs
from gemel.operate.looped import Looped
from gemel.operate.places import Places
from gemel.operate.readying import Readying
from gemel.operate.reasoning import LEFT, REASON_BUS, Reason, import_ahead
from gemel.operate.releases_out import SUBJECT as RELEASED
from gemel.operate.releases_out import heard
from gemel.twin.releases import Releases

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
    versions, most = Versions(places), settings_of(places).ready

    def in_force() -> Any:
        now = versions.in_force()
        return None if now is None else (now, versions.site(now).plant)

    async def released() -> Releases:
        found = Releases()
        while (news := heard(await bus.ask(RELEASED, {"after": found.position}))).facts:
            found.take_all(news.facts)
        return found

    readying = Readying(in_force, released, Jobs(places.jobs), ahead, places.compiled / "readying", most)

    def told() -> dict[str, Any]:
        both = estimates.told()
        return {"problems": [*both["problems"], *ahead.problems()], "measures": {**both["measures"], **ahead.told()}}

    works = (ahead.run(), working.run(), estimates.run(), heartbeat(bus, "reason", told), *([kept.run()] if keeps else []))
    tasks = [asyncio.create_task(one) for one in works]
    anew = asyncio.create_task(readying.run(lambda: estimates.settled)) if most else None
    tasks += [anew] if anew else []
    try:
        while not any(t.done() for t in tasks) and (estimates.wanted or readying.working or working.idle_s < IDLE_S):
            await asyncio.wait(tasks, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bus.close()
    if anew is not None and anew.done() and not anew.cancelled():
        sys.exit(LEFT)  # a model was rewritten: the family begins this process again, with its code of now
