"""Tells people and other systems what happened: facts, in order, to each target at least once.

    record ─► wanted by a target? ─► its queue ─► webhook, e-mail ─► position kept

Each target has a position of its own in the record, kept on disk: what a dead network, a refusing mail server or a
restart held up is sent later. A fact that became older than `TOO_OLD_S` is left out and counted: an alarm of
yesterday in the night of today helps nobody. A twin that is not heard is told too, for it cannot tell itself.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from gemel.assets import Notice
from gemel.durable import write_atomic
from gemel.errors import GemelError
from gemel.operate.deliver import Item, deliver
from gemel.operate.measures import Told
from gemel.samples import Fact
from gemel.samples.clock import SECOND, iso

log = logging.getLogger(__name__)
LOOK_S: Final = 0.5
AWAY_S: Final = 15.0
PAGE: Final = 500
MOST_AT_ONCE: Final = 50  # a flood is one message, not fifty
TOO_OLD_S: Final = 86_400.0
BACKOFF_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
Secret = Callable[[str], str]


class Source(Protocol):
    """What the notifier needs of a view of the twin."""

    @property
    def plant(self) -> Any:
        """The applied plant."""

    def link(self) -> dict[str, Any]:
        """Tell whether the twin is heard."""

    async def facts(self, after: int, limit: int, kind: str | None, subject: str | None) -> list[Fact]:
        """Give facts after a position."""


@dataclass
class _Target:
    position: int
    failures: int = 0
    next_try: float = 0.0
    delivered: int = 0
    failed: int = 0
    left_out: int = 0
    problem: str = ""
    told_away: bool = False
    queue: list[tuple[int, Item]] = field(default_factory=list)
    read: int = 0  # position up to which the queue holds what is wanted


class Notifier:
    """Sends notices until cancelled; one file a target keeps how far it got."""

    def __init__(
        self, source: Source, folder: Path, secret: Secret, send: Callable[..., None] = deliver
    ) -> None:
        self._source = source
        self._folder = folder
        self._secret = secret
        self._send = send
        self._targets: dict[str, _Target] = {}
        self._newest = 0
        self._began = time.monotonic()

    async def run(self) -> None:
        """Look for news twice a second until cancelled."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Read what is new, and send what is due."""
        notices: Mapping[str, Notice] = self._source.plant.notices
        if not notices:
            return
        age_s = self._source.link()["age_s"]
        away = min(age_s, time.monotonic() - self._began) > AWAY_S  # a twin that only starts is not away
        await asyncio.gather(*(self._serve(n, away) for n in notices.values()))

    async def _serve(self, notice: Notice, away: bool) -> None:
        target = self._targets.get(notice.name)
        try:
            if target is None:
                target = self._targets[notice.name] = await self._begin(notice)
            if away != target.told_away:
                target.queue.append((target.read, self._link_item(away)))
                target.told_away = away
            if not away:
                await self._read(notice, target)
        except GemelError as e:
            log.info("notices wait: %s", e)
        if target is not None and target.queue and time.monotonic() >= target.next_try:
            await self._deliver(notice, target)

    async def _begin(self, notice: Notice) -> _Target:
        """Go on where this target stood; a new one begins now, not with the plant's whole past."""
        file = self._file(notice)
        if file.exists():
            position = int(msgspec.json.decode(file.read_bytes())["position"])
        else:
            position = await self._end()
            self._keep(notice, position)
        return _Target(position, read=position)

    async def _end(self) -> int:
        while facts := await self._source.facts(self._newest, 1000, None, None):
            self._newest = facts[-1].seq
        return self._newest

    async def _read(self, notice: Notice, target: _Target) -> None:
        if len(target.queue) >= PAGE:
            return
        facts = await self._source.facts(target.read, PAGE, None, None)
        root = self._source.plant.root + "/"
        for fact in facts:
            if not notice.wants(fact.kind, fact.subject.removeprefix(root), fact.body):
                continue
            if time.time_ns() - fact.recorded > TOO_OLD_S * SECOND:
                target.left_out += 1
            else:
                target.queue.append((fact.seq, _item(fact)))
        if facts:
            target.read = facts[-1].seq
            if not target.queue and facts[-1].seq - target.position >= PAGE:
                self._keep(notice, target.read)
                target.position = target.read

    async def _deliver(self, notice: Notice, target: _Target) -> None:
        batch = target.queue[:MOST_AT_ONCE]
        try:
            await asyncio.to_thread(
                self._send, notice, self._source.plant.root, [item for _, item in batch], self._secret
            )
        except GemelError as e:
            target.failed += 1
            target.problem = e.message
            target.next_try = time.monotonic() + BACKOFF_S[min(target.failures, len(BACKOFF_S) - 1)]
            target.failures += 1
            log.warning("%s", e)
            return
        target.delivered += len(batch)
        target.failures, target.problem = 0, ""
        del target.queue[: len(batch)]
        target.position = max(batch[-1][0], target.position)
        self._keep(notice, target.position)

    def _link_item(self, away: bool) -> Item:
        now = time.time_ns()
        kind, words = ("TwinAway", "the twin is not heard") if away else ("TwinBack", "the twin is heard again")
        root = self._source.plant.root
        return {"id": f"{kind}-{now}", "seq": 0, "kind": kind, "at": iso(now), "subject": root, "actor": "gemel", "words": words, "body": {}}

    def _file(self, notice: Notice) -> Path:
        return self._folder / f"{notice.name}.json"

    def _keep(self, notice: Notice, position: int) -> None:
        try:
            write_atomic(self._file(notice), msgspec.json.encode({"position": position}))
        except OSError as e:  # then some are sent again after a restart
            log.error("how far the notices for %s got cannot be kept: %s", notice.name, e)

    def measures(self) -> Told:
        """Give what was delivered, what failed and what waits, by target."""
        return {
            "notices_total": {name: float(t.delivered) for name, t in self._targets.items()},
            "notices_failed_total": {name: float(t.failed) for name, t in self._targets.items()},
            "notices_left_out_total": {name: float(t.left_out) for name, t in self._targets.items()},
            "notices_waiting": {name: float(len(t.queue)) for name, t in self._targets.items()},
        }

    def problems(self) -> list[dict[str, str]]:
        """Give the targets that do not take notices."""
        return [
            {"code": "notice-refused", "message": f"notices for {name}: {t.problem}", "remedy": "look at the address; it is tried again"}
            for name, t in self._targets.items()
            if t.problem
        ]


def _item(fact: Fact) -> Item:
    return {
        "id": fact.id, "seq": fact.seq, "kind": fact.kind, "at": iso(fact.at), "subject": fact.subject, "actor": fact.actor,
        "words": fact.reason, "body": dict(fact.body),
    }  # fmt: skip
