"""Applying a plant file: the applied one is the truth; a changed one may only add, until it can be planned."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from gemel.assets import Plant, load
from gemel.assets.succession import succeed
from gemel.config.registries import put_in_force, read_registry
from gemel.config.stamp import files_of, stamp, unchanged
from gemel.errors import ConfigError
from gemel.operate.places import DATA_FORMAT, Places, write_atomic
from gemel.samples import Registry


@dataclass(frozen=True, slots=True)
class Applied:
    """A plant as it is applied.

    Args:
        plant: the plant file, read.
        registry: the numbers of its signals, old ones first.
        additions: what this start added, in words.
        first: whether the data directory was empty before.
    """

    plant: Plant
    registry: Registry
    additions: list[str] = field(default_factory=list)
    first: bool = True


def apply(source: Path, places: Places) -> Applied:
    """Take a plant file into a data directory; raises AssetError (the file), ConfigError (what cannot be taken)."""
    folder = source if source.is_dir() else source.parent
    plant = load(folder)
    _check_format(places)
    _mend(places)
    if places.registry.exists() and unchanged(folder, plant, stood := read_registry(places.registry), places):
        shutil.rmtree(_beside(places)[0], ignore_errors=True)  # a copy that was cut off
        return Applied(plant, stood, first=False)
    former = load(places.applied) if (places.applied / "plant.yaml").exists() else None
    additions: list[str] = []
    if former is not None and former.digest != plant.digest:
        found = plant.planned_from(former)
        additions = [str(step) for step in found.harmless]
        if refusals := [str(step) for step in (*found.impossible, *found.losses)]:
            raise ConfigError(
                "the plant file changed in ways that cannot be applied to these data:\n  - " + "\n  - ".join(refusals),
                code="plant-changed", remedy="undo these changes, or start with another --data",
            )  # fmt: skip
    registry = plant.registry()
    if places.registry.exists():
        registry = succeed(read_registry(places.registry), plant).registry
    put_in_force(registry, places)
    _replace(folder, places)
    stamp(registry, places)
    return Applied(plant, registry, additions, first=former is None)


def applied(places: Places) -> Applied:
    """Read back what is applied: what each process of the family starts from."""
    return Applied(load(places.applied), read_registry(places.registry), first=False)


def _check_format(places: Places) -> None:
    mark = places.data / "format.json"
    if mark.exists():
        found = msgspec.json.decode(mark.read_bytes())["format"]
        if found > DATA_FORMAT:
            raise ConfigError(
                f"{places.data} was written by a newer gemel (format {found}, this one knows {DATA_FORMAT})",
                remedy="install that version, or start with another --data",
            )  # fmt: skip
        return
    places.make()
    write_atomic(mark, msgspec.json.encode({"format": DATA_FORMAT}))


def _replace(source: Path, places: Places) -> None:
    """Put a plant file in force as a whole: a part that is gone from it must not go on to be read."""
    fresh, former = _beside(places)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for file in files_of(source):
        write_atomic(fresh / file.name, file.read_bytes())
    places.applied.rename(former)
    fresh.rename(places.applied)
    shutil.rmtree(former)


def _mend(places: Places) -> None:
    """End what a kill between the two renames left."""
    _, former = _beside(places)
    if not former.exists():
        return
    if (places.applied / "plant.yaml").exists():
        shutil.rmtree(former)
    else:
        shutil.rmtree(places.applied, ignore_errors=True)
        former.rename(places.applied)


def _beside(places: Places) -> tuple[Path, Path]:
    return places.data / "applied.new", places.data / "applied.old"
