"""A plant file changes while the twin runs: nothing restarts, nothing is lost, and history keeps its meaning."""

import asyncio
import json
import re
import subprocess
import time

import paho.mqtt.client as mqtt
import pytest
from kit import PLANT, ROOT, Sender, connected, get, rig, wait
from mosquitto_kit import program
from story_kit import Face, add_person, gemel

from gemel.bus import Bus

EVERY = "start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z&limit=100000"


def plan(site, plant, *more):
    done = gemel("plan", plant, "--data", site.places.data, "--json", *more)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


async def kept(site):
    """Have the twin keep a snapshot of now."""
    bus = await Bus.open(site.running.bus, "story")
    await bus.ask("twin.ask", {"do": "save"}, timeout_s=30)
    await bus.close()


def rows(site, path):
    answer = get(site, f"history?signal={ROOT}/{path}&{EVERY}")
    return {t: v for t, v in zip(answer["time"], answer["value"], strict=True) if v is not None}


def paths(site):
    return {s["path"] for s in get(site, "signals?limit=1000")["items"]}


def publish(broker, **values):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="one", protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for name, value in values.items():
        payload = json.dumps({"v": value, "t": time.time_ns()})
        client.publish(f"rig/{name}", payload, qos=1).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def edited(port, *edits):
    text = PLANT.format(root=ROOT, port=port)
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


MOVED = ("  rig: {type: Rig, at: hall}", "  rig: {type: Rig, at: yard, formerly: hall/rig}")
KPA = ("      a: {unit: bar}", "      a: {unit: kPa, source: {unit: bar}}")
NAMED = ("      b: {unit: degC, alarm: {high: 1e9}}", "      heat: {unit: degC, formerly: b, topic: rig/b}")
ADDED = ("      c: {unit: m3/h}", '      c: {unit: m3/h}\n      e: {unit: "1"}')


def test_a_plant_changes_under_a_running_twin(tmp_path):
    with rig(tmp_path) as (broker, site):
        plant, pids = tmp_path / "plant", site.lasting()
        sender = Sender(broker.port, rate=400).start()
        try:
            assert wait(lambda: len(rows(site, "hall/rig/a")) > 20, 60)
            asyncio.run(kept(site))
            for edits in ([ADDED], [ADDED, MOVED], [ADDED, MOVED, KPA, NAMED]):
                (plant / "plant.yaml").write_text(edited(broker.port, *edits))
                code, found = plan(site, plant)
                assert (code, found["changes"], found["losses"]) == (1, True, 0)
                code, found = plan(site, plant, "--apply", "--reason", "as drawn")
                assert (code, found["applied"]) == (0, True)
                assert plan(site, plant)[0] == 0, "there is nothing more to do"
                mark = len(sender.sent)
                assert wait(lambda: len(sender.sent) > mark + 200, 60)
        finally:
            sender.stop()
        want = {n: {sender.sent[i][1] / 1e9: sender.sent[i][2] for i in sender.acknowledged if sender.sent[i][0] == n} for n in "abcd"}
        found = {"a": "yard/rig/a", "b": "yard/rig/heat", "c": "yard/rig/c", "d": "yard/rig/d"}
        assert wait(lambda: all(len(rows(site, found[n])) >= len(want[n]) for n in want), 60, 0.3), {
            n: (len(rows(site, found[n])), len(want[n])) for n in want
        }
        for name, path in found.items():
            scale = 100.0 if name == "a" else 1.0
            got = {round(t, 4): v for t, v in rows(site, path).items()}
            assert got == pytest.approx({round(t, 4): v * scale for t, v in want[name].items()}), name
        assert pids.items() <= site.lasting().items(), "no process was started again"
        measures = Face(site.settings.port).ask("GET", "metrics")[1]
        reconnects = re.findall(r"connection_reconnects_total{[^}]*field[^}]*} (\S+)", measures)
        assert [float(n) for n in reconnects] == [0.0], "the line to the broker was kept"
        assert wait(lambda: paths(site) == {f"{ROOT}/yard/rig/{n}" for n in ("a", "heat", "c", "d", "e")}, 60)
        applied = get(site, "facts?kind=PlantApplied&limit=100")["items"]
        assert len(applied) == 4
        assert all(f["actor"] != "gemel" and f["reason"] == "as drawn" for f in applied[1:])
        assert any("moved" in step for step in applied[2]["body"]["steps"])
        last = get(site, f"state/{ROOT}/yard/rig")["properties"]
        assert last["a"]["unit"] == "kPa"
        assert last["a"]["value"] == pytest.approx(100 * max(want["a"].values()))
        replayed = gemel("state", plant, "--data", site.places.data, "--verify", "--json")
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        site.stop()
        with_again = site.again()
        try:
            assert wait(lambda: connected(with_again), 60)
            assert get(with_again, f"state/{ROOT}/yard/rig")["properties"]["a"]["value"] == last["a"]["value"]
            assert len(rows(with_again, "yard/rig/a")) == len(want["a"])
        finally:
            with_again.stop()


def test_what_is_lost_must_be_asked_for_and_its_history_stays(tmp_path):
    with rig(tmp_path) as (broker, site):
        plant = tmp_path / "plant"
        publish(broker, a=7, d=7)
        assert wait(lambda: len(rows(site, "hall/rig/d")) == 1, 60)
        (plant / "plant.yaml").write_text(edited(broker.port, ('      d: {unit: "1"}\n', "")))
        refused = gemel("plan", plant, "--data", site.places.data, "--apply")
        assert refused.returncode == 2
        assert "signal d of hall/rig is gone" in refused.stderr and "--accept-loss" in refused.stderr
        assert f"{ROOT}/hall/rig/d" in paths(site)
        engineer = Face(site.settings.port, add_person(site.places.data, "emil", "engineer"))
        files = {"plant.yaml": (plant / "plant.yaml").read_text()}
        assert engineer.post("plant/plan", files=files)[1]["losses"] == 1
        assert engineer.post("plant/apply", files=files)[0] == 403
        status, told = engineer.post("plant/apply", files=files, accept_loss=True, reason="the meter is gone")
        assert (status, told["applied"]) == (200, True)
        assert get(site, "facts?kind=PlantApplied&limit=10")["items"][-1]["actor"] == "emil"
        assert get(site, "plant")["digest"] == told["digest"]
        assert wait(lambda: f"{ROOT}/hall/rig/d" not in paths(site), 60)
        assert list(rows(site, "hall/rig/d").values()) == [7], "what is gone can still be read"
        publish(broker, a=8)
        assert wait(lambda: len(rows(site, "hall/rig/a")) == 2, 60)


def test_the_namespace_and_a_page_follow(tmp_path):
    with rig(tmp_path) as (broker, site):
        plant = tmp_path / "plant"
        named = ("types:", "namespace: {connection: field}\ntypes:")
        (plant / "plant.yaml").write_text(edited(broker.port, named))
        assert plan(site, plant, "--apply")[1]["applied"]
        publish(broker, a=2.5)

        def retained():
            words = [program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(broker.port), "-t", f"{ROOT}/#", "-W", "1", "--retained-only", "-F", "%t %p"]
            told = subprocess.run(words, capture_output=True, text=True, timeout=180).stdout.splitlines()
            return dict(line.split(" ", 1) for line in told)

        assert wait(lambda: f"{ROOT}/hall/rig/a" in retained(), 60)
        (plant / "plant.yaml").write_text(edited(broker.port, named, MOVED, KPA))
        assert plan(site, plant, "--apply")[1]["applied"]
        found = {}

        def renamed():
            found.update(told=retained())
            return f"{ROOT}/yard/rig/a" in found["told"] and f"{ROOT}/hall/rig/a" not in found["told"]

        assert wait(renamed, 60), "the former name is told no more"
        assert json.loads(found["told"][f"{ROOT}/yard/rig/a"])["value"] == 250.0
