"""Whether a plant file is what is applied already, byte for byte: then a start has nothing to compare or to derive."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gemel import __version__, sealing
from gemel.assets import Plant
from gemel.assets.fmus import LISTED, written_list
from gemel.durable import write_atomic
from gemel.errors import DefectError
from gemel.operate.places import Places
from gemel.samples import Registry

PATTERNS: Final = ("*.yaml", "*.yml", "*.csv", "*.parquet")


def files_of(folder: Path) -> Iterator[Path]:
    """Give the files that make a plant."""
    for pattern in PATTERNS:
        yield from folder.glob(pattern)


def contents_of(folder: Path, plant: Plant) -> dict[str, bytes]:
    """Give what is kept of a plant file, by name: its files, and which contents the names of its FMUs mean."""
    found = {file.name: sealing.read(file) for file in files_of(folder)}
    return found | ({LISTED: written_list(plant.fmus)} if plant.fmus else {})


def stamp(registry: Registry, places: Places) -> None:
    """Write down which version of gemel derived what is applied."""
    write_atomic(_file(places), msgspec.json.encode(_told(registry)))


def unchanged(folder: Path, plant: Plant, registry: Registry, places: Places) -> bool:
    """Tell whether this version of gemel applied these very files, and numbered all their signals."""
    try:
        if msgspec.json.decode(_file(places).read_bytes()) != _told(registry):
            return False
        plant.numbers(registry)
    except (OSError, msgspec.DecodeError, DefectError):
        return False
    return _contents(folder) == _contents(places.applied)


def _told(registry: Registry) -> dict[str, str]:
    return {"version": __version__, "registry": registry.digest}


def _file(places: Places) -> Path:
    return places.data / "derived-by.json"


def _contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in files_of(folder) if file.name != LISTED)  # FMUs are told by the plant's digest
    return {file.name: hashlib.sha256(sealing.read(file)).digest() for file in files}
