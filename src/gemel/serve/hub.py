"""The live side: one task hears the twin, one encodes, and each frame is encoded once for all who see the same.

deltas -> changed[signal] -> (at most 10 times a second) one frame a distinct subscription -> queues of two
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from gemel import __version__
from gemel.errors import GemelError
from gemel.samples import Fact
from gemel.samples.batch import I32
from gemel.samples.clock import SECOND
from gemel.serve import frames, times
from gemel.serve.clients import Client
from gemel.serve.port import Delta, Twin
from gemel.serve.routes import alarms, facts
from gemel.serve.watch import Watch
from gemel.twin.properties import Properties, Shown

log = logging.getLogger(__name__)
PERIOD_S: Final = 0.1
CREDIT_S: Final = 0.05  # a delta a little early is sent at once; the mean stays at 10 Hz
WHOLE_S: Final = 0.75  # a frame with ages at least so often: the page counts on one a second
IDLE_S: Final = 0.25
ALARMS_S: Final = 0.5
ITEMS: Final = 500  # of a condition in one event
FACT_LATE_S: Final = 1.0  # a fact that the twin has and we have not heard: ask for it

Key = tuple[int, bytes]


@dataclass(eq=False)
class Group:
    """All clients that see the same properties in the same order under the same number."""

    number: int
    properties: I32
    wide: npt.NDArray[np.intp]
    clients: set[Client] = field(default_factory=set)
    sequence: int = 0
    whole_at: float = 0.0
    last: bytes = b""


class Hub:
    """Sends what changes to everybody who looks."""

    def __init__(self, twin: Twin, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._twin = twin
        self._now = monotonic
        self.on_plant: Callable[[], None] = _nothing
        self._number()
        self._news = asyncio.Event()
        self._alarmed = asyncio.Event()
        self._alarmed.set()
        self._groups: dict[Key, Group] = {}
        self._clients: dict[Client, dict[int, Key]] = {}
        self._watches: dict[tuple[Client, int], Watch] = {}
        self._link = twin.link()
        self._link_told = 0.0
        self._last_fact = 0
        self._behind_since: float | None = None
        self._alarm_event = ""
        self.frames_sent = 0

    def _number(self) -> None:
        self._registry = self._twin.registry
        self._properties = Properties.of_registry(self._registry)
        self._changed = np.zeros(len(self._registry), np.bool_)  # by property: it is called by a signal's number

    def _follow_plant(self) -> None:
        """Go on with a changed plant; whoever looks is told, for names may mean other signals now."""
        if self._twin.registry is not self._registry:
            self._number()
            self.on_plant()
            self.tell(_json(type="plant", digest=self._twin.plant.digest))

    def __len__(self) -> int:
        return len(self._clients)

    async def run(self) -> None:
        """Work until cancelled."""
        self._last_fact = self._twin.values.facts
        async with asyncio.TaskGroup() as group:
            for work in (self._hear, self._encode, self._watch_alarms):
                group.create_task(_kept_alive(work))

    # ---- clients come and go

    def join(self, client: Client) -> None:
        """Take a client in and greet it."""
        values = self._twin.values
        self._clients[client] = {}
        client.event(
            _json(
                type="hello",
                version=__version__,
                plant_time=times.text(values.plant_time),
                fact=values.facts,
                link=self._twin.link(),
            )
        )
        if self._alarm_event:
            client.event(self._alarm_event)

    def leave(self, client: Client) -> None:
        """Forget a client."""
        for number in list(self._clients.get(client, ())):
            self.unsubscribe(client, number)
        self._clients.pop(client, None)
        for key in [k for k in self._watches if k[0] is client]:
            del self._watches[key]

    def watch(self, client: Client, number: int, watch: Watch | None) -> None:
        """Begin to tell a client when a condition holds, in place of the former one of that number; none: end it."""
        self._watches.pop((client, number), None)
        if watch is not None:
            self._watches[client, number] = watch
            self._look(client, number, watch)

    def subscribe(self, client: Client, number: int, signals: I32) -> npt.NDArray[np.intp]:
        """Begin a subscription, or replace it; give the positions that travel as float64 too."""
        self.unsubscribe(client, number)
        key = (number, signals.tobytes())
        wide = frames.needs_float64(self._twin.registry, signals)
        group = self._groups.get(key) or Group(number, self._properties.of(signals), wide)
        self._groups[key] = group
        group.clients.add(client)
        self._clients[client][number] = key
        client.subscribed(number)
        return group.wide

    def show(self, client: Client, number: int) -> None:
        """Send a client everything of a subscription at once."""
        group = self._groups[self._clients[client][number]]
        client.frame(number, self._frame(group, frames.VALUES_AND_AGE))

    def unsubscribe(self, client: Client, number: int) -> None:
        """End a subscription; nothing happens where there is none."""
        key = self._clients[client].pop(number, None)
        client.unsubscribed(number)
        if key is None:
            return
        group = self._groups[key]
        group.clients.discard(client)
        if not group.clients:
            del self._groups[key]

    def tell(self, event: str) -> None:
        """Send an event to everybody."""
        for client in self._clients:
            client.event(event)

    # ---- what changes

    async def _hear(self) -> None:
        async with self._twin.listen() as deltas:
            async for delta in deltas:
                self._take(delta)

    def _take(self, delta: Delta) -> None:
        if delta.kind == "fact" and delta.fact is not None:
            self._fact(delta.fact)
        elif delta.kind == "values" and delta.signals is not None:
            self._changed[self._properties.of(delta.signals)] = True
            self._news.set()
        elif delta.kind == "gap":
            self._follow_plant()
            self._changed[:] = True
            self._alarmed.set()
            self._news.set()

    def _fact(self, fact: Fact) -> None:
        if fact.seq <= self._last_fact:
            return
        self._last_fact = fact.seq
        self.tell(_json(type="fact", seq=fact.seq, fact=facts.shape(fact)))
        if fact.kind.startswith("Alarm"):
            self._alarmed.set()

    # ---- what is sent

    async def _encode(self) -> None:
        due = 0.0
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            if (wait := due - self._now()) > 0:
                await asyncio.sleep(wait)
            now = self._now()
            due = max(due, now - CREDIT_S) + PERIOD_S
            self._tick(now)
            await self._catch_up(now)

    def _tick(self, now: float) -> None:
        self._watch_link(now)
        for group in self._groups.values():
            whole = now - group.whole_at >= WHOLE_S
            if not whole and not self._changed[group.properties].any():
                continue
            if whole:
                group.whole_at = now
            data = self._frame(group, frames.VALUES_AND_AGE if whole else frames.VALUES)
            for client in group.clients:
                client.frame(group.number, data)
            self.frames_sent += len(group.clients)
        for (client, number), watch in self._watches.items():
            if now - watch.looked_at >= WHOLE_S or self._changed[watch.properties].any():
                watch.looked_at = now
                self._look(client, number, watch)
        self._changed[:] = False

    def _look(self, client: Client, number: int, watch: Watch) -> None:
        """Tell a client where a condition holds now and did not, or the other way round."""
        news = watch.look(self._shown, self._plant_now(), heard=bool(self._link["up"]))
        for start in range(0, len(news), ITEMS):
            watch.sequence += 1
            part = news[start : start + ITEMS]
            client.event(
                _json(type="condition", id=number, seq=watch.sequence, time=times.text(self._plant_now()), items=part)
            )

    def _shown(self, properties: I32) -> Shown:
        return self._properties.resolve(self._twin.values, properties, self._twin.values.held)

    def _frame(self, group: Group, kind: int) -> bytes:
        shown = self._shown(group.properties)
        group.sequence += 1
        now = self._plant_now()
        return frames.encode(
            kind, group.number, group.sequence, now / SECOND,
            quality=frames.qualities(shown, heard=bool(self._link["up"])),
            age=frames.ages(shown, now) if kind == frames.VALUES_AND_AGE else None,
            value=shown.value, wide=group.wide,
        )  # fmt: skip

    def _plant_now(self) -> int:
        """Give the plant's time; while the twin is silent the wall's goes on, and what it last said grows old."""
        told = self._twin.values.plant_time
        if self._link["up"] or self._twin.plant.clock == "data" or not told:
            return told
        return told + int(float(self._link["age_s"]) * SECOND)

    def _watch_link(self, now: float) -> None:
        link = self._twin.link()
        turned = link["up"] != self._link["up"]
        self._link = link
        if turned:
            self._changed[:] = True
        if turned or (not link["up"] and now - self._link_told >= 1.0):
            self._link_told = now
            self.tell(_json(type="link", **link))

    async def _catch_up(self, now: float) -> None:
        """Ask for facts whose news was lost on the way."""
        if self._twin.values.facts <= self._last_fact:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
        elif now - self._behind_since > FACT_LATE_S:
            self._behind_since = None
            try:
                missed = await self._twin.facts(self._last_fact, 1000, None, None)
            except GemelError as e:
                log.info("facts after %s: %s", self._last_fact, e)
                return
            for fact in missed:
                self._fact(fact)

    async def _watch_alarms(self) -> None:
        while True:
            await self._alarmed.wait()
            self._alarmed.clear()
            try:
                event = _json(
                    type="alarms", **alarms.summary(await self._twin.alarms(), self._twin.values.plant_time)
                )
            except GemelError:
                self._alarmed.set()  # the twin is away: ask again
            else:
                if event != self._alarm_event:
                    self._alarm_event = event
                    self.tell(event)
            await asyncio.sleep(ALARMS_S)


def _nothing() -> None:
    """Nobody asked to hear of it."""


async def _kept_alive(work: Callable[[], Any]) -> None:
    while True:
        try:
            await work()
        except Exception:  # one bad delta must not end the live view for everybody
            log.exception("the live view stumbled; it goes on")
        await asyncio.sleep(1)


def _json(**event: Any) -> str:
    return orjson.dumps(event, default=str).decode()
