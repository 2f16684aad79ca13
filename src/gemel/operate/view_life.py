"""Remaining life as serve sees it: what is declared, what a prognosis follows from, and maintenance told to the record."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from gemel.assets import Plant
from gemel.bus import Bus
from gemel.errors import ModelError, StorageError
from gemel.operate import life_law, life_record
from gemel.operate.jobs import Job
from gemel.operate.life_state import state_law
from gemel.operate.view_jobs import JobsView
from gemel.samples.clock import iso


class _Asks(life_record.History, Protocol):
    async def _ask(self, do: str, **body: Any) -> bytes: ...


class _Lists(Protocol):
    plant: Plant

    @property
    def jobs(self) -> JobsView: ...


class LifeAsked:
    """What is told of remaining life from a plant file and history alone, of a running twin or not."""

    plant: Plant

    async def life_declared(self, asset: str) -> list[dict[str, Any]]:
        """Give what wears out of an asset; raises NotFoundError where there is no such asset."""
        return await asyncio.to_thread(self._declared, asset)

    def _declared(self, asset: str) -> list[dict[str, Any]]:
        return [life_law.told(one, self._driven(one)) for one in life_law.wearing(self.plant, asset, needed=False)]

    def _driven(self, one: life_law.Wearing) -> tuple[str, ...]:
        if one.spec.rate:
            return life_law.law_of(one).driven
        try:
            return state_law(self.plant, one).driven
        except ModelError:  # said to who asks for its life; the others of the asset are there
            return ()

    async def life_spec(
        self: life_record.History, asset: str, of: str, question: Mapping[str, Any], at: int
    ) -> dict[str, Any]:
        """Give all that a prognosis follows from; raises NotFoundError."""
        return await life_record.spec(self, life_law.wearing(self.plant, asset, of)[0], question, at)


class LifeView(LifeAsked):
    """The part of `View` that tells of remaining life."""

    bus: Bus

    async def life_last(self: _Lists, asset: str, of: str, at: int) -> Job | None:
        """Give the newest kept prognosis that the twin made by itself up to a plant time [ns]; raises NotFoundError."""
        name = life_law.wearing(self.plant, asset, of)[0].spec.name
        for job in await self.jobs.listed("life"):
            asked = job.asked
            mine = (asked.by, asked.spec["asset"], asked.spec["of"], job.state) == (life_record.BY, asset, name, "done")
            if mine and asked.spec["at"] <= iso(at):
                return await self.jobs.get(asked.id)
        return None

    async def keep_prognosis(self, rows: Sequence[tuple[str, int, float, int]]) -> None:
        """Put what was foretold into the log: path, plant time [ns], value, status; on the lane *estimated*."""
        refused = msgspec.json.decode(await self.bus.ask("ingest.rows", {"rows": list(rows), "lane": "estimated"}, timeout_s=30))
        if refused:
            raise StorageError(f"{len(refused)} rows of a prognosis were refused: {refused[0]['message']}", remedy="see serve.log")

    async def maintained(self: _Asks, asset: str, of: str, body: Mapping[str, Any], user: str) -> None:
        """Have maintenance recorded: ``action``, ``reason``, perhaps ``at`` [ns]; raises NotFoundError."""
        one = life_law.wearing(self.plant, asset, of)[0]
        told = {"of": one.spec.name, "action": body["action"], "keep": life_law.left(one, body["action"]), "at": body.get("at")}
        await self._ask("note", kind=life_record.DONE, actor=user, subject=asset, body=told | {"reason": body.get("reason", "")})
