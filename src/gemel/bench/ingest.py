"""`gemel bench ingest`: frames → log → condition → fold → history, on a real family of processes.

*Sent* is what the generator, a process of its own, got acknowledged by the log; *read back* compares every value,
time and status through the public reader. Time runs from the first frame sent to the last row durable in the lake.
"""

import asyncio
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from gemel import __version__
from gemel.assets import load
from gemel.bench.generator import START, Load, frames
from gemel.bench.site import Site, lake_bytes, running, write_plant
from gemel.bus import Bus, FrameHeader, encode_frame
from gemel.history import Reader
from gemel.operate.family import python
from gemel.operate.places import Places, read_running
from gemel.samples import Batch, Registry
from gemel.samples.clock import SECOND

IN_FLIGHT: Final = 8
LIVE_RATE: Final = 50_000  # values/s while latency is measured
LIVE_S: Final = 10


async def send(places: Places, load_: Load) -> dict[str, float]:
    """Append the whole load, a few frames in flight; give how long it took."""
    site = Registry.from_bytes(places.registry.read_bytes())
    began = time.perf_counter()
    ready = [frame_of(site, "bench", i + 1, b) for i, b in enumerate(frames(load_))]
    encoded = time.perf_counter()
    running_ = read_running(places.data)
    assert running_ is not None
    bus = await Bus.open(running_.bus, "bench")
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one(i: int, data: bytes) -> None:
        async with slots:
            await bus.append("samples.0", data, once=f"bench-{i}", timeout_s=60)

    start = time.time()
    await asyncio.gather(*(one(i, data) for i, data in enumerate(ready)))
    end = time.time()
    await bus.close()
    return {"sent": load_.values, "start": start, "acknowledged": end, "encode_s": encoded - began}


async def trickle(places: Places, signals: int, seconds: float, rate: int) -> int:
    """Send values at a rate [1/s] with the time of their making; give how many."""
    site = Registry.from_bytes(places.registry.read_bytes())
    running_ = read_running(places.data)
    assert running_ is not None
    bus = await Bus.open(running_.bus, "bench-live")
    per_frame = rate // 50
    due = asyncio.get_running_loop().time()
    sent = 0
    for i in range(int(50 * seconds)):
        due += 0.02
        await asyncio.sleep(max(due - asyncio.get_running_loop().time(), 0))
        now = time.time_ns()
        n = np.arange(per_frame)
        rows = Batch.of(signal=(n + i * per_frame) % signals, time=np.full(per_frame, now), received=np.full(per_frame, now),
                        value=n % 100, status=np.zeros(per_frame))  # fmt: skip
        await bus.append("samples.0", frame_of(site, "live", i + 1, rows))
        sent += per_frame
    await bus.close()
    return sent


def frame_of(registry: Registry, producer: str, sequence: int, rows: Batch) -> bytes:
    header = FrameHeader(
        kind="samples", partition=0, producer=producer, sequence=sequence, registry=registry.digest
    )
    return encode_frame(header, rows)


async def ask(places: Places, do: str, **body: Any) -> Any:
    """Ask the twin of a family."""
    running_ = read_running(places.data)
    assert running_ is not None
    bus = await Bus.open(running_.bus, "bench-ask")
    try:
        return msgspec.json.decode(await bus.ask("twin.ask", {"do": do, **body}, timeout_s=60))
    finally:
        await bus.close()


def read_back(places: Places, load_: Load) -> dict[str, int]:
    """Compare every value, time and status that was sent with what the reader gives."""
    sent = list(frames(load_))
    times, values, statuses = (
        np.stack([getattr(b, c) for b in sent], axis=1) for c in ("time", "value", "status")
    )
    found = lost = wrong = extra = 0
    with Reader(places.lake) as reader:
        for first in range(0, load_.signals, 500):
            signals = list(range(first, min(first + 500, load_.signals)))
            got = reader.raw(signals, START - SECOND, START + (load_.seconds + 1) * SECOND)
            got = got.take(got.order())
            want_n = len(signals) * load_.seconds
            found += len(got)
            if len(got) != want_n:
                lost += max(want_n - len(got), 0)
                extra += max(len(got) - want_n, 0)
                continue
            block = slice(first, first + len(signals))
            same = (
                (got.time == times[block].ravel())
                & (got.value == values[block].ravel())
                & ((got.status >> 30) == (statuses[block].ravel() >> 30))
            )
            wrong += int((~same).sum())
    return {"read_back": found, "lost": lost, "duplicated": extra, "wrong": wrong}


def measure(folder: Path, load_: Load, told: Callable[[str], None]) -> dict[str, Any]:
    """Run the whole measurement; give what was measured, with the unit in each key."""
    write_plant(folder / "plant", load_.signals)
    load(folder / "plant")  # fails early where the plant file is wrong
    with running(folder / "plant", folder / "data") as site:
        told(f"sending {load_.values:,} values of {load_.signals:,} signals")
        before = site.cpu_s()
        sent = child("send", site, load_)
        folded = _wait_folded(site, load_.values)
        position = asyncio.run(ask(site.places, "flush"))["position"]
        durable = time.time()
        used = {n: s - before.get(n, 0.0) for n, s in site.cpu_s().items()}
        asyncio.run(ask(site.places, "tend"))
        size = lake_bytes(site.places)
        told("reading back every value")
        back = read_back(site.places, load_)
        memory = site.resident_mb()
        told(f"latency at {LIVE_RATE:,} values/s")
    with running(
        folder / "plant",
        folder / "live",
    ) as site:
        child("trickle", site, load_)
        latency = asyncio.run(ask(site.places, "latency"))
    seconds = durable - sent["start"]
    return {
        "bench": "ingest", "signals": load_.signals, "jitter_ms": load_.jitter_ms, "resolution_us": load_.resolution_us, "sent": load_.values, **back,
        "values_per_s": round(load_.values / seconds), "acknowledged_values_per_s": round(load_.values / (sent["acknowledged"] - sent["start"])),
        "folded_values_per_s": round(load_.values / (folded - sent["start"])),
        "cpu_s_per_million": round(sum(used.values()) / load_.values * 1e6, 3), "cpu_s": {n: round(s, 2) for n, s in used.items()},
        "bytes_per_value": round(size / load_.values, 3), "p50_ms": latency["p50_ms"], "p99_ms": latency["p99_ms"],
        "latency_at_values_per_s": LIVE_RATE, "resident_mb": {n: round(m) for n, m in memory.items()}, "log_position": position, **machine(),
    }  # fmt: skip


def child(what: str, site: Site, load_: Load) -> dict[str, Any]:
    arguments = [what, str(site.places.data), msgspec.json.encode(load_).decode()]
    done = subprocess.run(python("gemel.bench.ingest", *arguments), stdout=subprocess.PIPE, check=True)
    return dict(msgspec.json.decode(done.stdout))


def _wait_folded(site: Site, values: int) -> float:
    while True:
        if asyncio.run(ask(site.places, "counts"))["received"] >= values:
            return time.time()
        time.sleep(0.02)


def machine() -> dict[str, Any]:
    """Say what it was measured on."""
    cores = len(os.sched_getaffinity(0))
    return {
        "machine": f"{platform.machine()}, {cores} cores",
        "python": platform.python_version(),
        "gemel": __version__,
    }


def main(what: str, data: str, given: str, seconds: str = str(LIVE_S), rate: str = str(LIVE_RATE)) -> None:
    """Be the generator: a process of its own."""
    places, load_ = Places(Path(data)), msgspec.json.decode(given, type=Load)
    if what == "send":
        told: Any = asyncio.run(send(places, load_))
    else:
        told = {"sent": asyncio.run(trickle(places, load_.signals, float(seconds), int(rate)))}
    sys.stdout.write(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
