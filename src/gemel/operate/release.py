"""The shell around releases: what is asked is decided as the record stands, and recorded as a fact.

Parameters in force are no part of the partition's state: they are read from the record by whoever computes with them, so a
replay that reads the same record has the same parameters.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from gemel.errors import RefusedError
from gemel.samples import Clock, Draft, Fact
from gemel.twin.judged import Judgements, judged
from gemel.twin.record import Record
from gemel.twin.releases import (
    LEARNED,
    PARAMETERS,
    Release,
    Releases,
    learner_released,
    released,
    rolled_back,
)

json = msgspec.json.encode
READ = 5000  # facts at once


class Releasing:
    """Answers what people ask about versions of parameters."""

    def __init__(self, record: Record, clock: Clock) -> None:
        self._record = record
        self._clock = clock
        self._stands = Releases()
        self._judgements = Judgements()
        self._turn = asyncio.Lock()  # a decision is recorded before the next is asked

    @property
    def verbs(self) -> dict[str, Callable[[dict[str, Any]], Awaitable[bytes]]]:
        """The words by which they are asked."""
        return {"release": self.release, "roll_back": self.roll_back, "releases": self.list, "judge": self.judge,
                "judgements": self.judgements, "judgement": self.judgement, "judged_until": self.judged_until}  # fmt: skip

    async def release(self, body: dict[str, Any]) -> bytes:
        """Put a version in force: ``asset``, ``user``, ``reason``, ``body`` with values (or the ``kind`` of what was learned) and what the gate said."""
        async with self._turn:
            gate = body["body"].get("gate", {})
            if not gate.get("passed") and not body.get("despite_gate"):
                against = "; ".join(gate.get("against", ["no gate was asked"]))
                raise RefusedError(
                    f"the gate refuses: {against}",
                    code="gate",
                    remedy="see the checks; give it more good data",
                )
            stands, now = await self._now()
            learned = body["body"].get("kind", PARAMETERS) != PARAMETERS
            put = learner_released if learned else released
            draft = put(body["asset"], body["body"], body["user"], now, stands=stands, reason=body.get("reason", ""))
            await self._record.append(draft)
            return json(await self._told(body["asset"]))

    async def roll_back(self, body: dict[str, Any]) -> bytes:
        """Take back what is in force: ``asset``, ``user``, ``reason``; of a ``kind``, or what the model got last."""
        async with self._turn:
            stands, now = await self._now()
            reason, kind = body.get("reason", ""), body.get("kind")
            await self._record.append(rolled_back(body["asset"], body["user"], now, stands=stands, reason=reason, kind=kind))
            return json(await self._told(body["asset"]))

    async def list(self, body: dict[str, Any]) -> bytes:
        """Give what is in force and all versions, of one ``asset`` or of all."""
        if "asset" in body:
            return json(await self._told(body["asset"]))
        stands, _ = await self._now()
        return json([told(r, stands) for r in stands.all()])

    async def judge(self, body: dict[str, Any]) -> bytes:
        """Record how a model proved: ``asset``, ``body``."""
        async with self._turn:
            _, now = await self._now()
            await self._record.append(judged(body["asset"], body["body"], now))
            return b"{}"

    async def judgements(self, body: dict[str, Any]) -> bytes:
        """Give the scores of one ``asset`` or of all."""
        await self._now()
        return json([s._asdict() for s in self._judgements.scores(body.get("asset"))])

    async def judgement(self, body: dict[str, Any]) -> bytes:
        """Give the last judgement of an ``asset``, whole."""
        await self._now()
        return json(self._judgements.last(body["asset"]))

    async def judged_until(self, body: dict[str, Any]) -> bytes:
        """Give up to when each asset was judged [ns]."""
        await self._now()
        return json(self._judgements.until())

    def taken_back(self, fact: Fact, user: str, reason: str, at: int) -> Draft:
        """Give the fact that takes a release back, where it is the one in force."""
        kind = str(fact.body["kind"]) if fact.kind == LEARNED else PARAMETERS
        last = self._stands.in_force(fact.subject, kind=kind)
        if last is None or last.fact != fact.seq:
            raise RefusedError(
                "another version is in force", code="revert-kind", remedy="take back that one first"
            )
        return rolled_back(fact.subject, user, at, stands=self._stands, reason=reason, kind=kind)

    async def _now(self) -> tuple[Releases, int]:
        stands = self._stands
        while stands.position < self._record.position and (
            facts := await self._record.read(stands.position, READ)
        ):
            stands.take_all(facts)
            for fact in facts:
                self._judgements.take(fact)
        return stands, self._clock.now()

    async def _told(self, asset: str) -> Mapping[str, Any]:
        stands, _ = await self._now()
        now = stands.in_force(asset)
        return {
            "asset": asset, "version": now.version if now else 0, "values": dict(now.values) if now else {},
            "items": [told(r, stands) for r in stands.of(asset)],
        }  # fmt: skip


def told(release: Release, stands: Releases) -> dict[str, Any]:
    """Give a version as plain JSON."""
    now = stands.in_force(release.asset, kind=release.kind)
    state = "in_force" if now is release else "rolled_back" if release.rolled_back else "superseded"
    back = stands.ended(release)
    return {
        "asset": release.asset, "kind": release.kind, "version": release.version, "state": state, "values": dict(release.values), "at": release.at,
        "by": release.by, "fact": release.fact, **{k: v for k, v in release.body.items() if k != "values"},
        **({"ended": _ended(release, back, stands)} if back else {}),
    }  # fmt: skip


def _ended(release: Release, back: Fact, stands: Releases) -> dict[str, Any]:
    since = stands.in_force(release.asset, back.at, release.kind)
    return {"at": back.at, "by": back.actor, "reason": back.reason, "fact": back.seq, "version": since.version if since else 0}
