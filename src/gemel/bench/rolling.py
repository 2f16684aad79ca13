"""`gemel bench rolling`: whether roll-ups keep up while values come at a steady rate for so long that hours close.

The plant's time runs as fast as the rate lets it. *Behind* is how many hours that are over are not rolled up yet, looked
at while values come; *rolled up* ends once the last of them is, and merging has nothing left to do.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from gemel.bench.beside import beside
from gemel.bench.history import lay, settled
from gemel.bench.ingest import ask, machine
from gemel.bench.site import Site, running, write_plant
from gemel.bench.walks import Walks
from gemel.history import Reader
from gemel.history.levels import HOUR

LOOK_S: Final = 2.0


def measure(folder: Path, walks: Walks, rate: float, told: Callable[[str], None]) -> dict[str, Any]:
    """Run the whole measurement; give what was measured, with the unit in each key.

    Args:
        folder: of its own.
        walks: what is sent.
        rate: of sending [values/s]; 0: as fast as it is taken.
        told: takes words on how far it is.
    """
    write_plant(folder / "plant", walks.signals, interval_s=walks.interval_s)
    with running(folder / "plant", folder / "data", log_bytes=4 << 30) as site:
        hours = (walks.end - walks.start) / HOUR
        told(f"{walks.values:,} values of {walks.signals:,} signals over {hours:.1f} hours")
        behind: list[float] = []
        began, before = time.time(), site.cpu_s()
        with beside(lambda over: _watch(site, walks, over, behind)):
            laid = lay(site, walks, rate)
        told("rolling up the rest")
        rest = settled(site, walks)
        took, used = time.time() - began, site.cpu_s()["twin"] - before["twin"]
    tail = behind[len(behind) // 2 :] or [0.0]
    return {
        "bench": "rolling", "sent": walks.values, "hours": round(hours, 1), **laid, **rest,
        "rate_values_per_s": rate, "hours_behind_p50": round(float(np.median(tail)), 2), "hours_behind_max": round(max(behind, default=0.0), 2),
        "rolled_up_values_per_s": round(walks.values / took), "twin_cpu_s_per_million_in_all": round(used / walks.values * 1e6, 3), **machine(),
    }  # fmt: skip


def _watch(site: Site, walks: Walks, over: threading.Event, behind: list[float]) -> None:
    """Look how many hours are over and not rolled up, until it is over."""
    with Reader(site.places.lake) as reader:
        while not over.wait(LOOK_S):
            folded = int(asyncio.run(ask(site.places, "counts"))["received"]) / walks.values
            now = walks.start + folded * (walks.end - walks.start)
            reached = reader.rolled_up_to() or walks.start
            behind.append(max(now // HOUR * HOUR - reached, 0) / HOUR)
