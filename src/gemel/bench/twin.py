"""`gemel bench twin`: how fast and how large the state is, on a real family of processes.

One family of 100,000 signals: ingest until durable, folded and queryable, with the roll-ups built; wire to state at
100,000 values/s; the latest of all signals; an asset's past. A second one of many assets: memory while all of them
speak, and the time from the command to the page after a stop, from its snapshot.
"""

import asyncio
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import msgspec
import numpy as np
import pyarrow as pa

from gemel.bench.fleet import PER_LINE, SIGNALS, write_fleet
from gemel.bench.generator import START, Load, frames
from gemel.bench.ingest import IN_FLIGHT, ask, child, frame_of, machine
from gemel.bench.memory import Watch, shares_mb, watched
from gemel.bench.site import Site, running, wait
from gemel.bus import Bus
from gemel.config.registries import read_registry
from gemel.errors import StorageError
from gemel.operate.family import python
from gemel.operate.places import Places, read_running
from gemel.samples import Batch
from gemel.samples.clock import SECOND

RATE: Final = 100_000  # values/s while the way from the wire to the state is measured
SPREAD_RATE: Final = 1_000_000  # values/s at most while every signal speaks
ASKED: Final = 100_000  # signals in one answer
PATIENCE_S: Final = 600.0
FIRST_S: Final = 300.0  # a first start numbers every signal
MOST_LOOKS: Final = 1000
TIMES: Final = 40  # each question is asked so often
ROWS: Final = 65_536  # in a frame of the wide load
LARGE: Final = 100_000  # assets from which on a snapshot is waited for


def measure(
    folder: Path, assets: int, seconds: int, passes: int, told: Callable[[str], None]
) -> dict[str, Any]:
    """Run the whole measurement; give what was measured, with the unit in each key.

    Args:
        folder: of its own.
        assets: of the large plant, five signals each.
        seconds: readings of each of the 100,000 signals.
        passes: how often every signal of the large plant speaks.
        told: takes words on how far it is.
    """
    load = Load(signals=ASKED, seconds=seconds)
    fast = _fast(folder / "fast", load, told)
    large = _large(folder / "large", assets, passes, told)
    return {
        "bench": "twin",
        **fast,
        **large,
        "lost": fast["lost"] + large["large_lost"],
        "duplicated": 0,
        **machine(),
    }


# ---- a hundred thousand signals


def _fast(folder: Path, load: Load, told: Callable[[str], None]) -> dict[str, Any]:
    write_fleet(folder / "plant", load.signals // len(SIGNALS), clock="data")
    with running(folder / "plant", folder / "data") as site:
        told(f"sending {load.values:,} values of {load.signals:,} signals")
        before = site.cpu_s()
        sent = child("send", site, load)
        folded = _until_folded(site, load.values)
        queried = _queryable(site, load)
        asyncio.run(ask(site.places, "flush"))
        durable = time.time()
        used = {n: s - before.get(n, 0.0) for n, s in site.cpu_s().items()}
        told("rolling up")
        asyncio.run(ask(site.places, "tend"))
        rolled = time.time()
        told("asking")
        asked = _asked(site, load)
        counts = asyncio.run(ask(site.places, "counts"))
    write_fleet(folder / "live-plant", load.signals // len(SIGNALS))
    with running(folder / "live-plant", folder / "live") as site:
        told(f"{RATE:,} values/s")
        asyncio.run(ask(site.places, "latency"))
        seconds = "6"
        arguments = ["trickle", str(site.places.data), msgspec.json.encode(load).decode(), seconds, str(RATE)]
        _run("gemel.bench.ingest", arguments)
        latency = asyncio.run(ask(site.places, "latency"))

    def rate(end: float) -> int:
        return round(load.values / (end - float(sent["start"])))

    return {
        "signals": load.signals, "sent": load.values, "lost": load.values - counts["received"], "wrong": queried["wrong"],
        "acknowledged_values_per_s": rate(sent["acknowledged"]),
        "folded_values_per_s": rate(folded),
        "queryable_values_per_s": rate(queried["at"]),
        "durable_values_per_s": rate(durable),
        "rolled_up_values_per_s": rate(rolled),
        "cpu_s_per_million": round(sum(used.values()) / load.values * 1e6, 3),
        "cpu_s": {n: round(s, 2) for n, s in used.items()},
        "wire_to_state_values_per_s": RATE, "wire_to_state_p50_ms": latency["p50_ms"], "wire_to_state_p99_ms": latency["p99_ms"],
        **asked,
    }  # fmt: skip


def _until_folded(site: Site, values: int) -> float:
    if not wait(lambda: asyncio.run(ask(site.places, "counts"))["received"] >= values, PATIENCE_S, 0.02):
        raise StorageError("the values do not arrive", remedy=f"see {site.places.logs}/twin.log")
    return time.time()


def _queryable(site: Site, load: Load) -> dict[str, Any]:
    """Wait until the API shows the last value of every signal; compare all of them with what was sent."""
    last = deque(frames(load), maxlen=1)[0]
    believed = last.status < np.uint32(0x80000000)  # of a Bad one the newest usable value is shown
    with _Line(site) as line:
        for _ in range(MOST_LOOKS):
            table = pa.ipc.open_stream(line.get("/latest", format="arrow")).read_all()
            times = table["time"].cast(pa.int64()).fill_null(0).to_numpy()
            if (times == last.time)[believed].all():
                break
            time.sleep(0.02)
    at = time.time()
    shown = table["value"].fill_null(np.nan).to_numpy()
    return {"at": at, "wrong": int((shown != last.value)[believed].sum())}


def _asked(site: Site, load: Load) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    end = START + load.seconds * SECOND
    with _Line(site) as line:
        everything = _timed(lambda _: line.get("/latest", format="arrow"))
        some = rng.integers(0, load.signals // len(SIGNALS), TIMES)
        moments = rng.integers(START, end, TIMES)
        past = _timed(lambda i: line.get(f"/state/{quote(asset(int(some[i])))}", at=_iso(int(moments[i]))))
        now = _timed(lambda i: line.get(f"/state/{quote(asset(int(some[i])))}"))
    return {
        "latest_signals": ASKED, **_percentiles("latest", everything), **_percentiles("past_state_of_an_asset", past),
        **_percentiles("state_of_an_asset", now),
    }  # fmt: skip


def asset(number: int) -> str:
    """Give the path of an asset of the fleet."""
    line, area = number // PER_LINE % 100, number // (PER_LINE * 100)
    return f"bench/fleet/area-{area:03}/line-{line:02}/pump-{number:07}"


# ---- a million assets


def _large(folder: Path, assets: int, passes: int, told: Callable[[str], None]) -> dict[str, Any]:
    write_fleet(folder / "plant", assets)
    watch, signals = Watch(), assets * len(SIGNALS)
    began = time.monotonic()
    told(f"starting {assets:,} assets for the first time")
    with running(folder / "plant", folder / "data", FIRST_S) as site:
        first_s = time.monotonic() - began
        told(f"every one of {signals:,} signals speaks, {passes} times")
        with watched(site, watch):
            began = _spread(site, signals, passes)
            spread_s = _until_folded(site, signals * passes) - began
            shown = _shown(site, signals)
            wait(lambda: _snapshots(site), 120 if assets > LARGE else 5)  # so that the peak holds one
            time.sleep(2)
        steady = shares_mb(site)
        with _Line(site) as line:
            everything = _timed(
                lambda i: line.get("/latest", format="arrow", signal=f"line-{i % 50:02}/*/flow"), 5
            )
        counts = asyncio.run(ask(site.places, "counts"))
        settings = site.settings
    told("starting it again from its snapshot")
    began = time.monotonic()
    with running(Path(settings.plant), Path(settings.data), FIRST_S) as site, watched(site, watch):
        again_s = time.monotonic() - began
        kept = _shown(site, signals)
        time.sleep(2)
    return {
        "assets": assets, "large_signals": signals, "large_first_start_s": round(first_s, 1), "start_from_snapshot_s": round(again_s, 1),
        "large_values_per_s": round(signals * passes / spread_s), "large_lost": signals * passes - counts["received"],
        "large_shown": shown, "large_shown_after_restart": kept,
        "memory_mib": _mib(steady), "memory_all_mib": _mib(steady, True), "memory_peak_mib": _mib(watch.peak_mb),
        "memory_peak_all_mib": _mib(watch.peak_mb, True), "snapshot_mib": round(_snapshots(site) / 2**20),
        **_percentiles("latest_of_one_signal_a_line", everything),
    }  # fmt: skip


def _mib(shares: dict[str, float], total: bool = False) -> Any:
    if total:
        return round(sum(shares.values()) * 1e6 / 2**20)
    return {name: round(mb * 1e6 / 2**20) for name, mb in shares.items()}


def _snapshots(site: Site) -> int:
    return max((f.stat().st_size for f in site.places.snapshots.rglob("*.snap")), default=0)


def _shown(site: Site, signals: int) -> int:
    """Wait until the API shows a value of every signal, a minute at most; give how many it shows."""
    found = 0
    with _Line(site) as line:
        for _ in range(60):
            told = msgspec.json.decode(line.get("/assets", limit=1, where="flow>=0"))
            found = int(told["count"]) * len(SIGNALS)
            if found >= signals:
                break
            time.sleep(1)
    return found


async def spread(places: Places, signals: int, passes: int) -> float:
    """Send a value of every signal, frame after frame, so often, at a million a second; give when it began [s since 1970]."""
    registry, running_ = read_registry(places.registry), read_running(places.data)
    assert running_ is not None
    bus = await Bus.open(running_.bus, "bench-spread")
    slots, sequence, began = asyncio.Semaphore(IN_FLIGHT), 0, time.time()
    tasks = []

    async def one(data: bytes, once: str) -> None:
        try:
            await bus.append("samples.0", data, once=once, timeout_s=60)
        finally:
            slots.release()

    for turn in range(passes):
        for first in range(0, signals, ROWS):
            sequence += 1
            due = began + (turn * signals + first) / SPREAD_RATE
            await asyncio.sleep(max(due - time.time(), 0))
            await slots.acquire()
            signal = np.arange(first, min(first + ROWS, signals), dtype=np.int32)
            now = time.time_ns()
            rows = Batch.of(signal=signal, time=np.full(len(signal), now), received=np.full(len(signal), now),
                            value=20.0 + (signal * 7 + turn) % 5, status=np.zeros(len(signal)))  # fmt: skip
            tasks.append(
                asyncio.create_task(one(frame_of(registry, "spread", sequence, rows), f"spread-{sequence}"))
            )
    await asyncio.gather(*tasks)
    await bus.close()
    return began


# ---- asking


class _Line:
    """One connection to the API of a family."""

    def __init__(self, site: Site) -> None:
        self._line = HTTPConnection("127.0.0.1", site.settings.port, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def get(self, path: str, **query: Any) -> bytes:
        self._line.request("GET", f"/api/v1{path}?{urlencode(query)}")
        reply = self._line.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status} {body[:300]!r}")
        return body


def _timed(question: Callable[[int], Any], times: int = TIMES) -> list[float]:
    question(0)  # the first one finds nothing in any cache
    took = []
    for i in range(times):
        began = time.perf_counter()
        question(i)
        took.append((time.perf_counter() - began) * 1000)
    return took


def _percentiles(name: str, ms: list[float]) -> dict[str, float]:
    return {
        f"{name}_p50_ms": round(float(np.percentile(ms, 50)), 1),
        f"{name}_p99_ms": round(float(np.percentile(ms, 99)), 1),
    }


def _iso(ns: int) -> str:
    return str(np.datetime64(ns, "ns")) + "Z"


def _spread(site: Site, signals: int, passes: int) -> float:
    argv = python("gemel.bench.twin", str(site.places.data), str(signals), str(passes))
    return float(subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout)


def _run(module: str, arguments: list[str]) -> None:
    subprocess.run(python(module, *arguments), stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(spread(Places(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])))))
