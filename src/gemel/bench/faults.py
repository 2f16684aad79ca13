"""`gemel bench faults`: processes killed at random under load, on instances side by side, counted from outside.

Each instance is a broker, a device that numbers its readings, and a family of processes. Again and again one of its
processes, the log's server and the supervisor included, gets SIGKILL, now and then a second one before the first is
back. *Recovery* is the time from the kill until the public API shows a reading that was made after it. In the end each
reading that the broker acknowledged must be stored once, as it was sent, nothing else, and the state must equal a
replay of the log from the oldest kept snapshot, bit for bit.
"""

import asyncio
import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from gemel.bench.faults_sender import SIGNALS, Sender
from gemel.bench.ingest import ask, machine
from gemel.bench.mqtt import broker, is_connected
from gemel.bench.site import Site, running, wait, write_plant
from gemel.bus.server import free_port
from gemel.config.forking import verify_replay
from gemel.config.supervise import ask_json
from gemel.errors import GemelError
from gemel.history import Reader
from gemel.samples import Registry

PROCESSES: Final = ("twin", "ingest", "serve", "nats", "family")
TWO_AT_ONCE: Final = 0.15  # share of the kills that are followed by another at once
PAUSE_S: Final = (0.1, 2.0)  # between a recovery and the next kill
START_S: Final = 240.0  # of all instances side by side, on a machine that may be busy
GIVEN_UP_S: Final = 60.0
PATIENCE_S: Final = 90.0  # until everything acknowledged is stored


@dataclass(frozen=True, slots=True)
class Campaign:
    """How much.

    Args:
        kills: in all.
        instances: side by side.
        rate: readings/s of each.
        seed: of who is killed when.
        limit_s: after so long no more is killed; what was done until then is counted.
    """

    kills: int = 6
    instances: int = 2
    rate: float = 200.0
    seed: int = 7
    limit_s: float = 3600.0


@dataclass(slots=True)
class Tally:
    """What one instance went through."""

    recoveries: list[tuple[str, float]] = field(default_factory=list)
    kills: int = 0
    not_recovered: list[str] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)


def measure(folder: Path, campaign: Campaign, told: Callable[[str], None]) -> dict[str, Any]:
    """Run the campaign; give what was counted, with the unit in each key."""
    tallies = [Tally() for _ in range(campaign.instances)]
    shares = np.array_split(np.arange(campaign.kills), campaign.instances)
    began = time.monotonic()

    def one(n: int) -> None:
        try:
            share = replace(campaign, kills=len(shares[n]), seed=campaign.seed * 1000 + n)
            _instance(folder / str(n), share, tallies[n], told)
        except Exception as e:  # the others go on, and the tally says it
            tallies[n].found.setdefault("failed", f"{type(e).__name__}: {e}")

    threads = [threading.Thread(target=one, args=(n,)) for n in range(campaign.instances)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _report(campaign, tallies, time.monotonic() - began)


def _instance(folder: Path, share: Campaign, tally: Tally, told: Callable[[str], None]) -> None:
    port = free_port()
    extra = f'connections: {{field: {{mqtt: "mqtt://127.0.0.1:{port}", version: 5}}}}\n'
    source = '    source: {from: field, topic: "bench/{asset}/{signal}", path: "$.v", time: "$.t", time_unit: ns}\n'
    write_plant(folder / "plant", SIGNALS, extra, clock="wall", source=source, high=1_000_000_000)
    with broker(folder / "broker", port) as name, running(folder / "plant", folder / "data", START_S) as site:
        tally.found["broker"] = name
        wait(lambda: is_connected(site), 30)
        sender = Sender(port, share.rate, share.seed).start()
        try:
            wait(lambda: newest(site) >= 0, 20)
            asyncio.run(ask(site.places, "save"))  # from here the log is replayed in the end
            _kill_on(site, sender, share, tally, told)
        finally:
            acknowledged = sender.stop()
        tally.found |= _settle(site, sender, acknowledged)
    tally.found |= compare(site, sender, acknowledged)


def _kill_on(
    site: Site, sender: Sender, share: Campaign, tally: Tally, told: Callable[[str], None]
) -> None:
    chance = random.Random(share.seed)  # noqa: S311 - chance, not a secret
    kills, ends = share.kills, time.monotonic() + share.limit_s
    while tally.kills < kills and time.monotonic() < ends:
        victims = [chance.choice(PROCESSES)]
        if chance.random() < TWO_AT_ONCE and tally.kills + 1 < kills:
            victims.append(chance.choice([p for p in PROCESSES if p != victims[0]]))
        killed = [v for v in victims if kill(site, v)]
        if not killed:
            time.sleep(0.1)  # it was just coming back
            continue
        tally.kills += len(killed)
        mark, at = sender.sent, time.monotonic()
        if wait(lambda: newest(site) >= mark, GIVEN_UP_S, 0.02):  # noqa: B023 - asked at once
            tally.recoveries.append(("+".join(killed), time.monotonic() - at))
        else:
            tally.not_recovered.append("+".join(killed))
        if tally.kills % 10 < len(killed):
            told(
                f"{site.places.data.parent.name}: {tally.kills} of {kills} kills, the last took {time.monotonic() - at:.1f} s"
            )
        time.sleep(chance.uniform(*PAUSE_S))


def kill(site: Site, name: str) -> bool:
    """Send SIGKILL to a process of a family; tell whether it was there."""
    with contextlib.suppress(OSError, IndexError, KeyError):
        os.kill(site.pids()[name], signal.SIGKILL)
        return True
    return False


def newest(site: Site) -> int:
    """Give the greatest number that the public API shows as a state, -1 where it does not answer."""
    greatest = -1
    for rig in range(-(-SIGNALS // 10)):
        shown = ask_json(site.settings.url, f"/api/v1/state/bench/load/hall/rig-{rig:06}")
        values = [p["value"] for p in (shown or {}).get("properties", {}).values()]
        greatest = max([greatest, *(int(v) for v in values if v is not None)])
    return greatest


def _settle(site: Site, sender: Sender, acknowledged: Any) -> dict[str, Any]:
    """Wait until all that was acknowledged is folded; check replay and record while it runs; have it stored."""
    last = int(acknowledged.max(initial=-1))
    wait(lambda: newest(site) >= last and _folded(site, len(acknowledged)), PATIENCE_S, 0.3)
    told: dict[str, Any] = {}
    try:
        replayed = asyncio.run(verify_replay(site.places))
        told |= {
            "replay_equal": replayed.ok,
            "replay_differs": list(replayed.differs),
            "replayed": replayed.upto - replayed.since,
        }
        told["record_whole"] = bool(asyncio.run(ask(site.places, "verify"))["ok"])
        asyncio.run(ask(site.places, "flush"))
    except GemelError as e:
        told["failed"] = str(e)
    return told


def _folded(site: Site, readings: int) -> bool:
    """Tell whether so many readings are in history, lake and tail: each is asked of the lake once it is flushed."""
    with contextlib.suppress(GemelError, OSError, AssertionError):
        asyncio.run(ask(site.places, "flush"))
        with Reader(site.places.lake) as reader:
            return bool(reader.rows_count() >= readings)
    return False


def compare(site: Site, sender: Sender, acknowledged: Any) -> dict[str, Any]:
    """Hold every stored reading against what was sent."""
    registry = Registry.from_bytes(site.places.registry.read_bytes())
    of = {f"rig-{n % SIGNALS // 10:06}/s{n % 10}": n % SIGNALS for n in range(SIGNALS)}
    place = np.array([of.get("/".join(p.split("/")[-2:]), -1) for p in registry.paths])
    with Reader(site.places.lake) as reader:
        physical = reader.rows_count()
        rows = reader.raw(np.arange(len(registry)), 0, 2**62, corrected=True)
    number = rows.value.astype(np.int64)
    times = np.array(sender.times, np.int64)
    known = (number >= 0) & (number < len(times))
    right = known.copy()
    right[known] = (times[number[known]] == rows.time[known]) & (
        place[rows.signal[known]] == number[known] % SIGNALS
    )
    stored, count = np.unique(number[right], return_counts=True)
    rejudged = physical - len(
        stored
    )  # rows of one reading under another status count as judged again, never as lost
    same = _doubled(rows)
    return {
        "sent": sender.sent, "published": sender.published, "acknowledged": len(acknowledged), "stored": physical,
        "read_back": len(stored), "lost": len(np.setdiff1d(acknowledged, stored)), "duplicated": same,
        "rejudged": int(rejudged) - same, "wrong": int((~right).sum()), "more_than_once": int((count > 1).sum()),
    }  # fmt: skip


def _doubled(rows: Any) -> int:
    """Count rows that are there a second time with the same value and status: what a store may never hold."""
    keys = np.stack(
        [rows.signal.astype(np.int64), rows.time, rows.value.view(np.int64), rows.status.astype(np.int64)]
    )
    return int(len(rows) - np.unique(keys, axis=1).shape[1])


def _report(campaign: Campaign, tallies: list[Tally], seconds: float) -> dict[str, Any]:
    took = [r for t in tallies for r in t.recoveries]

    def total(key: str) -> int:
        return sum(int(t.found.get(key, 0)) for t in tallies)

    def spread(times: list[float]) -> dict[str, float]:
        at = np.percentile(times or [np.nan], [50, 99, 100])
        return {
            "n": len(times),
            "p50_s": round(at[0], 2),
            "p99_s": round(at[1], 2),
            "worst_s": round(at[2], 2),
        }

    by_process = {name: spread([s for n, s in took if n == name]) for name in PROCESSES}
    by_process["two at once"] = spread([s for n, s in took if "+" in n])
    whole = spread([s for _, s in took])
    return {
        "bench": "faults", "kills": sum(t.kills for t in tallies), "instances": campaign.instances, "rate_per_instance": campaign.rate,
        "recovery_p50_s": whole["p50_s"], "recovery_p99_s": whole["p99_s"], "recovery_worst_s": whole["worst_s"],
        "over_5_s": sum(s > 5 for _, s in took), "not_recovered": sum(len(t.not_recovered) for t in tallies), "by_process": by_process,
        **{k: total(k) for k in ("sent", "published", "acknowledged", "stored", "read_back", "lost", "duplicated", "rejudged", "wrong")},
        "replays_equal": sum(bool(t.found.get("replay_equal")) for t in tallies),
        "records_whole": sum(bool(t.found.get("record_whole")) for t in tallies),
        "failed": [t.found["failed"] for t in tallies if "failed" in t.found],
        "broker": tallies[0].found.get("broker", ""), "seed": campaign.seed, "seconds": round(seconds), **machine(),
    }  # fmt: skip
