"""Old readings that wait beside live ones: killed with some waiting, nothing is lost, and nothing is stored twice."""

import asyncio
import json
import os
import signal
import time
import urllib.request

from kit import SIGNALS, Sender, check, kill, lake_rows, rig, settled
from story_kit import gemel
from test_kill import newest

from gemel.bench.ingest import ask
from gemel.bench.site import wait

YEAR_NS = 365 * 86_400 * 1_000_000_000


class Mixed(Sender):
    """Publishes readings of now; once told to, two of three are of a year ago."""

    past = False

    def _run(self):
        number, start = 0, time.time_ns()
        while not self._ending.is_set():
            at = start + number * 1_000_000_000 // self.rate
            self._ending.wait(max((at - time.time_ns()) / 1e9, 0))
            if self.past and number % 3:
                at -= YEAR_NS
            name = SIGNALS[number % len(SIGNALS)]
            self.sent[number] = (name, at, float(number))
            self._numbers[self.client.publish(f"rig/{name}", json.dumps({"v": number, "t": at}), qos=1).mid] = number
            number += 1


def waiting(site):
    """Readings of the past that wait, as ingest measures them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{site.settings.port}/api/v1/metrics", timeout=60) as told:
        lines = told.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("gemel_past_rows_waiting{"))


def test_old_readings_that_wait_when_ingest_is_killed_come_again(tmp_path):
    with rig(tmp_path) as (broker, site):
        sender = Mixed(broker.port, rate=300).start()
        try:
            assert wait(lambda: newest(site) > 50, 60)
            asyncio.run(ask(site.places, "save"))  # a replay begins there
            twin = site.pids()["twin"]
            os.kill(twin, signal.SIGSTOP)  # the fold has no room
            sender.past = True
            try:
                assert wait(lambda: waiting(site) > 200, 60), waiting(site)
                kill(site, "ingest")
                assert wait(lambda: waiting(site) > 200, 60), "the broker brings them again"
            finally:
                os.kill(twin, signal.SIGCONT)
            mark = len(sender.sent)
            assert wait(lambda: newest(site) >= mark, 60)
        finally:
            sender.stop()
        assert settled(site, sender)
        check(site, sender)
        assert wait(lambda: waiting(site) == 0, 10)
        told = gemel("state", tmp_path / "plant", "--data", site.places.data, "--verify", timeout=120)
        assert told.returncode == 0, told.stdout + told.stderr
        site.stop()
        assert lake_rows(site) == len(sender.sent)
