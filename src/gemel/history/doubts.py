"""Files that a reader met and could not read: left out of its answers, and told to the lake's writer.

A reader may change nothing. It leaves a note in `suspects/`, named as the file; the writer looks at it in its next turn.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from gemel.history import holes
from gemel.history.catalogue import Stored
from gemel.history.groups import UnreadableError
from gemel.history.holes import Hole
from gemel.history.manifest import Files, Manifest
from gemel.history.remade import remade

SUSPECTS: Final = "suspects"


def doubted(error: BaseException | None) -> Path | None:
    """Give the file that an error is about, where it names one."""
    while error is not None:
        if isinstance(error, UnreadableError | FileNotFoundError) and error.filename:
            return Path(str(error.filename))
        error = error.__cause__
    return None


def suspects(path: Path) -> list[str]:
    """Give the names of the files that readers of a lake could not read."""
    with suppress(OSError):
        return sorted(p.name for p in (path / SUSPECTS).iterdir())
    return []


def cleared(path: Path, name: str) -> None:
    """Take away what readers noted of a file."""
    with suppress(OSError):
        (path / SUSPECTS / name).unlink(missing_ok=True)


class Doubts:
    """What one reader of a lake found broken. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._broken: dict[Path, Hole] = {}
        self._left: tuple[Manifest, int, Manifest] | None = None

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._broken)

    def broken(self, path: Path) -> bool:
        """Tell whether a file was found broken."""
        return path in self._broken

    def examine(self, files: Sequence[Stored]) -> bool:
        """Read files from end to end; tell whether one is newly found broken."""
        found = holes.examined([f for f in files if f.path not in self._broken])
        for file, one in found:
            self._note(file.path.name)
            with self._turn:
                self._broken[file.path] = replace(holes.of(one, file), rows=file.rows)
        return bool(found)

    def left(self, manifest: Manifest) -> Manifest:
        """Give a version of the lake without the files that are broken, and with the holes that they leave."""
        with self._turn:
            if not self._broken:
                return manifest
            if self._left is not None and self._left[0] is manifest and self._left[1] == len(self._broken):
                return self._left[2]
            left = self._without(manifest)
            self._left = (manifest, len(self._broken), left)
            return left

    def _without(self, manifest: Manifest) -> Manifest:
        gone = [f for f in _files(manifest) if f.path in self._broken]
        files = {
            kind: Files(tuple(f for f in group.stored if f.path not in self._broken)) for kind, group in manifest.files.items()
        }
        rolled, found = manifest.rolled, list(manifest.holes)
        for file in gone:
            anew = remade(file, self._broken[file.path], rolled)
            rolled = replace(rolled, dirty=(*rolled.dirty, *anew.hours), dirty_days=(*rolled.dirty_days, *anew.days))
            found.append(anew.hole)
        return Manifest(manifest.version, files, rolled, tuple(found))

    def _note(self, name: str) -> None:
        with suppress(OSError):  # a folder that may not be written: the writer meets the file by itself
            (self._path / SUSPECTS).mkdir(exist_ok=True)
            (self._path / SUSPECTS / name).touch()


def _files(manifest: Manifest) -> Iterator[Stored]:
    for group in manifest.files.values():
        yield from group.stored
