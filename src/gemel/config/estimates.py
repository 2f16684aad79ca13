"""The estimates of the plant in force: begun where it declares some, gone on with where a changed plant is put in force."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

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

if TYPE_CHECKING:  # they load JAX, where there is something to estimate
    from gemel.operate.estimates_areas import Made
    from gemel.operate.estimates_kind import Kind

    Failed = list[tuple[str, Exception]]

log = logging.getLogger(__name__)
LOOK_S: Final = 1.0
AGAIN_S: Final = 5.0  # until what ended is tried again, twice as long each time …
SELDOM_S: Final = 300.0  # … up to this
RARE_S: Final = 3600.0  # … or this, where the others go on: who never comes to an end is tried too …
HANGS_S: Final = 120.0  # a step that takes so long, be it compiled on a slow machine, does not come back, most likely
SHARE: Final = 20.0  # … and waited for so many times as long as a try took
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
        self._left: list[dict[str, str]] = []  # kinds that fail: the others are estimated
        self._failing: list[str] = []
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
        self.wanted, self._loop, self._problem, self._left = declares_estimates(site.plant), None, {}, []
        return asyncio.create_task(self._estimate(site)) if self.wanted else None

    async def _estimate(self, site: Site) -> None:
        """Estimate; what ends it, as a user's model may at any moment, is told, and it is begun anew after a while."""
        wait = AGAIN_S
        while True:
            begun = time.monotonic()
            try:
                await self._follow(site)
            except Exception as e:  # a user's model may raise anything; jobs are worked on beside it
                wait = AGAIN_S if time.monotonic() - begun > SELDOM_S else wait
                self._loop, self._left = None, []
                self._problem = _problem("nothing", e, f"; it is tried again in {wait:g} s")
                log.error("%s (%s)", self._problem["message"], self._problem["remedy"], exc_info=None if isinstance(e, GemelError) else e)
            await asyncio.sleep(wait)
            wait = min(2 * wait, SELDOM_S)

    async def _follow(self, site: Site) -> None:
        """Estimate all that can be, until cancelled; raises what ends it, where nothing can be what was wrong with the first."""
        made: Made = {}
        kinds, failed, _ = await self._tried(site, made)
        while True:
            if failed and not kinds:
                raise failed[0][1]
            kinds, failed = await self._until_more(site, made, kinds, failed)

    async def _until_more(self, site: Site, made: Made, kinds: list[Kind], failed: Failed) -> tuple[list[Kind], Failed]:
        """Estimate these kinds, until cancelled or until one that failed does so no more; give them all, and who fails still."""
        wait, loop = AGAIN_S, asyncio.create_task(self._begun(site, kinds).run())
        try:
            while True:
                self._left = [_problem(name, why, f"; the others are, and it is tried again within {wait:g} s") for name, why in failed]
                if (await asyncio.wait({loop}, timeout=wait if failed else None))[0]:
                    await loop
                now, failed, took = await self._tried(site, made)
                if len(now) > len(kinds):
                    return now, failed
                wait = min(max(2 * wait, SHARE * took), RARE_S)
        finally:
            await _ended(loop)

    async def _tried(self, site: Site, made: Made) -> tuple[list[Kind], Failed, float]:
        """Give what can be followed, what fails, and how long it took to find out [s]; what is `made` is not made again."""
        from gemel.operate.estimates_areas import followed

        failed, known, begun = list[tuple[str, Exception]](), set(self._failing), time.monotonic()
        kinds = await asyncio.to_thread(followed, site.plant, site.registry, lambda name, why: failed.append((name, why)), made)
        for name, why in failed:
            if name not in known:  # said once
                one = _problem(name, why, "")
                log.error("%s (%s)", one["message"], one["remedy"], exc_info=None if isinstance(why, GemelError) else why)
        self._failing = [name for name, _ in failed]
        return kinds, failed, time.monotonic() - begun

    def _begun(self, site: Site, kinds: list[Kind]) -> EstimatesLoop:
        from gemel.operate.estimator import Estimator

        checks, others = site.plant.checks(site.registry), dict(registries(self._places))
        self._loop = EstimatesLoop(
            self._bus, SnapshotFolder(self._places.estimates),
            lambda position: Estimator(kinds, site.registry, checks, position, others), self._since,
        )  # fmt: skip
        self._since = None
        return self._loop

    async def together(self, body: dict[str, Any]) -> bytes:
        """Answer how what is estimated of some assets goes together now; nothing while nothing is estimated."""
        estimator = None if self._loop is None else self._loop.estimator
        found = [] if estimator is None else await asyncio.to_thread(estimator.together, [str(a) for a in body["assets"]])
        return msgspec.json.encode(found)

    def told(self) -> dict[str, Any]:
        """Say how it goes."""
        loop = self._loop
        again = loop is not None and loop.told > 0  # what failed goes on only where estimates are taken again
        problems = [*([self._problem] if self._problem and not again else []), *self._left]
        if loop is not None and loop.problem:
            problems.append({"code": "estimates", "message": loop.problem, "remedy": "it is tried again; see reason.log"})
        if loop is not None and loop.step_s > HANGS_S:
            problems.append({
                "code": "not-estimated", "message": f"nothing is estimated: a step has not come back for {loop.step_s:.0f} s",
                "remedy": "a model that loops for ever, most likely: gemel check --models tries them out; a changed plant file begins anew",
            })  # fmt: skip
        told = {"estimates_behind_s": loop.behind_s, "estimates_frames_total": loop.told} if loop is not None else {}
        if loop is not None and loop.estimator is not None:
            told["estimates_substituted"] = loop.estimator.substituted
        return {"problems": problems, "measures": told}


def _problem(what: str, why: Exception, then: str) -> dict[str, str]:
    """Say what is not estimated, why, and what is done about it."""
    said = f"{what} is not estimated" if what != "nothing" else "nothing is estimated"
    if isinstance(why, ModuleNotFoundError):
        return {"code": "reason-missing", "message": f"{said}: {why.name} is not installed{then}", "remedy": MISSING}
    if isinstance(why, GemelError):
        return {"code": "not-estimated", "message": f"{said}: {why.message}{then}", "remedy": why.remedy}
    remedy = "see reason.log; gemel check --models tries the models out"
    return {"code": "not-estimated", "message": f"{said}: {type(why).__name__}: {why}{then}", "remedy": remedy}


async def _ended(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
