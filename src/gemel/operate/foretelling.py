"""Prognoses that keep up with the plant: each degradation is foretold anew when its time has come, and what is found is kept.

plant time ─► due? ─► spec from history ─► job of *reason* ─► rows on the lane *estimated* ─► log: state, history, alarms

A prognosis is made of the history by the plant's time, and enters the log as rows do: so a replay shows what was foretold
when, and what was foretold can be held against what came. Risk passes its limit as any signal does (ISA-18.2).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from gemel.assets import Plant
from gemel.errors import DefectError, GemelError
from gemel.estimate.life import LEAST
from gemel.operate import life, life_law, life_record
from gemel.operate.jobs_ended import ended
from gemel.operate.life_law import Wearing
from gemel.operate.life_record import BY
from gemel.operate.life_state import readings
from gemel.operate.models_source import source
from gemel.samples.batch import I64

log = logging.getLogger(__name__)
LOOK_S: Final = 5.0
PATIENCE_S: Final = 300.0  # with one job
AGAIN: Final = 20  # where data are thin, a twentieth of the time until the next
SOONEST_NS: Final = 60_000_000_000
MOST_KEPT: Final = 100  # degradations whose newest prognosis is kept as a job too, for its fan


class Job(Protocol):
    """A job as it stands."""

    @property
    def state(self) -> str: ...
    @property
    def asked(self) -> Any: ...
    @property
    def ended(self) -> Any: ...


class Jobbing(Protocol):
    """Asks for jobs and follows them."""

    async def ask(self, kind: str, spec: dict[str, Any], title: str, by: str) -> Job: ...
    async def get(self, name: str) -> Job: ...
    async def listed(self, kind: str) -> Sequence[Job]: ...
    async def cancel(self, name: str) -> Job: ...


class Values(Protocol):
    """Last values by signal."""

    @property
    def time(self) -> Any: ...
    @property
    def seen(self) -> Any: ...
    @property
    def plant_time(self) -> int: ...


class Twin(life_record.History, Protocol):
    """What is asked of a running twin."""

    @property
    def values(self) -> Values: ...
    @property
    def jobs(self) -> Jobbing: ...
    async def keep_prognosis(self, rows: list[tuple[str, int, float, int]]) -> None: ...


class Foretelling:
    """Foretells what is due, one after another, so that people's jobs wait for one of them at most."""

    def __init__(self, twin: Twin, look_s: float = LOOK_S) -> None:
        self._twin = twin
        self._look_s = look_s
        self._tried: dict[tuple[str, str], int] = {}  # plant time of the last try, by asset and degradation
        self._code: dict[tuple[str, str], str] | None = None  # of the model that each went by; None: not looked up yet
        self._problem = ""
        self._done = 0
        self._took = 0.0

    async def run(self) -> None:
        """Foretell, until cancelled; what fails is said, and tried again when it is due again."""
        while True:
            await asyncio.sleep(self._look_s)
            try:
                await self.look()
                self._problem = ""
            except (GemelError, OSError) as e:
                self._problem = str(e)
                log.warning("a prognosis could not be made: %s", e)

    async def look(self) -> int:
        """Foretell all that is due; give how many were."""
        if self._code is None:
            made = [job.asked for job in await self._twin.jobs.listed("life") if job.asked.by == BY]
            self._code = {(a.spec["asset"], a.spec["of"]): "".join(a.spec["versions"].get("models", {}).values()) for a in reversed(made)}
        count = 0
        for one in list(self.due()):
            self._tried[one.asset, one.spec.name] = int(self._twin.values.plant_time)
            count += await self._foretell(one)
        return count

    def due(self) -> Iterator[Wearing]:
        """Give what is to be foretold by now, in the order of the plant file."""
        plant, now = self._twin.plant, int(self._twin.values.plant_time or 0)
        if now > 0:
            for row in np.flatnonzero(_wearing(plant)).tolist():
                yield from (one for one in life_law.wearing(plant, plant.assets.paths[row]) if self._is_due(one, now))

    def problems(self) -> list[Mapping[str, str]]:
        """Say what does not go as it must."""
        if not self._problem:
            return []
        return [{"code": "prognosis", "message": f"remaining life is not foretold: {self._problem}", "remedy": "it is tried again; see serve.log"}]

    def measures(self) -> dict[str, float]:
        """Give how many prognoses were made, and how long the last one took [s]."""
        return {"prognoses_total": self._done, "prognosis_seconds": self._took}

    def _is_due(self, one: Wearing, now: int) -> bool:
        every = one.spec.every_ns
        number = self._twin.registry.index(f"{one.asset}/{one.spec.signals['value']}", "estimated")
        values = self._twin.values
        kept = int(values.time[number]) if values.seen[number] else 0
        tried = self._tried.get((one.asset, one.spec.name), 0)
        return now - tried >= max(every // AGAIN, SOONEST_NS) and (now - kept >= every or self._rewritten(one))

    def _rewritten(self, one: Wearing) -> bool:
        """Tell whether the model that it follows was rewritten since it was foretold."""
        was = (self._code or {}).get((one.asset, one.spec.name))
        return was is not None and was != _source(one)

    async def _foretell(self, one: Wearing) -> bool:
        began, at = time.monotonic(), int(self._twin.values.plant_time)
        spec = await life_record.spec(self._twin, one, {}, at)
        if readings(spec) < LEAST:
            return False  # nobody need be woken to hear that
        result = await self._computed(spec, one)
        found = life.rows(result)
        if "risk" not in found:
            return False
        signals = one.spec.signals
        await self._twin.keep_prognosis([(f"{one.asset}/{signals[role]}", at, value, 0) for role, value in found.items()])
        self._code = {**(self._code or {}), (one.asset, one.spec.name): _source(one)}
        self._done += 1
        self._took = time.monotonic() - began
        return True

    async def _computed(self, spec: dict[str, Any], one: Wearing) -> dict[str, Any]:
        jobs = self._twin.jobs
        job = await jobs.ask("life", spec, f"{one.spec.name} of {one.asset}", BY)
        job = await ended(jobs, job, every_s=0.05 if self._look_s < 1 else 0.5, within_s=PATIENCE_S)
        if job.state != "done":
            problem = f"it was {job.state}" if job.ended is None else job.ended.problem
            raise DefectError(f"{one.spec.name} of {one.asset}: {problem}", code="job-failed", remedy="see reason.log")
        result: dict[str, Any] = job.ended.result
        await self._give_up_former(one, job.asked.id)
        return result

    async def _give_up_former(self, one: Wearing, newest: str) -> None:
        """Give up what was asked here before; what people asked stays. Of a large fleet nothing is kept but the rows."""
        large = _wearing(self._twin.plant).sum() > MOST_KEPT
        for job in await self._twin.jobs.listed("life"):
            of = (job.asked.spec["asset"], job.asked.spec["of"])
            if job.asked.by == BY and of == (one.asset, one.spec.name) and (large or job.asked.id != newest):
                await self._twin.jobs.cancel(job.asked.id)


def _source(one: Wearing) -> str:
    """Name the code of the model that it follows; nothing where that is an expression, or gemel's own."""
    return source(one.template.dynamics or "") if one.spec.state else ""


def _wearing(plant: Plant) -> I64:
    """Give how many things wear out of each asset."""
    of_template = np.array([len(t.degradations) for t in plant.templates], np.int64)
    return of_template[plant.assets.template]
