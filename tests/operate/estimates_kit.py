"""Two rigs of cascaded tanks whose upper level nothing measures: plant file, the true course, frames of the log."""

import numpy as np
from plants import HEAD

from gemel.bus import Frame, FrameHeader
from gemel.samples import Batch

SECOND = 10**9
START = 1_700_000_000 * SECOND
ROOT = "acme/riverside/bench"
PLANT = HEAD + """types:
  Tanks:
    dynamics: gemel.dynamics.components.cascaded_tanks:CascadedTanks
    estimates: {every: 1 s, noise: {upper: 5 mV, lower: 0.005, k1: 0.00001}}
    source: {from: field, topic: "tanks/{asset}/{signal}"}
    signals:
      pump: {unit: V, range: [0, 10]}
      lower: {unit: mV, range: [0, 12000], accuracy: 50 mV, estimated: {dynamics: true}}
      upper: {unit: mV, range: [0, 15000], dynamics: true}
      k1: {unit: V^0.5/s, dynamics: true}
    parameters:
      k3: {unit: V^0.5/s, default: 0.055}
assets:
  rig-1: {type: Tanks, at: bench}
  rig-2: {type: Tanks, at: bench, parameters: {k3: 0.06}}
"""
K3 = (0.055, 0.06)


def course(seconds, seed=1):
    """True upper and lower levels [rigs, seconds, 2] in V, the pump's voltage [seconds], readings of the lower level."""
    rng = np.random.default_rng(seed)
    pump = 3.0 + np.sin(np.arange(seconds) / 40)
    x, found = np.full((2, 2), 5.0), []
    k3 = np.array(K3)
    for u in pump:
        found.append(x.copy())
        for _ in range(20):
            x[:, 0] += 0.05 * (0.04 * u - 0.05 * np.sqrt(x[:, 0]))
            x[:, 1] += 0.05 * (0.05 * np.sqrt(x[:, 0]) - k3 * np.sqrt(x[:, 1]))
    truth = np.array(found).swapaxes(0, 1)
    return truth, pump, truth[:, :, 1] + rng.normal(0, 0.05, (2, seconds))


def frames(registry, seconds, seed=1):
    """The frames of the log, a tick after each second's readings; numbered as in the log."""
    truth, pump, read = course(seconds, seed)
    numbers = [[registry.index(f"{ROOT}/rig-{i}/{n}") for n in ("pump", "lower")] for i in (1, 2)]
    for k in range(seconds):
        now = START + k * SECOND
        values = [v for i in range(2) for v in (pump[k], 1000 * read[i, k])]
        batch = Batch.of(signal=sum(numbers, []), time=[now] * 4, received=[now] * 4, value=values, status=[0] * 4)
        header = FrameHeader(kind="samples", partition=0, producer="ingest-1", sequence=k + 1, registry=registry.digest)
        yield Frame(header, batch)
        yield Frame(FrameHeader(kind="tick", partition=0, producer="twin-1", sequence=k + 1, time=now), Batch.empty())
