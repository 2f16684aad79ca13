"""The machine's clock leaps, boots wrong, or is set back; sources say absurd times: nothing is lost, twice, or out of place."""

import asyncio
import contextlib
import json
import time

import paho.mqtt.client as mqtt
import pytest
from clock_seam import Wall
from kit import Sender, check, get, kill, lake_rows, rig, settled, stored

from gemel.bench.ingest import ask
from gemel.bench.site import wait
from gemel.history import Reader
from gemel.samples import Registry

DAY_S = 86_400
YEAR_S = 365 * DAY_S
S = 1_000_000_000


@pytest.fixture
def wall(tmp_path, monkeypatch):
    return Wall(tmp_path, monkeypatch)


def shown(site):
    """What the state shows, by signal."""
    with contextlib.suppress(OSError):
        return get(site, "state/test/rig/hall/rig")["properties"]
    return {}


def newest(site):
    return max((v["value"] or 0 for v in shown(site).values()), default=0)


def goes_on(site, sender, more=200):
    mark = len(sender.sent) + more
    return wait(lambda: newest(site) >= mark, 60)


def missing(site, sender):
    """What was acknowledged and is not stored, and what was counted on its way."""
    gone = sorted(sender.acknowledged - {int(v) for _, _, v in stored(site)})
    return len(gone), gone[:3], gone[-3:], len(sender.sent), counts(site), get(site, "quality")["connections"]


def counts(site):
    return asyncio.run(ask(site.places, "counts"))


def received(site):
    registry = Registry.from_bytes(site.places.registry.read_bytes())
    with Reader(site.places.lake) as reader:
        return reader.raw(range(len(registry)), 0, 2**62, corrected=True).received


def in_order(site):
    """Nothing is of a doubtful time, nothing stale, and no alarm of the plant was raised."""
    found = counts(site)
    assert found["future"] == 0, found
    assert wait(lambda: {v["quality"] for v in shown(site).values()} == {"good"}, 60), shown(site)
    kinds = {f["kind"] for f in get(site, "facts?limit=1000")["items"] if "test/rig/hall" in f.get("subject", "")}
    assert not {k for k in kinds if k.startswith("Alarm")}


def test_a_clock_that_leaps_and_is_put_right_changes_nothing(wall, tmp_path):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port).start()
        try:
            assert wait(lambda: len(sender.acknowledged) > 100, 60)
            for leap in (3600, -3600, DAY_S, -DAY_S):
                wall.set(leap)
                assert goes_on(site, sender), f"under a leap of {leap} s"
                wall.set(0)
                assert goes_on(site, sender), f"after a leap of {leap} s"
            in_order(site)
        finally:
            sender.stop()
        assert settled(site, sender), missing(site, sender)
        check(site, sender)
        assert get(site, "facts/verify")["ok"]


@pytest.mark.parametrize("wrong", [50 * YEAR_S, -50 * YEAR_S])
def test_a_boot_in_a_wrong_year_leaves_no_trace(wall, tmp_path, wrong):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port).start()
        again = None
        try:
            assert wait(lambda: newest(site) > 100, 60)
            site.stop()
            wall.set(wrong)
            again = site.again()
            assert goes_on(again, sender)
            wall.set(0)
            assert goes_on(again, sender)
            in_order(again)
            sender.stop()
            assert settled(again, sender)
            check(again, sender)
            again.stop()
            off = received(again) / S - time.time()
            assert -600 < off.min() <= off.max() < 60
        finally:
            sender.stop()
            if again:
                again.stop()


def publish(broker, bodies):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="device", protocol=mqtt.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for info in [client.publish("rig/a", json.dumps(body), qos=1) for body in bodies]:
        info.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def pid_of_ingest(site, former):
    with contextlib.suppress(OSError, IndexError):
        return site.pids().get("ingest", former)
    return former


def test_what_is_sent_again_to_an_ingest_restarted_under_a_clock_set_back_is_stored_once(wall, tmp_path):
    with rig(tmp_path) as (broker, site):
        begun = time.time_ns()
        readings = [{"v": n, "t": begun + n * S // 100} for n in range(50)]
        publish(broker, readings)
        assert wait(lambda: newest(site) == 49, 60)
        wall.set(-3600)
        former = site.pids()["ingest"]
        kill(site, "ingest")
        assert wait(lambda: pid_of_ingest(site, former) != former, 60)
        publish(broker, [*readings, {"v": 50, "t": begun + S}])
        assert wait(lambda: newest(site) == 50, 60), counts(site)
        rows = stored(site)
        assert sorted(v for _, _, v in rows) == list(range(51))
        site.stop()
        assert lake_rows(site) == 51
        assert len(received(site)) == 51


def refused(site):
    return sum(sum(c["refused"].values()) for c in get(site, "quality")["connections"])


def test_absurd_times_of_sources_move_nothing(tmp_path):
    with rig(tmp_path) as (broker, site):
        begun = time.time_ns()
        publish(broker, [{"v": n, "t": begun + n * S // 100} for n in range(20)])
        absurd = [{"v": 900, "t": 4_000_000_000 * S}, {"v": 901, "t": 30 * YEAR_S * S}, {"v": 902, "t": 10**21}, {"v": 903, "t": begun + 3600 * S}]
        publish(broker, absurd)
        publish(broker, [{"v": 20, "t": begun + S}])
        assert wait(lambda: newest(site) == 20, 60), shown(site)
        found = counts(site)
        assert (found["future"], found["received"]) == (2, 24), "one is refused before it is a reading"
        rows = [v for _, _, v in stored(site)]
        assert sorted(rows) == [*range(21), 900, 903], "stored as they came, and marked, that of 1999 in its year; shown they never are"
        assert wait(lambda: refused(site) == 1, 60), get(site, "quality")["connections"]
        assert shown(site)["a"]["quality"] == "good"
