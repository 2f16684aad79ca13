"""A pump with a load history of its own: a plant file, and a history that answers as a lake would."""

from dataclasses import dataclass, field

import numpy as np

from gemel.assets import load
from gemel.errors import StorageError
from gemel.history.answers import Aggregated
from gemel.samples.clock import DAY, SECOND

ASSET = "acme/works/pump-1"
START = 1_767_225_600 * SECOND  # 2026-01-01
PLANT = """plant: acme/works
types:
  Pump:
    signals:
      speed: {unit: rpm, interval: 1 min}
      torque: {unit: N.m, interval: 1 min}
      head_loss: {unit: "%", interval: 1 min, accuracy: 0.3 %}
    parameters: {rated_speed: {unit: rpm, default: 2900}, rated_torque: {unit: N.m, default: 20}}
    degradation:
      wheel:
        description: wear of the wheel
        rate: 2e-4 * (speed / rated_speed)^3 / 1 h
        indicator: head_loss
        threshold: 25 %
        drives: {load: speed}
        maintenance: {overhaul: 0 %, polish: 50 %}
        warning: {within: 30 d, probability: 10 %, response: plan an overhaul}
      bearing: {rate: 1e-4 * (torque / rated_torque)^3 / 1 h, threshold: 1, maintenance: {replace: 0 %}}
assets:
  pump-1: {type: Pump}
"""


def plant_in(folder):
    folder.mkdir(exist_ok=True)
    (folder / "plant.yaml").write_text(PLANT)
    return load(folder)


@dataclass
class Remembered:
    """Minute values of each signal from START on; whatever a running twin's record would know is `record`."""

    plant: object
    columns: dict
    record: list = field(default_factory=list)
    runs: bool = True

    @property
    def registry(self):
        return self.plant.registry()

    async def history_aggregated(self, signal, start, end, interval_ns, aggregate):
        name = self.registry.paths[signal].rpartition("/")[2]
        minutes = self.columns[name]
        times = START + np.arange(len(minutes)) * 60 * SECOND
        n = max(-(-(end - start) // interval_ns), 0)
        if interval_ns < 60 * SECOND:  # held within the minute
            at = ((start + np.arange(n) * interval_ns) - START) // (60 * SECOND)
            held = np.where((at >= 0) & (at < len(minutes)), minutes[np.clip(at, 0, len(minutes) - 1)], np.nan)
            return Aggregated(start + np.arange(n) * interval_ns, held, np.isfinite(held).astype(int), np.zeros(n, np.uint32))
        keep = (times >= start) & (times < end) & np.isfinite(minutes)
        bucket = (times[keep] - start) // interval_ns
        counts = np.bincount(bucket, minlength=n)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(bucket, minutes[keep], minlength=n) / counts
        values = counts.astype(float) if aggregate == "count" else mean
        return Aggregated(start + np.arange(n) * interval_ns, values, counts, np.zeros(n, np.uint32))

    async def facts(self, after, limit, kind, subject):
        if not self.runs:
            raise StorageError("no twin runs", code="twin-away", remedy="")
        return [f for f in self.record if f.kind == kind]


def lived(plant, days=60, pace=1.0, seed=0):
    """A pump that ran for some days: three speeds a day, wear by the law at its own pace, an indicator with noise."""
    rng, n = np.random.default_rng(seed), days * 1440
    hour = np.arange(n) // 60 % 24
    speed = np.where(hour < 6, 1500.0, np.where(hour < 20, 2500.0, 2100.0)) + 20 * rng.standard_normal(n)
    torque = 20.0 * (speed / 2900.0) ** 2
    wear = 1.0 + 100.0 * pace * 2e-4 * np.cumsum((speed / 2900.0) ** 3) / 60.0
    return Remembered(plant, {"speed": speed, "torque": torque, "head_loss": wear + 0.2 * rng.standard_normal(n)})


def now(twin):
    return START + len(twin.columns["speed"]) * 60 * SECOND


__all__ = ["ASSET", "DAY", "START", "Remembered", "lived", "now", "plant_in"]
