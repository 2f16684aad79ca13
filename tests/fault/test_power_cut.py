"""The power goes: whatever was acknowledged before is there afterwards, from the bytes alone that were safe by then.

The writes of a whole family are recorded as system calls (strace), and its folder is rebuilt as of the moment of the
cut: see `gemel.testing.recorded`. Skipped with a word where there is no strace, or tracing is not allowed.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from story_kit import Face, add_person, gemel

from gemel.bench.ingest import ask
from gemel.bench.site import running, wait
from gemel.bus.server import die_with_parent, free_port
from gemel.config import Settings
from gemel.config.supervise import wait_ready
from gemel.operate.places import Places
from gemel.testing.recorded import Recording, command

STRACE = shutil.which("strace")
PLANT = """
plant: test/rig
connections: {field: {mqtt: "mqtt://127.0.0.1:9"}}
types:
  Rig:
    source: {from: field, topic: "rig/{signal}", path: "$.v", time: "$.t"}
    signals:
      a: {unit: bar, alarm: {high: 40}}
      b: {unit: degC}
assets:
  rig: {type: Rig, at: hall}
"""


def allowed(folder):
    """Tell why nothing can be recorded here, or nothing."""
    if STRACE is None:
        return "strace is not installed"
    tried = subprocess.run(command(STRACE, folder / "try", ["true"]), capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode else ""


def test_the_recorder_sees_what_is_safe(tmp_path):
    """Its own check: with everything kept, what is rebuilt is what lies there; with nothing kept, only what was synced."""
    if why := allowed(tmp_path):
        pytest.skip(why)
    folder = tmp_path / "data"
    folder.mkdir()
    program = f"""
import os
os.chdir({str(folder)!r})
with open("a", "wb") as f:
    f.write(b"safe"); f.flush(); os.fsync(f.fileno()); f.write(b", not safe"); f.flush()
    f.seek(1); f.write(b"A"); f.flush()
os.mkdir("sub")
with open("sub/new", "wb") as f: f.write(b"renamed"); f.flush(); os.fsync(f.fileno())
os.rename(os.path.abspath("sub/new"), os.path.abspath("sub/name"))
fd = os.open("sub", os.O_RDONLY); os.fsync(fd)
with open("sub/never", "wb") as f: f.write(b"never synced")
with open("gone", "wb") as f: f.write(b"x"); f.flush(); os.fsync(f.fileno())
os.unlink(os.path.abspath("gone"))
with open("log", "ab") as f: f.write(b"one"); f.flush(); f.truncate(2); os.fsync(f.fileno())
fd = os.open("direct", os.O_WRONLY | os.O_CREAT | os.O_DSYNC); os.pwrite(fd, b"at five", 5)
"""
    subprocess.run(command(STRACE, tmp_path / "trace", [sys.executable, "-c", program]), check=True)
    recording = Recording(tmp_path / "trace", folder)
    recording.at(time.time(), tmp_path / "all", keep=random.Random(1), share=1.1)
    assert contents(tmp_path / "all") == contents(folder)
    recording.at(time.time(), tmp_path / "safe")
    assert contents(tmp_path / "safe") == {
        "a": b"safe", "sub/name": b"renamed", "gone": b"x", "log": b"on", "direct": b"\0\0\0\0\0at five",
    }  # fmt: skip


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


class Recorded:
    """A family under strace, and readings that it acknowledged over HTTP, each with the moment of it."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "plant").mkdir()
        (folder / "plant" / "plant.yaml").write_text(PLANT)
        self.data = folder / "data"
        self.data.mkdir()
        self.person = add_person(self.data, "ann", "engineer")
        self.port = free_port()
        self.acknowledged = {}  # number → wall time

    def run(self, seconds):
        settings = Settings(plant=str(self.folder / "plant"), data=str(self.data), port=self.port)
        words = ("run", settings.plant, "--data", settings.data, "--port", str(self.port), "--reserve", "1000000")
        argv = command(STRACE, self.folder / "trace", [sys.executable, "-m", "gemel", *words])
        with (self.folder / "out").open("wb") as out:
            tracer = subprocess.Popen(argv, stdout=out, stderr=out, preexec_fn=die_with_parent(), env={**os.environ, "GEMEL_LOG_BYTES": str(1 << 30)})
        try:
            assert wait_ready(settings, 120, lambda: tracer.poll() is None), (self.folder / "out").read_text()
            self._send(seconds)
        finally:
            (guard,) = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
            os.kill(int(guard), signal.SIGKILL)  # it ends as it may: the cuts come before
            tracer.wait(60)
        return Recording(self.folder / "trace", self.data)

    def _send(self, seconds):
        face, number, until, saved = Face(self.port, self.person), 0, time.time() + seconds, 0
        places, start = Places(self.data), time.time() - 3600
        latest = until + 120
        while time.time() < until or (len(self.acknowledged) < 200 and time.time() < latest):  # however slow the machine is
            rows = [{"signal": "test/rig/hall/rig/" + "ab"[n % 2], "time": start + n / 50, "value": n} for n in range(number, number + 5)]
            with contextlib.suppress(OSError):
                status, _ = face.post_rows(rows)
                if status == 200:
                    self.acknowledged |= dict.fromkeys(range(number, number + 5), time.time())
            number += 5
            if saved < 3 and time.time() > until - seconds * (3 - saved) / 4:
                saved += 1
                asyncio.run(ask(places, "save"))


def stored(face):
    rows = [v for name in "ab" for _, v, _ in face.rows(f"test/rig/hall/rig/{name}") if v is not None]
    return sorted(int(v) for v in rows)


def test_what_was_acknowledged_survives_a_power_cut(tmp_path):
    if why := allowed(tmp_path):
        pytest.skip(why)
    family = Recorded(tmp_path)
    recording = family.run(8)
    moments = sorted(family.acknowledged.values())
    assert len(moments) > 50, "there was a load"
    chance = random.Random(3)
    begun = moments[len(moments) // 10]
    for cut in range(3):
        moment = chance.uniform(begun, moments[-1])
        data = tmp_path / f"cut-{cut}"
        recording.at(moment, data, keep=chance if cut else None)
        want = {n for n, at in family.acknowledged.items() if at < moment}
        assert want
        with running(tmp_path / "plant", data) as site:
            face = Face(site.settings.port)
            assert wait(lambda: want <= set(stored(face)), 60, 0.3), sorted(want - set(stored(face)))[:5]  # noqa: B023
            found = stored(face)
            assert len(found) == len(set(found)), "stored twice"
            assert face.get("facts/verify")["ok"], face.get("facts/verify")
        done = gemel("verify", data, "--json")
        assert done.returncode == 0, json.loads(done.stdout)["problems"]
