"""Any process killed at any moment: nothing acknowledged is lost, nothing is stored twice, it resumes by itself.

Counted from outside: what a publisher sent, what mosquitto acknowledged, what the public API reads back.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from kit import Sender, check, connected, get, kill, lake_rows, rig, settled, stored
from pace_kit import allowed

from gemel.bench.site import wait


def resumed(site, sender):
    """The family answers, is connected, and holds readings newer than now."""
    mark = len(sender.sent)

    def again():
        try:
            return connected(site) and get(site, "health")["link"]["up"] and newest(site) >= mark
        except OSError:
            return False

    began = time.monotonic()
    assert wait(again, 180, 0.1), "it did not resume"
    return time.monotonic() - began


def newest(site):
    return max((v["value"] or 0 for v in get(site, "state/test/rig/hall/rig")["properties"].values()), default=0)


@pytest.mark.parametrize("name", ["twin", "ingest", "serve", "nats", "family"])
def test_a_killed_process_costs_nothing(tmp_path, name):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port).start()
        try:
            for _ in range(2):
                assert wait(lambda: newest(site) > 0, 60)
                kill(site, name)
                took = resumed(site, sender)
                assert took < allowed(10), f"resumed after {took:.1f} s"
        finally:
            sender.stop()
        assert settled(site, sender)
        check(site, sender)
        assert len(sender.acknowledged) == len(sender.sent)
        if name != "family":

            def told():
                return [f["body"]["process"] for f in get(site, "facts?kind=ProcessEnded&limit=100")["items"]].count(name)

            assert wait(lambda: told() >= 2, 60) and told() == 2, "what happened is said"
        assert get(site, "facts/verify")["ok"]
        rows = len(stored(site))
        site.stop()
        assert lake_rows(site) == rows, "the lake holds each reading once"


def test_a_killed_supervisor_leaves_nobody_behind(tmp_path):
    """A process of the former family would hold the lake, and its successor could not begin."""
    with rig(tmp_path) as (_, site):
        former = site.pids()
        kill(site, "family")
        gone = [former[name] for name in ("twin", "ingest", "serve", "nats")]
        assert wait(lambda: not any(alive(pid) for pid in gone), 60)


def alive(pid):
    try:
        return b"Z" not in Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()[:1]
    except OSError:
        return False


def test_random_kills_under_load(tmp_path):
    chance = random.Random(7)
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port, rate=400).start()
        try:
            for _ in range(6):
                kill(site, chance.choice(["twin", "ingest", "nats"]))
                wait(lambda: False, chance.uniform(0.1, 2.5))
            assert resumed(site, sender) < allowed(10)
        finally:
            sender.stop()
        assert settled(site, sender)
        check(site, sender)


def test_the_broker_restarted(tmp_path):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port).start()
        try:
            assert wait(lambda: newest(site) > 50, 60)
            broker.stop()
            broker.start()
            assert resumed(site, sender) < allowed(10)
        finally:
            sender.stop()
        assert settled(site, sender)
        check(site, sender)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end_it_ends_cleanly_within_five_seconds(tmp_path, signum):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port).start()
        assert wait(lambda: newest(site) > 50, 60)
        pids = site.pids()
        began = time.monotonic()
        os.kill(site.process.pid, signum)
        assert site.process.wait(60) == 0
        assert time.monotonic() - began < allowed(5)
        assert wait(lambda: not any(os.path.exists(f"/proc/{p}") for p in pids.values()), 60)
        sender.stop()
        again = site.again()
        assert wait(lambda: connected(again), 60)
        assert settled(again, sender)
        check(again, sender)
        again.stop()
