"""What a back-up holds, written last: a back-up without its manifest was torn, and is none."""

from typing import Final

import msgspec

FORMAT: Final = 1  # of vault and manifest; a newer one is refused with words


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file, or one pack of log messages.

    Args:
        path: below the data directory.
        size: in bytes.
        mode: permission bits.
        changed: the file's modification time [ns]: with path and size, what need not be read again.
        chunks: names of its chunks, in order.
    """

    path: str
    size: int
    mode: int = 0o600
    changed: int = 0
    chunks: list[str]


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one stream: after < sequence ≤ upto; what is missing between was missing in the log."""

    stream: str
    subject: str
    after: int
    upto: int
    messages: int
    packs: list[Entry]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Where the twin stood.

    Args:
        position: last position of the log.
        facts: last position of the record.
        snapshot: position of the snapshot that is in it; 0 where there is none.
        time: plant time of the last tick [ns].
        registry: digest of the registry.
        wall: wall time when it was taken [ns].
    """

    position: int
    facts: int
    snapshot: int
    time: int
    registry: str
    wall: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A back-up."""

    format: int = FORMAT
    id: str
    gemel: str
    plant: str
    point: Point
    files: list[Entry]
    streams: list[Stretch]
    new_bytes: int = 0  # what this back-up added to the folder

    @property
    def size(self) -> int:
        """What it holds, before compression [bytes]."""
        packs = (p.size for s in self.streams for p in s.packs)
        return sum(f.size for f in self.files) + sum(packs)

    @property
    def chunks(self) -> set[str]:
        """Names of all chunks."""
        entries = [*self.files, *(p for s in self.streams for p in s.packs)]
        return {name for e in entries for name in e.chunks}
