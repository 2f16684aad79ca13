"""`gemel bench history`: two shapes of history laid down through the live path, with roll-ups running; then drawn.

*wide*: many signals for a while; *long*: few signals for a year. Time runs from the first frame sent to the last row
durable in the lake. *Cold*: another process, a reader just opened, the files' pages given back to the system; *warm*:
once more. Beside it: how large the public records SKAB and ETT become, and what a back-fill does to live readings.
"""

import asyncio
import csv
import gzip
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from gemel.bench import backfill
from gemel.bench.ingest import _wait_folded, ask, frame_of, machine
from gemel.bench.sending import log_of, received
from gemel.bench.site import Site, running, write_plant
from gemel.bench.walks import Walks, blocks
from gemel.bus import Bus
from gemel.history import Reader, Store
from gemel.operate.family import python
from gemel.operate.places import Places
from gemel.samples import Batch
from gemel.samples.clock import DAY, SECOND

YEAR: Final = 365 * DAY
SHAPES: Final = ("wide", "long")
POINTS: Final = 2000
LIVE_RATE: Final = 10_000  # values/s beside a back-fill
IN_FLIGHT: Final = 8
DRAWN: Final = 20  # signals
LIVE_AHEAD: Final = 30_000_000  # live ones: the log is bounded, and holds what two snapshots are apart
SHARED: Final = Path(__file__).parents[4] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Size:
    """What is laid down: the two shapes, and the past that is filled in."""

    wide: Walks
    long: Walks
    backfill: Walks


def size(*, full: bool) -> Size:
    """Give the sizes: a billion values each, or what fits into 50 s."""
    if full:
        wide, long = Walks(10_000, 28 * 3600), Walks(32, YEAR // SECOND)
    else:
        wide, long = Walks(10_000, 100), Walks(DRAWN, YEAR // SECOND // 240, interval_s=240)
    past = Walks(long.signals, long.readings // 10, long.interval_s, long.start - 2 * YEAR, seed=8)
    return Size(wide, long, past)


def measure(
    folder: Path, sizes: Size, told: Callable[[str], None], shapes: tuple[str, ...] = SHAPES
) -> dict[str, Any]:
    """Run the measurement of these shapes; give what was measured, with the unit in each key."""
    found: dict[str, Any] = {
        "bench": "history",
        "sent": sum(getattr(sizes, name).values for name in shapes),
        "lost": 0,
        "duplicated": 0,
        "wrong": 0,
    }
    for name in shapes:
        walks: Walks = getattr(sizes, name)
        told(
            f"{name}: {walks.values:,} values of {walks.signals:,} signals over {(walks.end - walks.start) / DAY:.1f} days"
        )
        write_plant(folder / name / "plant", walks.signals, interval_s=walks.interval_s)
        with running(folder / name / "plant", folder / name / "data", log_bytes=16 << 30) as site:
            laid = lay(site, walks)
            told(f"{name}: {laid['values_per_s']:,} values/s; rolling up the rest, drawing")
            laid |= settled(site, walks)
            laid |= drawn(site.places, walks)
            if name == "long":
                told("a back-fill beside live readings")
                laid |= filled_in(site, walks.signals, sizes.backfill)
        found |= {f"{name}_{key}": value for key, value in laid.items()}
        for key in ("lost", "duplicated", "wrong"):
            found[key] += found.pop(f"{name}_{key}")
    found["values_per_s"] = min(found[f"{name}_values_per_s"] for name in shapes)
    found["bytes_per_value"] = max(found[f"{name}_bytes_per_value"] for name in shapes)
    told("public records")
    return found | records(folder) | machine()


def lay(site: Site, walks: Walks, rate: float = 0.0) -> dict[str, Any]:
    """Send all values, no more than `rate` a second where it is given; give how fast they were durable and folded."""
    before = site.cpu_s()
    sent = _child("send", site, walks, rate)
    _wait_folded(site, walks.values)
    folded = time.time()
    asyncio.run(ask(site.places, "flush"))
    durable = time.time()
    used = {n: s - before.get(n, 0.0) for n, s in site.cpu_s().items()}
    return {
        "values": walks.values, "values_per_s": round(walks.values / (durable - sent["start"])),
        "folded_values_per_s": round(walks.values / (folded - sent["start"])),
        "cpu_s_per_million": round(sum(used.values()) / walks.values * 1e6, 3), "generator_s": round(sent["generator_s"], 1),
    }  # fmt: skip


def settled(site: Site, walks: Walks) -> dict[str, Any]:
    """Let the background finish; give how long it took, what lies on the disk, and whether all is there."""
    began = time.time()
    while asyncio.run(ask(site.places, "tend"))["behind"]:
        pass
    behind = time.time() - began
    by_kind: dict[str, int] = {}
    with Reader(site.places.lake) as reader:
        live = set(reader.files())  # what was replaced goes some minutes later
    for file in site.places.lake.rglob("*"):
        if file.is_file() and "extension" not in str(file) and (file.suffix != ".parquet" or file in live):
            kind = (
                "rollups"
                if file.parent.name.startswith(("roll_", "pick_"))
                else "raw"
                if file.suffix == ".parquet"
                else "catalogue"
            )
            by_kind[kind] = by_kind.get(kind, 0) + file.stat().st_size
    with Reader(site.places.lake) as reader:
        rows = reader.rows_count()
        one = walks.signals // 2
        whole = reader.aggregated(one, walks.start, walks.end, walks.end - walks.start, "count").counts[0]
        wrong = _differ(reader, walks)
    return {
        "settled_after_s": round(behind, 1), "bytes_per_value": round(sum(by_kind.values()) / walks.values, 3),
        **{f"{k}_bytes_per_value": round(v / walks.values, 3) for k, v in by_kind.items()},
        "lost": max(walks.values - rows, 0), "duplicated": max(rows - walks.values, 0), "wrong": wrong, "usable_of_one": int(whole),
        "resident_mb": {n: round(m) for n, m in site.resident_mb().items()},
    }  # fmt: skip


def _differ(reader: Reader, walks: Walks) -> int:
    """Compare the first frame, reading by reading, with what was sent; give how many are wrong."""
    first = next(blocks(walks))
    signals = np.unique(first.signal)[:1000]
    got = reader.raw(signals, walks.start, int(first.time.max()) + 1)
    want = first.take(np.isin(first.signal, signals))
    want = want.take(want.order())
    if len(got) != len(want):
        return abs(len(got) - len(want))
    return int(((got.time != want.time) | (got.value != want.value)).sum())


def drawn(places: Places, walks: Walks) -> dict[str, Any]:
    """Draw signals over a day and over all there is, cold and warm."""
    spans = {"day": min(DAY, walks.end - walks.start), "year": walks.end - walks.start}
    found: dict[str, Any] = {}
    for name, span in spans.items():
        if name == "year" and span < 2 * DAY:
            continue
        end = walks.end - (0 if name == "year" else (walks.end - walks.start - span) // 2)
        asked = msgspec.json.encode([walks.signals, end - span, end]).decode()
        done = subprocess.run(
            python("gemel.bench.history", "draw", str(places.data), asked), stdout=subprocess.PIPE, check=True
        )
        found |= {f"{name}_{k}": v for k, v in msgspec.json.decode(done.stdout).items()}
    return found


def draw(places: Places, signals: int, start: int, end: int) -> dict[str, Any]:
    """Be the process that draws: each signal cold with a reader of its own, then warm."""
    opened, cold = [], []
    chosen = np.random.default_rng(3).choice(signals, min(DRAWN, signals), replace=False).tolist()
    for signal in chosen:
        _forget_pages(places.lake)
        with Reader(places.lake) as reader:
            opened.append(_took(lambda: reader.decimated(signal, 0, 1, POINTS)))  # noqa: B023
            cold.append(_took(lambda: reader.decimated(signal, start, end, POINTS)))  # noqa: B023 - called at once
    with Reader(places.lake) as reader:
        for signal in chosen:
            reader.decimated(signal, start, end, POINTS)
        warm = [_took(lambda s=s: reader.decimated(s, start, end, POINTS)) for s in chosen]  # type: ignore[misc]
        rows = len(reader.decimated(chosen[0], start, end, POINTS))
    return {"open_p50_ms": _ms(opened, 50), "cold_p50_ms": _ms(cold, 50), "cold_p99_ms": _ms(cold, 99), "warm_p50_ms": _ms(warm, 50), "warm_p99_ms": _ms(warm, 99), "drawn": rows}  # fmt: skip


def _took(do: Callable[[], Any]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _ms(seconds: list[float], percentile: float) -> float:
    return round(float(np.percentile(seconds, percentile)) * 1e3, 1)


def _forget_pages(lake: Path) -> None:
    """Have the system give back what it holds of the lake's files in memory."""
    for path in lake.rglob("*.parquet"):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def filled_in(site: Site, signals: int, past: Walks) -> dict[str, Any]:
    """Send years that are long over while live readings come; give what waited how long, with and without."""
    with backfill.live(site, signals, LIVE_RATE):
        alone = backfill.named("alone", backfill.waited(site, lambda: time.sleep(5)))
        return {**alone, **backfill.filled(site, past, "beside")}


def _child(what: str, site: Site, walks: Walks, rate: float = 0.0) -> dict[str, Any]:
    arguments = [what, str(site.places.data), msgspec.json.encode(walks).decode(), str(rate)]
    done = subprocess.run(python("gemel.bench.history", *arguments), stdout=subprocess.PIPE, check=True)
    return dict(msgspec.json.decode(done.stdout))


async def _caught_up(bus: Bus, sent: int, ahead: int) -> None:
    """Wait while the fold is further behind what was sent than `ahead` values."""
    while sent - await received(bus) > ahead:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.01)


async def send(places: Places, walks: Walks, rate: float = 0.0) -> dict[str, float]:
    """Append all values, a few frames in flight; give when the first was sent and the last acknowledged."""
    sent = 0
    making, waiting, slots = 0.0, set[asyncio.Task[None]](), asyncio.Semaphore(IN_FLIGHT)
    async with log_of(places) as (bus, registry):

        async def one(number: int, data: bytes) -> None:
            await bus.append("samples.0", data, once=f"bench-{walks.seed}-{number}", timeout_s=120)
            slots.release()

        start = time.time()
        source = blocks(walks)
        for number in count(1):
            began = time.perf_counter()
            rows = next(source, None)
            if rows is None:
                break
            data = frame_of(registry, f"bench-{walks.seed}", number, rows)
            making += time.perf_counter() - began
            if rate:
                await asyncio.sleep(max(start + sent / rate - time.time(), 0))
            sent += len(rows)
            if number % 256 == 0:
                await _caught_up(bus, sent, LIVE_AHEAD)
            await slots.acquire()
            task = asyncio.create_task(one(number, data))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
        await asyncio.gather(*waiting)
        return {"start": start, "acknowledged": time.time(), "generator_s": making}


def records(folder: Path) -> dict[str, Any]:
    """Store the public records; give their sizes, with and without roll-ups."""
    found: dict[str, Any] = {}
    for name, read in (("skab", _skab), ("ett", _ett)):
        if not (SHARED / name).is_dir():
            continue
        rows = read(SHARED / name)
        with Store.open(folder / name) as store:
            store.commit(0, store.take_over(0), 1, rows)
            store.roll_up(int(rows.time.max()) + 3 * DAY, 60.0)
            store.compact(20.0, grace_s=0)
        sizes = {f: f.stat().st_size for f in (folder / name / "files").rglob("*.parquet")}
        raw = sum(s for f, s in sizes.items() if f.parent.name.startswith("raw_"))
        found |= {f"{name}_values": len(rows), f"{name}_bytes_per_value": round(sum(sizes.values()) / len(rows), 3),
                  f"{name}_raw_bytes_per_value": round(raw / len(rows), 3)}  # fmt: skip
    return found


def _skab(folder: Path) -> Batch:
    """Read the records of a water circuit, 8 signals at 1 Hz (I. Katser, V. Kozitsin, "SKAB", 2020)."""
    return _columns(sorted(folder.rglob("*.csv")), ";", "datetime", 8)


def _ett(folder: Path) -> Batch:
    """Read the records of a power transformer, 7 signals an hour (H. Zhou et al., "Informer", 2021)."""
    return _columns(sorted(folder.glob("*.csv.gz")), ",", "date", 7)


def _columns(paths: list[Path], delimiter: str, when: str, signals: int) -> Batch:
    parts = []
    for path in paths:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as text:
            rows = list(csv.DictReader(text, delimiter=delimiter))
        names = [n for n in rows[0] if n != when][:signals]
        time_ns = [
            int(datetime.fromisoformat(r[when]).replace(tzinfo=UTC).timestamp()) * SECOND for r in rows
        ]
        for i, name in enumerate(names):
            value = [float(r[name]) for r in rows]
            n = len(value)
            parts.append(
                Batch.of(
                    signal=np.full(n, i), time=time_ns, received=time_ns, value=value, status=np.zeros(n)
                )
            )
    return Batch.concat(parts)


def main(what: str, data: str, given: str, rate: str = "0") -> None:
    """Be one of the processes beside the family."""
    places = Places(Path(data))
    if what == "draw":
        told: Any = draw(places, *msgspec.json.decode(given, type=list[int]))
    else:
        walks = msgspec.json.decode(given, type=Walks)
        told = asyncio.run(send(places, walks, float(rate)))
    sys.stdout.write(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
