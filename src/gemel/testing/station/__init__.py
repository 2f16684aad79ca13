"""A pumping station that is a plant of its own: it lives, wears, leaks, fails, and speaks MQTT.

    model (true state) -> sensors (lag, noise, resolution) -> faults -> process (MQTT)

Run it with ``python -m gemel.testing.station --broker mqtt://127.0.0.1:1883``; `PLANT` is the folder of its
plant file.
"""

from pathlib import Path
from typing import Final

from gemel.testing.station.faults import Faults
from gemel.testing.station.model import Station, step, truth
from gemel.testing.station.physics import Physics
from gemel.testing.station.process import StationProcess

PLANT: Final = Path(__file__).parent / "plant"

__all__ = ["PLANT", "Faults", "Physics", "Station", "StationProcess", "step", "truth"]
