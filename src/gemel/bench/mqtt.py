"""`gemel bench mqtt`: single-value MQTT messages, acknowledged to the broker only when they are durable in the log.

The broker is mosquitto where it is installed (the demo's own gateway otherwise). All messages are published as fast
as they are taken; the rate is that at which the twin had them folded, and every message is read back.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from gemel.bench.ingest import ask, machine
from gemel.bench.site import Site, running, wait, write_plant
from gemel.bus.server import die_with_parent, free_port
from gemel.connect.mqtt import Publisher, mqtt_settings
from gemel.history import Reader
from gemel.operate.family import python
from gemel.testing.broker import Broker

SIGNALS: Final = 1000
STEP_NS: Final = 1_000_000


@contextmanager
def broker(folder: Path, port: int) -> Iterator[str]:
    """Run a broker; give its name."""
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        gateway = Broker(folder, port)
        gateway.start()
        try:
            yield "nats-server's MQTT gateway"
        finally:
            gateway.stop()
        return
    folder.mkdir(parents=True)
    conf = folder / "mosquitto.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
        "max_queued_messages 0\nmax_inflight_messages 0\nuser root\n"
    )
    process = subprocess.Popen(
        [program, "-c", str(conf)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),
    )
    try:
        wait(lambda: _open(port), 10)
        yield "mosquitto"
    finally:
        process.terminate()
        process.wait(10)


def _open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


async def send(port: int, start: int, messages: int, rate: int) -> dict[str, Any]:
    """Publish messages with QoS 1, at a rate or (0) as fast as they are taken."""
    publisher = Publisher(
        mqtt_settings(f"mqtt://127.0.0.1:{port}", {"version": 5}, f"bench-{start}"), window=5000
    )
    await publisher.open(10)
    began = time.time()
    base = time.time_ns()
    for i in range(messages):
        n = start + i
        at = base + i * STEP_NS
        if rate and i % 50 == 0:
            await asyncio.sleep(max(began + i / rate - time.time(), 0))
            at = time.time_ns()
        body = f'{{"v":{n % 4096},"t":{at}}}'
        await publisher.publish(f"bench/rig-{n % SIGNALS // 10:06}/s{n % 10}", body.encode())
    delivery = await publisher.settle(60)
    await publisher.close()
    return {"start": began, "end": time.time(), "acknowledged": delivery.acknowledged}


def measure(folder: Path, messages: int, rate: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Publish `messages` at full speed, then a fifth of them at `rate` for the latency."""
    port = free_port()
    extra = f'connections: {{field: {{mqtt: "mqtt://127.0.0.1:{port}", version: 5}}}}\n'
    source = '    source: {from: field, topic: "bench/{asset}/{signal}", path: "$.v", time: "$.t", time_unit: ns}\n'
    write_plant(folder / "plant", SIGNALS, extra, clock="wall", source=source, high=4096)
    with broker(folder / "broker", port) as name, running(folder / "plant", folder / "data") as site:
        wait(lambda: is_connected(site), 20)
        before = site.cpu_s()
        told(f"publishing {messages:,} messages through {name}")
        first = _child(port, 0, messages, 0)
        stored = _until(site, messages)
        used = {k: v - before.get(k, 0.0) for k, v in site.cpu_s().items()}
        asyncio.run(ask(site.places, "latency"))  # begins anew
        paced = min(messages // 5, rate * 8)
        told(f"{rate:,} messages/s for the latency")
        _child(port, messages, paced, rate)
        _until(site, messages + paced)
        latency = asyncio.run(ask(site.places, "latency"))
        asyncio.run(ask(site.places, "flush"))
        with Reader(site.places.lake) as reader:
            rows = reader.raw(np.arange(SIGNALS), 0, 2**62)
            physical = reader.rows_count()
    sent = messages + paced
    return {
        "bench": "mqtt", "broker": name, "sent": sent, "read_back": len(rows), "lost": max(sent - len(rows), 0),
        "duplicated": physical - len(rows), "wrong": int(abs(rows.value.sum() - sum(n % 4096 for n in range(sent))) > 0),
        "messages_per_s": round(messages / (stored - first["start"])),
        "broker_took_messages_per_s": round(messages / (first["end"] - first["start"])),
        "cpu_s_per_million": round(sum(used.values()) / messages * 1e6, 1), "cpu_s": {k: round(v, 2) for k, v in used.items()},
        "p50_ms": latency["p50_ms"], "p99_ms": latency["p99_ms"], "latency_at_messages_per_s": rate, **machine(),
    }  # fmt: skip


def is_connected(site: Site) -> bool:
    """Tell whether the twin's client is at the broker: its state is told with the heartbeat of ingest."""
    from gemel.config.supervise import ask_json

    told = ask_json(site.settings.url, "/api/v1/quality")
    return told is not None and any(
        c["state"] == "connected" for c in told["connections"] if c["protocol"] == "mqtt"
    )


def _until(site: Site, messages: int) -> float:
    while asyncio.run(ask(site.places, "counts"))["received"] < messages:
        time.sleep(0.05)
    return time.time()


def _child(port: int, start: int, messages: int, rate: int) -> dict[str, Any]:
    argv = python("gemel.bench.mqtt", *map(str, (port, start, messages, rate)))
    return dict(json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(send(*map(int, sys.argv[1:])))))
