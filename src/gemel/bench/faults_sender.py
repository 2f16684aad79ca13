"""A device that counts: numbered readings over MQTT with QoS 1, and which of them the broker acknowledged.

The value of a reading is its number, so that whatever comes back says which reading it was. Now and then one is sent
twice, and some are sent out of their order: neither may change what is stored.
"""

import json
import random
import threading
import time
from typing import Any, Final

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from gemel.samples.batch import I64

SIGNALS: Final = 20
TWICE: Final = 0.02  # share of the readings that are sent twice
HELD_BACK: Final = 0.02  # share that is sent some readings later
HELD_FOR: Final = 7


class Sender:
    """Publishes until it is stopped; a thread of its own.

    Args:
        port: of the broker, on loopback.
        rate: readings/s.
        seed: of what is sent twice and late.
    """

    def __init__(self, port: int, rate: float, seed: int) -> None:
        self.rate = rate
        self.times: list[int] = []  # source time of each reading [ns], by number
        self._chance = random.Random(seed)  # noqa: S311 - chance, not a secret
        self._numbers: list[tuple[Any, int]] = []
        self._held: list[tuple[int, int]] = []  # number after which it goes, and its own
        self.published = 0
        self._ending = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"device-{port}-{seed}", protocol=mqtt.MQTTv5
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def sent(self) -> int:
        """How many readings were made: their numbers are below it."""
        return len(self.times)

    def start(self) -> "Sender":
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> I64:
        """End; give the numbers of the readings that the broker acknowledged."""
        self._ending.set()
        self._thread.join()
        for _, number in self._held:
            self._publish(number)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not all(info.is_published() for info, _ in self._numbers):
            time.sleep(0.05)
        taken = sorted({number for info, number in self._numbers if info.is_published()})
        self._client.disconnect()
        self._client.loop_stop()
        return np.array(taken, np.int64)

    def _run(self) -> None:
        start, begun = time.time_ns(), time.monotonic()
        while not self._ending.is_set():
            number = len(self.times)
            wait_s = begun + number / self.rate - time.monotonic()
            if wait_s > 0:
                self._ending.wait(wait_s)
            self.times.append(start + int(number * 1e9 / self.rate))
            if self._chance.random() < HELD_BACK:
                self._held.append((number + HELD_FOR, number))
                continue
            self._publish(number)
            if self._chance.random() < TWICE:
                self._publish(number)
            while self._held and self._held[0][0] <= number:
                self._publish(self._held.pop(0)[1])

    def _publish(self, number: int) -> None:
        body = json.dumps({"v": number, "t": self.times[number]})
        topic = f"bench/rig-{number % SIGNALS // 10:06}/s{number % 10}"
        self._numbers.append((self._client.publish(topic, body, qos=1), number))
        self.published += 1
