"""`gemel bench backfill`: what live readings wait for while years of the past are filled in, told apart from the old ones.

    another process: live readings at a steady rate ─► log      waits: from sending to the state
    another process: years that are long over ─► Framer ─► log  as files and requests bring them

Alone first; then beside a past that was empty; then beside the same past once more, when the history has to be asked
about each reading; in the end all is counted. `straight` sends the past into the log without regard, as much as the
fold takes: what the way of the past is there for.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from gemel.bench.generator import START
from gemel.bench.ingest import ask, frame_of, machine
from gemel.bench.sending import log_of
from gemel.bench.site import Site, running, wait, write_plant
from gemel.bench.walks import Walks, blocks
from gemel.history import Reader
from gemel.operate.family import python
from gemel.operate.ingest import Framer, clock_for
from gemel.operate.places import Places
from gemel.samples import Batch
from gemel.samples.clock import DAY

LIVE_HZ: Final = 50  # frames
LIVE_RATE: Final = 100_000  # values/s
QUIET_S: Final = 8.0
AHEAD: Final = 65_536  # values straight into the log that may wait for the fold
PATIENCE_S: Final = 300.0
YEAR: Final = 365 * DAY


@dataclass(frozen=True, slots=True)
class Past:
    """What is filled in: some signals, so many values, long ago."""

    values: int = 2_000_000
    signals: int = 1_000
    interval_s: int = 60

    def walks(self, years: int) -> Walks:
        """Give them as they were so many years before the first reading of the other measurements."""
        return Walks(self.signals, self.values // self.signals, self.interval_s, START - years * YEAR, seed=years)


def measure(folder: Path, past: Past, rate: int, told: Callable[[str], None], *, straight: bool = False) -> dict[str, Any]:
    """Run the measurement; give what was measured, with the unit in each key."""
    write_plant(folder / "plant", past.signals, "retention: {default: 36500 d}\n", clock="wall")
    with running(folder / "plant", folder / "data") as site, live(site, past.signals, rate) as sent:
        told(f"{rate:,} live values/s alone")
        alone = waited(site, lambda: time.sleep(QUIET_S))
        found: dict[str, Any] = named("alone", alone)
        for years, name in enumerate(("beside", "again", *(("straight",) if straight else ())), 2):
            told({"beside": "beside a past that was empty", "again": "the same past again"}.get(name, "straight into the log"))
            walks = past.walks(2 if name == "again" else years)
            found |= filled(site, walks, name, straight=name == "straight")
        stop_s = sent()
        found |= _counted(site, past.values * (2 if straight else 1) + stop_s)
    ratio = found["beside_live_p99_ms"] / max(found["alone_live_p99_ms"], 1e-3)
    return {"bench": "backfill", "live_values_per_s": rate, "past_values": past.values, **found,
            "live_p99_beside_to_alone": round(ratio, 2), **machine()}  # fmt: skip


def filled(site: Site, walks: Walks, name: str, *, straight: bool = False) -> dict[str, Any]:
    """Fill in a past; give how fast, and how long what came meanwhile waited, under names that begin with `name`."""
    told: dict[str, Any] = {}

    def fill() -> None:
        told.update(_child("straight" if straight else "past", site, walks))

    waits = waited(site, fill)
    speed = round(walks.values / (told["acknowledged"] - told["start"]))
    return {f"{name}_past_values_per_s": speed, **named(name, waits)}


def waited(site: Site, work: Callable[[], None]) -> dict[str, float]:
    """Give what waited how long while something was done."""
    asyncio.run(ask(site.places, "latency"))  # begins anew
    work()
    return dict(asyncio.run(ask(site.places, "latency")))


def named(name: str, waits: dict[str, float]) -> dict[str, float]:
    """Give waits under names that begin with `name`."""
    found = {f"{name}_live_p50_ms": waits["p50_ms"], f"{name}_live_p99_ms": waits["p99_ms"], f"{name}_live_frames": waits["frames"]}
    if waits["past_frames"]:
        found |= {f"{name}_past_p50_ms": waits["past_p50_ms"], f"{name}_past_p99_ms": waits["past_p99_ms"]}
    return found


def _counted(site: Site, values: int) -> dict[str, int]:
    """Count what is stored, once all is folded."""
    wait(lambda: asyncio.run(ask(site.places, "tend")) is not None and _rows(site) >= values, PATIENCE_S, 0.5)
    rows = _rows(site)
    return {"sent": values, "lost": max(values - rows, 0), "duplicated": max(rows - values, 0)}


def _rows(site: Site) -> int:
    asyncio.run(ask(site.places, "flush"))
    with Reader(site.places.lake) as reader:
        return reader.rows_count()


# ---- the processes beside the family


@contextmanager
def live(site: Site, signals: int, rate: int) -> Iterator[Callable[[], int]]:
    """Keep live readings coming until the block ends, or what is given is called: it says how many there were."""
    arguments = ["live", str(site.places.data), msgspec.json.encode([signals, rate]).decode()]
    child = subprocess.Popen(
        python("gemel.bench.backfill", *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    told: list[int] = []

    def stop() -> int:
        if not told:
            out, _ = child.communicate()  # it ends when nobody writes to it any more
            told.append(int(msgspec.json.decode(out)["sent"]))
        return told[0]

    try:
        before = asyncio.run(ask(site.places, "counts"))["received"]
        wait(lambda: asyncio.run(ask(site.places, "counts"))["received"] > before, 30)
        yield stop
    finally:
        stop()


def _child(what: str, site: Site, walks: Walks) -> dict[str, Any]:
    arguments = [what, str(site.places.data), msgspec.json.encode(walks).decode()]
    done = subprocess.run(python("gemel.bench.backfill", *arguments), stdout=subprocess.PIPE, check=True)
    return dict(msgspec.json.decode(done.stdout))


async def send_live(places: Places, signals: int, rate: int) -> dict[str, float]:
    """Send values with the time of their making, until the standard input ends."""
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    sent, each = 0, max(rate // LIVE_HZ, 1)
    async with log_of(places) as (bus, registry):
        due = asyncio.get_running_loop().time()
        for number in range(1, 1 << 40):
            due += 1 / LIVE_HZ
            await asyncio.sleep(max(due - asyncio.get_running_loop().time(), 0))
            if over.done():
                break
            n = np.arange(sent, sent + each)
            now = np.full(each, time.time_ns()) + n // signals - sent // signals  # a signal may come twice in a frame
            rows = Batch.of(signal=n % signals, time=now, received=np.full(each, now[0]), value=n % 100, status=np.zeros(each))
            await bus.append("samples.0", frame_of(registry, f"live-{os.getpid()}", number, rows), timeout_s=60)
            sent += each
    return {"sent": sent}


async def send_past(places: Places, walks: Walks) -> dict[str, float]:
    """Send all values the way that files and requests take, two readings on their way."""
    async with log_of(places) as (bus, registry):
        framer = Framer(bus, registry, await clock_for(bus, "wall"))
        cutting = asyncio.create_task(framer.run())
        await framer.learn()
        start, under_way = time.time(), list[asyncio.Task[None]]()
        for rows in blocks(walks):
            under_way.append(asyncio.create_task(framer.add(rows)))
            if len(under_way) > 1:
                await under_way.pop(0)
        await asyncio.gather(*under_way)
        await bus.ask("twin.ask", {"do": "caught_up"}, timeout_s=60)
        cutting.cancel()
        return {"start": start, "acknowledged": time.time()}


async def send_straight(places: Places, walks: Walks) -> dict[str, float]:
    """Send all values without regard to what is live, no more ahead of the fold than a little."""
    async with log_of(places) as (bus, registry):
        start, ahead = time.time(), deque[int]()
        for number, rows in enumerate(blocks(walks), 1):
            now = rows.with_columns(received=np.full(len(rows), time.time_ns()))
            frame = frame_of(registry, f"past-{walks.seed}", number, now)
            ahead.append(await bus.append("samples.0", frame, timeout_s=120))
            if len(ahead) >= AHEAD // len(rows):
                await bus.ask("twin.ask", {"do": "folded", "upto": ahead.popleft()}, timeout_s=60)
        await bus.ask("twin.ask", {"do": "caught_up"}, timeout_s=60)
        return {"start": start, "acknowledged": time.time()}


def main(what: str, data: str, given: str) -> None:
    """Be one of the processes beside the family."""
    places = Places(Path(data))
    if what == "live":
        told = asyncio.run(send_live(places, *msgspec.json.decode(given, type=tuple[int, int])))
    else:
        walks = msgspec.json.decode(given, type=Walks)
        told = asyncio.run(send_straight(places, walks) if what == "straight" else send_past(places, walks))
    sys.stdout.write(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
