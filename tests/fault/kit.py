"""A rig that publishes numbered readings through a real mosquitto, and counts from outside."""

import asyncio
import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import pytest

from gemel.bench.ingest import ask
from gemel.bench.site import running, wait
from gemel.bus.server import die_with_parent, free_port
from gemel.config.forking import verify_replay
from gemel.history import Reader

MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
SIGNALS = ("a", "b", "c", "d")
ROOT = "test/rig"
PLANT = """
plant: {root}
writes: true
connections:
  field: {{mqtt: "mqtt://127.0.0.1:{port}", version: 5}}
types:
  Rig:
    source: {{from: field, topic: "rig/{{signal}}", path: "$.v", time: "$.t", time_unit: ns}}
    signals:
      a: {{unit: bar}}
      b: {{unit: degC, alarm: {{high: 1e9}}}}
      c: {{unit: m3/h}}
      d: {{unit: "1"}}
assets:
  rig: {{type: Rig, at: hall}}
"""
NOBODY = 0x10  # MQTT 5, 3.4.2.1: taken, and nobody is subscribed


class Broker:
    """A mosquitto of our own, with persistence, that can be killed and started again."""

    def __init__(self, folder):
        if MOSQUITTO is None:
            pytest.skip("mosquitto is not installed (Debian package mosquitto)")
        self.port = free_port()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
            "autosave_interval 1\nautosave_on_changes false\nmax_queued_messages 1000000\nmax_inflight_messages 0\nuser root\n"
        )
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self.folder / "mosquitto.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent()
        )
        import socket

        def answers():
            try:
                socket.create_connection(("127.0.0.1", self.port), 2).close()
            except OSError:
                return False
            return True

        assert wait(answers, 60)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


class Sender:
    """Publishes readings numbered from 0 with QoS 1, and notes which the broker acknowledged."""

    def __init__(self, port, rate=200):
        self.rate = rate
        self.sent = {}
        self._numbers = {}  # by packet id; a run is shorter than 65,535 messages
        self._heard = set()
        self._nobody = set()  # told to have met nobody, before the first that met somebody: who listens had not subscribed yet
        self._ending = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"sender-{os.getpid()}-{port}", protocol=mqtt.MQTTv5)
        self.client.on_publish = self._on_publish
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _on_publish(self, client, data, mid, reason, *_):
        early = reason.value == NOBODY and not self._heard  # no lock: paho calls this with a lock of its own
        (self._nobody if early else self._heard).add(mid)

    @property
    def acknowledged(self):
        """Numbers of the readings that the broker acknowledged."""
        return {number for mid, number in list(self._numbers.items()) if mid in self._heard}

    def start(self):
        self.thread.start()
        return self

    def _run(self):
        number, start = 0, time.time_ns()
        while not self._ending.is_set():
            at = start + number * 1_000_000_000 // self.rate
            wait_s = (at - time.time_ns()) / 1e9
            if wait_s > 0:
                self._ending.wait(wait_s)
            name = SIGNALS[number % len(SIGNALS)]
            self.sent[number] = (name, at, float(number))
            info = self.client.publish(f"rig/{name}", json.dumps({"v": number, "t": at}), qos=1)
            self._numbers[info.mid] = number
            number += 1

    def stop(self):
        self._ending.set()
        self.thread.join()
        wait(lambda: len(self._heard) + len(self._nobody) >= len(self._numbers), 60)
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def rig(tmp_path, data=None, **more):
    """A broker, and a family that listens to it."""
    broker = Broker(tmp_path / "broker")
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "plant.yaml").write_text(PLANT.format(root=ROOT, port=broker.port))
    try:
        with running(plant, data or tmp_path / "data", **more) as site:
            assert wait(lambda: connected(site), 60), (site.places.logs / "ingest.log").read_text()
            asyncio.run(ask(site.places, "save"))  # from here the log is replayed in the end
            yield broker, site
    finally:
        broker.stop()


def get(site, path):
    line = http.client.HTTPConnection("127.0.0.1", site.settings.port, timeout=60)
    try:
        line.request("GET", f"/api/v1/{path}")
        reply = line.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise OSError(f"{path}: {reply.status} {body[:200]}")
        return json.loads(body)
    except http.client.HTTPException as e:
        raise OSError(str(e)) from e
    finally:
        line.close()


def connected(site):
    try:
        return any(c["state"] == "connected" for c in get(site, "quality")["connections"])
    except OSError:
        return False


def kill(site, name):
    """Kill a process of the family, once it is there: after the last kill it may just be coming back."""
    assert wait(lambda: name in site.pids(), 60), name
    os.kill(site.pids()[name], signal.SIGKILL)


def stored(site):
    """All rows, lake and tail, as the public API gives them: raw, every row there is."""
    rows = []
    for name in SIGNALS:
        answer = get(site, f"history?signal={ROOT}/hall/rig/{name}&start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z&limit=100000")
        rows += [(name, t, v) for t, v in zip(answer["time"], answer["value"]) if v is not None]
    return rows


def lake_rows(site):
    """Every physical row of the lake after a clean stop: duplicates would show."""
    with Reader(site.places.lake) as reader:
        return reader.rows_count()


def settled(site, sender, patience_s=60):
    """Wait until everything acknowledged by the broker is in history: for as long as more of it comes."""
    want, most, since = len(sender.acknowledged), -1, time.monotonic()
    while (there := len(stored(site))) < want:
        if there > most:
            most, since = there, time.monotonic()
        elif time.monotonic() - since > patience_s:
            return False
        time.sleep(0.3)
    return True


def check(site, sender):
    """Each acknowledged reading once, with its value and source time; nothing that was not sent; state equals replay."""
    rows = stored(site)
    by_number = {}
    for name, at, value in rows:
        by_number.setdefault(int(value), []).append((name, at))
    for number in sender.acknowledged:
        name, at, _ = sender.sent[number]
        assert [n for n, _ in by_number.get(number, [])] == [name], f"reading {number}: {by_number.get(number)}"
        assert abs(by_number[number][0][1] - at / 1e9) < 1e-5
    assert set(by_number) <= set(sender.sent)
    assert len(rows) == len(by_number), "stored twice"
    replayed = asyncio.run(verify_replay(site.places))
    assert replayed.ok and replayed.upto > replayed.since, replayed
