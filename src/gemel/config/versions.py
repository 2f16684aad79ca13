"""The versions of a plant that a data directory keeps, by digest, and which of them is applied.

    plants/<digest>/          a plant file, whole, never written again
    fmus/<digest>.fmu         an FMU that plant files name, never written again
    registries/<digest>.arrow the numbers of its signals
    applied.json              which of them is applied: one small file, replaced at once; who did it, and what changed
    in-force.json             which one the state is at: written by the twin when the change has taken effect

A snapshot and a fact name a version by its digests; replayed or restored, they find the very plant they meant.
"""

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gemel import sealing
from gemel.assets import Plant, load
from gemel.assets.fmus import find, keep_in, kept_name
from gemel.config.registries import keep, read_registry, registries
from gemel.config.stamp import contents_of
from gemel.durable import sync
from gemel.errors import AssetError, StorageError
from gemel.operate.partition import Partition, Version
from gemel.operate.places import Places
from gemel.operate.site import Site
from gemel.samples import Registry

FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(yaml|csv)")
MOST: Final = 4  # versions held in memory: the one before, the one in force, and one that is looked at


class Former(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was applied: its digests, and until when [ns, wall]."""

    plant: str
    registry: str
    until: int


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """Which version is applied.

    Args:
        plant, registry: their digests.
        actor: who applied it.
        steps: what it changed, in words, the first of them.
        reason: why, in words.
        former: the versions applied before that are kept, the oldest first.
        whole: whether `former` names all that were ever applied to these data, but for those given up.
    """

    plant: str
    registry: str
    actor: str = "gemel"
    steps: list[str] = []
    reason: str = ""
    former: list[Former] = []
    whole: bool = False

    @property
    def version(self) -> Version:
        """What it is known by."""
        return self.plant, self.registry


class Versions:
    """Keeps plant files and registries; one process writes `applied.json` at a time."""

    def __init__(self, places: Places) -> None:
        self._places = places
        keep_in(places.fmus)
        self._sites: dict[Version, Site] = {}

    # ---- plant files

    def stage(self, folder: Path, plant: Plant) -> None:
        """Keep a plant file that was read from a folder; it is there as a whole or not at all."""
        self._keep_fmus(plant)
        place = self._place(plant.digest)
        if place.exists():
            return
        beside = place.with_name(f".{uuid.uuid4().hex}")
        beside.mkdir(parents=True)
        for name, data in contents_of(folder, plant).items():
            sealing.write(beside / name, data)
        try:
            beside.rename(place)
            sync(place.parent, place.parent.parent)
        except OSError:  # somebody else was faster, with the same content
            shutil.rmtree(beside, ignore_errors=True)
            if not place.exists():
                raise

    def _keep_fmus(self, plant: Plant) -> None:
        """Keep the FMUs that a plant names; raises AssetError where one is neither here nor where it was read."""
        for name, digest in plant.fmus.items():
            kept = self._places.fmus / kept_name(digest)
            if kept.exists():
                os.utime(kept)  # it is named anew, and not to be given up meanwhile
                continue
            file = find(digest)
            data = b"" if file is None else sealing.read(file)
            if hashlib.sha256(data).hexdigest() != digest:
                raise AssetError(
                    f"the FMU {name} ({digest[:12]}) is not here", code="no-fmu",
                    remedy="put the file beside plant.yaml; over HTTP send it to POST /api/v1/plant/fmus first",
                )  # fmt: skip
            kept.parent.mkdir(parents=True, exist_ok=True)
            sealing.write(kept, data)

    def stage_files(self, files: Mapping[str, str]) -> str:
        """Keep a plant file given as texts by name; give its digest.

        Raises AssetError where it is none, or where a name would lead elsewhere.
        """
        beside = self._places.plants / f".{uuid.uuid4().hex}"
        beside.mkdir(parents=True)
        try:
            for name, text in files.items():
                if not FILE.fullmatch(name):
                    raise AssetError(f"{name!r} is no file of a plant", remedy="plant.yaml, other .yaml and .csv")
                sealing.write(beside / name, text.encode())
            plant = load(beside)
            self.stage(beside, plant)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return plant.digest

    def folder(self, digest: str) -> Path:
        """Give where a plant file is kept; raises StorageError where it is not."""
        place = self._place(digest)
        if not digest.isalnum() or not place.is_dir():
            raise StorageError(
                f"the plant file {digest[:12]} is not kept here", code="plant-version-lost",
                remedy="plan it again; or restore plants/ of the data directory from a back-up",
            )  # fmt: skip
        return place

    def plant(self, digest: str) -> Plant:
        """Read a kept plant file."""
        return load(self.folder(digest))

    def _place(self, digest: str) -> Path:
        return self._places.plants / digest

    # ---- versions

    def keep(self, registry: Registry) -> None:
        """Keep a registry under its digest."""
        self._places.make()
        keep(registry, self._places)

    def site(self, version: Version) -> Site:
        """Give a version; raises StorageError where it is not kept."""
        if version not in self._sites:
            while len(self._sites) >= MOST:
                del self._sites[next(iter(self._sites))]
            self._sites[version] = Site(self.plant(version[0]), self._registry(version[1]))
        return self._sites[version]

    def _registry(self, digest: str) -> Registry:
        file = self._places.registries / f"{digest}.arrow"
        if digest.isalnum() and file.exists():
            return read_registry(file)
        last = read_registry(self._places.registry) if self._places.registry.exists() else None
        if last is None or last.digest != digest:
            raise StorageError(
                f"the registry {digest[:12]} is not kept here", code="plant-version-lost",
                remedy="restore registries/ of the data directory from a back-up",
            )  # fmt: skip
        return last

    def partition(self, version: Version) -> Partition | None:
        """Give the partition of a version as it is before anything was heard; None where the version is not kept."""
        try:
            return self.fresh(self.site(version))
        except StorageError:
            return None

    def fresh(self, site: Site) -> Partition:
        """Give the partition of a site, which knows all other registries and versions."""
        found = site.partition()
        found.versions = self.partition
        for digest, other in registries(self._places):
            if digest != site.registry.digest:
                found.know(other, digest)
        return found

    # ---- which is applied

    def pointer(self) -> Pointer | None:
        """Give which version is applied; None where nothing was, or by a version that kept none."""
        return _read(self._places.pointer, Pointer)

    def point(self, site: Site, actor: str, steps: Sequence[str] = (), reason: str = "") -> Pointer:
        """Apply a version that is kept: from here on it is the one to be, however this process ends."""
        plant, registry = site.version
        before = self.pointer()
        pointer = Pointer(
            plant=plant, registry=registry, actor=actor, steps=_most(steps), reason=reason,
            former=self._former(before, site.version), whole=before is None or before.whole,
        )  # fmt: skip
        sealing.write(self._places.pointer, msgspec.json.encode(pointer))
        return pointer

    def _former(self, before: Pointer | None, version: Version) -> list[Former]:
        if before is None:
            return []
        kept = [f for f in before.former if self._place(f.plant).exists()]
        if before.version == version:
            return kept
        return [*kept, Former(plant=before.plant, registry=before.registry, until=time.time_ns())]

    def in_force(self) -> Version | None:
        """Give the version that the state was at last."""
        mark = _read(self._places.mark, Pointer)
        return None if mark is None else mark.version

    def mark(self, version: Version) -> None:
        """Say that a version has taken effect."""
        if self.in_force() != version:
            sealing.write(
                self._places.mark, msgspec.json.encode(Pointer(plant=version[0], registry=version[1]))
            )


def _most(steps: Iterable[str], most: int = 200) -> list[str]:
    told = list(steps)
    return told if len(told) <= most else [*told[:most], f"… and {len(told) - most} more"]


def _read(file: Path, kind: type[Pointer]) -> Pointer | None:
    try:
        return msgspec.json.decode(sealing.read(file), type=kind)
    except FileNotFoundError:
        return None
