"""`gemel bench estimate`, the running loop: readings of a thousand machines as frames of the log in, frames of estimates out.

The same machines as the filter alone is measured by, declared in a plant file: decoded, checked, put into instants, filtered,
watched for who leaves its band, and encoded; ten ticks a second, as the twin writes them. What is measured is the processor
time of a second of plant time, with all threads.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from gemel.assets import load
from gemel.bench.estimate import Machine, cpu_s, lived, problem
from gemel.bus import FrameHeader, decode_frame, encode_frame
from gemel.bus.frame import encode_tick
from gemel.operate.estimates_plan import kinds_of
from gemel.operate.estimator import Estimator
from gemel.samples import Batch
from gemel.samples.clock import SECOND

START: Final = 1_700_000_000 * SECOND
WARM: Final = 8
TICKS: Final = 10  # in a second
SENSED: Final = ("speed", "winding", "bearing", "flow")
PLANT: Final = """plant: bench/estimate
types:
  Machine:
    dynamics: gemel.bench.estimate:Machine
    estimates: {every: 1 s, noise: {speed: 0.05, winding: 0.01, bearing: 0.01, flow: 0.00002, wear: 0.00002, friction: 0.00001}}
    source: {from: field, topic: "m/{asset}/{signal}"}
    signals:
      torque: {unit: N.m}
      ambient: {unit: K}
      speed: {unit: rad/s, accuracy: 0.3, estimated: {dynamics: true}}
      winding: {unit: K, accuracy: 0.4, estimated: {dynamics: true}}
      bearing: {unit: K, accuracy: 0.4, estimated: {dynamics: true}}
      flow: {unit: m3/s, accuracy: 0.0002, estimated: {dynamics: true}}
      head: {unit: m, dynamics: true}
      loss: {unit: W, dynamics: true}
      wear: {unit: "1", dynamics: true}
      friction: {unit: N.m.s, dynamics: true}
connections: {field: {mqtt: "mqtt://127.0.0.1:1883"}}
assets:
"""


def measure_running(assets: int, seconds: int, told: Callable[[str], None]) -> dict[str, Any]:
    """Follow so many machines for so many seconds of plant time, beyond those in which bands are learned; give what was measured."""
    told("the running loop: planning")
    with tempfile.TemporaryDirectory() as folder:
        lines = (f"  m-{k}: {{type: Machine, at: hall}}" for k in range(assets))
        (Path(folder) / "plant.yaml").write_text(PLANT + "\n".join(lines) + "\n")
        plant = load(folder)
    registry = plant.registry()
    estimator = Estimator(kinds_of(plant, registry), registry, plant.checks(registry), 0)
    names = [f"bench/estimate/hall/m-{k}/{n}" for n in (*SENSED, *Machine.inputs) for k in range(assets)]
    numbers = np.asarray(registry.numbers(names, "measured"), np.int32)
    _, readings, inputs = lived(problem(), assets, WARM + seconds)
    told(f"the running loop: {seconds} seconds of {assets:,} machines")
    used, longest, rows = [], 0.0, 0
    for k in range(WARM + seconds):
        frames = _second(k, numbers, np.hstack((readings[k][:, :4].T.ravel(), inputs[k].T.ravel())), registry.digest)
        before = cpu_s()
        for n, data in enumerate(frames):
            began = time.perf_counter()
            made = list(estimator.take(decode_frame(data), 11 * k + n + 1))
            longest = max(longest, time.perf_counter() - began) if k >= WARM else 0.0
            rows += sum(decode_frame(one.data).header.rows for one in made) if k == WARM else 0
        if k >= WARM:
            used.append((cpu_s() - before) * 1000)
    return {
        "running_cpu_ms_per_s": round(float(np.mean(used)), 1), "running_core_share_percent": round(float(np.mean(used)) / 10, 1),
        "running_longest_pause_ms": round(1000 * longest, 1), "running_rows_out_per_s": rows, "running_residuals_out": len(estimator.turns),
    }  # fmt: skip


def _second(k: int, numbers: Any, values: Any, digest: str) -> list[bytes]:
    """Give the frames of a second: one of readings, and the ticks that follow."""
    there = np.isfinite(values)
    many = int(there.sum())
    at = START + k * SECOND
    batch = Batch.of(signal=numbers[there], time=np.full(many, at), received=np.full(many, at), value=values[there], status=np.zeros(many))
    header = FrameHeader(kind="samples", partition=0, producer="bench", sequence=k + 1, registry=digest)
    ticks = (
        encode_tick(FrameHeader(kind="tick", partition=0, producer="twin", sequence=TICKS * k + n + 1, time=at + n * SECOND // TICKS))
        for n in range(TICKS)
    )
    return [encode_frame(header, batch), *ticks]
