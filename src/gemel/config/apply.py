"""Applying a plant file: the applied one is the truth; a changed one is a plan, and what would lose must be asked for."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from gemel import sealing
from gemel.assets import Plant, load
from gemel.assets.changes import Plan
from gemel.assets.succession import succeed
from gemel.config.registries import put_in_force, read_registry
from gemel.config.stamp import contents_of, stamp, unchanged
from gemel.config.versions import Versions
from gemel.durable import sync, write_atomic
from gemel.errors import ConfigError
from gemel.operate.places import DATA_FORMAT, Places
from gemel.operate.site import Site


@dataclass(frozen=True, slots=True)
class Applied(Site):
    """A plant as it is applied.

    Args:
        plant: the plant file, read.
        registry: the numbers of its signals, old ones first.
        additions: what this start added, in words.
        first: whether the data directory was empty before.
    """

    additions: list[str] = field(default_factory=list)
    first: bool = True


def apply(
    source: Path, places: Places, *, accept_loss: bool = False, actor: str = "gemel", reason: str = ""
) -> Applied:
    """Take a plant file into a data directory on which no twin runs.

    Args:
        source: the plant file's folder.
        places: the data directory.
        accept_loss: take also what loses something.
        actor: who asks.
        reason: why, in words.

    Raises AssetError (the file), ConfigError (what cannot be taken, or was not asked for). The twin that starts then
    lets the change take effect, at a tick, as a fact.
    """
    folder = source if source.is_dir() else source.parent
    plant = load(folder)
    _check_format(places)
    _mend(places)
    versions = Versions(places)
    if (stood := _applied_already(folder, plant, places, versions)) is not None:
        return stood
    former = former_site(places, versions)
    found = Plan(()) if former is None else plant.planned_from(former.plant)
    check_plan(found, folder, accept_loss=accept_loss)
    registry = plant.registry() if former is None else succeed(former.registry, plant).registry
    versions.stage(folder, plant)
    versions.keep(registry)
    site = Site(plant, registry)
    if former is None or former.version != site.version or versions.pointer() is None:
        versions.point(site, actor, [str(step) for step in found.steps], reason)
    put_in_force(registry, places)
    _replace(contents_of(folder, plant), places)
    stamp(registry, places)
    return Applied(plant, registry, [str(step) for step in found.steps], first=former is None)


def check_plan(found: Plan, folder: Path, *, accept_loss: bool) -> None:
    """Raise ConfigError where a plan cannot be applied, or loses what nobody said may be lost."""
    if found.impossible:
        raise ConfigError(
            "the plant file changed in ways that cannot be applied to these data:\n  - "
            + "\n  - ".join(map(str, found.impossible)),
            code="plant-changed", remedy="undo these changes, or start with another --data",
        )  # fmt: skip
    if found.losses and not accept_loss:
        raise ConfigError(
            "what these changes would lose must be asked for:\n  - " + "\n  - ".join(map(str, found.losses)),
            code="plant-loses",
            remedy=f"undo them, or say so: gemel plan {folder} --apply --accept-loss (with the --data of this twin)",
        )


def applied(places: Places, versions: Versions | None = None) -> Applied:
    """Read back what is applied: what each process of the family starts from; `versions` remember it."""
    versions = versions or Versions(places)
    pointer = versions.pointer()
    if pointer is None:  # by a version that kept none
        return Applied(load(places.applied), read_registry(places.registry), first=False)
    site = versions.site(pointer.version)
    return Applied(site.plant, site.registry, first=False)


def project(site: Site, places: Places) -> None:
    """Copy what is in force to where people and older versions look for it."""
    _mend(places)
    put_in_force(site.registry, places)
    _replace(contents_of(Versions(places).folder(site.plant.digest), site.plant), places)


def former_site(places: Places, versions: Versions) -> Site | None:
    """Give what is applied; None where nothing is."""
    pointer = versions.pointer()
    if pointer is not None:
        return versions.site(pointer.version)
    if not (places.applied / "plant.yaml").exists():
        return None
    former = load(places.applied)
    versions.stage(places.applied, former)
    return Site(former, read_registry(places.registry))


def _applied_already(folder: Path, plant: Plant, places: Places, versions: Versions) -> Applied | None:
    """Give what is applied, where it is these very files by this very version of gemel: nothing is to be derived."""
    pointer = versions.pointer()
    if pointer is None or pointer.plant != plant.digest or not places.registry.exists():
        return None
    stood = read_registry(places.registry)
    if stood.digest != pointer.registry or not unchanged(folder, plant, stood, places):
        return None
    shutil.rmtree(_beside(places)[0], ignore_errors=True)  # a copy that was cut off
    return Applied(plant, stood, first=False)


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


def _replace(contents: Mapping[str, bytes], places: Places) -> None:
    """Put a plant file in force as a whole: a part that is gone from it must not go on to be read."""
    fresh, former = _beside(places)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name, data in contents.items():
        sealing.write(fresh / name, data)
    places.applied.rename(former)
    fresh.rename(places.applied)
    sync(places.data)
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
