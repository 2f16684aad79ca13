"""A disk that fills up: nothing more is taken, the source waits, and when there is room again all of it comes in."""

import contextlib
import os
import subprocess

import pytest
from kit import Sender, check, get, rig, settled

from gemel.bench.site import wait


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 160 MB, which only root can make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("no disk of its own can be mounted here: " + made.stderr.decode().strip())
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_costs_nothing(small_disk, tmp_path):
    data = small_disk / "data"
    with rig(tmp_path, data=data, reserve_bytes=1 << 40) as (broker, site):
        sender = Sender(broker.port).start()
        try:
            assert wait(lambda: len(sender.acknowledged) > 100, 60)
            filler = small_disk / "somebody else's file"
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            with filler.open("wb") as out:
                out.write(bytes(free - (2 << 20)))
            assert wait(lambda: "disk-nearly-full" in codes(site), 60)
            mark = len(sender.sent)
            assert wait(lambda: len(sender.sent) > mark + 400, 60)
            filler.unlink()
            assert wait(lambda: "disk-nearly-full" not in codes(site), 60)
        finally:
            sender.stop()
        assert settled(site, sender)
        check(site, sender)
        assert len(sender.acknowledged) == len(sender.sent)


def codes(site):
    with contextlib.suppress(OSError):
        return {p["code"] for p in get(site, "health")["problems"]}
    return set()


def test_a_disk_without_a_byte_left_costs_nothing(small_disk, tmp_path):
    """The log's server takes nothing more after a write that failed, also when there is room: it is started anew."""
    with rig(tmp_path, data=small_disk / "data", reserve_bytes=1 << 40) as (broker, site):
        sender = Sender(broker.port).start()
        try:
            assert wait(lambda: len(sender.acknowledged) > 100, 60)
            filler = small_disk / "somebody else's file"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as out:
                while True:
                    out.write(bytes(4096))
            assert wait(lambda: "Critical write error" in (site.places.logs / "nats.log").read_text(), 60)
            filler.unlink()
            mark = len(sender.sent)
            assert wait(lambda: newest(site) > mark, 60), "it did not resume"
        finally:
            sender.stop()
        assert settled(site, sender)
        check(site, sender)
        assert get(site, "facts/verify")["ok"]


def newest(site):
    with contextlib.suppress(OSError):
        return max((v["value"] or 0 for v in get(site, "state/test/rig/hall/rig")["properties"].values()), default=0)
    return 0
