"""What-ifs made ready before anybody asks, by who computes, once estimates come.

    plant in force ─► of whom one would ask, most likely first ─► the question of each by default ─► compiled, and kept

A job, and a page that is opened, go before: nothing further is begun meanwhile, and what they need and is being compiled
just then they wait for, as `gemel.scenarios.engine` compiles each thing once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from gemel.assets import Plant
from gemel.errors import GemelError, ModelError
from gemel.operate import whatif
from gemel.operate.ahead import Ahead, prepare
from gemel.operate.jobs import Jobs
from gemel.operate.models import tried
from gemel.operate.models_source import source
from gemel.operate.under_way import UnderWay
from gemel.twin.releases import Releases

log = logging.getLogger(__name__)
NOTHING_CHANGED: Final = {"scenarios": [{"name": "ahead"}]}
AT: Final = "2000-01-01T00:00:00Z"  # any: what is compiled is good for all times
SETTLE_S: Final = 60.0  # estimates that have not come by then are not waited for
LOOK_S: Final = 2.0
MOST_MODELLED: Final = 2000  # assets; of larger plants areas are made ready when they are asked about
MOST_JOINED: Final = 8  # assets of an area
LOW: Final = 5  # niceness of the thread; lower, it would hold up others by the interpreter's lock

InForce = Callable[[], tuple[Any, Plant] | None]
"""Gives which plant is in force and the plant itself; None while nobody knows."""
Released = Callable[[], Awaitable[Releases]]


class Readying:
    """Makes what-ifs ready, as long as its process runs.

    Args:
        in_force: the plant.
        released: all versions of parameters.
        jobs: what was asked before.
        ahead: who makes ready what people open: it goes before, and watches that what is compiled comes to an end.
        mark: file that says what is being made ready: who dies of that does not begin it again at once.
        most: so many questions are made ready.
    """

    def __init__(
        self, in_force: InForce, released: Released, jobs: Jobs, ahead: Ahead, mark: Path, most: int
    ) -> None:  # fmt: skip
        self._in_force, self._released, self._jobs, self._ahead, self._mark, self._most = in_force, released, jobs, ahead, mark, most
        self._busy, self._under = ahead.busy, UnderWay()
        self._thread = ThreadPoolExecutor(1, "readying", lambda: os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW))
        self._known: set[str] = set()  # what is ready
        self._seen: set[str] = set()  # of these, what the plant in force needs
        self._plant: Any = None
        self._releases = Releases()
        self.working = False

    async def run(self, settled: Callable[[], bool]) -> None:
        """Work until cancelled; returns where a model was rewritten, for whose new code a new process is needed.

        Args:
            settled: whether what goes before, estimates, has come up.
        """
        self._known |= self._died_of()
        try:
            await self._work(settled)
        finally:  # it was told to end: nothing died of it
            self._mark.unlink(missing_ok=True)

    async def _work(self, settled: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not settled() and time.monotonic() - began < SETTLE_S:  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.1)
        while True:
            try:
                if await self._look():
                    return
            except (GemelError, OSError) as e:
                self._plant = None
                log.info("nothing is made ready: %s", e)
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> bool:
        """Make ready what a plant or model that changed needs; say whether this process cannot."""
        found = await asyncio.to_thread(self._changed)
        if found is None:
            return False
        self._releases, self._seen, self.working = await self._released(), set(), True
        try:
            for asset in found:
                if await self._made(asset):
                    return True
        finally:
            self.working = False
        return False

    def _changed(self) -> list[str] | None:
        now = self._in_force()
        if now is None:
            return None
        version, plant = now
        code = {t.dynamics: source(t.dynamics) for t in plant.templates if t.dynamics}
        if self._plant is not None and self._plant[1:] == (version, code):
            return None
        self._plant = plant, version, code
        asked = dict.fromkeys(str(job.asked.spec["asset"]) for job in self._jobs.listed("whatif"))
        return list(likely(plant, list(asked)[: self._most]))

    async def _made(self, asset: str) -> bool:
        """Make ready what is asked of an asset by default; say whether this process cannot, for it has its model's former code."""
        while len(self._seen) < self._most:
            while self._busy.locked():  # noqa: ASYNC110 - by another thread
                await asyncio.sleep(0.1)
            begun = time.monotonic()
            try:
                wanted = await self._low(self._wanted, asset)
                if wanted is None:
                    return False
                done = await self._ahead.watched(wanted[0], partial(self._low, self._prepare, *wanted), self._under)
            except Exception as e:  # a model of one's own may raise anything
                if isinstance(e, ModelError) and e.code == "model-changed":
                    return True
                log.info("%s is not made ready: %s", asset, e)
                return False
            if done:
                self._ahead.made, self._ahead.seconds = self._ahead.made + 1, time.monotonic() - begun
                log.info("a what-if about %s is ready: %.1f s", asset, self._ahead.seconds)
                return False
        return False

    async def _low(self, work: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    def _wanted(self, asset: str) -> tuple[dict[str, Any], str] | None:
        """Give the question of an asset by default, and its name; nothing where that is ready, or nothing is compiled of it."""
        plant = self._plant[0]
        begun = whatif.begin(plant, asset, {}, self._releases)
        spec = whatif.spec(begun, NOTHING_CHANGED, AT, plant)
        key = _key(spec)
        if whatif.one_by_one(spec["model"]):
            return None
        if key in self._known:
            self._seen.add(key)
            return None
        return spec, key

    def _prepare(self, spec: dict[str, Any], key: str) -> bool:
        """Have it compiled; say whether it was, and not somebody else's turn came."""
        stopped = False

        def told(_done: float) -> bool:
            nonlocal stopped
            stopped = stopped or self._busy.locked()
            return not stopped

        self._mark.parent.mkdir(parents=True, exist_ok=True)
        self._mark.write_text(key)
        try:
            with self._under.of(spec["asset"]):
                prepare(spec, told)
        except Exception as e:
            if isinstance(e, ModelError) and e.code == "model-changed":
                for reference in spec["versions"]["models"]:
                    tried(reference)  # the process is not given up for code that is refused
            if stopped:
                return False
            raise
        finally:
            self._mark.unlink(missing_ok=True)
        self._known.add(key)
        self._seen.add(key)
        return True

    def _died_of(self) -> set[str]:
        """Give what a process that died was making ready."""
        try:
            found = self._mark.read_text()
            self._mark.unlink()
        except OSError:
            return set()
        log.warning("who made a what-if ready died meanwhile: it is compiled when it is asked")
        return {found}


def likely(plant: Plant, asked: Iterable[str]) -> Iterator[str]:
    """Give assets and areas that a what-if would be about, the most likely first.

    Those of which one was asked are first, the newest first; then one of each type with a dynamic model, those of most assets
    first; then areas in which few are modelled, the smallest first.
    """
    fleet = plant.assets
    modelled = np.array([bool(t.dynamics) for t in plant.templates], bool)[fleet.template]
    rows = np.flatnonzero(modelled).tolist()
    templates, first, count = np.unique(fleet.template[rows], return_index=True, return_counts=True)
    ones = [fleet.paths[rows[first[i]]] for i in np.argsort(-count, kind="stable")] if len(templates) else []
    inside: dict[str, int] = {}
    for row in rows if len(rows) <= MOST_MODELLED else ():
        parts = fleet.paths[row].split("/")
        for depth in range(1, len(parts)):
            area = "/".join(parts[:depth])
            inside[area] = inside.get(area, 0) + 1
    areas = sorted((area for area, n in inside.items() if 1 < n <= MOST_JOINED), key=lambda a: (inside[a], -len(a)))
    yield from dict.fromkeys([*asked, *ones, *areas])


def _key(spec: dict[str, Any]) -> str:
    """Name what is compiled: the model, and what is asked of it; not the values that it begins with."""
    question = {k: v for k, v in spec["question"].items() if k not in ("uncertain", "together")}
    told = [spec["model"], question, spec["versions"].get("models"), spec.get("hybrids")]
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()[:20]
