"""An alarm's life, seen from outside: raised after its delay, acknowledged by a person, cleared past its dead band."""

import json
import os
import signal
import threading
import time
from contextlib import contextmanager
from datetime import datetime

import paho.mqtt.client as mqtt
from hook_kit import web_hook
from pace_kit import allowed
from story_kit import Face, add_person

from gemel.bench.site import running, wait

HOT = "test/kiln/hall/kiln/temperature"
ALARM = f"{HOT}#high"
PLANT = """
plant: test/kiln
connections:
  field: {{mqtt: "mqtt://127.0.0.1:{port}"}}
notify:
  shift: {{webhook: "{hook}", assets: ["hall/*"]}}
types:
  Kiln:
    source: {{from: field, topic: "kiln/{{signal}}", path: "$.v", time: "$.t", time_unit: ns}}
    signals:
      temperature: {{unit: degC, range: [0, 500], interval: 100 ms, alarm: {{high: 80, delay: 2 s, deadband: 5 degC, cause: Too much gas, response: Close the valve}}}}
assets:
  kiln: {{type: Kiln, at: hall}}
"""


class Thermometer:
    """Says ten times a second how hot it is."""

    def __init__(self, port):
        self.value = 20.0
        self.passing = []  # values that are said at once, before the next one
        self._ending = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="thermometer")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ending.wait(0.1):
            passing, self.passing = self.passing, []
            now = time.time_ns()
            for n, value in enumerate([*passing, self.value]):
                self._client.publish("kiln/temperature", json.dumps({"v": value, "t": now + n * 1_000_000}), qos=1)

    def stop(self):
        self._ending.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def kiln(tmp_path, broker, hook="http://127.0.0.1:9/nobody"):
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "plant.yaml").write_text(PLANT.format(port=broker.port, hook=hook))
    people = {name: add_person(tmp_path / "data", name, role) for name, role in (("olga", "operator"), ("vera", "viewer"))}
    with running(plant, tmp_path / "data") as site:
        faces = {name: Face(site.settings.port, person) for name, person in people.items()}
        assert wait(faces["olga"].connected, 60)
        thermometer = Thermometer(broker.port)
        try:
            assert wait(lambda: HOT in faces["olga"].quality()[0] and faces["olga"].rows(HOT), 60)
            yield site, thermometer, faces
        finally:
            thermometer.stop()


def shows(face, state):
    """Wait until the alarm is in a state; None: on no list."""

    def there():
        try:
            return face.alarms().get(ALARM, {}).get("state") == state
        except OSError:
            return False

    assert wait(there, 60), face.alarms()
    return face.alarms().get(ALARM)


def at(text):
    return datetime.fromisoformat(text).timestamp()


def counted(face, **expected):
    """The counts of the list, as the page shows them."""
    return {k: v for k, v in face.get("alarms")["counts"].items() if k in expected} == expected


def test_raised_acknowledged_cleared(tmp_path, mosquitto):
    with web_hook() as hook, kiln(tmp_path, mosquitto, hook.url) as (site, thermometer, faces):
        olga, vera = faces["olga"], faces["vera"]
        thermometer.passing = [90.0] * 5  # some milliseconds are shorter than the delay, however slow the machine is
        assert wait(lambda: [v for _, v, _ in olga.rows(HOT)].count(90.0) == 5, 60)
        mark = at(olga.rows(HOT)[-1][0])
        assert wait(lambda: at(olga.get("health")["plant_time"]) > mark + 2.5, 60)
        assert not olga.alarms()
        thermometer.value = 95.0
        raised = shows(olga, "unacknowledged")
        first_hot = min(at(t) for t, v, _ in olga.rows(HOT) if v == 95)
        assert (raised["active"], raised["limit"], raised["unit"], raised["cause"]) == (True, 80, "degC", "Too much gas")
        assert 2.0 <= at(raised["raised"]) - first_hot < 2.0 + allowed(2.0), "after its delay, not before, and soon"
        assert len(olga.facts("AlarmRaised")) == 1, "what was shorter than the delay raised nothing"
        assert wait(lambda: hook.got, 60)
        [told] = json.loads(hook.got[0][1])["items"]
        assert (told["kind"], told["subject"], told["body"]["alarm"]) == ("AlarmRaised", HOT, ALARM)
        assert wait(lambda: 'gemel_notices_total{process="serve",target="shift"} 1.0' in olga.get("metrics"), 60)
        assert 'gemel_connection_up{connection="field",process="ingest"} 1.0' in olga.get("metrics")
        assert wait(lambda: counted(olga, unacknowledged=1, acknowledged=0), 60)

        status, told = vera.post(vera.alarm_path(ALARM, "acknowledge"), comment="seen")
        assert (status, told["code"]) == (403, "role-too-low")
        status, told = olga.post(olga.alarm_path(ALARM, "acknowledge"), comment="gas turned down")
        assert (status, told["acknowledged"]) == (200, [ALARM])
        acknowledged = shows(olga, "acknowledged")
        assert (acknowledged["acknowledged_by"], acknowledged["comment"]) == ("olga", "gas turned down")
        status, told = olga.post(olga.alarm_path(ALARM, "acknowledge"), comment="again")
        assert (status, told["code"]) == (409, "alarm-not-waiting")

        thermometer.value = 77.0  # below the limit, within the dead band
        assert wait(lambda: olga.shown("test/kiln/hall/kiln")["temperature"]["value"] == 77, 60)
        mark = at(olga.shown("test/kiln/hall/kiln")["temperature"]["time"])
        assert wait(lambda: at(olga.get("health")["plant_time"]) > mark + 1, 60)
        assert olga.alarms()[ALARM]["active"], "the dead band holds it"

        site.stop()
        again = site.again()
        try:
            kept = shows(olga, "acknowledged")
            assert (kept["active"], kept["raised"], kept["comment"]) == (True, raised["raised"], "gas turned down")
            thermometer.value = 60.0
            shows(olga, None)
            facts = [(f["kind"], f["actor"], f["reason"]) for f in olga.get("facts", subject=HOT)["items"]]
            assert [f[:2] for f in facts] == [("AlarmRaised", "gemel"), ("AlarmAcknowledged", "olga"), ("AlarmCleared", "gemel")]
            assert facts[1][2] == "gas turned down"
            assert olga.get("facts/verify")["ok"]
        finally:
            again.stop()


def test_an_alarm_that_nobody_saw_outlives_a_killed_twin(tmp_path, mosquitto):
    with kiln(tmp_path, mosquitto) as (site, thermometer, faces):
        olga = faces["olga"]
        thermometer.value = 95.0
        raised = shows(olga, "unacknowledged")
        thermometer.value = 60.0
        returned = shows(olga, "returned_unacknowledged")
        assert not returned["active"] and returned["cleared"]
        os.kill(site.pids()["twin"], signal.SIGKILL)
        assert wait(lambda: olga.get("health")["processes"].get("twin", {}).get("restarts") == 1, 60)
        assert wait(lambda: olga.get("health")["link"]["up"], 60)
        kept = shows(olga, "returned_unacknowledged")
        assert (kept["raised"], kept["cleared"]) == (raised["raised"], returned["cleared"])
        status, _ = olga.post(olga.alarm_path(ALARM, "acknowledge"), comment="was only a gust")
        assert status == 200
        shows(olga, None)
        assert [f["kind"] for f in olga.get("facts", subject=HOT)["items"]] == ["AlarmRaised", "AlarmCleared", "AlarmAcknowledged"]
