"""What stands between the plant and its readings: lag, noise, resolution. And states as the words devices send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.testing.station.model import Signal

WORDS: Final = {"running": ("stopped", "running"), "overflow": ("no", "yes")}

# signal: (lag [s], noise as a standard deviation, resolution); a set-point and a counter are read as they are
CHARACTER: Final[Mapping[str, tuple[float, float, float]]] = {
    "speed": (0.3, 0.8, 0.1),
    "flow": (1.0, 0.25, 0.01),
    "inflow": (1.0, 0.35, 0.01),
    "outflow": (1.0, 0.35, 0.01),
    "suction_pressure": (0.4, 0.002, 0.0005),
    "discharge_pressure": (0.4, 0.004, 0.0005),
    "outlet_pressure": (0.5, 0.004, 0.0005),
    "pressure": (0.5, 0.004, 0.0005),
    "pressure_drop": (0.5, 0.004, 0.0005),
    "power": (0.5, 0.015, 0.001),
    "current": (0.3, 0.04, 0.01),
    "torque": (0.3, 0.12, 0.01),
    "motor_temperature": (20.0, 0.06, 0.01),
    "drive_temperature": (15.0, 0.06, 0.01),
    "bearing_temperature": (25.0, 0.06, 0.01),
    "temperature": (60.0, 0.03, 0.01),
    "water_temperature": (60.0, 0.03, 0.01),
    "ambient_temperature": (60.0, 0.06, 0.01),
    "vibration": (0.8, 0.06, 0.001),
    "level": (2.0, 0.004, 0.001),
    "position": (0.3, 0.05, 0.01),
    "energy": (0.0, 0.0, 0.001),
    "volume": (0.0, 0.0, 0.001),
}


@dataclass(frozen=True, slots=True)
class Sensors:
    """Every sensor of the plant, as columns in the order of its signals."""

    signals: tuple[Signal, ...]
    lag_s: npt.NDArray[np.float64]
    noise: npt.NDArray[np.float64]
    step: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]

    @classmethod
    def of(cls, signals: tuple[Signal, ...]) -> "Sensors":
        """Make the sensors of these signals."""
        rows = np.array([CHARACTER.get(name, (0.0, 0.0, 0.0)) for _, name in signals])
        # a pressure or a position may read a little below zero, a speed or a flow meter stops at it
        low = np.array(
            [
                0.0
                if name in {"speed", "flow", "inflow", "outflow", "power", "current", "torque"}
                else -np.inf
                for _, name in signals
            ]
        )
        return cls(signals, rows[:, 0], rows[:, 1], rows[:, 2], low)

    def read(
        self,
        held: npt.NDArray[np.float64],
        true: npt.NDArray[np.float64],
        seconds: float,
        rng: np.random.Generator,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Advance the sensors; give what they hold inside now, and what they show."""
        with np.errstate(divide="ignore"):
            keep = np.where(self.lag_s > 0, np.exp(-seconds / np.maximum(self.lag_s, 1e-9)), 0.0)
        held = true + (held - true) * keep
        shown = np.maximum(held + self.noise * rng.standard_normal(len(held)), self.low)
        stepped = np.where(
            self.step > 0, np.round(shown / np.where(self.step > 0, self.step, 1.0)) * self.step, shown
        )
        return held, stepped
