"""Whatever a broker sends: refused, counted, visible with its reason; the good readings go on, memory stays bounded."""

import json
import threading
import time
from contextlib import contextmanager

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from story_kit import Face

from gemel.bench.site import running, wait

RIG = "test/rig/hall/rig"
GOOD = f"{RIG}/good"
TOPICS = 20_000
PLANT = """
plant: test/rig
connections:
  field: {{mqtt: "mqtt://127.0.0.1:{port}"}}
types:
  Rig:
    source: {{from: field, path: "$.v", time: "$.t", time_unit: ns}}
    signals:
      good: {{unit: bar, topic: rig/good}}
      bad: {{unit: bar, topic: rig/bad}}
      dated: {{unit: bar, topic: rig/dated, time_unit: iso}}
      state: {{unit: "1", kind: state, states: [off, on], topic: rig/state}}
      any: {{unit: bar, topic: "wild/+/value"}}
assets:
  rig: {{type: Rig, at: hall}}
"""
NOW = time.time_ns()
BROKEN = {  # reason: [(topic, payload)]
    "not_json": [
        ("rig/bad", b"oops"), ("rig/bad", b""), ("rig/bad", b'{"v": 1'), ("rig/bad", b"\xff\xfe\x00"),
        ("rig/bad", b"[" * 100_000),
    ],
    "wrong_type": [
        ("rig/bad", b'{"v": "seven", "t": %d}' % NOW), ("rig/bad", b'{"v": [1], "t": %d}' % NOW),
        ("rig/bad", b'{"v": null, "t": %d}' % NOW),
    ],
    "missing_path": [("rig/bad", b'{"w": 1, "t": %d}' % NOW), ("rig/bad", b'{"v": 1}'), ("rig/bad", b"[1, 2]")],
    "not_finite": [
        ("rig/bad", b'{"v": NaN, "t": %d}' % NOW), ("rig/bad", b'{"v": Infinity, "t": %d}' % NOW),
        ("rig/bad", b'{"v": -Infinity, "t": %d}' % NOW),
    ],
    "absurd_time": [
        ("rig/bad", b'{"v": 1, "t": -5}'), ("rig/bad", b'{"v": 1, "t": 99999999999999999999999999}'),
        ("rig/dated", b'{"v": 1, "t": "the other day"}'), ("rig/dated", b'{"v": 1, "t": "9999-01-01T00:00:00Z"}'),
    ],
    "too_big": [("rig/bad", b'{"v": 1, "t": 5, "x": "' + b"x" * 10_000_000 + b'"}')] * 3,
    "unknown_topic": [("former/a", b"1"), ("former/b", b'{"v": 1}')],
    "integer_too_large": [("rig/bad", b'{"v": 9007199254740995, "t": %d}' % NOW)],
    "unknown_state": [("rig/state", b'{"v": "sideways", "t": %d}' % NOW), ("rig/state", b'{"v": 7, "t": %d}' % NOW)],
}  # fmt: skip


@contextmanager
def client(port, name, **connecting):
    made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    made.max_inflight_messages_set(1000)
    made.connect("127.0.0.1", port, **connecting)
    made.loop_start()
    try:
        yield made
    finally:
        made.disconnect()
        made.loop_stop()


def subscribe_as_a_former_plant_file_did(port):
    """The session of the twin outlives its plant file: the broker still sends what is no longer asked for."""
    lasting = Properties(PacketTypes.CONNECT)
    lasting.SessionExpiryInterval = 3600
    heard = threading.Event()
    with client(port, "gemel-test-rig-field", clean_start=False, properties=lasting) as former:
        former.on_subscribe = lambda *_: heard.set()
        former.subscribe("former/#", qos=1)
        assert heard.wait(60)


class Meter:
    """Says 0, 1, 2, ... twenty times a second, whatever else happens."""

    def __init__(self, port):
        self.sent = 0
        self._port = port
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with client(self._port, "meter") as line:
            while not self._ending.wait(0.05):
                info = line.publish("rig/good", json.dumps({"v": self.sent, "t": time.time_ns()}), qos=1)
                self.sent += 1
            info.wait_for_publish(60)

    def stop(self):
        self._ending.set()
        self._thread.join()


def refused(face):
    return face.quality()[1]["field"]["refused"]


def test_nothing_that_is_sent_breaks_it(tmp_path, mosquitto):
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "plant.yaml").write_text(PLANT.format(port=mosquitto.port))
    subscribe_as_a_former_plant_file_did(mosquitto.port)
    with running(plant, tmp_path / "data") as site, client(mosquitto.port, "vandal") as vandal:
        face = Face(site.settings.port)
        assert wait(face.connected, 60)
        meter = Meter(mosquitto.port)
        try:
            assert wait(lambda: len(face.rows(GOOD)) > 20, 60)
            pids, before = site.lasting(), site.resident_mb()["ingest"]

            for topic, payload in (m for messages in BROKEN.values() for m in messages):
                vandal.publish(topic, payload, qos=1)
            expected = {reason: len(messages) for reason, messages in BROKEN.items()}
            assert wait(lambda: refused(face) == expected, 60, 0.2), (refused(face), expected)
            examples = face.quality()[1]["field"]["examples"]
            assert {e["reason"] for e in examples} == set(BROKEN)
            assert max(len(e["text"]) + len(e["topic"]) for e in examples) <= 200

            for number in range(TOPICS):
                body = {"v": 1.0, "t": NOW + number} if number % 2 else {"w": 1}
                vandal.publish(f"wild/{number}/value", json.dumps(body), qos=1)
            expected["missing_path"] += TOPICS // 2
            assert wait(lambda: refused(face) == expected, 60, 0.2), (refused(face), expected)
            assert wait(lambda: face.quality()[0][f"{RIG}/any"]["received"] == TOPICS // 2, 60, 0.2)
            assert len(face.quality()[1]["field"]["examples"]) <= 4 * len(BROKEN)

            grown = site.resident_mb()["ingest"] - before
            assert grown < 100, f"ingest grew by {grown:.0f} MB"
            assert pids.items() <= site.lasting().items(), "no process was started again"
            assert {p["restarts"] for p in face.get("health")["processes"].values()} == {0}
            mark = meter.sent
            assert wait(lambda: face.shown(RIG)["good"]["value"] > mark, 60), "good readings go on"
        finally:
            meter.stop()
        assert wait(lambda: len(face.rows(GOOD)) >= meter.sent, 60)
        assert [v for _, v, _ in face.rows(GOOD)] == list(range(meter.sent)), "each of them once, in order"
        assert face.rows(f"{RIG}/bad") == [] and face.rows(f"{RIG}/state") == []
