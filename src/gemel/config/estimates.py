"""The estimates of the plant in force: begun where it declares some, gone on with where a changed plant is put in force."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gemel.bus import Bus
from gemel.bus.link import SAMPLES
from gemel.config.registries import registries
from gemel.config.versions import Versions
from gemel.errors import GemelError, StorageError
from gemel.operate import under_way
from gemel.operate.estimates_declared import declares_estimates
from gemel.operate.estimates_loop import EstimatesLoop
from gemel.operate.looped import CODE, Looped, made_of
from gemel.operate.models_source import in_use, sources
from gemel.operate.places import Places
from gemel.operate.reasoning import LEFT
from gemel.operate.residuals_in import LEFT_OUT
from gemel.operate.residuals_in import SUBJECT as TURNS
from gemel.operate.site import Site
from gemel.operate.snapshots import SnapshotFolder
from gemel.operate.under_way import Patience, UnderWay

if TYPE_CHECKING:  # they load JAX, where there is something to estimate
    from gemel.operate.estimates_areas import Made
    from gemel.operate.estimates_kind import Kind
    from gemel.operate.weighing import Worker

    Failed = list[tuple[str, Exception]]

log = logging.getLogger(__name__)
LOOK_S: Final = 1.0
AGAIN_S: Final = 5.0  # until what ended is tried again, twice as long each time …
SELDOM_S: Final = 300.0  # … up to this
RARE_S: Final = 3600.0  # … or this, where the others go on: who never comes to an end is tried too …
SELDOM: Final = 5  # looks, between two at the models' sources
WEIGHS: Final = 2.5  # times as long as a step may it take to weigh who is wrong …
COMPILES: Final = 5.0  # … and to take the first, for which it is compiled …
MAKES: Final = 3.0  # … and to make a kind, which is tried in a child before
SHARE: Final = 20.0  # … and waited for so many times as long as a try took
UNBOUND: Final = "unbound"  # nothing of a model has a source
MISSING: Final = "pip install 'gemel[reason]'"


@dataclass(frozen=True)
class _Out:
    """A kind that failed on the way: why, and when it is tried again [s], so long after it failed."""

    why: Exception
    until: float
    wait: float

BEYOND: Final = "what is estimated there is not to be trusted: look at the gauge, or widen the range in the model where it holds there too"


class Estimates:
    """Runs the loop of the estimates for whatever plant is in force.

    Args:
        bus: the way to the log.
        places: the data directory.
        leave: ends this process at once, with an exit code.
    """

    def __init__(self, bus: Bus, places: Places, leave: Callable[[int], object] = os._exit) -> None:
        self._bus, self._places, self._versions, self._leave = bus, places, Versions(places), leave
        self._looped, self._recorded, self._code = Looped(places.looped), set[str](), dict[str, str]()
        self._site: Site | None = None
        self._made: Made = {}
        self._out: dict[str, _Out] = {}
        self._making = self._stepping = UnderWay()
        self._step = Patience(self._stepping)
        self._patience: list[Patience] = []
        self._worker: Worker | None = None
        self._loop: EstimatesLoop | None = None
        self._problem: dict[str, str] = {}
        self._left: list[dict[str, str]] = []  # kinds that fail: the others are estimated
        self._failing: list[str] = []
        self._since: int | None = None  # what comes while models are compiled is estimated too
        self.wanted = False

    @property
    def settled(self) -> bool:
        """Whether estimates come, or none are declared."""
        return self._site is not None and (not self.wanted or (self._loop is not None and self._loop.told > 0))

    async def run(self) -> None:
        """Estimate until cancelled."""
        task: asyncio.Task[None] | None = None
        version = None
        watching = asyncio.create_task(self._watch())
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
            await _ended(watching)
            await _ended(task)

    async def _started(self, site: Site) -> asyncio.Task[None] | None:
        self.wanted, self._loop, self._problem, self._left = declares_estimates(site.plant), None, {}, []
        self._site, self._out, self._making = site, {}, UnderWay()
        self._patience = [*self._busy(), Patience(self._making, MAKES)]
        return asyncio.create_task(self._estimate(site)) if self.wanted else None

    async def _estimate(self, site: Site) -> None:
        """Estimate; what ends it, as a user's model may at any moment, is told, and it is begun anew after a while."""
        wait = AGAIN_S
        with contextlib.suppress(StorageError, OSError):
            self._code = await asyncio.to_thread(sources, _models(site))
            self._looped.only({made_of(_models(site), site.plant.digest, self._code)})
        while True:
            begun = time.monotonic()
            try:
                await self._follow(site)
            except Exception as e:  # a user's model may raise anything; jobs are worked on beside it
                wait = AGAIN_S if time.monotonic() - begun > SELDOM_S else wait
                self._loop, self._left = None, []
                self._problem = _problem("nothing", e, _again(e, f"; it is tried again in {wait:g} s"))
                log.error("%s (%s)", self._problem["message"], self._problem["remedy"], exc_info=None if isinstance(e, GemelError) else e)
            await asyncio.sleep(wait)
            wait = min(2 * wait, SELDOM_S)

    async def _follow(self, site: Site) -> None:
        """Estimate all that can be, until cancelled; raises what ends it, where nothing can be what was wrong with the first."""
        self._made = {}
        kinds, failed, _ = await self._tried(site)
        while True:
            if failed and not kinds:
                raise failed[0][1]
            kinds, failed = await self._until_more(site, kinds, failed)

    async def _until_more(self, site: Site, kinds: list[Kind], failed: Failed) -> tuple[list[Kind], Failed]:
        """Estimate these kinds, until cancelled, until one fails or until one that failed does so no more; give them all, and who fails still."""
        begun, wait, loop = time.monotonic(), AGAIN_S, asyncio.create_task(self._begun(site, kinds).run())
        try:
            while True:
                self._left = [_problem(name, why, f"; the others are{self._within(name, why, wait)}") for name, why in failed]
                if (await asyncio.wait({loop}, timeout=wait if failed else None))[0]:
                    name, why = self._failed_in(loop, time.monotonic() - begun)
                    return [kind for kind in kinds if self._name(kind) != name], [*failed, (name, why)]
                now, failed, took = await self._tried(site)
                if len(now) > len(kinds):
                    return now, failed
                wait = min(max(2 * wait, SHARE * took), RARE_S)
        finally:
            if not loop.done():
                await _ended(loop)

    def _failed_in(self, loop: asyncio.Task[None], lived: float) -> tuple[str, Exception]:
        """Give the kind with which the loop failed, and why; it is left out for a while. Raises what ended the loop where no kind did."""
        why = loop.exception()
        name = self._name(self._stepping.failed)
        if name is None or not isinstance(why, Exception):
            loop.result()
        assert name is not None
        assert isinstance(why, Exception)
        before = self._out.get(name)
        wait = AGAIN_S if before is None or lived > SELDOM_S else 2 * before.wait
        wait = min(max(wait, SHARE * self._step.seconds), RARE_S)
        self._out[name] = _Out(why, time.monotonic() + wait, wait)
        return name, why

    def _name(self, what: object) -> str | None:
        """Give the name of a kind of the plant in force, or of one that is being made; None of anything else."""
        return what if isinstance(what, str) else next((name for (name, _), kind in self._made.items() if kind is what), None)

    def _within(self, name: str, why: Exception, wait: float) -> str:
        left = self._out[name].until - time.monotonic() if name in self._out else 0.0
        return _again(why, f", and it is tried again within {max(wait, left):.3g} s")

    async def _tried(self, site: Site) -> tuple[list[Kind], Failed, float]:
        """Give what can be followed, what fails, and how long it took to find out [s]; what was made is not made again."""
        from gemel.operate.estimates_areas import followed

        failed, known, begun = list[tuple[str, Exception]](), set(self._failing), time.monotonic()
        barred: dict[str, Exception] = {one.what: one.refusal for one in self._looped.known}
        barred |= {name: out.why for name, out in self._out.items() if out.until > begun}
        kinds = await asyncio.to_thread(
            followed, site.plant, site.registry, lambda name, why: failed.append((name, why)), self._made, barred=barred, under=self._making
        )
        for name, why in failed:
            if name not in known:  # said once
                one = _problem(name, why, "")
                log.error("%s (%s)", one["message"], one["remedy"], exc_info=None if isinstance(why, GemelError) else why)
        self._failing = [name for name, _ in failed]
        return kinds, failed, time.monotonic() - begun

    def _begun(self, site: Site, kinds: list[Kind]) -> EstimatesLoop:
        from gemel.operate.estimator import Estimator
        from gemel.operate.weighing import WORKER

        self._worker = WORKER
        under = self._stepping = UnderWay()
        self._step = Patience(under, first=COMPILES)
        lasting = [Patience(WORKER.under, WEIGHS), *(p for p in self._patience if p.under is self._making)]
        self._patience = [*self._busy(self._making, WORKER.under), *lasting, self._step]
        checks, others = site.plant.checks(site.registry), dict(registries(self._places))
        self._loop = EstimatesLoop(
            self._bus, SnapshotFolder(self._places.estimates),
            lambda position: Estimator(kinds, site.registry, checks, position, others, under), self._since,
        )  # fmt: skip
        self._since = None
        return self._loop

    async def together(self, body: dict[str, Any]) -> bytes:
        """Answer how what is estimated of some assets goes together now; nothing while nothing is estimated."""
        estimator = None if self._loop is None else self._loop.estimator
        found = [] if estimator is None else await asyncio.to_thread(estimator.together, [str(a) for a in body["assets"]])
        return msgspec.json.encode(found)

    # ---- what never comes back

    async def _watch(self) -> None:
        """Look whether what is computed comes back, and have recorded what did not; until cancelled."""
        for looks in itertools.count(1):
            await asyncio.sleep(LOOK_S)
            self._look()
            if self._looped.known and self._site is not None and looks % SELDOM == 0:
                with contextlib.suppress(GemelError, OSError):  # looked at, and asked, again
                    await self._record(self._site)
                with contextlib.suppress(GemelError, OSError):
                    if self._code and await asyncio.to_thread(sources, _models(self._site)) != self._code:
                        log.info("a model was changed: what looped is tried again")
                        self._leave(LEFT)

    def _busy(self, *but: UnderWay) -> list[Patience]:
        """Give who watches threads that nobody waits for any more: they end none the sooner for it."""
        return [p for p in self._patience if p.under.what is not None and p.under not in but]

    def _look(self) -> None:
        """End this process where a thread of it never comes back, and keep which kind it was."""
        hung = next((p for p in self._patience if p.look(waits=p is self._step and self._worker is not None and self._worker.awaited)), None)
        if hung is None:
            return
        what = self._name(hung.under.what)
        log.error("what is computed with the model of %s did not come back within %.0f s; this process ends, to begin anew without it", what, hung.seconds)
        if what is not None and self._site is not None:
            with contextlib.suppress(StorageError, OSError):  # then the others have their turn until it comes to this again
                self._looped.add(what, made_of(_models(self._site), self._site.plant.digest, in_use(self._code)), hung.seconds)
        self._patience = []
        self._leave(LEFT)

    async def _record(self, site: Site) -> None:
        """Have recorded who is left out, once each; where the twin is away it is asked again."""
        for one in self._looped.known:
            if one.what not in self._recorded:
                why = one.refusal
                body = msgspec.json.encode({"why": why.message, "remedy": why.remedy})
                await self._bus.ask(TURNS, {"id": f"left-out-{one.of[:12]}-{one.wall}", "kind": LEFT_OUT, "at": 0, "asset": one.what, "body": body})
                self._recorded.add(one.what)

    def told(self) -> dict[str, Any]:
        """Say how it goes."""
        loop = self._loop
        again = loop is not None and loop.told > 0  # what failed goes on only where estimates are taken again
        problems = [*([self._problem] if self._problem and not again else []), *self._left]
        if loop is not None and loop.problem:
            problems.append({"code": "estimates", "message": loop.problem, "remedy": "it is tried again; see reason.log"})
        if self._step.seconds > under_way.HANGS_S:
            problems.append(_lasting(self._name(self._stepping.what), self._step.seconds))
        told = {"estimates_behind_s": loop.behind_s, "estimates_frames_total": loop.told} if loop is not None else {}
        if loop is not None and loop.estimator is not None:
            told["estimates_substituted"] = loop.estimator.substituted
            problems += [{"code": "estimates-beyond", "message": said, "remedy": BEYOND} for said in loop.estimator.beyond]
        return {"problems": problems, "measures": told}


def _models(site: Site) -> dict[str, Any]:
    """Give the models that a plant names, as one reference."""
    return {"components": {name: name for name in sorted({str(t.dynamics) for t in site.plant.templates if t.dynamics})}}


def _lasting(name: str | None, seconds: float) -> dict[str, str]:
    """Say that something was not come back with for long."""
    message = f"nothing is estimated: what is computed with the model of {name} has not come back for {seconds:.0f} s"
    remedy = "where it never does, the process that computes is begun anew without it; gemel check --models tries models out"
    return {"code": "not-estimated", "message": message, "remedy": remedy}


def _again(why: Exception, words: str) -> str:
    """Say when it is tried again; nothing of what only another model or plant file makes right."""
    return "" if isinstance(why, GemelError) and why.code in {CODE, UNBOUND} else words


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
