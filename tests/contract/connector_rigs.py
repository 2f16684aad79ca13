"""The source's side of each connector: what the conformance kit needs to try it."""

import asyncio
import subprocess
import types
from pathlib import Path

import numpy as np
import orjson
from mosquitto_kit import Mosquitto, program

from gemel.connect import WriteOrder
from gemel.connect.files import FilesConnector
from gemel.connect.mqtt import MqttConnector, MqttSettings, Publisher
from gemel.samples import Registry
from gemel.testing.broker import Broker
from gemel.testing.conformance import connected

REGISTRY = Registry.of([{"path": f"acme/site/rig/s{i}"} for i in range(3)])


def sources(topics, path="$.value", time="$.time", unit="ns"):
    n = len(topics)
    return types.SimpleNamespace(
        signal=np.arange(n, dtype=np.int32), topic=topics, path=[path] * n, time_path=[time] * n, time_unit=[unit] * n
    )


class MqttRig:
    rubbish = "not_json"
    order = WriteOrder("rig/set", b'{"value": 7}')

    def __init__(self, broker: Mosquitto | Broker, level: int) -> None:
        self.broker = broker
        self.settings = MqttSettings("127.0.0.1", broker.port, level=level, client_id="rig", receive_maximum=100)
        self.most_waiting = 201  # twice the receive maximum, and the one that crosses it
        self.connector = MqttConnector("field", self.settings, sources([f"rig/s{i}" for i in range(3)]), REGISTRY)

    async def prepare(self):
        await self.connector.open()
        await connected(self.connector)
        probe = await self._publisher("probe")  # once its echo is back, the subscription stands
        await probe.publish("rig/s0", b'{"value": 0.0, "time": 1}')
        await probe.settle()
        await probe.close()
        reading = await asyncio.wait_for(self.connector.read(), 60)
        await self.connector.acknowledge(reading.receipt)
        await self.connector.close()

    async def send(self, readings):
        messages = [(f"rig/s{s}", orjson.dumps({"value": v, "time": t})) for s, t, v in readings]
        await self._send(messages)

    async def send_rubbish(self, count):
        await self._send([("rig/s0", b"{not json")] * count)

    async def heard(self):
        return (await asyncio.to_thread(self._foreign, "-C", "1", "-W", "10", "-N")).strip()

    async def cut(self):
        self.broker.stop()
        self.broker.start()
        return True

    async def _send(self, messages):
        publisher = await self._publisher("sender")
        for topic, payload in messages:
            await publisher.publish(topic, payload)
        delivery = await publisher.settle()
        assert delivery.acknowledged == len(messages)
        await publisher.close()

    async def _publisher(self, name):
        publisher = Publisher(MqttSettings("127.0.0.1", self.broker.port, level=self.settings.level, client_id=name))
        await publisher.open(60)
        return publisher

    def _foreign(self, *more):
        base = [program("mosquitto_sub"), "-p", str(self.broker.port), "-t", "rig/set", "-q", "1", "-c", "-i", "foreign"]
        return subprocess.run([*base, *more], capture_output=True, timeout=180, check=True).stdout

    async def listen(self):
        """Have a foreign client subscribe and leave; its session keeps the commands for `heard`."""
        await asyncio.to_thread(self._foreign, "-E")


class FilesRig:
    rubbish = "not_finite"
    order = None
    most_waiting = 1000

    def __init__(self, folder: Path) -> None:
        self.path = folder / "rig.csv"
        self.path.write_text("time,s0,s1,s2\n")
        self.connector = FilesConnector(
            "files", [self.path], sources(["s0", "s1", "s2"], path=None, time=None, unit=None), REGISTRY
        )

    async def prepare(self):
        pass

    async def send(self, readings):
        with self.path.open("a") as f:
            for signal, time, value in readings:
                f.write(f"{time}," + ",".join(str(value) if i == signal else "" for i in range(3)) + "\n")

    async def send_rubbish(self, count):
        with self.path.open("a") as f:
            f.writelines(f"{1_600_000_000_000_000_000 + i},NaN,,\n" for i in range(count))

    async def heard(self):
        raise AssertionError("a file hears nothing")

    async def cut(self):
        return False

    async def listen(self):
        pass
