"""A plant made for a measurement, run as a real family of processes in a folder of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from gemel.bus.server import die_with_parent, free_port
from gemel.config import Settings
from gemel.config.supervise import wait_ready
from gemel.errors import StorageError
from gemel.history import Reader
from gemel.operate.family import python
from gemel.operate.places import Places, Running, read_running

PER_ASSET: Final = 10
TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Site:
    """A running family."""

    places: Places
    settings: Settings
    process: subprocess.Popen[bytes]

    @property
    def running(self) -> Running:
        """Where it is reached now."""
        found = read_running(self.places.data)
        if found is None:
            raise StorageError("the family does not run", remedy=f"see {self.places.logs}")
        return found

    def pids(self) -> dict[str, int]:
        """Give the processes by name, read from the kernel's list of children."""
        found: dict[str, int] = {}
        pending = [self.process.pid]
        while pending:
            pid = pending.pop()
            with suppress(OSError, IndexError):  # gone meanwhile, as the writer of a snapshot, or dead: it has no words then
                line = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                name = "nats" if b"nats-server" in line[0] else line[3].decode()
                found[f"{name}'s snapshot" if name in found else name] = pid  # a process before its fork
                pending += [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return found

    def lasting(self) -> dict[str, int]:
        """Give the processes that stay: a snapshot's writer is one too, for a moment."""
        return {name: pid for name, pid in self.pids().items() if not name.endswith("'s snapshot")}

    def cpu_s(self) -> dict[str, float]:
        """Give the processor time each process has used so far [s]."""
        used = {}
        for name, pid in self.pids().items():
            with suppress(OSError):  # ended since it was listed, as the writer of a snapshot does
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                used[name] = (int(fields[11]) + int(fields[12])) / TICKS
        return used

    def resident_mb(self) -> dict[str, float]:
        """Give the memory each process holds [MB]."""
        held = {}
        for name, pid in self.pids().items():
            with suppress(OSError):
                held[name] = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6
        return held

    def stop(self) -> None:
        """End it as Ctrl-C would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def again(self, **changed: Any) -> "Site":
        """Start it on the same data, perhaps with other settings."""
        return start(msgspec.structs.replace(self.settings, **changed))


def start(settings: Settings, timeout_s: float = 180) -> Site:
    """Start a family and wait until it answers; raises StorageError where it does not."""
    places = Places(Path(settings.data))
    places.data.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GEMEL_LOG_BYTES": str(settings.log_bytes), "GEMEL_READY": str(settings.ready)}
    asked = (
        "run",
        settings.plant,
        "--data",
        settings.data,
        "--port",
        str(settings.port),
        "--reserve",
        str(settings.reserve_bytes),
    )
    with (places.data / "run.log").open("ab") as out:
        process = subprocess.Popen(
            python("gemel", *asked),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment,
            preexec_fn=die_with_parent(),
        )
    site = Site(places, settings, process)
    if not wait_ready(settings, timeout_s, lambda: process.poll() is None):
        site.stop()
        raise StorageError(
            "the family does not come up",
            remedy=f"see {places.logs}",
            context={"told": (places.data / "run.log").read_text()},
        )
    return site


def write_plant(
    folder: Path, signals: int, extra: str = "", clock: str = "data", source: str = "", high: int = 100,
    interval_s: int = 1,
) -> None:  # fmt: skip
    """Write a plant file of so many signals, ten an asset."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(
        f'      s{i}: {{unit: "%", range: [0, {high}], interval: {interval_s} s}}' for i in range(PER_ASSET)
    )
    (folder / "plant.yaml").write_text(
        f"plant: bench/load\nclock: {clock}\n{extra}types:\n  Rig:\n{source}    signals:\n{lines}\n"
        "assets:\n  rig: {type: Rig, at: hall, table: rigs.csv}\n"
    )
    names = "\n".join(f"rig-{i:06}" for i in range(-(-signals // PER_ASSET)))
    (folder / "rigs.csv").write_text(f"name\n{names}\n")


@contextmanager
def running(plant: Path, data: Path, timeout_s: float = 180, **more: Any) -> Iterator[Site]:
    """Run a family until the block ends."""
    more = {"reserve_bytes": 1 << 30, "log_bytes": 8 << 30, **more}
    site = start(Settings(plant=str(plant), data=str(data), port=free_port(), **more), timeout_s)
    try:
        yield site
    finally:
        site.stop()


def lake_bytes(places: Places) -> int:
    """Give the size of the lake's newest version and its catalogue [bytes]: replaced files go some minutes later."""
    with Reader(places.lake) as reader:
        stored = reader.files()
    beside = [f for f in places.lake.rglob("*") if f.is_file() and f.suffix != ".parquet"]
    return sum(f.stat().st_size for f in [*stored, *beside] if "extension" not in str(f))


def wait(condition: Any, timeout_s: float, step_s: float = 0.05) -> bool:
    """Wait until a condition holds."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(step_s)
    return False


def as_json(value: Any) -> str:
    """Give a value as one line of JSON."""
    return msgspec.json.encode(value).decode()
