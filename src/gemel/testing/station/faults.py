"""Faults that can be switched on and off: of sensors, of a clock, and of the machine itself.

stuck    a sensor shows its last value for ever
drift    a sensor walks away from the truth
spikes   a sensor throws wild single readings
clock    a device dates its readings wrongly
bearing  a bearing begins to fail; it stays damaged when the fault is switched off
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from gemel.samples.clock import SECOND
from gemel.testing.station.model import Signal

TARGETS: Final = {  # what a fault strikes where nothing else is said
    "stuck": "pump-1/flow",
    "drift": "pump-1/discharge_pressure",
    "spikes": "pump-2/vibration",
    "clock": "pump-2",
    "bearing": "pump-1",
}
DRIFT_PER_HOUR: Final = 0.6  # of the value it showed when the drift began
SPIKE_CHANCE: Final = 0.03
SPIKE_FACTOR: Final = 8.0
CLOCK_OFF_NS: Final = 90 * SECOND


@dataclass(slots=True)
class Faults:
    """The faults that are on, and what they remember."""

    on: dict[str, str] = field(default_factory=dict)  # name -> target
    _held: dict[str, float] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    def switch(self, name: str, on: bool, target: str | None = None) -> bool:
        """Switch a fault; tell whether there is one of that name."""
        if name not in TARGETS:
            return False
        self._held.pop(name, None)
        self._since.pop(name, None)
        if on:
            self.on[name] = target or TARGETS[name]
        else:
            self.on.pop(name, None)
        return True

    @property
    def failing(self) -> frozenset[str]:
        """Pumps whose bearing is failing."""
        return frozenset({self.on["bearing"]}) if "bearing" in self.on else frozenset()

    def clock_offset(self, asset: str) -> int:
        """Give how wrongly the device of an asset dates its readings [ns]."""
        return CLOCK_OFF_NS if self.on.get("clock") == asset else 0

    def strike(
        self,
        signals: tuple[Signal, ...],
        shown: npt.NDArray[np.float64],
        time_s: float,
        rng: np.random.Generator,
    ) -> npt.NDArray[np.float64]:
        """Give what the sensors show with the faults that are on."""
        if not self.on:
            return shown
        struck = shown.copy()
        for name, target in self.on.items():
            asset, _, signal = target.partition("/")
            if (asset, signal) in signals:
                at = signals.index((asset, signal))
                struck[at] = self._struck(name, float(shown[at]), time_s, rng)
        return struck

    def _struck(self, name: str, value: float, time_s: float, rng: np.random.Generator) -> float:
        held = self._held.setdefault(name, value)
        since = self._since.setdefault(name, time_s)
        if name == "stuck":
            return held
        if name == "drift":
            return value + held * DRIFT_PER_HOUR * (time_s - since) / 3600.0
        if name == "spikes" and rng.random() < SPIKE_CHANCE:
            return value * SPIKE_FACTOR
        return value
