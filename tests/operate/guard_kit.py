"""Sensors that are off and machines that wear, by chance, put to a calibration: what comes into force, and who is named."""

from dataclasses import dataclass

import msgspec
import numpy as np
from works_kit import Fault, plant

from gemel.operate import calibrate_job as job
from gemel.operate.readings_kept import packed

LENGTH = 1200
SIZES = {"speed": 8.0, "flow": 0.003, "level": 0.4, "pressure": 2.0, "outflow": 0.003}  # of an offset, in the sensor's unit
USUAL = {"speed": 150.0, "flow": 0.02, "level": 2.0, "pressure": 22.0, "outflow": 0.02}
KINDS = ("bias", "drift", "gain")
HEALTHY = {"wear": -0.0042, "discharge": 0.02835}  # what is found where nothing is wrong: the plant's equations are not the twin's


@dataclass(frozen=True)
class Case:
    """What was put to a calibration, and what became of it: ``gate`` is what speaks against it."""

    fault: Fault
    seed: int
    first: bool
    would: bool  # come in, were nobody asked who is wrong
    passed: bool
    held: bool
    named: bool
    values: dict
    against: tuple

    @property
    def came_in(self):
        """In force without anybody's word."""
        return self.passed and not self.held

    @property
    def wrong(self):
        """Further off than the model's own errors."""
        return abs(self.values["wear"] - HEALTHY["wear"]) > 0.03 or abs(self.values["discharge"] / HEALTHY["discharge"] - 1) > 0.05


def columns(seed, first, fault=Fault(), drift=0.0):
    """Give what is read of a plant with a fault, the level gauge drifting beside it [m per 100 s]."""
    u, y = plant(seed, LENGTH, fault)
    y[:, 2] += drift * np.arange(LENGTH) / 100
    times = (first + np.arange(LENGTH)) * 1_000_000_000
    return [(times, column, np.zeros(LENGTH, np.uint32)) for column in np.concatenate((u, y), axis=1).T]


def calibrated(machine, recent, before=(), champion=None, **wish):
    given = job.wish({"starts": 1, "lead": 30, "step_s": 1.0, **wish})
    times = recent[0][0]
    spec = job.spec(machine, given, (int(times[0]), int(times[-1]) + 1), "d", champion, good=bool(before))
    return job.run({**msgspec.json.decode(msgspec.json.encode(spec)), "bytes": packed([*recent, *before])}, lambda done: True)


def fault_of(sensor, kind, rng):
    size = SIZES[sensor] * rng.uniform(0.5, 1.5) * rng.choice([-1, 1])
    per = {"bias": 1.0, "drift": 100.0 / LENGTH, "gain": 1.0 / USUAL[sensor]}[kind]
    return Fault(kind, sensor, size * per, 0)


def faults(seed):
    """Give each kind of fault of each sensor once, and wear of four sizes."""
    rng = np.random.default_rng(seed)
    return [fault_of(s, k, rng) for s in SIZES for k in KINDS] + [Fault("wear", "", rng.uniform(0.06, 0.2), -60) for _ in range(4)]


def put(machine, seed, fault, healthy=None):
    """Put readings with a fault to a calibration: on the first night, or where a champion and what it was fitted to are there."""
    champion, before = healthy or (None, ())
    told = calibrated(machine, columns(seed, 10_000, fault), before, champion)
    against = told["gate"]["against"]
    doubts = [w for w in against if not w.startswith("the residuals blame")]
    named = any(f"a/b/works/{fault.at} " in w for w in against if w not in doubts)
    values = {name: e["value"] for name, e in told["parameters"].items()}
    return Case(fault, seed, healthy is None, not doubts, told["gate"]["passed"], bool(told["unconfirmed"]), named, values, tuple(against))
