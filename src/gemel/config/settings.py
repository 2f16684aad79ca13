"""What a run is told: from the command line and a few environment variables, each with a default said aloud."""

import os
import re
from pathlib import Path
from typing import Final

import msgspec

from gemel import sealing
from gemel.errors import ConfigError

READY: Final = 8  # what-ifs that `gemel run` makes ready
_ROOT: Final = re.compile(r"^plant:\s*['\"]?([^\s'\"#]+)", re.MULTILINE)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a twin runs.

    Args:
        plant: folder of the plant file.
        data: data directory.
        host: address that HTTP listens on.
        port: its port.
        reserve_bytes: free disk below which nothing more is taken from the sources (or 10 %, if that is less).
        log_bytes: most that the log of a partition may hold; full means refused, nothing is evicted.
        ready: so many what-ifs are made ready before they are asked; 0: none, and nothing is started for it.
    """

    plant: str
    data: str
    host: str = "127.0.0.1"
    port: int = 8090
    reserve_bytes: int = 5 << 30
    log_bytes: int = 16 << 30
    ready: int = 0
    tls_certificate: str = ""
    tls_key: str = ""

    @property
    def url(self) -> str:
        """Address of the page."""
        scheme = "https" if self.tls_certificate else "http"
        anywhere = self.host in {"0.0.0.0", "::"}  # noqa: S104 - asked, not bound
        return f"{scheme}://{'127.0.0.1' if anywhere else self.host}:{self.port}"


def plant_root(plant: Path) -> str:
    """Read the plant's name, ``enterprise/site``, without reading the whole file; raises ConfigError."""
    file = plant / "plant.yaml" if plant.is_dir() else plant
    try:
        found = _ROOT.search(sealing.read(file).decode())
    except OSError as e:
        raise ConfigError(
            f"no plant file at {plant}",
            remedy="name a folder with a plant.yaml; gemel init writes a first one",
        ) from e
    if not found:
        raise ConfigError(
            f"{file} names no plant", remedy="write a first line such as: plant: acme/riverside"
        )
    return found[1]


def data_dir(plant: Path, given: Path | None = None) -> Path:
    """Tell where a plant's data lie: as given, else under GEMEL_DATA, else in the user's data folder."""
    if given is not None:
        return given.absolute()
    return data_home() / re.sub(r"[^\w.-]+", "-", plant_root(plant))


def data_home() -> Path:
    """Tell under which folder the data of all plants lie, where nothing else is said."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(os.environ.get("GEMEL_DATA") or str(Path(home) / "gemel")).absolute()


def integer(name: str, default: int) -> int:
    """Read a number from the environment."""
    text = os.environ.get(name, "")
    try:
        return int(text) if text else default
    except ValueError:
        raise ConfigError(
            f"{name}={text!r} is not a whole number", remedy=f"unset {name} or give bytes"
        ) from None
