"""The station's line to its broker: readings out, orders and faults in. MQTT 3.1.1, as simple devices speak it."""

import asyncio
from collections.abc import Callable
from typing import Final

from paho.mqtt.client import MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gemel.connect.mqtt.session import MqttSession
from gemel.connect.mqtt.settings import MqttSettings

WINDOW: Final = 2_000  # readings under way; the devices hold no more
Taker = Callable[[str, bytes], None]


class StationLink:
    """Publishes readings and hands over what comes on the topics it subscribed to.

    Args:
        settings: of the broker.
        topics: to subscribe to.
        take: is given topic and payload of each message.
    """

    def __init__(self, settings: MqttSettings, topics: tuple[str, ...], take: Taker) -> None:
        self._session = MqttSession(settings, self, clean=True)
        self._topics = topics
        self._take = take
        self._under_way = 0
        self.lost_readings = 0
        self.connected = asyncio.Event()

    async def open(self) -> None:
        """Start connecting."""
        await self._session.open()

    async def close(self) -> None:
        """Leave."""
        await self._session.close()

    @property
    def full(self) -> bool:
        """Whether the broker is slower than the station: time to wait."""
        return self._session.connected and self._under_way >= WINDOW

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish one reading; without a line it is lost, as with a device that has no buffer."""
        if not self._session.connected:
            self.lost_readings += 1
            return
        self._session.client.publish(topic, payload, qos=1, retain=retain)
        self._under_way += 1

    def flush(self) -> None:
        """Put on the wire what was published."""
        self._session.send()

    def on_connected(self, *, session_present: bool, properties: Properties | None) -> None:
        """Subscribe."""
        self._session.client.subscribe([(topic, 1) for topic in self._topics])
        self.connected.set()

    def on_lost(self) -> None:
        """Forget what was under way: a reading sent late is sent wrongly."""
        self._session.client.drop_out_messages()
        self.lost_readings += self._under_way
        self._under_way = 0

    def on_message(self, message: MQTTMessage) -> None:
        """Hand a message over and acknowledge it."""
        self._take(message.topic, bytes(message.payload))
        if message.qos:
            self._session.client.ack(message.mid, message.qos)

    def on_published(self, mid: int, reason: ReasonCode) -> None:
        """Count the broker's word."""
        self._under_way = max(0, self._under_way - 1)
