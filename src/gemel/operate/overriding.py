"""The shell around overrides: requests are decided as the record stands, recorded, and take effect at the next tick."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import msgspec

from gemel.errors import NotFoundError
from gemel.operate.ask_state import current
from gemel.operate.partition import Partition
from gemel.samples import Clock, Draft, Fact
from gemel.samples.clock import SECOND
from gemel.twin import override_requests as requests
from gemel.twin.override_requests import Wish
from gemel.twin.overrides import Override, Overrides
from gemel.twin.record import Record
from gemel.twin.versions import Versions

json = msgspec.json.encode


class Overriding:
    """Answers what people ask about overrides."""

    def __init__(
        self, partition: Partition, record: Record, clock: Clock, versions: Versions | None = None
    ) -> None:
        self._partition = partition
        self._record = record
        self._clock = clock
        self._versions = versions or Versions()
        self._turn = asyncio.Lock()  # a decision is recorded before the next is asked

    @property
    def verbs(self) -> dict[str, Callable[[dict[str, Any]], Awaitable[bytes]]]:
        """The words by which they are asked."""
        return {"override": self.set, "override_clear": self.clear, "overrides": self.list}

    async def set(self, body: dict[str, Any]) -> bytes:
        """Put a value in the place of a property's lanes."""
        registry = self._partition.registry
        signal = registry.index(body["path"])
        async with self._turn:
            asset = body["path"].rpartition("/")[0]
            (await current(self._versions, self._record)).check(asset, body.get("expected"))
            now = self._now()
            until = body["until"] or now + int(float(body["seconds"]) * SECOND)
            wish = Wish(body["path"], float(body["value"]), until, body["reason"], body.get("replaces", ""))
            name = uuid.uuid4().hex[:16]
            states = len(registry.row(signal)["states"] or ())
            draft = requests.set_(wish, name, body["user"], now, stands=self._stands(), states=states)
            await self._record.append(draft)
            return json(self._view(name))

    async def clear(self, body: dict[str, Any]) -> bytes:
        """End an override; give it as it was."""
        async with self._turn:
            draft = requests.clear(
                body["id"], body["user"], body["reason"], self._now(), stands=self._stands()
            )
            before = self._view(body["id"])
            await self._record.append(draft)
            return json(before)

    async def list(self, body: dict[str, Any]) -> bytes:
        """Give the overrides that are recorded and not over, the newest first; or one, by its id."""
        if "id" in body:
            return json(self._view(body["id"]))
        return json([self._shape(o) for o in self._stands().all()])

    def taken_back(self, fact: Fact, user: str, reason: str, at: int) -> Draft:
        """Give the fact that takes an override back."""
        return requests.taken_back(fact, user, reason, at, stands=self._stands())

    def _now(self) -> int:
        return max(self._clock.now(), self._partition.time)

    def _stands(self) -> Overrides:
        """Give the overrides as the record has them: facts that wait for their tick are counted."""
        p = self._partition
        return p.overrides.after(self._record.between(p.facts, self._record.position), p.time)

    def _view(self, name: str) -> dict[str, Any]:
        found = next((o for o in self._stands().all() if o.id == name), None)
        if found is None:
            raise NotFoundError(
                f"no override {name!r} is in force",
                code="override-unknown",
                remedy="see GET /api/v1/overrides",
            )
        return self._shape(found)

    def _shape(self, override: Override) -> dict[str, Any]:
        registry = self._partition.registry
        row = registry.row(registry.index(override.path))
        in_force = self._partition.overrides.of(override.path)
        return {**asdict(override), "unit": row["unit"], "states": row["states"] or [],
                "in_force": in_force is not None and in_force.id == override.id}  # fmt: skip
