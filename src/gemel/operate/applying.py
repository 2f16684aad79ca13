"""Applying a changed plant file to a running twin: asked for, decided, recorded as a fact, in force at a tick.

    plan ─► applied.json (from here on it will be) ─► fact PlantApplied ─► tick ─► in-force.json ─► the family is told

Killed before `applied.json` is replaced, nothing has happened; killed after it, the twin that starts again says the
fact where it is missing, and the rest follows. No process is started again for it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from gemel.assets import Plant
from gemel.assets.changes import Plan
from gemel.assets.succession import succeed
from gemel.bus import Bus
from gemel.errors import ConflictError, RefusedError, StorageError
from gemel.operate.partition import PLANT_APPLIED, Version
from gemel.operate.site import Site
from gemel.samples import Clock, Draft, Registry
from gemel.twin.record import Record

log = logging.getLogger(__name__)
SUBJECT: Final = "plant.ask"
NEWS: Final = "plant.inforce"
EFFECT_S: Final = 10.0
AGAIN_S: Final = 1.0
json = msgspec.json.encode


class Pointer(Protocol):
    """Which version is applied, by whom, and what it changed."""

    @property
    def version(self) -> Version:
        """Its digests."""

    @property
    def actor(self) -> str:
        """Who applied it."""

    @property
    def steps(self) -> list[str]:
        """What it changed, in words."""

    @property
    def reason(self) -> str:
        """Why, in words."""


class Kept(Protocol):
    """The versions that are kept on disk."""

    def plant(self, digest: str) -> Plant:
        """Read a plant file; raises StorageError where it is not kept."""

    def stage_files(self, files: Mapping[str, str]) -> str:
        """Keep a plant file given as texts by name; give its digest. Raises AssetError where it is none."""

    def site(self, version: Version) -> Site:
        """Give a version."""

    def keep(self, registry: Registry) -> None:
        """Keep a registry."""

    def pointer(self) -> Pointer | None:
        """Give which version is applied."""

    def point(self, site: Site, actor: str, steps: Sequence[str] = (), reason: str = "") -> Pointer:
        """Apply a version."""

    def in_force(self) -> Version | None:
        """Give the one that was in force last."""

    def mark(self, version: Version) -> None:
        """Say which one is in force."""


class Applying:
    """Answers ``plan`` and ``apply``, and carries out what is applied.

    Args:
        kept: the versions.
        in_force: gives the version that the state is at.
        record, clock: where and when the fact is said.
        effects: called once a version is in force, in this process: whoever holds what was derived from the plant.
        project: called once the applied version is in force: copies it to where people look for it.
    """

    def __init__(
        self, kept: Kept, in_force: Callable[[], Version], record: Record, clock: Clock,
        effects: Sequence[Callable[[Site], None]] = (), project: Callable[[Site], None] = lambda site: None,
    ) -> None:  # fmt: skip
        self._kept = kept
        self._in_force = in_force
        self._record = record
        self._clock = clock
        self._effects = effects
        self._project = project
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._held: Version | None = None  # what this process works by
        self._told: Version | None = None  # what the family was told
        self.problem = ""

    # ---- asked

    async def answer(self, body: dict[str, Any]) -> bytes:
        """Answer one request: ``{"do": "plan" | "apply" | "version", "digest" or "files", "accept_loss", "user", "reason"}``."""
        if body["do"] == "version":
            return json(self._shown(self._in_force()))
        if "files" in body:
            body["digest"] = await asyncio.to_thread(self._kept.stage_files, body["files"])
        if body["do"] == "plan":
            found, _ = await asyncio.to_thread(self._planned, body["digest"])
            return json(told(found, body["digest"], applied=False))
        return json(await self._apply(body))

    def _shown(self, version: Version) -> dict[str, Any]:
        pointer = self._kept.pointer()
        return {"digest": version[0], "registry": version[1],
                "applied_by": pointer.actor if pointer is not None and pointer.version == version else ""}  # fmt: skip

    def _planned(self, digest: str) -> tuple[Plan, Site]:
        pointer = self._kept.pointer()
        former = self._kept.site(pointer.version if pointer is not None else self._in_force())
        plant = self._kept.plant(digest)
        found = plant.planned_from(former.plant)
        if found.impossible:
            return found, former
        return found, Site(plant, succeed(former.registry, plant).registry)

    async def _apply(self, body: dict[str, Any]) -> dict[str, Any]:
        async with self._turn:
            found, site = await asyncio.to_thread(self._planned, body["digest"])
            check(found, accept_loss=bool(body.get("accept_loss")))
            if found.steps:
                await asyncio.to_thread(self._kept.keep, site.registry)
                steps = [str(step) for step in found.steps]
                self._kept.point(site, body["user"], steps, str(body.get("reason", "")))
                self._changed.set()
                await self._until(site.version)
        return {**told(found, body["digest"], applied=True), "registry": site.registry.digest}

    async def _until(self, version: Version) -> None:
        """Wait until the change has taken effect and everybody was told."""
        try:
            async with asyncio.timeout(EFFECT_S):
                while self._told != version:  # noqa: ASYNC110 - the fold, the record and the disk move it
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise StorageError(
                "the change is applied and has not taken effect yet", code="plant-waits",
                remedy="it takes effect by itself once the log is back; see gemel doctor",
            ) from None  # fmt: skip

    # ---- carried out

    async def begin(self) -> None:
        """At a start: say what is applied, where the record does not say it."""
        pointer = self._kept.pointer()
        if pointer is not None:
            await self.say(pointer)

    async def run(self, bus: Bus) -> None:
        """Say what is applied, and tell the family when it is in force; until cancelled."""
        while True:
            try:
                await self.step(bus)
                self.problem = ""
            except (StorageError, ConflictError, OSError) as e:
                self.problem = f"the applied plant is not in force yet: {e}"
                log.warning("%s", self.problem)
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), AGAIN_S if self._waits() else None)
            except TimeoutError:
                continue

    def _waits(self) -> bool:
        pointer = self._kept.pointer()
        return bool(self.problem) or (pointer is not None and pointer.version != self._told)

    def took_effect(self) -> None:
        """Hear from the fold that another version is in force."""
        self._changed.set()

    async def step(self, bus: Bus) -> None:
        """Do what is to be done now: say the fact, or tell that it has taken effect."""
        version, pointer = self._in_force(), self._kept.pointer()
        if version != self._held:
            site = await asyncio.to_thread(self._kept.site, version)
            for effect in self._effects:
                effect(site)
            self._held = version
        if pointer is not None and pointer.version != version:
            await self.say(pointer)  # or, after a restart, the log has yet to lead there
        elif version != self._told:
            if self._kept.in_force() != version:
                site = await asyncio.to_thread(self._kept.site, version)
                await asyncio.to_thread(self._project, site)
                await asyncio.to_thread(self._kept.mark, version)
            await bus.tell(NEWS, json(version))
            self._told = version

    async def say(self, pointer: Pointer) -> None:
        """Record which version is applied, where that was not said last."""
        last = self._record.last(PLANT_APPLIED)
        if last is not None and (last.body.get("digest"), last.body.get("registry")) == pointer.version:
            return
        site = await asyncio.to_thread(self._kept.site, pointer.version)
        digest, registry = site.version
        after = last.seq if last is not None else 0
        body = {"digest": digest, "registry": registry, "signals": len(site.registry), "steps": pointer.steps}
        await self._record.append(
            Draft(
                id=f"plant-{digest[:20]}-{registry[:20]}-{after}", kind=PLANT_APPLIED, at=self._clock.now() or time.time_ns(), actor=pointer.actor,
                subject=site.plant.root, body=body, reason=pointer.reason,
            )
        )  # fmt: skip


def check(found: Plan, *, accept_loss: bool) -> None:
    """Raise where a plan cannot be applied, or loses what nobody said may be lost."""
    if found.impossible:
        raise ConflictError(
            "; ".join(map(str, found.impossible)), code="plant-changed", remedy="undo these changes, or start with another --data"
        )  # fmt: skip
    if found.losses and not accept_loss:
        raise RefusedError(
            "what these changes would lose must be asked for: " + "; ".join(map(str, found.losses)), code="plant-loses",
            remedy="undo them, or accept the loss",
        )  # fmt: skip


def told(found: Plan, digest: str, *, applied: bool) -> dict[str, Any]:
    """Give a plan as plain JSON values."""
    return {
        "digest": digest, "changes": bool(found.steps), "applied": applied and bool(found.steps),
        "steps": [step.as_dict() for step in found.steps],
        "losses": len(found.losses), "impossible": len(found.impossible),
    }  # fmt: skip
