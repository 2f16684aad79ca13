"""The MQTT connector against a real mosquitto: log-in, TLS, floods of rubbish, commands, restarts."""

import asyncio
import contextlib
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest
from pace_kit import allowed
from mosquitto_kit import certificates, program

from gemel.connect import WriteOrder
from gemel.connect.mqtt import MqttConnector, MqttSettings, Publisher, mqtt_settings
from gemel.connect.plan import Sources
from gemel.errors import ConfigError, ConnectError
from gemel.samples import Registry
from gemel.testing.conformance import collect, connected

REGISTRY = Registry.of([{"path": f"acme/site/rig/s{i}"} for i in range(3)])


class Rows(Sources):
    def __init__(self, topics, path="$.value", time="$.time"):
        n = len(topics)
        self.signal, self.topic = np.arange(n, dtype=np.int32), topics
        self.path, self.time_path, self.time_unit = [path] * n, [time] * n, ["ns" if time else None] * n

    signal = topic = path = time_path = time_unit = None


def connector(settings, topics=("rig/s0", "rig/s1", "rig/s2"), **how):
    return MqttConnector("field", settings, Rows(list(topics), **how), REGISTRY)


@contextlib.asynccontextmanager
async def opened(settings, *args, **how):
    c = connector(settings, *args, **how)
    await c.open()
    try:
        await connected(c)
        yield c
    finally:
        await c.close()


@contextlib.asynccontextmanager
async def publisher(settings, **how):
    p = Publisher(replace(settings, client_id="publisher"), **how)
    await p.open(10)
    try:
        yield p
    finally:
        await p.close()


async def subscribed(c, p):
    """Publish until something comes: then the subscription stands."""
    reading = asyncio.ensure_future(c.read())
    while not reading.done():
        await p.publish("rig/s0", b'{"value": 0, "time": 1}')
        await asyncio.wait([reading], timeout=0.05)
    await c.acknowledge(reading.result().receipt)
    while c.status().waiting or c.status().messages < p.delivery.sent:
        await c.acknowledge((await asyncio.wait_for(c.read(), 5)).receipt)
    return c.status().messages


async def until(true, why, patience=10):
    ends = time.monotonic() + patience
    while not true():
        assert time.monotonic() < ends, why
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("level", [5, 4])
def test_password_and_tls(mosquitto_with, tls, level):
    """Through TLS with the CA's certificate and a password it connects and reads."""
    broker = mosquitto_with(passwords={"twin": "secret"}, tls=tls)

    async def main():
        settings = broker.settings(tls=True, ca=str(tls.ca), user="twin", password="secret", level=level)
        async with opened(settings) as c, publisher(settings) as p:
            await subscribed(c, p)
            await p.publish("rig/s1", b'{"value": 2.5, "time": 5}')
            rows = await collect(c, 1, acknowledge=True)
            assert rows.value.tolist() == [2.5]

    asyncio.run(main())


@pytest.mark.parametrize("level", [5, 4])
def test_a_wrong_password_is_said(mosquitto_with, level):
    broker = mosquitto_with(passwords={"twin": "secret"})

    async def main():
        c = connector(broker.settings(user="twin", password="wrong", level=level))
        await c.open()
        await until(lambda: "refused" in (c.status().error or ""), "nothing was said")
        assert "uthori" in c.status().error
        assert c.status().state in ("waiting", "connecting")
        await c.close()
        with pytest.raises(ConnectError, match="does not take us"):
            await Publisher(broker.settings(user="twin", password="wrong", level=level)).open(2)

    asyncio.run(main())


def test_a_strange_certificate_is_not_trusted(mosquitto_with, tls, tmp_path):
    broker = mosquitto_with(tls=tls)
    stranger = certificates(tmp_path / "stranger")

    async def main():
        c = connector(broker.settings(tls=True, ca=str(stranger.ca)))
        await c.open()
        await until(lambda: "CERTIFICATE_VERIFY_FAILED" in (c.status().error or ""), "nothing was said")
        assert c.status().messages == 0
        await c.close()
        missing = connector(broker.settings(tls=True, ca=str(tmp_path / "none.pem")))
        with pytest.raises(ConnectError, match="certificates"):
            await missing.open()

    asyncio.run(main())


def test_ten_megabytes_are_refused_and_life_goes_on(mosquitto):
    async def main():
        async with opened(mosquitto.settings()) as c, publisher(mosquitto.settings()) as p:
            await subscribed(c, p)
            for _ in range(3):
                await p.publish("rig/s0", b'{"value": 1.0, "time": 5, "x": "' + b"x" * 10_000_000 + b'"}')
            await p.publish("rig/s1", b'{"value": 2.5, "time": 5}')
            rows = await collect(c, 1, acknowledge=True)
            assert rows.value.tolist() == [2.5]
            assert c.status().refused == {"too_big": 3}
            assert len(c.status().examples[0]["text"]) < 100

    asyncio.run(main())


def test_wildcards_and_plain_numbers(mosquitto):
    async def main():
        async with opened(mosquitto.settings(), ["plant/+/temp", "raw/#"], path=None, time=None) as c:
            assert c.delivery == "at-least-once"
            async with publisher(mosquitto.settings()) as p:
                reading = asyncio.ensure_future(c.read())
                while not reading.done():
                    await p.publish("raw/probe", b"0")
                    await asyncio.wait([reading], timeout=0.05)
                while c.status().messages < p.delivery.sent:
                    await c.read()
                await p.publish("plant/p1/temp", b"21.5")
                await p.publish("plant/p1/flow", b"99")
                await p.publish("raw/a/b/c", b"7")
                rows = await collect(c, 2, acknowledge=True)
        assert rows.signal.tolist() == [0, 1]
        assert rows.value.tolist() == [21.5, 7.0]

    asyncio.run(main())


def test_a_command_is_refused_while_there_is_no_line_and_never_sent_late(mosquitto):
    """What a device must not get is a command of a minute ago."""

    async def main():
        base = [program("mosquitto_sub"), "-p", str(mosquitto.port), "-t", "rig/set", "-q", "1", "-c", "-i", "device"]
        subprocess.run([*base, "-E"], check=True, timeout=10)
        mosquitto.stop()  # it writes down the device's session
        mosquitto.start()
        async with opened(mosquitto.settings()) as c:
            mosquitto.process.send_signal(19)  # SIGSTOP: the line stands, but nobody answers
            late = await c.write(WriteOrder("rig/set", b"late", timeout_s=0.3))
            mosquitto.kill()
            await until(lambda: c.status().state != "connected", "the cut was not noticed")
            absent = await c.write(WriteOrder("rig/set", b"absent", timeout_s=0.3))
            mosquitto.start()
            await until(lambda: c.status().state == "connected", "it did not come back")
            good = await c.write(WriteOrder("rig/set", b"good"))
            bad = await c.write(WriteOrder("rig/+", b"x"))
        assert (late.acknowledged, absent.acknowledged, good.acknowledged, bad.acknowledged) == (False, False, True, False)
        assert "did not answer" in late.note
        assert "not connected" in absent.note
        assert "cannot be published" in bad.note
        heard = subprocess.run([*base, "-W", "1"], capture_output=True, timeout=10).stdout.split()
        assert heard == [b"good"]

    asyncio.run(main())


def test_a_command_to_nobody_says_so(mosquitto):
    async def main():
        async with opened(mosquitto.settings()) as c:
            outcome = await c.write(WriteOrder("nobody/set", b"1"))
        assert outcome.acknowledged
        assert "nobody listens" in outcome.note

    asyncio.run(main())


def test_a_flood_is_read_once_each_and_acknowledged_in_bulk(mosquitto):
    """30,000 messages, the reader killed twice in the middle: each key is there, and none is invented."""
    count = 30_000

    async def main():
        settings = mosquitto.settings()
        async with opened(settings) as c, publisher(settings) as p:
            await subscribed(c, p)
        async with publisher(settings) as p:
            for i in range(count):
                await p.publish(f"rig/s{i % 3}", b'{"value": %d.5, "time": %d}' % (i, 10**18 + i))
            assert (await p.settle()).acknowledged == count
        seen: set[int] = set()
        for enough in (count // 3, 2 * count // 3, count):
            async with opened(settings) as c:
                while len(seen) < enough:
                    reading = await asyncio.wait_for(c.read(), 10)
                    if len(seen) + len(reading.rows) < enough or enough == count:
                        await c.acknowledge(reading.receipt)
                    seen.update(reading.rows.time.tolist())
        assert seen == set(range(10**18, 10**18 + count))

    asyncio.run(main())


def test_the_publisher_counts_what_the_broker_acknowledged_over_a_restart(mosquitto):
    async def main():
        async with publisher(mosquitto.settings(), window=50) as p:
            for i in range(500):
                if i == 250:
                    mosquitto.stop()
                    mosquitto.start()
                await p.publish("x/y", str(i).encode(), retain=True)
            delivery = await p.settle()
            assert (delivery.sent, delivery.acknowledged, delivery.under_way) == (500, 500, 0)
            assert p.connections == 2
            with pytest.raises(ConnectError, match="cannot be published"):
                await p.publish("x/+", b"")
        heard = subprocess.run(
            [program("mosquitto_sub"), "-p", str(mosquitto.port), "-t", "x/y", "-C", "1", "-W", "5"], capture_output=True, timeout=10
        )
        assert heard.stdout.strip() == b"499"

    asyncio.run(main())


def test_closing_is_quick_even_while_dialling_nobody():
    async def main():
        from gemel.bus.server import free_port

        c = connector(MqttSettings("127.0.0.1", free_port()))
        await c.open()
        await until(lambda: c.status().error is not None, "nothing was said of nobody being there")
        began = time.monotonic()
        await c.close()
        assert time.monotonic() - began < allowed(1)
        with pytest.raises(ConnectError, match="closed"):
            await c.read()

    asyncio.run(main())


def test_settings_say_what_to_write():
    parsed = mqtt_settings("mqtts://broker.plant", {"version": "3.1.1", "user": "u", "password": {"secret": "field"}}, "id", lambda n: n * 2)
    assert (parsed.host, parsed.port, parsed.tls, parsed.level, parsed.password) == ("broker.plant", 8883, True, 4, "fieldfield")
    for url, options in (("http://x", {}), ("mqtt://", {}), ("mqtt://x", {"version": 3})):
        with pytest.raises(ConfigError) as why:
            mqtt_settings(url, options, "id")
        assert why.value.remedy
    with pytest.raises(ConfigError, match="secret"):
        mqtt_settings("mqtt://x", {"password": {"secret": "field"}}, "id")


def test_other_signals_are_taken_from_the_same_line(mosquitto):
    """A changed plant: what is new is subscribed to, what is gone is left, nothing that was sent meanwhile is lost."""
    more = REGISTRY.grown(Registry.of([{"path": "acme/site/rig/s9"}]))

    async def story():
        plain = mqtt_settings(mosquitto.url, {}, "gemel-replan", lambda name: "")
        async with opened(plain, ("rig/s0", "rig/s1")) as c, publisher(plain) as p:
            await subscribed(c, p)
            began = c.status().messages
            await p.publish("rig/s0", b'{"value": 5, "time": 50}')
            await p.publish("rig/s1", b'{"value": 6, "time": 50}')
            await until(lambda: c.status().waiting == 2, "they came")
            assert c.fits(plain) and not c.fits(replace(plain, user="other"))
            rows = Rows(["rig/s0", "rig/s9"])
            rows.signal = np.array([0, 3], np.int32)
            c.replan(rows, more)
            first = await c.read()
            assert first.registry == more.digest and first.rows.value.tolist() == [5.0]
            await c.acknowledge(first.receipt)
            got = []
            while 3 not in got:
                await p.publish("rig/s9", b'{"value": 9, "time": 60}')
                with contextlib.suppress(TimeoutError):
                    reading = await asyncio.wait_for(c.read(), 0.5)
                    got += reading.rows.signal.tolist()
                    await c.acknowledge(reading.receipt)
            refused = sum(c.status().refused.values())
            await p.publish("rig/s1", b'{"value": 7, "time": 70}')
            await p.publish("rig/s0", b'{"value": 8, "time": 70}')
            values = []
            while 8.0 not in values:
                reading = await asyncio.wait_for(c.read(), 5)
                values += reading.rows.value.tolist()
                await c.acknowledge(reading.receipt)
            assert sum(c.status().refused.values()) == refused, "the topic that was left brings nothing more"
            assert c.status().reconnects == 0 and c.status().messages > began

    asyncio.run(story())


def test_it_is_connected_only_when_the_broker_will_send():
    """Between its CONNACK and its SUBACK a broker gives what comes to nobody: who waits for `connected` must not send then."""

    async def main():
        held, said = asyncio.Event(), asyncio.Event()

        async def serve(reader, writer):
            await reader.read(4096)
            writer.write(b"\x20\x03\x00\x00\x00")  # CONNACK (MQTT 5, 3.2)
            packet = await reader.read(4096)
            said.set()
            await held.wait()
            writer.write(b"\x90\x06" + packet[2:4] + b"\x00\x01\x01\x01")  # SUBACK: QoS 1, three times (3.9)
            await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        c = connector(MqttSettings("127.0.0.1", server.sockets[0].getsockname()[1]))
        await c.open()
        try:
            await asyncio.wait_for(said.wait(), 10)
            before = c.status().state
            held.set()
            await connected(c)
        finally:
            await c.close()
            server.close()
        assert before == "connecting"

    asyncio.run(main())
