"""The Unified Namespace: any MQTT client reads the plant by its ISA-95 path."""

import json
import subprocess
from collections import Counter

import pytest
from mosquitto_kit import program

from gemel.bench.site import wait

PUMP = "gemel/riverside/waterworks/pumping/pump-1"
SELDOM = ("/pumping_energy", "_degradation", "_life", "_life_low", "_life_high", "_risk")  # a window's end, a prognosis


def sub(demo, *more):
    """What mosquitto_sub shows: [(topic, payload)]."""
    words = [program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(demo.broker_port), "-F", "%t %p", *more]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180)
    return [line.split(" ", 1) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def published(demo):
    """The demo, when it shows all signals that have a value: a roll-up has none before its window ends."""
    paths = {s["path"] for s in demo.face().get("signals", limit=1000)["items"] if not s["path"].endswith(SELDOM)}
    assert len(paths) >= 40
    found = {}

    def whole():
        found.update(retained={t: json.loads(p) for t, p in sub(demo, "-t", "gemel/riverside/#", "-W", "3", "--retained-only")})
        return set(found["retained"]) >= paths

    assert wait(whole, 120), sorted(paths - set(found["retained"]))
    return paths, found["retained"]


def test_every_signal_is_retained_under_its_path(demo, published):
    paths, retained = published
    assert {t for t in retained if not t.endswith(SELDOM)} == paths, "each signal once, and nothing besides"
    speed = retained[f"{PUMP}/speed"]
    assert (speed["unit"], speed["quality"]) == ("rpm", "good")
    shown = demo.face().shown(PUMP)["speed"]
    assert abs(speed["value"] - shown["value"]) < 50
    assert speed["time"] <= shown["time"]


def test_a_signal_is_published_about_once_a_second_at_most(demo, published):
    """The station sends two readings a second of each; four seconds show four or five."""
    seconds = 4
    counted = Counter(t for t, _ in sub(demo, "-t", f"{PUMP}/#", "-W", str(seconds), "-R"))
    assert counted[f"{PUMP}/flow"] >= 2, "it goes on"
    assert max(counted.values()) <= seconds + 1
