"""A net of meters that balances hold together: its plant file, the true course, frames of the log."""

import numpy as np
from plants import HEAD

from gemel.bus import Frame, FrameHeader
from gemel.samples import Batch

SECOND = 10**9
START = 1_700_000_000 * SECOND
ROOT = "acme/riverside/net"
PLANT = HEAD + """types:
  Meter:
    source: {from: field, topic: "net/{asset}/{signal}"}
    signals:
      flow: {unit: m3/h, range: [0, 200], accuracy: 1 m3/h, estimated: {dynamics: true}}
  Litres:
    source: {from: field, topic: "net/{asset}/{signal}"}
    signals:
      flow: {unit: L/min, range: [0, 3000], accuracy: 0.5 m3/h, estimated: {dynamics: true}}
  Unmetered:
    signals:
      flow: {unit: m3/h, range: [0, 50], dynamics: true}
assets:
  well-1: {type: Meter, at: net}
  well-2: {type: Meter, at: net}
  pump-1: {type: Meter, at: net}
  pump-2: {type: Meter, at: net}
  bypass: {type: Unmetered, at: net}
  main: {type: Litres, at: net}
  town: {type: Meter, at: net}
  spare: {type: Meter, at: other}
  twin: {type: Meter, at: other}
"""
BALANCES = """balances:
  suction-1: net/well-1/flow = net/pump-1/flow
  suction-2: net/well-2/flow = net/pump-2/flow
  way: net/bypass/flow = 0.1 net/pump-2/flow
  branch: net/main/flow = net/town/flow
  header: net/pump-1/flow + net/pump-2/flow = net/main/flow + net/bypass/flow
"""
READ = ("well-1", "well-2", "pump-1", "pump-2", "town", "main")
SECONDS, BEGINS = 400, 345


def course(k):
    one, two = 80 + 20 * np.sin(k / 50), 60 + 15 * np.sin(k / 31)
    return np.array([one, two, one, two, one + 0.9 * two, one + 0.9 * two])


def frames(registry, fault=lambda k, y: y, seconds=SECONDS):
    rng = np.random.default_rng(5)
    numbers = [registry.index(f"{ROOT}/{name}/flow") for name in READ]
    for k in range(seconds):
        now, n = START + k * SECOND, len(READ)
        y = fault(k, course(k)) + rng.normal(0, 1, n) * [1, 1, 1, 1, 1, 0.5]
        y[-1] *= 1000 / 60
        batch = Batch.of(signal=numbers, time=[now] * n, received=[now] * n, value=y.tolist(), status=[0] * n)
        yield Frame(FrameHeader(kind="samples", partition=0, producer="i", sequence=k + 1, registry=registry.digest), batch)
        yield Frame(FrameHeader(kind="tick", partition=0, producer="t", sequence=k + 1, time=now), Batch.empty())


def off(k, y):
    return y + np.array([0, 0, 8.0 * (k > BEGINS), 0, 0, 0])
