"""How the processes beside the twin follow the plant: they go on with the version that is in force, never ahead of it.

A frame numbered by a registry must not stand in the log before the tick that puts that registry in force; so whoever
frames waits for the twin's word (`in-force.json`, then news), and nobody waits for anything else.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from gemel.bus import Bus
from gemel.config.apply import applied
from gemel.config.memory import settle
from gemel.config.versions import Versions
from gemel.errors import GemelError
from gemel.operate.applying import NEWS
from gemel.operate.partition import Version
from gemel.operate.places import Places
from gemel.operate.site import Site

log = logging.getLogger(__name__)
LOOK_S: Final = 0.05


async def site_in_force(places: Places) -> Site:
    """Give what is applied, once the twin has it in force; at the very first start that is after its first word."""
    versions, told = Versions(places), False
    while True:
        site = applied(places)
        if versions.pointer() is None or versions.in_force() == site.version:
            return site
        if not told:
            log.info("the twin has yet to put the applied plant in force; nothing is framed before")
            told = True
        await asyncio.sleep(LOOK_S)


class Follower:
    """Hears which version is in force, and has it taken over.

    Args:
        versions: where they are kept.
        version: the one that is held now.
        take: takes another one over; where it fails it is tried again with the next heartbeat.
    """

    def __init__(self, versions: Versions, version: Version, take: Callable[[Site], Awaitable[None]]) -> None:
        self._versions = versions
        self.version = version
        self._take = take
        self._task: asyncio.Task[None] | None = None
        self.problem = ""

    async def listen(self, bus: Bus) -> None:
        """Hear from now on; what is missed is heard again with the twin's next heartbeat."""
        await bus.hear(NEWS, self._on_news)
        await bus.hear("health.twin", self._on_health)

    async def _on_news(self, data: bytes) -> None:
        self._follow(json.loads(data))

    async def _on_health(self, data: bytes) -> None:
        self._follow(json.loads(data).get("plant"))

    def _follow(self, told: list[str] | None) -> None:
        if told is None or (version := (told[0], told[1])) == self.version:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._to(version))

    async def _to(self, version: Version) -> None:
        pointer = await asyncio.to_thread(self._versions.pointer)
        if pointer is not None and pointer.version != version:
            return  # a twin that has started again is on its way through former versions
        try:
            site = await asyncio.to_thread(self._versions.site, version)
            await self._take(site)
            self.version, self.problem = version, ""
            settle()  # what is left of the former one is collected now, or never
        except (GemelError, OSError) as e:
            self.problem = f"the changed plant is not followed: {e}"
            log.error("%s", self.problem)
