"""The only composition root: settings, where data lie, applying a plant file, and what each process is made of."""

from gemel.config.apply import Applied, apply
from gemel.config.settings import Settings, data_dir, plant_root

__all__ = ["Applied", "Settings", "apply", "data_dir", "plant_root"]
