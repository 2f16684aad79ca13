"""What the twin process answers: state, tail, facts, alarms, quality, and the requests that become facts.

Every request is one message on ``twin.ask`` with the word under ``do``; an unknown word is refused.
"""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import numpy as np

from gemel.errors import NotFoundError, StorageError
from gemel.operate import ask_backup, ask_fold, delta, revert
from gemel.operate.ask_state import AskState
from gemel.operate.commanding import Commanding
from gemel.operate.fold import Owner
from gemel.operate.overriding import Overriding
from gemel.operate.release import Releasing
from gemel.operate.tidy import IDLE_S
from gemel.operate.watchdog import Watchdog
from gemel.samples import Clock, Draft, Fact
from gemel.samples.batch import Batch
from gemel.samples.clock import SECOND
from gemel.twin.alarm_requests import Requests
from gemel.twin.alarm_revert import compensation
from gemel.twin.record import Record, chronicle

MOST_TAIL_ROWS: Final = 200_000  # in one answer: 7 MB
json = msgspec.json.encode


class Answers:
    """Answers requests from the rest of the family."""

    def __init__(
        self,
        owner: Owner,
        record: Record,
        commanding: Commanding,
        clock: Clock,
        watchdog: Watchdog | None = None,
    ) -> None:
        self._owner = owner
        self._record = record
        self._commanding = commanding
        self._clock = clock
        self._watchdog = watchdog
        c = commanding
        overriding = Overriding(owner.partition, record, clock, c.versions)
        releasing = Releasing(record, clock)
        taken_back: dict[str, revert.Compensate] = {
            "Alarm": self._alarm_taken_back, "Override": overriding.taken_back, "ParametersReleased": releasing.taken_back,
            "LearnerReleased": releasing.taken_back,
        }  # fmt: skip
        self._reverts = revert.Reverts(record, taken_back)
        self._verbs: dict[str, Callable[[dict[str, Any]], Awaitable[bytes]]] = {
            "state": self._state, "tail": self._tail, "facts": self._facts, "verify": self._verify,
            "alarms": self._alarms, "acknowledge": self._acknowledge, "shelve": self._shelve, "note": self._note,
            "quality": self._quality, "flush": self._flush,
            "caught_up": self._caught_up, "reached": self._reached, "tend": self._tend, "counts": self._counts,
            "command": c.request, "command_get": c.get, "command_list": c.list,
            "approve": c.approve, "reject": c.reject, "cancel": c.cancel, "revert": self._revert,
            **overriding.verbs,
            **releasing.verbs,
            **AskState(owner.partition, record, c.versions).verbs,
            **ask_backup.verbs(owner, record),
            **ask_fold.verbs(owner),
        }  # fmt: skip

    async def answer(self, body: dict[str, Any]) -> bytes:
        """Answer one request."""
        do = body.pop("do")
        if do not in self._verbs:
            raise NotFoundError(f"the twin does not know how to {do!r}")
        return await self._verbs[do](body)

    async def _state(self, body: dict[str, Any]) -> bytes:
        n = len(self._owner.partition.registry)
        start = int(body["start"])
        return delta.encode(self._owner.delta(np.arange(start, min(start + delta.CHUNK, n), dtype=np.int32)))

    async def _tail(self, body: dict[str, Any]) -> bytes:
        rows = self._owner.tail.find(np.array(body["signals"], np.int32), body["start"], body["end"])
        if len(rows) > MOST_TAIL_ROWS:
            await self._owner.commit()  # then the lake has them
            rows = self._owner.tail.find(np.array(body["signals"], np.int32), body["start"], body["end"])
            if len(rows) > MOST_TAIL_ROWS:
                raise StorageError(
                    "more is arriving than one answer can hold", remedy="ask for a shorter time"
                )
        return _packed(rows)

    async def _flush(self, body: dict[str, Any]) -> bytes:
        return json({"position": await self._owner.commit()})

    async def _caught_up(self, body: dict[str, Any]) -> bytes:
        """Give the newest source time [ns], once all that was in the log when it was asked for is folded."""
        return json(await self._owner.caught_up())

    async def _reached(self, body: dict[str, Any]) -> bytes:
        """Give the plant time [ns] that was reached, once all that was in the log when it was asked for is folded."""
        return json(await self._owner.reached())

    async def _tend(self, body: dict[str, Any]) -> bytes:
        return json({"behind": await self._owner.tend() < IDLE_S})

    async def _counts(self, body: dict[str, Any]) -> bytes:
        return json(self._owner.partition.conditioner.totals())

    async def _facts(self, body: dict[str, Any]) -> bytes:
        after, limit = int(body["after"]), int(body["limit"])
        kind, subject = body.get("kind"), body.get("subject")
        found: list[Fact] = []
        while len(found) < limit and (read := await self._record.read(after, 1000)):
            found += chronicle(read, kind, subject)
            after = read[-1].seq
        return json(found[:limit])

    async def _verify(self, body: dict[str, Any]) -> bytes:
        verdict = await self._record.verify()
        return json({"ok": verdict.ok, "checked": verdict.checked, "broken_at": verdict.broken_at, "reason": verdict.reason,
                     "head": self._record.head_hash})  # fmt: skip

    async def _alarms(self, body: dict[str, Any]) -> bytes:
        p, own = self._owner.partition, self._watchdog
        usable = p.lanes.usable(np.array(p.alarms.concerned(), np.int32))
        values = dict(zip(usable.signal.tolist(), usable.value.tolist(), strict=True))
        listed = p.alarms.view(values, p.time)
        return json(own.alarms.view(own.values) + listed if own else listed)

    async def _acknowledge(self, body: dict[str, Any]) -> bytes:
        requests = self._requests(body["alarm"])
        return json(
            await self._record.append(
                requests.acknowledge(body["alarm"], body["user"], body["comment"], self._clock.now())
            )
        )

    async def _shelve(self, body: dict[str, Any]) -> bytes:
        requests, now = self._requests(body["alarm"]), self._clock.now()
        until = now + int(float(body["seconds"]) * SECOND)
        return json(
            await self._record.append(
                requests.shelve(body["alarm"], body["user"], body["reason"], until, now)
            )
        )

    def _requests(self, alarm: str) -> Requests:
        own = self._watchdog
        alarms = own.alarms if own and own.alarms.knows(alarm) else self._owner.partition.alarms
        return alarms.requests

    def _alarm_taken_back(self, fact: Fact, user: str, reason: str, at: int) -> Draft:
        return compensation(self._owner.partition.alarms, fact, user, reason, at)

    async def _revert(self, body: dict[str, Any]) -> bytes:
        seq, user, reason = revert.asked(body)
        return json(await self._reverts.revert(seq, user, reason, self._clock.now()))

    async def _note(self, body: dict[str, Any]) -> bytes:
        draft = Draft(
            id=body.get("id") or uuid.uuid4().hex, kind=body["kind"], at=self._clock.now(), actor=body["actor"], body=body["body"],
            subject=body.get("subject", ""), reason=body.get("reason", ""),
        )  # fmt: skip
        return json(await self._record.append(draft))

    async def _quality(self, body: dict[str, Any]) -> bytes:
        columns = self._owner.partition.conditioner.report(np.array(body["signals"], np.intp))
        return msgspec.msgpack.encode({k: np.asarray(v, np.float64).tobytes() for k, v in columns.items()})


def _packed(rows: Batch) -> bytes:
    return delta.encode(delta.Delta(0, 0, 0, 0.0, 0, rows, np.zeros(len(rows), np.bool_)))
