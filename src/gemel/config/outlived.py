"""Versions of a plant that nothing kept needs any more are given up, so that a plant that often changes does not fill the disk.

What needs one: a kept snapshot or fork that was taken under it; the log behind the oldest snapshot, in which frames are
numbered by its registry and facts name its plant file. History needs none: its signals are those of the registry in
force, which keeps a row of every signal that ever was.
"""

import logging
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gemel import sealing
from gemel.assets.fmus import LISTED, kept_name, read_list
from gemel.config.versions import Former, Pointer, Versions
from gemel.errors import StorageError
from gemel.operate.partition import Version
from gemel.operate.places import Places
from gemel.samples import Snapshot
from gemel.samples.clock import DAY

log = logging.getLogger(__name__)
STAY: Final = 8  # former versions, the newest: somebody may want to look at them, or to go back
GRACE_NS: Final = 7 * DAY  # before the oldest snapshot: a frame may be late
PLANNED_NS: Final = DAY  # for which a plant file that was only planned is kept


def give_up(places: Places, versions: Versions) -> None:
    """Give up what is outlived. Where something cannot be looked at all stays: it is tried again at the next change."""
    try:
        for file in _outlived(places, versions):
            log.info("given up, nothing kept needs it: %s/%s", file.parent.name, file.name)
            if file.is_dir():
                shutil.rmtree(file)
            else:
                file.unlink(missing_ok=True)
    except (OSError, StorageError) as e:
        log.warning("former versions of the plant stay: %s", e)


def _outlived(places: Places, versions: Versions) -> list[Path]:
    pointer, mark = versions.pointer(), versions.in_force()
    kept = sorted((places.snapshots / "0").glob("*.snap"), key=_position)
    if pointer is None or not kept:
        return []
    under = [_version(file) for file in (*kept, *places.forks.glob("*.snap"))]
    needed = {pointer.version, *under, *([mark] if mark else [])}
    spare = outlived(pointer, under[0], min(map(_written, kept)))
    needed |= {(f.plant, f.registry) for f in pointer.former if f not in spare}
    plants, registries = {plant for plant, _ in needed}, {registry for _, registry in needed}
    gone = [places.plants / p for p in {f.plant for f in spare} - plants]
    gone += [places.registries / f"{r}.arrow" for r in {f.registry for f in spare} - registries]
    known = plants | {f.plant for f in pointer.former}
    gone += _only_planned(places, pointer, known)
    return [file for file in (*gone, *_unnamed_fmus(places, gone)) if file.exists()]


def outlived(pointer: Pointer, oldest: Version, snapshot_ns: int) -> list[Former]:
    """Give the former versions that neither the oldest snapshot nor the log behind it can name.

    Args:
        pointer: the version applied, and those before it.
        oldest: the version that the oldest kept snapshot was taken under.
        snapshot_ns: when that was [ns, wall].

    """
    order = [(f.plant, f.registry) for f in pointer.former]
    before = order.index(oldest) if oldest in order else len(order)
    most = max(min(before, len(order) - STAY), 0)
    return [f for f in pointer.former[:most] if f.until < snapshot_ns - GRACE_NS]


def _only_planned(places: Places, pointer: Pointer, known: Iterable[str]) -> list[Path]:
    """Give the plant files that were planned, and never applied; none where not all that were applied are known."""
    if not pointer.whole:
        return []
    now = time.time_ns()
    return [f for f in places.plants.iterdir() if f.stem not in known and f.stat().st_mtime_ns < now - PLANNED_NS]


def _unnamed_fmus(places: Places, gone: Iterable[Path]) -> list[Path]:
    """Give the FMUs that no plant file names that stays, but for those that one may be about to name."""
    stay = set(places.plants.iterdir()) - set(gone) if places.fmus.exists() else set()
    lists = (folder / LISTED for folder in (places.applied, *stay))
    named = {kept_name(d) for file in lists if file.exists() for d in read_list(sealing.read(file)).values()}
    now = time.time_ns()
    return [f for f in places.fmus.glob("*") if f.name not in named and f.stat().st_mtime_ns < now - PLANNED_NS]


def _version(file: Path) -> Version:
    with sealing.opened(file) as stored:
        head = Snapshot.read_head(stored)
    return str(head.notes.get("plant", "")), head.registry


def _written(file: Path) -> int:
    return int(file.stem.split("-")[0])


def _position(file: Path) -> int:
    return int(file.stem.split("-")[1])
