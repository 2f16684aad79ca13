"""Publishing in numbers: QoS 1, many under way, every acknowledgement counted. For the namespace and for replay.

publish -> (room in the window?) -> paho -> PUBACK -> counted -> settle
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from paho.mqtt.client import MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gemel.connect.mqtt.session import MqttSession
from gemel.connect.mqtt.settings import MqttSettings
from gemel.errors import ConnectError

WINDOW: Final = 1_000  # messages under way, where the broker allows as many


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of what was published: `sent` = `acknowledged` + `refused` + `under_way`."""

    sent: int
    acknowledged: int
    refused: int

    @property
    def under_way(self) -> int:
        """Messages whose fate is not known yet; sent again after a reconnect."""
        return self.sent - self.acknowledged - self.refused


class Publisher:
    """Publishes with QoS 1 and says what the broker acknowledged.

    What was under way when the line broke is sent again after the reconnect (at-least-once).
    """

    def __init__(self, settings: MqttSettings, *, window: int = WINDOW, random: Random | None = None) -> None:
        self._session = MqttSession(settings, self, clean=True, random=random)
        self._wanted = window
        self._window = window
        self._sent = self._acknowledged = self._refused = 0
        self._changed = asyncio.Event()
        self._flush_due = False

    async def open(self, timeout_s: float | None = None) -> None:
        """Start connecting; with a time limit, wait for the broker and raise ConnectError if it does not come."""
        await self._session.open()
        if timeout_s is None:
            return
        try:
            await asyncio.wait_for(self._until(lambda: self.connected), timeout_s)
        except TimeoutError:
            why = self._session.error or "no answer"
            await self.close()
            raise ConnectError(
                f"the broker does not take us: {why}", remedy="is it running, and the address right?"
            ) from None

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish one message; waits while too many are under way or the broker is away.

        Raises ConnectError for a topic that cannot be published to (wildcards, longer than 65535 bytes).
        """
        while not self.connected or self.delivery.under_way >= self._window:
            self._changed.clear()
            self._flush()
            await self._changed.wait()
        try:
            self._session.client.publish(topic, payload, qos=1, retain=retain)
        except ValueError as why:
            raise ConnectError(
                f"{topic[:80]!r} cannot be published to: {why}", remedy="no + or # in it"
            ) from None
        self._sent += 1
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    async def settle(self, timeout_s: float = 30.0) -> Delivery:
        """Wait until nothing is under way, or the time is over; give what became of all."""
        self._flush()
        with contextlib.suppress(TimeoutError):  # the delivery says what is still under way
            await asyncio.wait_for(self._until(lambda: not self.delivery.under_way), timeout_s)
        return self.delivery

    async def close(self) -> None:
        """Leave; what is still under way is given up."""
        await self._session.close()

    @property
    def delivery(self) -> Delivery:
        """What became of all that was published so far."""
        return Delivery(self._sent, self._acknowledged, self._refused)

    @property
    def connected(self) -> bool:
        """Whether the line stands."""
        return self._session.connected

    @property
    def connections(self) -> int:
        """How often the line was made: a projection sends everything anew when it rises."""
        return self._session.line.connections

    @property
    def error(self) -> str | None:
        """The last trouble in words, or none."""
        return self._session.error

    # What the session tells

    def on_connected(self, *, session_present: bool, properties: Properties | None) -> None:
        """Hold to the window that the broker asks for (MQTT 5, 3.2.2.3.3)."""
        self._window = min(self._wanted, getattr(properties, "ReceiveMaximum", self._wanted))
        self._changed.set()

    def on_lost(self) -> None:
        """Wait for the next line: paho sends again what was under way."""

    def on_message(self, message: MQTTMessage) -> None:
        """Nothing is subscribed to."""

    def on_published(self, mid: int, reason: ReasonCode) -> None:
        """Count the broker's word."""
        if reason.is_failure:
            self._refused += 1
        else:
            self._acknowledged += 1
        self._changed.set()

    # Parts

    def _flush(self) -> None:
        self._flush_due = False
        self._session.send()

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._changed.clear()
            await self._changed.wait()
