"""What derived signals cost the fold: 10,000 assets, two expressions each over three inputs at 1 Hz, ten ticks a second, one core.

Beside it: the same readings with nothing derived. `scan`: the inputs of an asset have one time; `mixed`: each its own
tenth of a second; `skewed`: each reading is up to half a second old, so that nearly all come out of order among the
inputs of an asset. CPU time of the process. Run: python benchmarks/derived.py [--json]
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from gemel.assets import load
from gemel.bus import FrameHeader
from gemel.history import Existing
from gemel.operate.site import Site
from gemel.samples import Batch

ASSETS, SECONDS, INPUTS = 10_000, 10, 3
TENTH = 100_000_000
START = 1_000 * 10 * TENTH
PLANT = """plant: a/b
types:
  Pump:
    signals:
      flow: {{unit: m3/h, interval: 1 s}}
      head: {{unit: m, interval: 1 s}}
      power: {{unit: kW, interval: 1 s}}
{derived}assets:
  pumps: {{type: Pump, table: pumps.csv}}
"""
DERIVED = """      efficiency: {unit: "%", derived: "9.81 kN/m3 * flow * head / power"}
      loss: {unit: kW, derived: "power * (1 - efficiency)"}
"""


def partition(derived):
    folder = Path(tempfile.mkdtemp())
    (folder / "plant.yaml").write_text(PLANT.format(derived=DERIVED if derived else ""))
    (folder / "pumps.csv").write_text("name\n" + "".join(f"p{i}\n" for i in range(ASSETS)))
    plant = load(folder)
    return Site(plant, plant.registry()).partition()


def nothing(rows):
    n = len(rows)
    return Existing(np.zeros(n, bool), np.full(n, np.nan), np.zeros(n, np.uint32), np.zeros(n, np.int64))


def measure(derived, order):
    part, rng = partition(derived), np.random.default_rng(1)
    lanes = part.registry.table.column("lane").to_pylist()
    inputs = np.flatnonzero([lane == "measured" for lane in lanes]).astype(np.int32)
    ticks, fold, given = [], 0.0, 0
    for n in range(10 * SECONDS):
        k, at = n % 10, START + n * TENTH
        mine = inputs[k::10] if order != "scan" else inputs[k * len(inputs) // 10 : (k + 1) * len(inputs) // 10]
        times = at - rng.integers(0, 5 * TENTH, len(mine)) if order == "skewed" else np.full(len(mine), at)
        rows = Batch.of(
            signal=mine, time=times, received=np.full(len(mine), at), value=rng.random(len(mine)) * 50, status=np.zeros(len(mine))
        )
        began = time.process_time()
        part.fold(rows, 2 * n + 1, nothing)
        fold += time.process_time() - began
        began = time.process_time()
        header = FrameHeader(kind="tick", partition=0, producer="t", sequence=n, time=at + TENTH // 2)
        given += len(part.tick(header, 2 * n + 2, []).rows)
        ticks.append(time.process_time() - began)
    values = SECONDS * ASSETS * INPUTS
    return {
        "order": order, "derived": derived, "values": values, "derived_values": given, "values_per_cpu_s": round(values / (fold + sum(ticks))),
        "tick_p50_ms": round(1e3 * float(np.percentile(ticks, 50)), 2), "tick_p99_ms": round(1e3 * float(np.percentile(ticks, 99)), 2),
    }  # fmt: skip


def main():
    found = [measure(False, "scan"), *(measure(True, order) for order in ("scan", "mixed", "skewed"))]
    for one in found:
        print(", ".join(f"{k} {v}" for k, v in one.items()))
    if "--json" in sys.argv:
        print(json.dumps({"runs": found}))


if __name__ == "__main__":
    main()
