"""Snapshots on disk: written whole or not at all, the newest sound one is used, old ones are thinned."""

import errno
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from gemel import sealing
from gemel.errors import StorageError
from gemel.operate.saving import Saving
from gemel.samples import Snapshot
from gemel.samples.clock import SECOND

log = logging.getLogger(__name__)
KEEP_NEWEST: Final = 2
KEEP_FOR_NS: Final = 3600 * SECOND
SPACING_NS: Final = 600 * SECOND  # older ones are kept this far apart


class SnapshotFolder:
    """The snapshots of one partition; a file's name is its wall time and position.

    Args:
        folder: where they are.
        own: whether this process writes them; who only looks must not tidy away what is being written.
    """

    def __init__(self, folder: Path, *, own: bool = True) -> None:
        self._folder = folder
        self._last: Saving | None = None
        if not own:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for torn in folder.glob("*.new"):
            torn.unlink()

    @property
    def path(self) -> Path:
        """Where they lie."""
        return self._folder

    def save(self, snapshot: Snapshot) -> None:
        """Write a snapshot durably, then thin the old ones."""
        with sealing.atomic(self._file(snapshot.sequence)) as file:
            snapshot.write(file)
        self._thin()

    def begin(self, sequence: int, take: Callable[[bool], Snapshot]) -> Saving:
        """Begin to write the snapshot of a position as things stand now; `keep` ends it.

        Raises TimeoutError while the writer of the one before, killed, is still held by its disk: a second one would
        be held too, and each holds a copy of the state.
        """
        if self._last is not None and not self._last.ended():
            raise TimeoutError(errno.ETIMEDOUT, "the disk holds the killed writer of the snapshot before")
        self._last = Saving(self._file(sequence), take)
        return self._last

    def keep(self, saving: Saving) -> None:
        """Wait for a snapshot that is being written, then thin the old ones."""
        saving.keep()
        self._thin()

    def _file(self, sequence: int) -> Path:
        return self._folder / f"{time.time_ns():020d}-{sequence}.snap"

    def _thin(self) -> None:
        for path in self._superfluous(time.time_ns()):
            path.unlink(missing_ok=True)

    def newest(self) -> Snapshot | None:
        """Give the newest snapshot that reads back sound."""
        return next(self.sound(), None)

    def sound(self) -> Iterator[Snapshot]:
        """Give the snapshots that read back sound, the newest first."""
        for path in reversed(self._paths()):
            try:
                with sealing.opened(path) as file:
                    snapshot = Snapshot.read(file)
            except (StorageError, OSError, ValueError, MemoryError) as e:
                log.warning("snapshot %s is not used: %s", path.name, e)
            else:
                yield snapshot

    def oldest(self, since: int = 0) -> Snapshot | None:
        """Give the oldest sound snapshot at a position of the log or later; where none is, the newest: a log that was lost
        went on from it, and begins after what the lake had then.
        """
        kept = list(self.sound())
        return next((s for s in reversed(kept) if s.sequence >= since), kept[0] if kept else None)

    def oldest_position(self) -> int:
        """Give the position of the oldest snapshot kept, 0 where there is none."""
        return min((_position(p) for p in self._paths()), default=0)

    def oldest_needed(self) -> int:
        """Give the position of the older of the two newest snapshots: what a tight log must keep at least."""
        return min((_position(p) for p in self._paths()[-KEEP_NEWEST:]), default=0)

    def _paths(self) -> list[Path]:
        """Give the files, the furthest in the log last: a machine's clock may be set back, the log's positions not."""
        return sorted(self._folder.glob("*.snap"), key=_position)

    def _superfluous(self, now: int) -> list[Path]:
        kept_at = 0
        drop = []
        for path in self._paths()[:-KEEP_NEWEST]:
            at = int(path.stem.split("-")[0])
            if not 0 <= now - at <= KEEP_FOR_NS or abs(at - kept_at) < SPACING_NS:
                drop.append(path)
            else:
                kept_at = at
        return drop


def _position(path: Path) -> int:
    return int(path.stem.split("-")[1])
