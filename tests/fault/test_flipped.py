"""Bits that change on the disk: found, said with the span of time they cost, and nothing else is lost."""

import asyncio
import json
import os
import signal

import pytest
from kit import Sender, connected, get, rig, stored
from story_kit import gemel

from gemel.bench.ingest import ask
from gemel.bench.site import wait
from gemel.config.forking import verify_replay
from gemel.operate.places import Places


def whole_family_killed(site):
    for pid in [site.process.pid, *site.pids().values()]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    site.process.wait(60)


def flip(file, at):
    data = bytearray(file.read_bytes())
    data[at] ^= 0x10
    file.write_bytes(data)


def in_the_middle_of(places, sequence):
    """Give a block file of the log and a place inside a message."""
    (block,) = (places.streams / "jetstream" / "$G" / "streams" / "SAMPLES_0" / "msgs").glob("*.blk")
    return block, int(block.stat().st_size * 0.8)


def test_a_flipped_bit_of_the_log_is_a_hole_with_its_span_of_time(tmp_path):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port, rate=300).start()
        assert wait(lambda: len(sender.acknowledged) > 300, 60)
        asyncio.run(ask(site.places, "save"))
        mark = len(sender.acknowledged)
        assert wait(lambda: len(sender.acknowledged) > mark + 600, 60)
        whole_family_killed(site)
        flip(*in_the_middle_of(site.places, 0))
        again = site.again()
        try:
            assert wait(lambda: connected(again), 60)
            sender.stop()
            kinds = {"LogHole", "LogLost", "FrameBroken"}

            def told():
                return [f for f in get(again, "facts?limit=1000")["items"] if f["kind"] in kinds]

            assert wait(told, 60), "the hole is said"
            (hole,) = told()
            assert wait(lambda: len(stored(again)) > len(sender.acknowledged) * 0.8, 60)
            start, end = hole["body"].get("from_time"), hole["body"].get("to_time")
            if hole["kind"] == "FrameBroken":
                start = end = hole["body"]["stored"]

            def lost_elsewhere():
                """What is not there and is not of the span that was said; at first also what is still under way."""
                lost = sender.acknowledged - {int(v) for _, _, v in stored(again)}
                return sorted(n for n in lost if not (start or 0) - 1_000_000_000 <= sender.sent[n][1] <= (end or 0) + 1_000_000_000)

            assert wait(lambda: not lost_elsewhere(), 60), (hole, lost_elsewhere())
            rows = stored(again)
            assert len(rows) == len({int(v) for _, _, v in rows}), "nothing twice"
            assert get(again, "facts/verify")["ok"]
            replayed = asyncio.run(verify_replay(again.places))
            assert replayed.ok, replayed
        finally:
            again.stop()


@pytest.mark.parametrize("what", ["snapshot", "parquet"])
def test_a_flipped_bit_elsewhere_is_found_and_costs_what_it_must(tmp_path, what):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port, rate=300).start()
        assert wait(lambda: len(sender.acknowledged) > 600, 60)
        sender.stop()
        assert wait(lambda: len(stored(site)) >= len(sender.acknowledged), 60)
        site.stop()
        places = Places(site.places.data)
        pattern = {"snapshot": "snapshots/0/*.snap", "parquet": "lake/files/main/raw_default/*.parquet"}[what]
        newest = sorted(places.data.glob(pattern))[-1]
        flip(newest, newest.stat().st_size // 2)
        done = gemel("verify", places.data, "--json")
        (problem,) = json.loads(done.stdout)["problems"]
        assert done.returncode == 1 and newest.name in problem["where"]
        if what == "parquet":
            times = [at for _, at, _ in sender.sent.values()]
            assert problem["end"] - problem["start"] > 0
            assert min(times) - 10_000_000 <= problem["start"] <= problem["end"] <= max(times) + 10_000_000
            return
        again = site.again()
        try:
            assert wait(lambda: len(stored(again)) >= len(sender.acknowledged), 60), "an older snapshot and the log serve"
        finally:
            again.stop()
