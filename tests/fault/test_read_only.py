"""A file system that turns read-only under a running twin: said at once, nothing acknowledged is lost, and it goes on.

A plain `mount -o remount,ro` is refused while a file is open for writing, so what happens in a plant is the kernel's own:
ext4 turns read-only after an error (`errors=remount-ro`), here one that it is asked to make. It takes writing again only
after it was unmounted, as after a repair.
"""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest
from kit import Sender, check, get, rig, settled

from gemel.bench.site import wait


class Disk:
    """A disk of its own in a file, which only root can mount."""

    def __init__(self, folder):
        self.image, self.folder = folder / "disk.img", folder / "disk"
        self.folder.mkdir()
        self.image.write_bytes(b"")
        os.truncate(self.image, 256 << 20)
        self._run("mkfs.ext4", "-q", "-O", "^has_journal", str(self.image))
        self.mount()
        if not self._trigger().exists():
            self.unmount()
            pytest.skip("this kernel makes no error of a file system on request")

    def _run(self, *words):
        try:
            done = subprocess.run(words, capture_output=True, text=True)
        except FileNotFoundError as e:
            pytest.skip(f"no disk of its own can be made here: {e}")
        if done.returncode:
            pytest.skip(f"no disk of its own can be mounted here: {done.stderr.strip()}")
        return done.stdout.strip()

    def _trigger(self):
        device = self._run("findmnt", "-no", "SOURCE", str(self.folder))
        return Path("/sys/fs/ext4") / Path(device).name / "trigger_fs_error"

    def mount(self):
        self._run("mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.folder))

    def fail(self):
        self._trigger().write_text("1")

    def unmount(self):
        subprocess.run(["umount", str(self.folder)], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path)
    yield disk
    subprocess.run(["umount", "-l", str(disk.folder)], capture_output=True)


def codes(site):
    with contextlib.suppress(OSError):
        return {p["code"] for p in get(site, "health")["problems"]}
    return set()


def test_a_disk_that_turns_read_only_costs_nothing(disk, tmp_path):
    with rig(tmp_path, data=disk.folder / "data", reserve_bytes=1 << 40) as (broker, site):
        sender = Sender(broker.port).start()
        again = None
        try:
            assert wait(lambda: len(sender.acknowledged) > 100, 60)
            disk.fail()
            assert wait(lambda: "log-refuses" in codes(site), 60), "it says so"
            mark = len(sender.sent)
            assert wait(lambda: len(sender.sent) > mark + 100, 60)
            site.stop()
            disk.unmount()
            disk.mount()
            again = site.again()
            sender.stop()
            assert settled(again, sender)
            check(again, sender)
            assert len(sender.acknowledged) == len(sender.sent)
            assert get(again, "facts/verify")["ok"]
            assert "log-refuses" not in codes(again)
        finally:
            sender.stop()
            if again:
                again.stop()
