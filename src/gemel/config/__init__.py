"""The only composition root: settings, where data lie, applying a plant file, and what each process is made of."""

from gemel.config.settings import Settings, data_dir, plant_root

__all__ = ["Settings", "data_dir", "plant_root"]
