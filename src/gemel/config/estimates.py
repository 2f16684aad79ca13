"""The estimates of the plant in force: begun where it declares some, gone on with where a changed plant is put in force."""

import asyncio
import contextlib
import logging
from typing import Any, Final

from gemel.bus import Bus
from gemel.bus.link import SAMPLES
from gemel.config.registries import registries
from gemel.config.versions import Versions
from gemel.errors import GemelError, StorageError
from gemel.operate.estimates_declared import declares_estimates
from gemel.operate.estimates_loop import EstimatesLoop
from gemel.operate.places import Places
from gemel.operate.site import Site
from gemel.operate.snapshots import SnapshotFolder

log = logging.getLogger(__name__)
LOOK_S: Final = 1.0
MISSING: Final = "pip install 'gemel[reason]'"


class Estimates:
    """Runs the loop of the estimates for whatever plant is in force.

    Args:
        bus: the way to the log.
        places: the data directory.
    """

    def __init__(self, bus: Bus, places: Places) -> None:
        self._bus, self._places, self._versions = bus, places, Versions(places)
        self._loop: EstimatesLoop | None = None
        self._problem: dict[str, str] = {}
        self._since: int | None = None  # what comes while models are compiled is estimated too
        self.wanted = False

    async def run(self) -> None:
        """Estimate until cancelled."""
        task: asyncio.Task[None] | None = None
        version = None
        with contextlib.suppress(StorageError):
            self._since = (await self._bus.bounds(SAMPLES.format(0)))[1]
        try:
            while True:
                now = await asyncio.to_thread(self._versions.in_force)
                if now is not None and now != version:
                    await _ended(task)
                    version, task = now, await self._started(await asyncio.to_thread(self._versions.site, now))
                await asyncio.sleep(LOOK_S)
        finally:
            await _ended(task)

    async def _started(self, site: Site) -> asyncio.Task[None] | None:
        self.wanted, self._loop, self._problem = declares_estimates(site.plant), None, {}
        return asyncio.create_task(self._estimate(site)) if self.wanted else None

    async def _estimate(self, site: Site) -> None:
        try:
            from gemel.operate.estimates_areas import followed
            from gemel.operate.estimator import Estimator

            kinds = await asyncio.to_thread(followed, site.plant, site.registry)
            checks, others = site.plant.checks(site.registry), dict(registries(self._places))
            self._loop = EstimatesLoop(
                self._bus, SnapshotFolder(self._places.estimates),
                lambda position: Estimator(kinds, site.registry, checks, position, others), self._since,
            )  # fmt: skip
            self._since = None
            await self._loop.run()
        except GemelError as e:
            self._problem = {"code": "not-estimated", "message": f"nothing is estimated: {e.message}", "remedy": e.remedy}
            log.error("nothing is estimated: %s (%s)", e.message, e.remedy)
        except ModuleNotFoundError as e:
            self._problem = {"code": "reason-missing", "message": f"nothing is estimated: {e.name} is not installed", "remedy": MISSING}
            log.error("nothing is estimated: %s is not installed (%s)", e.name, MISSING)
        except Exception as e:  # a user's model may raise anything; jobs are worked on beside it
            remedy = "see reason.log; gemel check --models tries the models out"
            self._problem = {"code": "not-estimated", "message": f"nothing is estimated: {type(e).__name__}: {e}", "remedy": remedy}
            log.exception("nothing is estimated")

    def told(self) -> dict[str, Any]:
        """Say how it goes."""
        loop = self._loop
        problems = [self._problem] if self._problem else []
        if loop is not None and loop.problem:
            problems.append({"code": "estimates", "message": loop.problem, "remedy": "it is tried again; see reason.log"})
        told = {"estimates_behind_s": loop.behind_s, "estimates_frames_total": loop.told} if loop is not None else {}
        return {"problems": problems, "measures": told}


async def _ended(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
