"""The MQTT connector: many small messages in, columns out, acknowledged when they are durable.

    session -> message -> waiting -> read: linger, Decoder -> Reading(receipt) -> acknowledge: PUBACK in bulk

What bounds it: the broker's in-flight window (receive maximum under MQTT 5, the broker's own setting under
3.1.1), and behind that our own bound on unread messages and bytes, above which the socket is left alone.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gemel.connect.contract import ConnectionStatus, Reading, Receipt, WriteOrder, WriteOutcome
from gemel.connect.mqtt.session import MqttSession
from gemel.connect.mqtt.settings import MqttSettings
from gemel.connect.payload import Decoder, Message
from gemel.connect.plan import Sources, compile_plan
from gemel.connect.refusals import Refusals
from gemel.errors import ConnectError, DefectError
from gemel.samples import Clock, Registry, WallClock

BATCH: Final = 4_096  # messages of one reading: about 10 ms of decoding
BATCH_BYTES: Final = 8 << 20
TOPICS_A_PACKET: Final = 200  # of one SUBSCRIBE; some brokers refuse long ones
NO_LISTENER: Final = 0x10  # "no matching subscribers" (MQTT 5, 3.4.2.1): taken, but nobody is there


@dataclass(frozen=True, slots=True)
class MqttReceipt:
    """Packet ids of one line; void once that line is gone, for the broker gives the ids anew."""

    line: int
    ids: tuple[int, ...]


class MqttConnector:
    """Reads a broker (see `Connector`).

    Args:
        name: as in the plant file.
        settings: where and how.
        sources: which topic feeds which signal.
        registry: numbers the signals and knows the words of states.
        clock: dates what is received (a machine's wall clock; plant time is the reader's business).
        random: spreads the waits between tries.

    """

    protocol: Final = "mqtt"

    def __init__(
        self, name: str, settings: MqttSettings, sources: Sources, registry: Registry, *,
        clock: Clock | None = None, random: Random | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._settings = settings
        self._decoder = Decoder(compile_plan(sources, registry), settings.largest)
        self._registry = registry.digest
        self._clock = clock or WallClock()
        self._random = random
        self._session = self._new_session()
        self._waiting: list[Message] = []
        self._ids: list[int] = []  # of the waiting messages; 0 where none is to be acknowledged
        self._bytes = 0
        self._some = asyncio.Event()
        self._closed = False
        self._line = 0
        self._unacknowledged = 0
        self._messages = 0
        self._values = 0
        self._refused = Refusals()
        self._left: list[str] = []  # topics that are no longer wanted, and not yet unsubscribed from
        self._orders: dict[int, asyncio.Future[ReasonCode]] = {}

    @property
    def delivery(self) -> str:
        """The stated guarantee: without a time of its own a message sent again looks like another reading."""
        if not self._settings.qos:
            return "at-most-once"
        return "at-least-once" if self._decoder.plan.without_time else "exactly-once by key"

    async def open(self) -> None:
        """Start connecting; the broker may come later. May be opened again after `close`."""
        if self._closed:
            self._closed, self._session = False, self._new_session()
        await self._session.open()

    async def read(self) -> Reading:
        """Wait for messages, linger for more, decode them."""
        while True:
            if self._closed:
                raise ConnectError(f"the connection {self.name} is closed", code="closed")
            if not self._waiting:
                self._some.clear()
                await self._some.wait()
            if (
                len(self._waiting) < BATCH and not self._closed
            ):  # few large readings cost less than many small ones
                await asyncio.sleep(self._settings.linger_s)
            if self._waiting:  # a line that came again may have taken them back
                break
        messages, ids = self._take()
        rows, refused = self._decoder.decode(messages)
        self._messages += len(messages)
        self._values += len(rows)
        self._refused.merge(refused)
        self._unacknowledged += len(ids)
        return Reading(rows, refused, MqttReceipt(self._line, ids), len(messages), registry=self._registry)

    async def acknowledge(self, receipt: Receipt) -> None:
        """Send the PUBACKs; those of a line that is gone would name other messages, and are not sent."""
        if not isinstance(receipt, MqttReceipt):
            raise DefectError("a receipt of another connector")
        if receipt.line != self._line or not self._session.connected:
            return
        for packet in receipt.ids:
            self._session.client.ack(packet, 1)
        self._unacknowledged -= len(receipt.ids)
        self._session.send()

    async def write(self, order: WriteOrder) -> WriteOutcome:
        """Publish a command once, QoS 1; it is dropped, never sent again, when the line breaks."""
        if not self._session.connected:
            return WriteOutcome(acknowledged=False, note="not connected")
        answer: asyncio.Future[ReasonCode] = asyncio.get_running_loop().create_future()
        try:
            sent = self._session.client.publish(
                order.topic, order.payload, qos=1, properties=self._expiry(order.timeout_s)
            )
        except ValueError as why:
            return WriteOutcome(acknowledged=False, note=f"{order.topic!r} cannot be published to: {why}")
        self._orders[sent.mid] = answer
        self._session.send()
        try:
            return _outcome(await asyncio.wait_for(answer, order.timeout_s))
        except TimeoutError:
            return WriteOutcome(
                acknowledged=False, note=f"the broker did not answer within {order.timeout_s:g} s"
            )
        except ConnectionError as why:
            return WriteOutcome(acknowledged=False, note=str(why))
        finally:
            self._orders.pop(sent.mid, None)

    async def close(self) -> None:
        """Leave; the broker keeps the session and what was not acknowledged."""
        self._closed = True
        self._waiting.clear()
        self._ids.clear()
        self._bytes = 0
        self._line += 1
        self._unacknowledged = 0
        self._some.set()
        await self._session.close()

    def status(self) -> ConnectionStatus:
        """Say how the connection is doing."""
        session = self._session
        return ConnectionStatus(
            name=self.name,
            protocol=self.protocol,
            state=session.state,
            since=session.since,
            messages=self._messages,
            values=self._values,
            waiting=len(self._waiting),
            unacknowledged=self._unacknowledged,
            reconnects=max(0, session.line.connections - 1),
            refused=dict(self._refused.counts),
            examples=list(self._refused.examples),
            error=session.error,
        )

    def fits(self, settings: MqttSettings) -> bool:
        """Tell whether this is the connection that those settings would make."""
        return settings == self._settings

    def replan(self, sources: Sources, registry: Registry) -> None:
        """Take other signals from the same line: it stays up, and only what differs is subscribed to or left.

        What waits undecoded is decoded by the new plan.
        """
        former = self._decoder.plan.topics
        self._decoder = Decoder(compile_plan(sources, registry), self._settings.largest)
        self._registry = registry.digest
        topics = self._decoder.plan.topics
        fresh = tuple(t for t in topics if t not in set(former))
        self._left = [t for t in (*self._left, *former) if t not in set(topics)]
        if self._session.connected:
            self._subscribe(fresh)
            self._session.send()

    def _subscribe(self, topics: tuple[str, ...]) -> None:
        for packet in _packets(topics):
            self._session.subscribe(self._subscription(packet))
        for packet in _packets(tuple(self._left)):  # a session that persists would go on to bring them
            self._session.client.unsubscribe(list(packet))
        self._left = []

    # What the session tells

    def on_connected(self, *, session_present: bool, properties: Properties | None) -> None:
        """Subscribe; forget what the broker will send again."""
        if session_present:
            kept = [(m, 0) for m, packet in zip(self._waiting, self._ids, strict=True) if not packet]
            self._waiting, self._ids = [m for m, _ in kept], [packet for _, packet in kept]
        else:  # the broker forgot them: ours is the last copy
            self._ids = [0] * len(self._waiting)
        self._bytes = sum(len(topic) + len(payload or b"") for topic, payload, _ in self._waiting)
        self._subscribe(self._decoder.plan.topics)

    def on_lost(self) -> None:
        """Void the receipts of the line, and give up the commands that were under way on it."""
        self._line += 1
        self._unacknowledged = 0
        self._session.client.drop_out_messages()
        for answer in self._orders.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the line was cut before the broker answered"))

    def on_message(self, message: MQTTMessage) -> None:
        """Put a message among the waiting; leave the socket alone when too many wait."""
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "�"
        payload = message.payload
        kept = payload if len(payload) <= self._settings.largest else None
        self._waiting.append((topic, kept, self._clock.now()))
        self._ids.append(message.mid if message.qos else 0)
        self._bytes += len(topic) + len(kept or b"")
        if len(self._waiting) == 1:
            self._some.set()
        if self._too_much:
            self._session.pause()

    def on_published(self, mid: int, reason: ReasonCode) -> None:
        """Hand the broker's word to whoever waits for it."""
        answer = self._orders.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason)

    # Parts

    def _new_session(self) -> MqttSession:
        return MqttSession(self._settings, self, clean=False, random=self._random, clock=self._clock)

    @property
    def _too_much(self) -> bool:
        return (
            self._bytes > self._settings.waiting_bytes
            or len(self._waiting) > 2 * self._settings.receive_maximum
        )

    def _take(self) -> tuple[list[Message], tuple[int, ...]]:
        count = min(BATCH, len(self._waiting))
        size = taken = 0
        for topic, payload, _ in self._waiting[:count]:
            size += len(topic) + len(payload or b"")
            taken += 1
            if size > BATCH_BYTES:
                break
        messages, ids = self._waiting[:taken], tuple(packet for packet in self._ids[:taken] if packet)
        del self._waiting[:taken], self._ids[:taken]
        self._bytes -= size
        if not self._too_much:
            self._session.resume()
        return messages, ids

    def _subscription(self, topics: tuple[str, ...]) -> Any:
        if self._settings.level == 5:  # retained values once, not with every reconnect (MQTT 5, 3.8.3.1)
            option = SubscribeOptions(
                qos=self._settings.qos, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
            )
            return [(topic, option) for topic in topics]
        return [(topic, self._settings.qos) for topic in topics]

    def _expiry(self, seconds: float) -> Properties | None:
        """A command that a device fetches late is a danger: the broker throws it away (MQTT 5, 3.3.2.3.3)."""
        if self._settings.level != 5:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = max(1, round(seconds))
        return properties


def _packets(topics: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for at in range(0, len(topics), TOPICS_A_PACKET):
        yield topics[at : at + TOPICS_A_PACKET]


def _outcome(reason: ReasonCode) -> WriteOutcome:
    if reason.is_failure:
        return WriteOutcome(acknowledged=False, note=f"the broker refused: {reason}")
    return WriteOutcome(
        acknowledged=True, note="nobody listens to the topic" if reason.value == NO_LISTENER else ""
    )
