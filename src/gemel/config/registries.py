"""Registries on disk: each that ever numbered a frame is kept under its digest, and mapped, not read."""

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from gemel import sealing
from gemel.durable import sync, write_atomic
from gemel.errors import GemelError
from gemel.operate.places import Places
from gemel.samples import Registry

log = logging.getLogger(__name__)


def read_registry(file: Path) -> Registry:
    """Map a registry: all processes share its pages, and only those that are looked at come into memory.

    A sealed one is opened into the memory of each.
    """
    if sealing.sealed_file(file):
        return Registry.from_bytes(pa.py_buffer(sealing.read(file)))
    with pa.memory_map(str(file)) as mapped:
        return Registry.from_bytes(mapped.read_buffer())


def registries(places: Places) -> Iterator[tuple[str, Registry]]:
    """Give every registry that ever numbered a frame, with the digest that the frames carry."""
    for file in sorted(places.registries.glob("*.arrow")):
        try:
            yield file.stem, read_registry(file)
        except (GemelError, OSError, KeyError, pa.ArrowException) as e:
            log.error("the registry %s cannot be read; frames numbered by it cannot be either: %s", file, e)


def put_in_force(registry: Registry, places: Places) -> None:
    """Put a registry in force; it and the former one are kept, for the log may hold frames that name them."""
    places.make()
    if places.registry.exists():
        former = read_registry(places.registry)
        if former.stored is None:
            _keep_first_format(places)
        elif former.digest == registry.digest:
            return
        else:
            keep(former, places)
    file = keep(registry, places)
    beside = places.registry.with_name(places.registry.name + ".new")
    beside.unlink(missing_ok=True)
    try:
        os.link(file, beside)  # never written again, so one file may stand in both places
    except OSError:  # a file system without links
        write_atomic(places.registry, file.read_bytes())
    else:
        beside.replace(places.registry)
        sync(places.registry.parent)


def keep(registry: Registry, places: Places) -> Path:
    """Keep a registry under its digest; one that is kept is not written again."""
    file = places.registries / f"{registry.digest}.arrow"
    if not file.exists():
        beside = file.with_name(file.name + ".new")
        with sealing.create(beside) as sink:
            registry.write(sink)
        sync(beside)
        beside.replace(file)
        sync(file.parent)
    return file


def _keep_first_format(places: Places) -> None:
    """Keep a registry as it was stored, under the digest of its bytes: frames name it by that."""
    data = sealing.read(places.registry)
    file = places.registries / f"{hashlib.sha256(data).hexdigest()}.arrow"
    if not file.exists():
        sealing.write(file, data)

