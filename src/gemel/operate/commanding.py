"""The shell around the gate: gathers how things stand, records what was decided, writes, and watches the read-back."""

import asyncio
import logging
import uuid
from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np

from gemel.assets import CommandSpec, Plant
from gemel.bus import Bus
from gemel.errors import GemelError, NotFoundError, StorageError
from gemel.operate.ask_state import current
from gemel.operate.partition import Partition
from gemel.samples import Clock, Draft
from gemel.samples.status import is_bad
from gemel.twin.command_decision import Decision, Reading, Situation
from gemel.twin.command_facts import RULE
from gemel.twin.commands import UNKNOWN_OUTCOME, Gate
from gemel.twin.lanes import NEVER
from gemel.twin.record import Record
from gemel.twin.versions import Versions

log = logging.getLogger(__name__)
LOOK_S: Final = 0.1
json = msgspec.json.encode


class Commanding:
    """Commands of the plant: decided by the gate, remembered by the record."""

    def __init__(self, bus: Bus, plant: Plant, partition: Partition, record: Record, clock: Clock) -> None:
        self._bus = bus
        self._plant = plant
        self._partition = partition
        self._record = record
        self._clock = clock
        self._gate = Gate()
        self.versions = Versions()
        self._turn = asyncio.Lock()  # a decision is recorded and applied before the next is asked

    async def start(self) -> None:
        """Fold the record's commands, and end what was cut off."""
        after = 0
        while facts := await self._record.read(after, 5000):
            for fact in facts:
                self._gate.apply(fact)
                self.versions.take(fact)
            after = facts[-1].seq
        await self._keep(self._gate.recover(self._now()))

    async def run(self) -> None:
        """Write what is ready, confirm what reads back, end what takes too long; until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except (StorageError, OSError) as e:
                log.warning("commands wait: %s", e)
                await asyncio.sleep(1)

    def follow(self, plant: Plant) -> None:
        """Command by another plant from now on; what it does not have any more is cancelled."""
        self._plant = plant

    async def _cancel_orphans(self) -> None:
        for command in self._gate.undecided():
            if self._plant.commands.get(command.asset, command.name) is None:
                words = "the plant file has no such command any more; ask again under its name of today"
                decision = self._gate.cancel(command.id, RULE, "engineer", at=self._now(), reason=words)
                await self._keep(decision.drafts)

    async def _look(self) -> None:
        async with self._turn:
            await self._cancel_orphans()
            seen: dict[str, float] = {}
            for path in self._gate.watched():
                value, time = self._usable(path)
                if value is not None:
                    seen[path] = value
                    await self._keep(self._gate.on_reading(path, value, time=time, at=self._now()))
            await self._keep(self._gate.on_tick(self._now(), seen))
            for command in self._gate.ready():
                await self._write(command.id, self._spec(command.asset, command.name), command.value)

    async def _write(self, command_id: str, spec: CommandSpec, value: float | None) -> None:
        going = self._gate.sending(command_id, at=self._now())
        await self._keep(going.drafts)
        if going.refusal is not None:
            return
        failure = None
        payload = (spec.payload or "{value}").replace("{value}", f"{value:.15g}")
        try:
            order = {"connection": spec.connection, "topic": spec.topic, "payload": payload}
            outcome = msgspec.json.decode(await self._bus.ask("ingest.write", order, timeout_s=10))
            if not outcome["acknowledged"]:
                failure = outcome["note"] or "not acknowledged"
        except GemelError as e:  # the answer is lost, and with it whether it was written
            failure = UNKNOWN_OUTCOME if e.code == "twin-away" else e.message
        await self._keep(self._gate.sent(command_id, at=self._now(), failure=failure).drafts)

    # ---- requests

    async def request(self, body: dict[str, Any]) -> bytes:
        """Ask for a command; a refused one is recorded and given, in the state ``refused``."""
        spec = self._spec(body["asset"], body["name"])
        async with self._turn:
            (await current(self.versions, self._record)).check(spec.asset, body.get("expected"))
            decision = self._gate.request(
                uuid.uuid4().hex[:16], spec, float(body["value"]), body["user"], body["role"], at=self._now(),
                situation=self._situation(spec), reason=body.get("reason", ""),
            )  # fmt: skip
            return await self._decided(decision)

    async def approve(self, body: dict[str, Any]) -> bytes:
        """Approve as the second person."""
        async with self._turn:
            command = self._gate.get(body["id"])
            if command is None:
                raise NotFoundError(f"no command {body['id']!r}", remedy="see GET /api/v1/commands")
            spec = self._spec(command.asset, command.name)
            return await self._decided(
                self._gate.approve(body["id"], body["user"], body["role"], at=self._now(), spec=spec,
                                   situation=self._situation(spec), reason=body.get("reason", ""))
            )  # fmt: skip

    async def reject(self, body: dict[str, Any]) -> bytes:
        """Turn a request down."""
        async with self._turn:
            return await self._decided(
                self._gate.reject(
                    body["id"], body["user"], body["role"], at=self._now(), reason=body.get("reason", "")
                )
            )

    async def cancel(self, body: dict[str, Any]) -> bytes:
        """Take a request back."""
        async with self._turn:
            return await self._decided(
                self._gate.cancel(
                    body["id"], body["user"], body["role"], at=self._now(), reason=body.get("reason", "")
                )
            )

    async def get(self, body: dict[str, Any]) -> bytes:
        """Give one command."""
        found = self._gate.view(body["id"])
        if found is None:
            raise NotFoundError(f"no command {body['id']!r}", remedy="see GET /api/v1/commands")
        return json(found)

    async def list(self, body: dict[str, Any]) -> bytes:
        """Give the commands, the newest first."""
        return json(self._gate.views(body.get("asset")))

    async def _decided(self, decision: Decision) -> bytes:
        await self._keep(decision.drafts)
        decision.check()
        return json(self._gate.view(decision.command))

    # ---- how things stand

    def _now(self) -> int:
        return max(self._clock.now(), self._partition.time)

    def _spec(self, asset: str, name: str) -> CommandSpec:
        spec = self._plant.commands.get(asset, name)
        if spec is None:
            raise NotFoundError(f"{asset} has no command {name!r}", remedy="see GET /api/v1/assets/{path}")
        return spec

    def _situation(self, spec: CommandSpec) -> Situation:
        current, _ = self._usable(f"{spec.asset}/{spec.sets}") if spec.sets else (None, 0)
        if current is None and spec.read_back:
            current, _ = self._usable(f"{spec.asset}/{spec.read_back}")
        return Situation(
            writes=self._plant.writes, wired=bool(spec.connection and spec.topic),
            rests_on={name: self._reading(f"{spec.asset}/{name}") for name in spec.rests_on}, current=current,
        )  # fmt: skip

    def _reading(self, path: str) -> Reading:
        signal = self._partition.registry.index(path)
        latest = self._partition.lanes.latest
        if latest.time[signal] == NEVER:
            return Reading(None, usable=False, stale=True)
        stale = self._now() - int(latest.time[signal]) > int(
            self._partition.checks.stale_after[self._partition.checks.at(np.array(signal))]
        )
        bad = bool(is_bad(latest.status[signal : signal + 1])[0])
        return Reading(float(latest.value[signal]), usable=not bad, stale=stale)

    def _usable(self, path: str) -> tuple[float | None, int]:
        signal = self._partition.registry.find(path, None)
        if signal is None:  # renamed since: what was asked under the former name reads nothing back
            return None, 0
        usable = self._partition.lanes.usable(np.array([signal]))
        value, time = float(usable.value[0]), int(usable.time[0])
        return (value, time) if time != NEVER and np.isfinite(value) else (None, 0)

    async def _keep(self, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            fact = await self._record.append(draft)
            self._gate.apply(fact or draft)
