"""What the processes of a family read of the data directory that they share."""

import msgspec

from gemel.config.settings import Settings
from gemel.errors import ConfigError
from gemel.operate.places import Places, Running, read_running


def settings_of(places: Places) -> Settings:
    """Read what the supervisor wrote down."""
    return msgspec.json.decode((places.data / "settings.json").read_bytes(), type=Settings)


def running_of(places: Places) -> Running:
    """Read where the family's bus is."""
    running = read_running(places.data)
    if running is None:
        raise ConfigError(f"nothing runs on {places.data}", remedy="gemel run PLANT")
    return running
