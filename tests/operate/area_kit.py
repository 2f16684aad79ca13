"""Two pumps that fill a tank, which a valve empties: the plant file of an area, its true course with faults, frames of the log."""

import numpy as np
from plants import HEAD

from gemel.bus import Frame, FrameHeader
from gemel.samples import Batch

SECOND = 10**9
START = 1_700_000_000 * SECOND
LINE = "acme/riverside/line-1"
PLANT = HEAD + """types:
  Device:
    source: {from: field, topic: "line/{asset}/{signal}"}
  Pump:
    extends: Device
    dynamics: gemel.dynamics.components:DosingPump
    estimates: {every: 1 s, noise: {swept_volume: 0.002 mL}}
    signals:
      strokes: {unit: Hz}
      flow: {unit: mL/s, range: [0, 100], accuracy: 0.2 mL/s, estimated: {dynamics: true}}
      swept_volume: {unit: mL, dynamics: true}
  Tank:
    extends: Device
    dynamics: gemel.dynamics.components:Tank
    estimates: {states: [level], noise: {level: 0.05 mm}}
    signals:
      level: {unit: cm, range: [0, 500], accuracy: 2 mm, estimated: {dynamics: true}}
    parameters:
      area: {unit: cm2, default: 60}
  Valve:
    extends: Device
    dynamics: gemel.dynamics.components:ControlValve
    signals:
      position: {unit: "%"}
      flow: {unit: mL/s, range: [0, 100], accuracy: 0.2 mL/s, estimated: {dynamics: true}}
    parameters:
      kv: {unit: m3/h, default: 0.72}
      outlet_pressure: {unit: bar, default: 0}
assets:
  pump-1: {type: Pump, at: line-1}
  pump-2: {type: Pump, at: line-1}
  tank: {type: Tank, at: line-1}
  valve: {type: Valve, at: line-1}
relations:
  - pump-1 feeds tank
  - pump-2 feeds tank
  - tank feeds valve
estimates:
  line-1: {states: [tank/level]}
"""
READ = ("pump-1/strokes", "pump-2/strokes", "valve/position", "pump-1/flow", "pump-2/flow", "tank/level", "valve/flow")
SWEPT = (10.0, 9.5)  # mL a stroke; the model's are 10 both, and are followed
LEAK = 2e-8  # 1/Pa


def course(seconds, leak=lambda k: 0.0, seed=1):
    """What is true each second [seconds, READ] in the plant file's units; `leak` [mL/s] runs out of the tank beside the valve."""
    level, found = 1.0, np.empty((seconds, len(READ)))
    for k in range(seconds):
        strokes = 1.5 + 0.3 * np.sin(k / 60), 1.4 + 0.3 * np.sin(k / 45 + 1)
        position = 0.5 + 0.1 * np.sin(k / 80)
        for _ in range(4):
            pressure = 998.2 * 9.80665 * level
            flows = [n * v * (1 - LEAK * pressure) for n, v in zip(strokes, SWEPT, strict=True)]
            out = 0.72 / 3.6e3 * 1e6 * position * np.sqrt(pressure / 1e5 * 1000 / 998.2)
            level += 0.25 * (sum(flows) - out - leak(k)) * 1e-6 / 60e-4
        found[k] = *strokes, 100 * position, *flows, 100 * level, out
    return found


def read(seconds, off=None, leak=lambda k: 0.0, seed=1):
    """Readings of a course; `off` gives by name what a sensor adds to the truth at a second."""
    rng, truth = np.random.default_rng(seed), course(seconds, leak)
    found = truth + rng.normal(0, 1, truth.shape) * np.array([0, 0, 0, 0.2, 0.2, 0.2, 0.2])
    for name, fault in (off or {}).items():
        found[:, READ.index(name)] += [fault(k) for k in range(seconds)]
    return found


def frames(registry, values, line=LINE):
    """The frames of the log, a tick after each second's readings; numbered as in the log."""
    numbers = [registry.index(f"{line}/{name}") for name in READ]
    for k, row in enumerate(values):
        now, n = START + k * SECOND, len(READ)
        batch = Batch.of(signal=numbers, time=[now] * n, received=[now] * n, value=row.tolist(), status=[0] * n)
        yield Frame(FrameHeader(kind="samples", partition=0, producer="i", sequence=k + 1, registry=registry.digest), batch)
        yield Frame(FrameHeader(kind="tick", partition=0, producer="t", sequence=k + 1, time=now), Batch.empty())
