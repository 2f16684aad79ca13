"""`gemel bench soak`: does memory grow while values keep coming? A steady rate, resident memory each few seconds."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from gemel.bench.generator import Load
from gemel.bench.ingest import machine
from gemel.bench.site import running, write_plant
from gemel.history import Reader
from gemel.operate.family import python

LOOK_S: Final = 5.0
SETTLE: Final = 0.3  # of the run: caches fill, the first commits and snapshots come


def measure(
    folder: Path, signals: int, rate: int, minutes: float, told: Callable[[str], None]
) -> dict[str, Any]:
    """Send at a steady rate; give the slope of each process's resident memory after it has settled."""
    write_plant(folder / "plant", signals, clock="wall")
    load = msgspec.json.encode(Load(signals=signals)).decode()
    with running(folder / "plant", folder / "data") as site:
        argv = python(
            "gemel.bench.ingest", "trickle", str(site.places.data), load, str(minutes * 60), str(rate)
        )
        sender = subprocess.Popen(argv, stdout=subprocess.PIPE)
        told(f"{rate:,} values/s for {minutes:g} minutes")
        began, looks = time.monotonic(), []
        while sender.poll() is None:
            time.sleep(LOOK_S)
            looks.append((time.monotonic() - began, site.resident_mb()))
        assert sender.stdout is not None
        sent = msgspec.json.decode(sender.stdout.read())["sent"]
        sender.stdout.close()
    with Reader(site.places.lake) as reader:
        stored = reader.rows_count()  # the family was stopped in order: everything is in the lake
    looks = looks[int(len(looks) * SETTLE) :]
    minutes_at = np.array([at for at, _ in looks]) / 60
    growth = {
        name: round(float(np.polyfit(minutes_at, [mb[name] for _, mb in looks], 1)[0]), 3)
        for name in looks[0][1]
        if all(name in mb for _, mb in looks)  # the writer of a snapshot comes and goes
    }
    return {
        "bench": "soak", "sent": sent, "rate": rate, "minutes": minutes, "mb_per_min": growth,
        "mb_per_min_all": round(sum(growth.values()), 3), "resident_mb": {n: round(m) for n, m in looks[-1][1].items()},
        "lost": max(sent - stored, 0), "duplicated": max(stored - sent, 0), **machine(),
    }  # fmt: skip
