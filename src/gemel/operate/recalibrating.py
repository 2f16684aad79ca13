"""Calibration that goes on: each machine's parameters follow it, night by night, driven by the plant's time.

    due ─► history of the window ─► job in *reason* ─► decision ─► a fact: in force, beside, or kept; and the score

It stands beside whoever serves, for the process that computes has no way to the record
([why](../../../docs/decisions/who-calibrates.md)). What it goes on from is in the record alone: started again, it does not
do a night twice, and of nights that it was away it makes the last.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Protocol

from gemel.assets import Plant
from gemel.assets.spec import Calibrating
from gemel.errors import ConflictError, GemelError, ModelError, NotFoundError, RefusedError
from gemel.operate import following
from gemel.operate.jobs import Job
from gemel.operate.jobs_ended import OPEN, ended
from gemel.operate.life_record import DONE, MOST_FACTS
from gemel.operate.view_calibrations import NOTHING, in_force
from gemel.samples import Fact

log = logging.getLogger(__name__)
LOOK_S: Final = 2.0
POLL_S: Final = 0.5
LONGEST_S: Final = 3600.0  # that a calibration may wait and run
BY: Final = "gemel"


class _Values(Protocol):
    plant_time: int


class _Jobs(Protocol):
    async def get(self, name: str) -> Job: ...
    async def cancel(self, name: str) -> Job: ...


class Source(Protocol):
    """What it needs of a view of the twin."""

    @property
    def plant(self) -> Plant:
        """The applied plant."""

    @property
    def values(self) -> _Values:
        """Last values, with the plant's time."""

    @property
    def jobs(self) -> _Jobs:
        """Long work."""

    def link(self) -> dict[str, Any]:
        """Tell whether the twin is heard."""

    async def calibration_ask(
        self, asset: str, wish: Mapping[str, Any], span: tuple[int, int], title: str, by: str, *, shadow: Mapping[str, Any] | None = None
    ) -> Job:
        """Ask for a calibration."""

    async def releases(self, asset: str | None = None) -> list[dict[str, Any]]:
        """Give all versions of an asset."""

    async def release(
        self, asset: str, user: str, body: Mapping[str, Any], reason: str, *, despite_gate: bool
    ) -> list[dict[str, Any]]:
        """Put values in force."""

    async def facts(self, after: int, limit: int, kind: str | None, subject: str | None) -> Sequence[Fact]:
        """Give facts after a position."""

    async def judgement(self, asset: str) -> Mapping[str, Any] | None:
        """Give the last judgement of an asset, whole."""

    async def judged_until(self) -> dict[str, int]:
        """Give up to when each asset's model was judged [ns]."""

    async def judge(self, asset: str, body: Mapping[str, Any]) -> None:
        """Have a judgement recorded."""


class Recalibrating:
    """Looks for what is due, until cancelled."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._digest = ""
        self._kinds: list[tuple[Calibrating, list[str]]] = []
        self._until: dict[str, int] = {}
        self._swept: dict[int, int] = {}
        self._heard, self._done = 0, dict[str, list[int]]()  # of maintenance, by asset [ns]
        self.problem = ""

    async def run(self) -> None:
        """Look every other second."""
        if find_spec("jax") is None or find_spec("scipy") is None:
            log.info("nothing is calibrated: pip install 'gemel[reason]'")
            return
        while True:
            try:
                await self.look()
                self.problem = ""
            except (GemelError, OSError) as e:
                self.problem = str(e)
                log.warning("calibration waits: %s", e)
            await asyncio.sleep(LOOK_S)

    def problems(self) -> list[dict[str, str]]:
        """Tell what is wrong, for those who look at the processes."""
        told = {"code": "calibration", "message": self.problem, "remedy": "it is tried again; see serve.log"}
        return [told] if self.problem else []

    async def look(self) -> None:
        """Do what is due, one machine after the other."""
        now = self._source.values.plant_time
        if now <= 0 or not self._source.link()["up"]:
            return
        if self._source.plant.digest != self._digest:
            self._kinds = following_of(self._source.plant)
            self._digest, self._swept = self._source.plant.digest, {}
            self._until = await self._source.judged_until() if self._kinds else {}
        for at, (terms, assets) in enumerate(self._kinds):
            moment = following.due(now, terms, self._source.plant.timezone)
            if self._swept.get(at) == moment:
                continue
            await self._hear_of_overhauls()
            for asset in assets:
                # what was never judged begins with the next moment, in a replay with the one before: its past is there at once
                first = 0 if self._source.plant.clock == "data" else moment
                if following.is_due(moment, self._until.setdefault(asset, first), terms):
                    if (body := await self._made(asset, moment, terms)) is not None:
                        await self._source.judge(asset, body)
                    self._until[asset] = moment
            self._swept[at] = moment

    async def _made(self, asset: str, moment: int, terms: Calibrating) -> dict[str, Any] | None:
        """Calibrate, and do what follows; give what is told of it, nothing where the machine said nothing at all."""
        champion = in_force(versions := await self._source.releases(asset))
        version = int(champion["version"]) if champion else 0
        standing = following.beside(await self._source.judgement(asset), champion)
        name = ""
        try:
            begin = max(moment - terms.window_ns, self._overhauled(asset, moment))
            job = await self._source.calibration_ask(
                asset, following.wish(terms, champion), (begin, moment), "follows the machine", BY,
                shadow=standing["release"] if standing else None,
            )  # fmt: skip
            name = job.asked.id
            job = await ended(self._source.jobs, job, every_s=POLL_S, within_s=LONGEST_S)
            if job.state in OPEN:
                job = await self._source.jobs.cancel(name)
            if job.state != "done" or job.ended is None:
                words = job.ended.problem if job.ended else f"the calibration was {job.state}"
                return following.failed(moment, name, version, words, standing)
            result = following.doubted(following.proposed(job.ended.result), versions)
            decision = following.decide(result, standing, terms)
            if decision.release is not None:  # before it is told: told and not done would be lost
                body = following.put({"release": decision.release, "champion": version}) | {"calibration": name}
                await self._source.release(asset, BY, body, decision.words, despite_gate=False)
            return following.body(moment, name, result, decision)
        except (ModelError, NotFoundError, ConflictError, RefusedError) as e:
            if e.code == NOTHING:
                return None
            return following.failed(moment, name, version, e.message, standing)

    async def _hear_of_overhauls(self) -> None:
        """Take up the maintenance that was recorded since it was last looked; what left a machine as it was is none."""
        while found := await self._source.facts(self._heard, MOST_FACTS, DONE, None):
            self._heard = found[-1].seq
            for fact in found:
                if fact.body.get("keep") != 1:
                    self._done.setdefault(fact.subject, []).append(int(fact.body.get("at") or fact.at))

    def _overhauled(self, asset: str, moment: int) -> int:
        """Give when an asset was last overhauled, up to a moment [ns]: what was read before is of another machine; 0: never."""
        return max((at for at in self._done.get(asset, ()) if at <= moment), default=0)


def following_of(plant: Plant) -> list[tuple[Calibrating, list[str]]]:
    """Give the assets whose parameters follow, by what they have in common."""
    found = []
    for number, template in enumerate(plant.templates):
        terms = template.calibration
        if template.dynamics and terms.every_ns and any(p.calibrate for p in template.parameters):
            rows: Sequence[int] = [row for row in range(len(plant.assets)) if plant.assets.template[row] == number]
            found.append((terms, [plant.assets.paths[row] for row in rows]))
    return found
