"""What is judged is what runs: the bench follows the demo's plant file as the running twin's estimator does, number for number."""

import numpy as np
import pytest

pytest.importorskip("jax")

from gemel.bench.month_plant import Fault, live, struck
from gemel.bench.month_shipped import BEGAN, believed, followed, shipped
from gemel.bus import Frame, FrameHeader, decode_frame
from gemel.operate.estimator import Estimator
from gemel.samples import Batch
from gemel.samples.clock import SECOND

PUMP = "gemel/riverside/waterworks/pumping/pump-1"
MINUTES, EVERY = 12, 3


def frames(registry, life):
    """The log: readings once a minute, a tick at each instant of the filter."""
    paths = {tuple(p.split("/")[-2:]): p for p in registry.paths}
    there = [s for s in life.readings if s in paths]
    numbers = registry.numbers([paths[s] for s in there], "measured")
    for k in range(MINUTES * 60 // EVERY + 1):
        now = BEGAN + k * EVERY * SECOND
        yield Frame(FrameHeader(kind="tick", partition=0, producer="t", sequence=k + 1, time=now), Batch.empty())
        if k * EVERY % 60 == 0 and k * EVERY < 60 * MINUTES:
            values = [life.readings[s][k * EVERY // 60] for s in there]
            batch = Batch.of(signal=numbers, time=[now] * len(values), received=[now] * len(values), value=values, status=[0] * len(values))
            yield Frame(FrameHeader(kind="samples", partition=0, producer="i", sequence=k + 1, registry=registry.digest), batch)


def test_what_the_bench_follows_is_what_the_running_estimator_tells():
    life = live(150, MINUTES / 1440)
    life = struck(life, (Fault(("pump-1", "flow"), "drift", 5.0, 4, MINUTES),), 150)
    of = shipped()
    kind = of.kinds[PUMP]
    estimator = Estimator([kind], of.registry, of.plant.checks(of.registry), 0)
    told = [decode_frame(o.data).batch for n, frame in enumerate(frames(of.registry, life), 1) for o in estimator.take(frame, n)]
    rows = Batch.concat(told)
    mean, sd, output, output_sd = followed(kind, [believed(of, life)])
    joint = np.concatenate((mean[0], output[0]), 1), np.concatenate((sd[0], output_sd[0]), 1)
    signals = kind.wires.told[0]
    for k in range(MINUTES):
        at = rows.take(rows.time == BEGAN + k * 60 * SECOND)
        for place in np.flatnonzero(signals >= 0).tolist():
            one, scale = at.take(at.signal == signals[place]), kind.wires.scale[signals[place]]
            assert len(one) == 1
            assert one.value[0] * scale + kind.wires.offset[signals[place]] == pytest.approx(joint[0][k, place], rel=1e-9, abs=1e-12)
            assert one.sigma[0] * scale == pytest.approx(joint[1][k, place], rel=1e-6)
